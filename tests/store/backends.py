# ruff: noqa: ARG002 - the signatures are keyring's
"""Keyring backends that go wrong in all the ways that real ones do.

All have a priority below keyring's own `fail` backend: keyring registers every class that it
sees, and no scan of another test may choose one of these.
"""

import threading
from typing import ClassVar

import keyring
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.errors import KeyringLocked, PasswordSetError

from fakes import MemoryKeyring


class Unpicked(MemoryKeyring):
    """Works, and is never picked by a scan."""

    priority: ClassVar[float] = -2


class PlaintextKeyring(Unpicked):
    """Named as the backends of keyrings.alt that do not encrypt."""


class ReadOnly(Unpicked):
    """As the backends that fetch credentials for package indexes: no `KeyringError`."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


class Raising(Unpicked):
    """Raises what it is told to, whatever it is asked."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error


class Hanging(Unpicked):
    """Answers when it is released, and counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        self.released.wait()
        return super().get_password(service, username)


class Forgetting(Unpicked):
    """Accepts everything and keeps nothing, as keyring's chain of read-only backends does."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class Mangling(Unpicked):
    """Keeps the first ten characters of what it is given, unless they are all there are."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password[:10])


class Blurting(Unpicked):
    """Refuses to store, and says what it refused."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise PasswordSetError(f"cannot store {password!r}")


class Breaking(Unpicked):
    """Loses what it held when it is asked to replace it, and is locked from then on."""

    broken = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.broken:
            raise KeyringLocked("Failed to unlock the collection!")
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held.clear()
        self.broken = True
        raise KeyringLocked("Failed to unlock the collection!")


class Sticky(Unpicked):
    """Says that it deleted, and did not."""

    def delete_password(self, service: str, username: str) -> None:
        pass


class Layered(Unpicked):
    """Finds another program's item before its own, as the Secret Service may.

    Attributes:
        foreign: that program's items.
    """

    def __init__(self, foreign: dict[tuple[str, str], str]) -> None:
        super().__init__()
        self.foreign = foreign

    def get_password(self, service: str, username: str) -> str | None:
        return self.foreign.get((service, username), super().get_password(service, username))

    def delete_password(self, service: str, username: str) -> None:
        if self.foreign.pop((service, username), None) is None:
            super().delete_password(service, username)


class CredWriteError(Exception):
    """As `pywintypes.error`, which is no `KeyringError` and no `OSError`."""

    def __init__(self, winerror: int) -> None:
        super().__init__(winerror, "CredWrite", "in the system's language")
        self.winerror = winerror


class Chain(ChainerBackend):
    """keyring's chain, over given members instead of those that a scan finds."""

    viable = False  # for scans of other tests
    backends: list[KeyringBackend] = []  # noqa: RUF012 - as keyring declares it


def use(*backends: KeyringBackend) -> None:
    """Make keyring pick a backend, or a chain of several."""
    if len(backends) == 1:
        keyring.set_keyring(backends[0])
        return
    chain = Chain()  # type: ignore[no-untyped-call]  # keyring types its methods only
    chain.backends = list(backends)
    keyring.set_keyring(chain)
