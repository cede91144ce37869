"""Reads, writes and deletes an entry of the keyring, and verifies each change."""

from collections.abc import Sequence
from typing import Final

from azdo_pat.errors import StoreError
from azdo_pat.store.backend_choice import class_path, read_only
from azdo_pat.store.keyring_errors import explain
from azdo_pat.store.probes import Probes
from azdo_pat.store.retry import RetryingBackend

PROBE_SERVICE: Final = "azdo-pat:check"

_COPIES: Final = 16
"""Maximum deletions of an entry until it is gone: other programs may have stored it, too, and
the Secret Service then holds one item for each of them."""


class Entry:
    """An entry of the keyring, in whichever of the backends has it.

    Args:
        members: the backends in use, best first.
        service: the service of the entry.
        user: its user name.
        probes: records the entries that are created to try a backend.
    """

    def __init__(
        self, members: Sequence[RetryingBackend], service: str, user: str, probes: Probes
    ) -> None:
        self._items = [_Item(member, service, user, probes) for member in members]

    def get(self) -> str | None:
        """Return the secret, or None; the first backend that has it answers."""
        for item in self._items:
            if (text := item.get()) is not None:
                return text
        return None

    def put(self, text: str, *, quote: bool = False) -> None:
        """Store a secret in the first backend that can, and read it back.

        Args:
            text: the secret.
            quote: errors may quote the backend, as it was given no secret.

        Raises:
            StoreError: it failed; the previous secret was restored, or the error says otherwise.
            Exception: the backend could not be read; nothing was changed.
        """
        for item in self._items:
            try:
                item.store(text, quote=quote)
            except NotImplementedError:
                continue  # it is read-only; the next one may store
            return
        raise read_only(self._items[0].path)

    def delete(self) -> bool:
        """Delete the secret from every backend; False if none had it."""
        # Not stopping at the first: other backends may have one, too.
        return sum(item.clear() for item in self._items) > 0


class _Item:
    """An entry in one of the backends."""

    def __init__(self, backend: RetryingBackend, service: str, user: str, probes: Probes) -> None:
        self._probes = probes
        self._backend = backend
        self.path = class_path(backend.backend)
        self._service = service
        self._user = user

    def get(self) -> str | None:
        return self._backend.get(self._service, self._user)

    def clear(self) -> bool:
        """Delete it until it is gone; False if there was none."""
        for deleted in range(_COPIES):
            if self.get() is None:
                return deleted > 0
            self._backend.delete(self._service, self._user)
        raise StoreError(
            f"the keyring backend {self.path} did not delete the secret",
            hint="delete it with the system's own keyring program",
        )

    def store(self, text: str, *, quote: bool) -> None:
        """Store a text, read it back, and restore the previous one if that fails.

        Raises:
            NotImplementedError: the backend does not store; nothing was changed.
            StoreError: it failed.
            Exception: the backend failed to read the previous text; nothing was changed.
        """
        previous = self.get()
        try:
            if self._kept(text):
                return
            if previous is not None and self._backend_stores():
                # Another program's item of the same name would be found first, so none must remain.
                self.clear()
                if self._kept(text):
                    return
        except NotImplementedError:
            raise
        except Exception as error:  # noqa: BLE001 - what was there is restored first
            failure = explain(error, self.path, quote=quote)
        else:
            failure = StoreError(
                f"the keyring backend {self.path} did not store the secret",
                hint="to use another one, set PAT_KEYRING; to list them, run: keyring"
                " --list-backends",
            )
        if not self._restored(previous):
            failure = StoreError(
                f"{failure}; it is unknown whether the previous secret is still stored",
                hint=failure.hint,
            )
        raise failure

    def _kept(self, text: str) -> bool:
        self._backend.set(self._service, self._user, text)
        return self.get() == text

    def _backend_stores(self) -> bool:
        """Try the backend with a test entry, before anything is deleted from it."""
        with self._probes.noted() as user:
            probe = _Item(self._backend, PROBE_SERVICE, user, self._probes)
            return probe._kept("probe") and probe.clear()

    def _restored(self, previous: str | None) -> bool:
        try:
            if self.get() == previous:
                return True
            if previous is None:
                self.clear()
                return True
            return self._kept(previous)
        except Exception:  # noqa: BLE001 - the first failure is the one to report
            return previous is None
