"""Stores MSAL's cache protected by the system: DPAPI on Windows, the Keychain on macOS.

MSAL's cache is too large for a Windows credential. On both systems msal-extensions protects it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from azdo_pat.errors import StoreError
from azdo_pat.keyring_codes import keychain_meaning
from azdo_pat.models import Secret

Result = TypeVar("Result")


class Persistence(Protocol):
    """What msal-extensions calls a persistence."""

    def save(self, content: str) -> None:
        """Write the text."""

    def load(self) -> str:
        """Return the text."""


def _of_this_system(path: str) -> Persistence:
    # It imports MSAL, which only a run that signs in or renews needs.
    import msal_extensions  # type: ignore[import-untyped]  # noqa: PLC0415  # no types; see above

    persistence: Persistence = msal_extensions.build_encrypted_persistence(path)
    return persistence


class ProtectedFileStorage:
    """A file that only this user on this machine can read, or the Keychain.

    Args:
        file: the file; on macOS its time shows when the Keychain's entry changed.
        make: returns the persistence for the file; by default the one for this system.
    """

    def __init__(
        self,
        file: Path,
        make: Callable[[str], Persistence] = _of_this_system,
    ) -> None:
        self._file = file
        self._make = make

    def load(self) -> Secret | None:
        """Return the text; see `SignInStorage`."""
        if not self._file.exists():
            return None
        text = _guarded(lambda: self._make(str(self._file)).load())
        return Secret(text) if text else None

    def save(self, text: Secret) -> None:
        """Store the text; see `SignInStorage`."""
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _guarded(lambda: self._make(str(self._file)).save(text.reveal()))

    def delete(self) -> bool:
        """Delete the text; see `SignInStorage`."""
        if not self._file.exists():
            return False
        # msal-extensions cannot delete the Keychain's entry, so it is emptied.
        _guarded(lambda: self._make(str(self._file)).save(""))
        self._file.unlink(missing_ok=True)
        return True


def _guarded(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - errors of DPAPI, the Keychain, the file system
        failure = _explained(error)
    raise failure


def _explained(error: Exception) -> StoreError:
    # An attribute of KeychainError, which does not exist on other systems.
    status = getattr(error, "exit_status", None)
    if isinstance(status, int):
        meaning = keychain_meaning(status)
        return StoreError(
            f"the saved sign-in cannot be read or written: {meaning.message}", hint=meaning.hint
        )
    return StoreError(
        f"the saved sign-in cannot be read or written ({type(error).__name__})",
        hint="to sign in again, run: pat logout, then pat login",
    )
