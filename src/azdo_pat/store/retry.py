"""Retries keyring backends that briefly report an entry as missing.

gnome-keyring with several clients removes a collection or an item from the bus for up to a
tenth of a second while it reloads its file, and then reports that it does not exist. Nothing
was done in that case. But keyring creates a default collection if it finds none,
which prompts the user; without a user, several such prompts can block the service.
So keyring is not called before the Secret Service has its collection.
"""

import sys
import time
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from keyring.backend import KeyringBackend
from keyring.errors import InitError

from azdo_pat.store import backend_choice
from azdo_pat.store.backend_choice import SECRET_SERVICE, class_path
from azdo_pat.store.connection_reuse import has_idle_connection

Result = TypeVar("Result")

_PAUSES: Final = (0.05, 0.15, 0.4, 1.0)

_GONE_FOR_A_MOMENT: Final = "ItemNotFoundException"
"""By name, because SecretStorage, which defines it, does not exist on every platform."""


class Entries(Protocol):
    """The part of keyring's backends that is used here."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return a secret, or None."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a secret."""

    def delete_password(self, service: str, username: str) -> None:
        """Delete a secret."""


class RetryBudget:
    """Retry budget shared by all keyring calls of this process.

    Attributes:
        spent: waiting did not help once, so later calls do not wait.
    """

    def __init__(self) -> None:
        self.spent = False

    @property
    def pauses(self) -> tuple[float, ...]:
        """Seconds to wait before each further try."""
        return () if self.spent else _PAUSES


class RetryingBackend:
    """A backend whose calls are retried after a short pause.

    Args:
        backend: the backend, whose exceptions are passed on.
        patience: shared with others.
        asks_somebody: there is a desktop, so the user may have just declined to create a
            collection, which must be respected.
    """

    def __init__(
        self, backend: KeyringBackend, patience: RetryBudget, *, asks_somebody: bool
    ) -> None:
        self.backend = backend
        self._entries = _entries(backend)
        self._patience = patience
        self._asks_somebody = asks_somebody

    def get(self, service: str, user: str) -> str | None:
        """Return a secret, or None."""
        return self._ask(lambda: self._entries.get_password(service, user))

    def set(self, service: str, user: str, text: str) -> None:
        """Store a secret."""
        self._ask(lambda: self._entries.set_password(service, user, text))

    def delete(self, service: str, user: str) -> None:
        """Delete a secret, which another process may delete at the same time."""
        self._collection_is_there()
        try:
            self._entries.delete_password(service, user)
        except Exception as error:
            # Not retried: the caller checks whether it is gone.
            if not self._passes(error):
                raise
            time.sleep(_PAUSES[0])

    def _ask(self, call: Callable[[], Result]) -> Result:
        for pause in self._patience.pauses:
            if not self._collection_is_there():
                break
            try:
                return call()
            except Exception as error:
                if not self._passes(error):
                    raise
            time.sleep(pause)
        else:
            self._patience.spent = True
        answer = call()
        self._patience.spent = False
        return answer

    def _passes(self, error: Exception) -> bool:
        if isinstance(error, InitError):
            return not self._asks_somebody
        return type(error).__name__ == _GONE_FOR_A_MOMENT

    def _collection_is_there(self) -> bool:
        """Wait for a Secret Service's collection; False if it has none, and keyring must ask."""
        return (
            sys.platform != "linux"
            or class_path(self.backend) != SECRET_SERVICE
            or hasattr(self.backend, "preferred_collection")
            or has_idle_connection(self.backend)
            or self._collection_appears()
        )

    def _collection_appears(self) -> bool:
        from azdo_pat.store.secret_service import has_collection  # noqa: PLC0415 - Linux only

        for pause in self._patience.pauses:
            if has_collection():
                return True
            time.sleep(pause)
        found = has_collection()
        self._patience.spent = not found
        return found


def _entries(backend: KeyringBackend) -> Entries:
    """Return the backend, or what takes its place so that no secret is lost."""
    match class_path(backend):
        case backend_choice.KEYCHAIN:
            from azdo_pat.store.keychain import Keychain  # noqa: PLC0415 - macOS only

            return Keychain(backend)
        case backend_choice.CREDENTIAL_MANAGER:
            from win32ctypes.pywin32 import win32cred  # noqa: PLC0415 - Windows only

            from azdo_pat.store.credential_manager import CredentialManager  # noqa: PLC0415 - as above

            return CredentialManager(win32cred, backend.persist)  # type: ignore[attr-defined]  # it has this
    return backend
