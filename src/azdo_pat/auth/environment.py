"""The access token of a service from the environment."""

from datetime import datetime

from azdo_pat.auth.chain import Absent
from azdo_pat.auth.claims import AZURE_DEVOPS, Resource, inspect
from azdo_pat.models import AccessToken, Secret


class EnvironmentSource:
    """The variable of a service, such as `PAT_ACCESS_TOKEN`, at the start of the program.

    Args:
        value: None if it is not set.
        resource: the service.
    """

    def __init__(self, *, value: Secret | None, resource: Resource = AZURE_DEVOPS) -> None:
        self.name = resource.variable
        self._value = value
        self._resource = resource

    def access_token(self, now: datetime) -> AccessToken | Absent:
        """Return the token in the variable; see `TokenSource`."""
        if self._value is None or not self._value.reveal().strip():
            return Absent(reason="not set")
        text = self._value.reveal()
        found = inspect(text, source=self.name, now=now, resource=self._resource)
        return found._replace(
            sign_in_hint=f"set {self.name} to a new access token (pat cannot renew this one); or"
            " unset it and run: pat login"
        )
