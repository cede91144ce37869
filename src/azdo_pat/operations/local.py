"""What changes only this machine's secrets: storing one that was made elsewhere, deleting one.

Neither needs a sign-in to be recovered: what the keyring holds tells how far a killed run came.
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
    """What it takes to change what is stored on this machine.

    Attributes:
        exclusive: the lock on a name.
        now: the clock.
    """

    secrets: SecretStore
    state: State
    exclusive: Exclusive
    now: Callable[[], datetime]


def store_imported(
    stored: StoredPat, secret: Secret, previous: Secret | None, storage: Storage
) -> None:
    """Store a secret that was made elsewhere, and what is known of its token; its name is locked.

    Args:
        stored: what is remembered of the token.
        secret: its secret.
        previous: the secret that it overwrites, which is put back if something fails.
        storage: where to store it.

    Raises:
        StoreError: the keyring or the state file refuses; what was stored before still is.
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
            f"{error.message}; whether the secret is stored all the same is not known",
            hint="when the keyring works again, pat list --stored finds out",
        ) from error
    except BaseException:  # Ctrl-C, or whatever a backend raises
        _is_back(operation, previous, storage)
        raise


def _is_back(operation: Import, previous: Secret | None, storage: Storage) -> bool:
    """Put back into the keyring what it held before an import; False where that fails.

    The journal keeps what could not be done, or not be noted: the next run finds out.
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
    """Delete the secret that is stored under a name, which is locked, and forget its token.

    Raises:
        StoreError: the keyring or the state file refuses.
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
    """Close the entry of a secret that could not be deleted, where it is still there for certain.

    Else the journal keeps it, with the reason, and the next run finds out: having said that it
    failed, it deletes nothing behind the user's back.
    """
    where = (operation.entry.organization.url, operation.entry.name)
    with suppress(StoreError):
        storage.state.explain(key, reason)
        if matches(storage.secrets.get(*where), operation.fingerprint):
            storage.state.finish(key)


def recover_local(storage: Storage, *, org_url: str | None = None) -> Iterator[Recovered]:
    """Complete or roll back each import and forget that was interrupted; needs no sign-in.

    What another live process is at work on is left to it.
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
    """Do so for one name, which is locked."""
    for operation in storage.state.unfinished(org_url, name):
        if isinstance(operation, LOCAL):
            recover_local_operation(operation, storage.secrets, storage.state)


def recover_local_operation(
    operation: Local, secrets: SecretStore, state: State
) -> RecoveryOutcome:
    """Complete or roll back an import or a forget, whose name is locked, and close its entry.

    Raises:
        StoreError: the keyring or the state file refuses.
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
            stays = is_there and entry.reason  # as the user was told
            if stays or (not is_there and secret is not None):
                state.finish(entry.key)  # or another secret has been stored there meanwhile
                return RecoveryOutcome.ROLLED_BACK
            if is_there:
                secrets.delete(*where)
            state.forget(*where, key=entry.key)
            return RecoveryOutcome.COMPLETED
