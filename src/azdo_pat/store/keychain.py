"""Replaces entries of the macOS Keychain so that a secret is stored somewhere at every moment.

keyring deletes an entry before it adds the new one (`keyring/backends/macOS/api.py`). If that
fails, or the process is killed in between, the previous secret is gone. So it is copied to an
entry of its own first, and the copy is deleted when the new secret has been read back. While there
is no entry, the copy answers in its place.
"""

from contextlib import suppress

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from azdo_pat.errors import StoreError
from azdo_pat.store.keyring_errors import is_keychain_not_found


class Keychain:
    """The entries of keyring's backend for macOS, replaced without a loss.

    Args:
        backend: keyring's, whose exceptions are passed on.
    """

    def __init__(self, backend: KeyringBackend) -> None:
        self._backend = backend

    def get_password(self, service: str, username: str) -> str | None:
        """Return a secret, or its copy if its replacement was interrupted, or None."""
        held = self._backend.get_password(service, username)
        return self._backend.get_password(_copy(service), username) if held is None else held

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a secret; if that fails, the previous one is still found.

        Raises:
            StoreError: the Keychain accepted the secret and did not store it.
        """
        held = self._backend.get_password(service, username)
        copied = self._backend.get_password(_copy(service), username)
        if (
            held is not None and copied != password
        ):  # so that restoring a secret from its copy does not overwrite the copy
            self._replace(_copy(service), username, held)
        try:
            self._replace(service, username, password)
        except Exception:
            if held is not None:
                with suppress(Exception):  # the first failure is the one to report
                    self._put_back(service, username, held)
            raise
        with suppress(Exception):  # the secret is stored; the next change deletes the copy
            self._remove(_copy(service), username)

    def delete_password(self, service: str, username: str) -> None:
        """Delete a secret and its copy.

        Raises:
            PasswordDeleteError: there is none.
        """
        # The copy first: if only the copy were left, it would be returned as the secret.
        removed = [self._remove(each, username) for each in (_copy(service), service)]
        if not any(removed):
            raise PasswordDeleteError(service)

    def _replace(self, service: str, username: str, password: str) -> None:
        self._backend.set_password(service, username, password)
        if self._backend.get_password(service, username) != password:
            raise StoreError(
                "the macOS Keychain did not store the secret",
                hint="look for an entry of the same name in Keychain Access (it begins with"
                " azdo-pat), and delete it",
            )

    def _put_back(self, service: str, username: str, held: str) -> None:
        """Store the previous secret again; its copy stays unless that succeeds."""
        if self._backend.get_password(service, username) != held:
            self._replace(service, username, held)
        if self._backend.get_password(_copy(service), username) == held:
            self._remove(_copy(service), username)

    def _remove(self, service: str, username: str) -> bool:
        if self._backend.get_password(service, username) is None:
            return False
        try:
            self._backend.delete_password(service, username)
        except PasswordDeleteError as error:
            if not is_keychain_not_found(error):  # another program was faster
                raise
        return True


def _copy(service: str) -> str:
    return f"azdo-pat:previous {service}"
