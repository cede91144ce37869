"""Stores imported secrets and deletes stored ones, without a request to the service.

Recovery needs no sign-in either: the keyring shows how far an interrupted run came.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import ConflictError, PatError, StoreError
from azdo_pat.journal import Forget, Import, JournalEntry
from azdo_pat.operations.fingerprint import fingerprint_of, matches
from azdo_pat.operations.name_lock import lock_key
from azdo_pat.results import Recovered, RecoveryOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from azdo_pat.journal import Local
    from azdo_pat.models import Secret, StoredPat
    from azdo_pat.operations.name_lock import Exclusive
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State

LOCAL: Final = (Import, Forget)


@dataclass(frozen=True, kw_only=True)
class Storage:
    """The dependencies for changing the secrets stored on this machine.

    Attributes:
        exclusive: locks a name.
        now: the clock.
    """

    secrets: SecretStore
    state: State
    exclusive: Exclusive
    now: Callable[[], datetime]


def store_imported(
    stored: StoredPat, secret: Secret, previous: Secret | None, storage: Storage
) -> None:
    """Store an imported secret and index its token. The name must be locked.

    Args:
        stored: the index entry of the token.
        secret: its secret.
        previous: the secret that it overwrites, which is restored on failure.
        storage: the dependencies.

    Raises:
        StoreError: the keyring or the state file failed; the previous secret is still stored.
    """
    operation = Import(JournalEntry(stored.organization, stored.name, storage.now()), stored)
    key = storage.state.begin(operation)
    operation = operation._replace(entry=operation.entry._replace(key=key))
    try:
        storage.secrets.put(stored.org_url, stored.name, secret)
        storage.state.finish(key, stored)
    except StoreError as error:
        if _is_back(operation, previous, storage):
            raise
        raise StoreError(
            f"{error.message}; it is unknown whether the secret was stored",
            hint="when the keyring works again, to find out: pat list --stored",
        ) from error
    except BaseException:  # Ctrl-C, or any exception of a backend
        _is_back(operation, previous, storage)
        raise


def _is_back(operation: Import, previous: Secret | None, storage: Storage) -> bool:
    """Restore the keyring to its state before an import; return False if that fails.

    The journal keeps what could not be done or recorded, for the next run.
    """
    where = (operation.stored.org_url, operation.stored.name)
    try:
        if matches(storage.secrets.get(*where), operation.stored.fingerprint):
            if previous is None:
                storage.secrets.delete(*where)
            else:
                storage.secrets.put(*where, previous)
    except StoreError:
        return False
    with suppress(StoreError):
        storage.state.finish(operation.entry.key)
    return True


def delete_stored(known: StoredPat, secret: Secret, storage: Storage) -> None:
    """Delete the secret stored under a name, and forget its token. The name must be locked.

    Raises:
        StoreError: the keyring or the state file failed.
    """
    entry = JournalEntry(known.organization, known.name, storage.now())
    operation = Forget(entry, known.id, fingerprint_of(secret))
    key = storage.state.begin(operation)
    try:
        storage.secrets.delete(known.org_url, known.name)
    except StoreError as error:
        _close_failed(operation, key, storage, error.message)
        raise
    storage.state.forget(known.org_url, known.name, key=key)


def _close_failed(operation: Forget, key: int, storage: Storage, reason: str) -> None:
    """Close the entry of a secret that could not be deleted, if it is certainly still stored.

    Otherwise the journal keeps it with the reason for the next run: after reporting that it
    failed, `pat` must not delete the secret later without the user's knowledge.
    """
    where = (operation.entry.organization.url, operation.entry.name)
    with suppress(StoreError):
        storage.state.explain(key, reason)
        if matches(storage.secrets.get(*where), operation.fingerprint):
            storage.state.finish(key)


def recover_local(storage: Storage, *, org_url: str | None = None) -> Iterator[Recovered]:
    """Complete or roll back each interrupted import and forget; needs no sign-in.

    An operation of a running process is left to it.
    """
    for operation in storage.state.unfinished(org_url):
        if not isinstance(operation, LOCAL):
            continue
        url, name = operation.entry.organization.url, operation.entry.name
        try:
            with storage.exclusive(lock_key(name, url)):
                here = storage.state.unfinished(url, name)
                if any(each.entry.key == operation.entry.key for each in here):
                    outcome = recover_local_operation(operation, storage.secrets, storage.state)
                    yield Recovered(operation, outcome)
        except ConflictError:
            continue
        except PatError as error:
            yield Recovered(operation, failure=error)


def recover_local_name(org_url: str, name: str, storage: Storage) -> None:
    """Recover the imports and forgets of one name, which must be locked."""
    for operation in storage.state.unfinished(org_url, name):
        if isinstance(operation, LOCAL):
            recover_local_operation(operation, storage.secrets, storage.state)


def recover_local_operation(
    operation: Local, secrets: SecretStore, state: State
) -> RecoveryOutcome:
    """Complete or roll back an import or forget and close its entry. The name must be locked.

    Raises:
        StoreError: the keyring or the state file failed.
    """
    entry = operation.entry
    where = (entry.organization.url, entry.name)
    secret = secrets.get(*where)
    match operation:
        case Import(stored=stored):
            is_there = matches(secret, stored.fingerprint)
            state.finish(entry.key, stored if is_there else None)
            return RecoveryOutcome.COMPLETED if is_there else RecoveryOutcome.ROLLED_BACK
        case Forget(fingerprint=fingerprint):
            is_there = matches(secret, fingerprint)
            stays = is_there and entry.reason  # because the user was told that it failed
            if stays or (not is_there and secret is not None):
                state.finish(entry.key)  # or another secret has been stored under the name since
                return RecoveryOutcome.ROLLED_BACK
            if is_there:
                secrets.delete(*where)
            state.forget(*where, key=entry.key)
            return RecoveryOutcome.COMPLETED
