"""Honest stand-ins: a keyring that behaves like one, and a clock that stands still."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class MemoryKeyring(KeyringBackend):
    """A keyring of this process; each instance has its own content.

    It passes keyring's own `BackendBasicTests` (see test_fakes.py).
    """

    priority: ClassVar[float] = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring types its methods only
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        try:
            del self.held[service, username]
        except KeyError:
            raise PasswordDeleteError("Password not found") from None


@dataclass
class Clock:
    """A clock that moves only when it is told to; call it for the time.

    Attributes:
        now: the time it shows, aware.
    """

    now: datetime = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, span: timedelta) -> None:
        """Move the hands forward by a span."""
        self.now += span
