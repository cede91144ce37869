"""The access token that the environment hands over."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from azdo_pat.auth.claims import inspect
from azdo_pat.auth.source import Absent
from azdo_pat.models import AccessToken, Secret

VARIABLE: Final = "PAT_ACCESS_TOKEN"


@dataclass(frozen=True, kw_only=True)
class EnvironmentSource:
    """`PAT_ACCESS_TOKEN`, as it was when the program started.

    Attributes:
        value: None where it is not set.
    """

    value: Secret | None
    name: str = VARIABLE

    def access_token(self, now: datetime) -> AccessToken | Absent:
        """Return the token that the variable holds; see `TokenSource`."""
        if self.value is None or not self.value.reveal().strip():
            return Absent(reason="not set")
        return inspect(self.value.reveal(), source=VARIABLE, now=now)
