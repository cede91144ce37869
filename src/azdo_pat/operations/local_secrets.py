"""Stores imported secrets and deletes stored ones, without a request to the service.

Recovery needs no sign-in either: the keyring shows how far an interrupted run came.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from azdo_pat.errors import ConflictError, PatError, StoreError
from azdo_pat.journal import Deliver, Forget, Import, JournalEntry, Local, TakeOver
from azdo_pat.operations.fingerprint import fingerprint_of, matches
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.results.recovery import Recovered, RecoveryOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.models import Secret, StoredPat
    from azdo_pat.operations.deps import Deps


def store_imported(stored: StoredPat, secret: Secret, previous: Secret | None, deps: Deps) -> None:
    """Store an imported secret and index its token. The name must be locked.

    `previous` is the secret that it overwrites, which is restored on failure.

    Raises:
        StoreError: the keyring or the state file failed; the previous secret is still stored.
    """
    entry = JournalEntry(stored.organization, stored.name, deps.now())
    _store(Import(entry, stored), secret, previous, deps)


def store_taken_over(
    operation: TakeOver, secret: Secret, previous: Secret | None, deps: Deps
) -> Deliver:
    """Store the secret of a token that is taken over, and index the token; see `store_imported`.

    Returns:
        The delivery that follows, as it is in the journal.
    """
    key = _store(operation, secret, previous, deps)
    rest = _delivery_after(operation)
    return rest._replace(entry=rest.entry._replace(key=key))


def _delivery_after(operation: TakeOver) -> Deliver:
    return Deliver(operation.entry._replace(reason="", key=None), operation.replaced)


def _store(
    operation: Import | TakeOver, secret: Secret, previous: Secret | None, deps: Deps
) -> int | None:
    """Store a secret and index its token; return the key of the entry of what follows."""
    stored = operation.stored
    then = _delivery_after(operation) if isinstance(operation, TakeOver) else None
    key = deps.state.begin(operation)
    operation = operation._replace(entry=operation.entry._replace(key=key))
    try:
        deps.secrets.put(stored.org_url, stored.name, secret)
        return deps.state.finish(key, stored, then)
    except StoreError as error:
        if _is_back(operation, previous, deps):
            raise
        raise StoreError(
            f"{error.message}; it is unknown whether the secret was stored",
            hint="when the keyring works again, to find out, run: pat list --stored",
        ) from error
    except BaseException:  # Ctrl-C, or any exception of a backend
        _is_back(operation, previous, deps)
        raise


def _is_back(operation: Import | TakeOver, previous: Secret | None, deps: Deps) -> bool:
    """Restore the keyring to its state before an import; return False if that fails.

    The journal keeps what could not be done or recorded, for the next run.
    """
    where = (operation.stored.org_url, operation.stored.name)
    try:
        if matches(deps.secrets.get(*where), operation.stored.fingerprint):
            if previous is None:
                deps.secrets.delete(*where)
            else:
                deps.secrets.put(*where, previous)
    except StoreError:
        return False
    with suppress(StoreError):
        deps.state.finish(operation.entry.key)
    return True


def delete_stored(known: StoredPat, secret: Secret, deps: Deps) -> None:
    """Delete the secret stored under a name, and forget its token. The name must be locked.

    Raises:
        StoreError: the keyring or the state file failed.
    """
    entry = JournalEntry(known.organization, known.name, deps.now())
    operation = Forget(entry, known.id, fingerprint_of(secret))
    key = deps.state.begin(operation)
    try:
        deps.secrets.delete(known.org_url, known.name)
    except StoreError as error:
        _close_failed(operation, key, deps, error.message)
        raise
    deps.state.forget(known.org_url, known.name, key=key)
    _keep_undelivered(known, deps)


def _keep_undelivered(known: StoredPat, deps: Deps) -> None:
    """Leave the token active whose successor was forgotten before it was delivered, and say so.

    Programs still use that token's secret.
    """
    for operation in deps.state.unfinished(known.org_url, known.name):
        if isinstance(operation, Deliver) and operation.replaced is not None:
            deps.state.finish(operation.entry.key)
            deps.report(Recovered(operation, RecoveryOutcome.STILL_ACTIVE))


def _close_failed(operation: Forget, key: int, deps: Deps, reason: str) -> None:
    """Close the entry of a secret that could not be deleted, if it is certainly still stored.

    Otherwise the journal keeps it with the reason for the next run: after reporting that it
    failed, `pat` must not delete the secret later without the user's knowledge.
    """
    where = (operation.entry.organization.url, operation.entry.name)
    with suppress(StoreError):
        deps.state.explain(key, reason)
        if matches(deps.secrets.get(*where), operation.fingerprint):
            deps.state.finish(key)


def recover_local(deps: Deps, *, org_url: str | None = None) -> Sequence[Recovered]:
    """Complete or roll back each interrupted import and forget, and report it; needs no sign-in.

    An operation of a running process is left to it.
    """
    recovered = []
    for operation in deps.state.unfinished(org_url):
        if not isinstance(operation, Local):
            continue
        url, name = operation.entry.organization.url, operation.entry.name
        try:
            with deps.exclusive(lock_key(name, url)):
                here = deps.state.unfinished(url, name)
                if all(each.entry.key != operation.entry.key for each in here):
                    continue
                found = Recovered(operation, recover_local_operation(operation, deps))
        except ConflictError:
            continue
        except PatError as error:
            found = Recovered(operation, failure=error)
        deps.report(found)
        recovered.append(found)
    return recovered


def recover_local_name(org_url: str, name: str, deps: Deps) -> None:
    """Recover the imports and forgets of one name, which must be locked."""
    for operation in deps.state.unfinished(org_url, name):
        if isinstance(operation, Local):
            recover_local_operation(operation, deps)


def recover_local_operation(operation: Local, deps: Deps) -> RecoveryOutcome:
    """Complete or roll back an import or forget and close its entry. The name must be locked.

    Raises:
        StoreError: the keyring or the state file failed.
    """
    entry = operation.entry
    where = (entry.organization.url, entry.name)
    secret = deps.secrets.get(*where)
    match operation:
        case Import(stored=stored):
            is_there = matches(secret, stored.fingerprint)
            deps.state.finish(entry.key, stored if is_there else None)
            return RecoveryOutcome.COMPLETED if is_there else RecoveryOutcome.ROLLED_BACK
        case TakeOver(stored=stored):
            is_there = matches(secret, stored.fingerprint)
            if is_there:
                deps.state.finish(entry.key, stored, _delivery_after(operation))
                return RecoveryOutcome.COMPLETED
            deps.state.finish(entry.key)
            return RecoveryOutcome.ROLLED_BACK
        case Forget(fingerprint=fingerprint):
            is_there = matches(secret, fingerprint)
            stays = is_there and entry.reason  # because the user was told that it failed
            if stays or (not is_there and secret is not None):
                deps.state.finish(entry.key)  # or another secret was stored under the name since
                return RecoveryOutcome.ROLLED_BACK
            if is_there:
                deps.secrets.delete(*where)
            deps.state.forget(*where, key=entry.key)
            return RecoveryOutcome.COMPLETED
