"""Chooses the keyring backends and calls them in turn with other processes.

Slow to import, and without a time limit.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from azdo_pat.errors import StoreError
from azdo_pat.store.backend_cache import BackendCache
from azdo_pat.store.backend_choice import (
    BackendChoice,
    label,
    named,
    picked,
    recalled,
)
from azdo_pat.store.connection_reuse import reuse_connections
from azdo_pat.store.keyring_entries import PROBE_SERVICE, Entry
from azdo_pat.store.keyring_errors import explain, explain_loading
from azdo_pat.store.locks import in_turn
from azdo_pat.store.probes import Probes
from azdo_pat.store.retry import RetryBudget, RetryingBackend

Result = TypeVar("Result")

_TURN_LIMIT: Final = 4.0
"""Seconds to wait for other processes; the rest of the time limit is for the work itself."""


class KeyringBackends:
    """The backends of this machine, chosen on first use. Raises only `StoreError`.

    Args:
        backend: a class path; None leaves the choice to keyring.
        remembered: the cache of the backends used last.
        asks_somebody: there is a desktop, so a user may be asked to unlock the keyring.
        probes: records the entries that are created to try a backend.
        lock_file: held during each operation, so that processes take turns. gnome-keyring 42
            aborts, and is locked afterwards, if one program asks it for a property of a
            collection that it is reloading because another one stored something.
    """

    def __init__(
        self,
        backend: str | None,
        remembered: BackendCache,
        *,
        asks_somebody: bool = True,
        probes: Probes | None = None,
        lock_file: Path | None = None,
    ) -> None:
        self._lock_file = lock_file
        self._probes = probes or Probes(None)
        self._turn = threading.Lock()
        self._patience = RetryBudget()
        self._asks_somebody = asks_somebody
        self._backend = backend
        self._remembered = remembered
        self._preferred: BackendChoice | None = None
        self._chosen: BackendChoice | None = None  # one that has worked

    def get(self, service: str, user: str) -> str | None:
        """Return a secret, or None; the first backend that has it answers."""
        return self._run(lambda chosen: self._entry(chosen, service, user).get())

    def put(self, service: str, user: str, text: str) -> None:
        """Store a secret and read it back; the previous one is restored on failure."""
        self._run(lambda chosen: self._entry(chosen, service, user).put(text))

    def delete(self, service: str, user: str) -> bool:
        """Delete a secret from every backend; False if none had it."""
        return self._run(lambda chosen: self._entry(chosen, service, user).delete())

    def paths(self) -> tuple[str, ...]:
        """Return the class paths of the backends, best first."""
        with self._our_turn():
            self._preferred = self._preferred or self._choose()
            return self._preferred.paths

    def describe(self) -> str:
        """Return the name of the storing backend, after checking that it still works."""
        return self._run(_describe)

    def check(self) -> None:
        """Store, read and delete a test entry, so errors may quote the backend."""
        self.clear_probes()

        def probe(chosen: BackendChoice) -> None:
            with self._probes.noted() as user:
                entry = self._entry(chosen, PROBE_SERVICE, user)
                entry.put("probe", quote=True)
                if not entry.delete():
                    raise StoreError(
                        f"the keyring backend {chosen.paths[0]} lost a secret it had stored",
                        hint="to use another one, set PAT_KEYRING; to list them, run: keyring"
                        " --list-backends",
                    )

        self._run(probe, quote=True)

    def clear_probes(self) -> None:
        """Delete test entries that killed processes have left behind."""
        for user in self._probes.left_behind():
            self.delete(PROBE_SERVICE, user)
            self._probes.forget(user)

    def _run(self, operation: Callable[[BackendChoice], Result], *, quote: bool = False) -> Result:
        with self._our_turn():
            return self._run_alone(operation, quote=quote)

    @contextmanager
    def _our_turn(self) -> Iterator[None]:
        # Threads of this process wait for each other first: a file's lock is only polled.
        turn = self._turn.acquire(timeout=_TURN_LIMIT)
        try:
            with in_turn(self._lock_file, _TURN_LIMIT):
                yield
        finally:
            if turn:
                self._turn.release()

    def _run_alone(self, operation: Callable[[BackendChoice], Result], *, quote: bool) -> Result:
        """Run an operation with the current backends; if cached ones fail, search anew once."""
        chosen = self._chosen or self._preferred or self._choose()
        try:
            result = operation(chosen)
        # Backends raise whatever the libraries below them do: RuntimeError, NotImplementedError,
        # errors of D-Bus and of Windows. All of them become StoreError here.
        except Exception as error:  # noqa: BLE001 - see above
            other = self._other_than(chosen)
            if other is None:
                raise explain(error, chosen.paths[0], quote=quote) from None
            chosen = other
            try:
                result = operation(chosen)
            except Exception as second:  # noqa: BLE001 - as above
                raise explain(second, chosen.paths[0], quote=quote) from None
        if self._backend is None and not chosen.recalled and self._chosen is not chosen:
            self._remembered.keep(chosen.paths)
        self._chosen = chosen
        return result

    def _entry(self, chosen: BackendChoice, service: str, user: str) -> Entry:
        for member in chosen.members:
            reuse_connections(member)
        members = [
            RetryingBackend(member, self._patience, asks_somebody=self._asks_somebody)
            for member in chosen.members
        ]
        return Entry(members, service, user, self._probes)

    def _choose(self) -> BackendChoice:
        if self._backend is not None:
            try:
                return named(self._backend)
            except Exception as error:  # noqa: BLE001 - a backend's constructor may raise anything
                raise explain_loading(error, self._backend) from None
        if paths := self._remembered.recall():
            try:
                return recalled(paths)
            except Exception:  # noqa: BLE001 - whatever is wrong with it, keyring looks again
                self._remembered.drop()
        return _picked()

    def _other_than(self, chosen: BackendChoice) -> BackendChoice | None:
        """Search for backends again after cached ones failed; None if they are the same."""
        if not chosen.recalled:
            return None
        try:
            other = _picked()
        except StoreError:
            self._remembered.drop()
            raise
        if other.paths == chosen.paths:
            return None
        self._remembered.drop()
        return other


def _picked() -> BackendChoice:
    try:
        return picked()
    except Exception as error:  # noqa: BLE001 - every installed backend has its say here
        raise explain_loading(error, None) from None


def _describe(chosen: BackendChoice) -> str:
    first = chosen.members[0]
    if chosen.recalled:
        type(first).priority  # noqa: B018 - keyring's way to ask whether it is viable; raises
    return label(first)
