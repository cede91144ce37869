"""Keyring backends for the `pat` of a test to load: those that no real service can be made to be.

keyring registers every class that it sees, so only the two that a scan is meant to find have a
priority that a scan would choose.
"""

from typing import ClassVar

from keyring.backend import KeyringBackend
from keyring.backends.SecretService import Keyring as SecretService
from keyring.errors import PasswordSetError

PROBE_SERVICE = "azdo-pat:check"


class FeedReader(KeyringBackend):
    """As the backends of package indexes: ahead of the system's own, and it stores nothing."""

    priority: ClassVar[float] = 9.9

    def get_password(self, service: str, username: str) -> str | None:
        del service, username
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


class OtherFeedReader(FeedReader):
    """A second one: keyring chains what it finds."""

    priority: ClassVar[float] = 9.8


class RefusesSecrets(SecretService):
    """The real one, which takes a probe and no secret; it says the secret that it refuses."""

    priority: ClassVar[float] = -2

    def set_password(self, service: str, username: str, password: str) -> None:
        if service == PROBE_SERVICE:
            super().set_password(service, username, password)  # type: ignore[no-untyped-call]  # keyring's own is untyped
            return
        raise PasswordSetError(f"cannot store {password}")


class FailsBehindSecrets(SecretService):
    """The real one, which stores the secret and fails all the same; the next one it takes."""

    priority: ClassVar[float] = -2
    failed = False

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password)  # type: ignore[no-untyped-call]  # keyring's own is untyped
        if service != PROBE_SERVICE and not self.failed:
            self.failed = True
            raise OSError("the connection is closed")
