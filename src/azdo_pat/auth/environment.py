"""The access token from the environment."""

from datetime import datetime
from typing import Final

from azdo_pat.auth.chain import Absent
from azdo_pat.auth.claims import inspect
from azdo_pat.models import AccessToken, Secret

VARIABLE: Final = "PAT_ACCESS_TOKEN"
_SIGN_IN_HINT: Final = (
    "set PAT_ACCESS_TOKEN to a new access token (pat cannot renew this one); or unset it and"
    " run: pat login"
)


class EnvironmentSource:
    """`PAT_ACCESS_TOKEN` at the start of the program.

    Args:
        value: None if it is not set.
    """

    name = VARIABLE

    def __init__(self, *, value: Secret | None) -> None:
        self._value = value

    def access_token(self, now: datetime) -> AccessToken | Absent:
        """Return the token in the variable; see `TokenSource`."""
        if self._value is None or not self._value.reveal().strip():
            return Absent(reason="not set")
        found = inspect(self._value.reveal(), source=VARIABLE, now=now)
        return found._replace(sign_in_hint=_SIGN_IN_HINT)
