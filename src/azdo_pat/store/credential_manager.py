"""Stores entries in the Windows Credential Manager, which does not distinguish `ci` from `CI`.

keyring stores one user of a service under the name of the service, and any other under
`USER@SERVICE`. To Windows, the targets `ci@…` and `CI@…` are one, so keyring replaces the entry of
one by that of the other, and returns it for both (https://github.com/jaraco/keyring/issues/736).
Here, only an entry with exactly the wanted user name counts, and no other is replaced or moved.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from keyring.errors import PasswordDeleteError

_GENERIC: Final = 1  # CRED_TYPE_GENERIC
_NOT_FOUND: Final = 1168  # ERROR_NOT_FOUND


class CredentialManager:
    """Reads and writes entries as keyring's backend for Windows does, each under its exact name.

    Args:
        api: `win32cred` of pywin32-ctypes or pywin32.
        persist: how long entries last, and on which machines (`CRED_PERSIST_…`).
    """

    def __init__(self, api: Any, persist: int) -> None:  # noqa: ANN401  # it has no types
        self._api = api
        self._persist = persist

    def get_password(self, service: str, username: str) -> str | None:
        """Return a secret, or None."""
        for target in _targets(service, username):
            held = self._read(target)
            if held is not None and held["UserName"] == username:
                return _decoded(held["CredentialBlob"])
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a secret in this user's entry, or in the first free one."""
        at_service, *own = _targets(service, username)
        held = {target: self._read(target) for target in (at_service, *own)}
        places = [name for name, found in held.items() if found and found["UserName"] == username]
        places += [name for name in own if held[name] is None]
        credential = {
            "Type": _GENERIC,
            "TargetName": places[0],
            "UserName": username,
            "CredentialBlob": password,
            "Comment": "Stored using python-keyring",
            "Persist": self._persist,
        }
        self._api.CredWrite(credential, 0)

    def delete_password(self, service: str, username: str) -> None:
        """Delete a secret, and the copies of it that keyring makes.

        Raises:
            PasswordDeleteError: there is none.
        """
        deleted = False
        for target in _targets(service, username):
            held = self._read(target)
            if held is not None and held["UserName"] == username:
                self._delete(target)
                deleted = True
        if not deleted:
            raise PasswordDeleteError(service)

    def _delete(self, target: str) -> None:
        try:
            self._api.CredDelete(target, _GENERIC)
        except Exception as error:
            if getattr(error, "winerror", None) != _NOT_FOUND:  # another program was faster
                raise

    def _read(self, target: str) -> dict[str, Any] | None:
        try:
            held: dict[str, Any] = self._api.CredRead(target, _GENERIC)
        except Exception as error:
            if getattr(error, "winerror", None) == _NOT_FOUND:
                return None
            raise
        return held


def _targets(service: str, username: str) -> Iterator[str]:
    """Yield the targets that an entry may have: keyring's two, and one if both are another's."""
    yield service
    yield f"{username}@{service}"
    yield f"{username}@{service}#{hashlib.sha256(username.encode()).hexdigest()[:16]}"


def _decoded(text: bytes) -> str:
    """Decode what keyring stores as UTF-16, and the system's own program as UTF-8.

    Nearly all bytes of an even number are valid UTF-16. But only UTF-16 has zero bytes, and text
    with any ASCII in it has some.
    """
    usual, other = ("utf-16", "utf-8") if b"\0" in text else ("utf-8", "utf-16")
    try:
        return text.decode(usual)
    except UnicodeDecodeError:
        return text.decode(other)
