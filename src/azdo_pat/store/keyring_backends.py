"""Reads and writes secrets in keyring's backends; slow to import, and without a time limit."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from azdo_pat.errors import StoreError
from azdo_pat.store.backend_cache import BackendCache
from azdo_pat.store.backend_choice import (
    BackendChoice,
    class_path,
    label,
    named,
    picked,
    read_only,
    recalled,
)
from azdo_pat.store.connection_reuse import let_last
from azdo_pat.store.keyring_errors import explain, explain_loading
from azdo_pat.store.locks import in_turn
from azdo_pat.store.probes import Probes
from azdo_pat.store.retry import RetryBudget, RetryingBackend

Result = TypeVar("Result")

PROBE_SERVICE: Final = "azdo-pat:check"

_TURN_LIMIT: Final = 4.0
"""Seconds to wait for other processes; the rest of the time limit is for the work itself."""

_COPIES: Final = 16
"""Maximum deletions of an entry until it is gone: other programs may have stored it, too, and
the Secret Service then holds one item for each of them."""


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
        self._chosen: BackendChoice | None = None

    def get(self, service: str, user: str) -> str | None:
        """Return a secret, or None; the first backend that has it answers."""
        return self._run(lambda chosen: _get(self._members(chosen), service, user))

    def put(self, service: str, user: str, text: str) -> None:
        """Store a secret and read it back; the previous one is restored on failure."""
        self._run(
            lambda chosen: _put(self._members(chosen), service, user, text, probes=self._probes)
        )

    def delete(self, service: str, user: str) -> bool:
        """Delete a secret from every backend; False if none had it."""
        return self._run(lambda chosen: _delete(self._members(chosen), service, user))

    def describe(self) -> str:
        """Return the name of the storing backend, after checking that it still works."""
        return self._run(_describe)

    def check(self) -> None:
        """Store, read and delete a test entry, so errors may quote the backend."""
        self.clear_probes()

        def probe(chosen: BackendChoice) -> None:
            members = self._members(chosen)
            with self._probes.noted() as user:
                _put(members, PROBE_SERVICE, user, "probe", probes=self._probes, quote=True)
                if not _delete(members, PROBE_SERVICE, user):
                    raise StoreError(
                        f"the keyring backend {chosen.paths[0]} lost a secret it had stored"
                    )

        self._run(probe, quote=True)

    def clear_probes(self) -> None:
        """Delete test entries that killed processes have left behind."""
        for user in self._probes.left_behind():
            self.delete(PROBE_SERVICE, user)
            self._probes.forget(user)

    def _run(self, operation: Callable[[BackendChoice], Result], *, quote: bool = False) -> Result:
        # Threads of this process wait for each other first: a file's lock is only polled.
        turn = self._turn.acquire(timeout=_TURN_LIMIT)
        try:
            with in_turn(self._lock_file, _TURN_LIMIT):
                return self._run_alone(operation, quote=quote)
        finally:
            if turn:
                self._turn.release()

    def _run_alone(self, operation: Callable[[BackendChoice], Result], *, quote: bool) -> Result:
        """Run an operation with the current backends; if cached ones fail, search anew once."""
        chosen = self._chosen or self._choose()
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

    def _members(self, chosen: BackendChoice) -> tuple[RetryingBackend, ...]:
        for member in chosen.members:
            let_last(member)
        return tuple(
            RetryingBackend(member, self._patience, asks_somebody=self._asks_somebody)
            for member in chosen.members
        )

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


def _get(members: tuple[RetryingBackend, ...], service: str, user: str) -> str | None:
    for member in members:
        text = member.get(service, user)
        if text is not None:
            return text
    return None


def _put(  # the entry, its text, and how to store it
    members: tuple[RetryingBackend, ...],
    service: str,
    user: str,
    text: str,
    *,
    probes: Probes,
    quote: bool = False,
) -> None:
    for member in members:
        try:
            _Entry(member, service, user, probes).store(text, quote=quote)
        except NotImplementedError:
            continue  # it is read-only; the next one may store
        return
    raise read_only(class_path(members[0].backend))


def _delete(members: tuple[RetryingBackend, ...], service: str, user: str) -> bool:
    # Not stopping at the first: other backends may have one, too.
    return sum(_Entry(member, service, user).clear() for member in members) > 0


class _Entry:
    """One entry of one backend."""

    def __init__(
        self, backend: RetryingBackend, service: str, user: str, probes: Probes | None = None
    ) -> None:
        self._probes = probes or Probes(None)
        self._backend = backend
        self._path = class_path(backend.backend)
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
            f"the keyring backend {self._path} did not delete the secret",
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
            failure = explain(error, self._path, quote=quote)
        else:
            failure = StoreError(
                f"the keyring backend {self._path} did not store the secret",
                hint="to use another one: PAT_KEYRING; for their names: keyring --list-backends",
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
            probe = _Entry(self._backend, PROBE_SERVICE, user, self._probes)
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
