"""Moves the secret of a renamed token: stored under the new name, then deleted under the old."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from azdo_pat.command_lines import pat_command
from azdo_pat.errors import ConflictError, PatError, PendingError, StoreError
from azdo_pat.models import Status
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.operations.ownership import Owner, owner_of
from azdo_pat.operations.readable import look_for
from azdo_pat.operations.rollback import may_come_late
from azdo_pat.results.recovery import RecoveryOutcome

if TYPE_CHECKING:
    from azdo_pat.journal import Rename
    from azdo_pat.models import StoredPat
    from azdo_pat.operations.deps import Deps


def move(known: StoredPat, new_name: str, deps: Deps) -> None:
    """Store the secret under the new name, then delete it under the old one.

    Raises:
        PendingError: it is still stored under the old name, or under both.
    """
    secrets, state = deps.secrets, deps.state
    try:
        secret = secrets.get(known.org_url, known.name)
        if secret is None:
            state.rename(known.org_url, known.name, new_name)
            return
        there = secrets.get(known.org_url, new_name)
        if there not in {None, secret}:  # by another program, as this one holds the lock
            raise ConflictError(
                f"another program has stored a secret under {new_name!r} in the meantime"
            )
        secrets.put(known.org_url, new_name, secret)
        try:
            state.rename(known.org_url, known.name, new_name)
        except PatError:
            with suppress(StoreError):
                secrets.delete(known.org_url, new_name)
            raise
    except PatError as error:
        raise PendingError(
            f"the token is now named {new_name!r}, but its secret is still stored under"
            f" {known.name!r}: {error.message}",
            hint=error.hint or f"to print it, run: {pat_command('get', known.name)}",
        ) from error
    try:
        secrets.delete(known.org_url, known.name)
    except PatError as error:
        raise PendingError(
            f"the token is now named {new_name!r} and its secret is stored under that name,"
            f" but could not be deleted under {known.name!r}: {error.message}",
            hint=error.hint or f"to delete it, run: {pat_command('forget', known.name)}",
        ) from error


def recover_rename(operation: Rename, deps: Deps) -> RecoveryOutcome:
    """Move the secret if the service renamed the token. The old name must be locked.

    If another secret has been stored under one of the names since, nothing is moved.

    Raises:
        ConflictError: another `pat` is at work on the new name.
        PendingError: as for `move`.
        PatError: the service could not be asked, or the keyring failed.
    """
    renamed = _is_renamed(operation, deps)
    if not renamed:
        undecided = renamed is None or may_come_late(operation.entry, operation.searched, deps)
        return RecoveryOutcome.UNDECIDED if undecided else RecoveryOutcome.NOTHING_DONE
    url, old, new = operation.entry.organization.url, operation.entry.name, operation.new_name
    with deps.exclusive(lock_key(new, url)):
        here, there = deps.secrets.get(url, old), deps.secrets.get(url, new)
        known = deps.state.find(url, old)
        if known is None:
            if there is not None and there == here:
                deps.secrets.delete(url, old)
        elif known.id is not None:
            movable = owner_of(here, known, operation.authorization_id) in {Owner.NONE, Owner.THIS}
            if movable and there in {None, here} and deps.state.find(url, new) is None:
                move(known, new, deps)
    return RecoveryOutcome.COMPLETED


def _is_renamed(operation: Rename, deps: Deps) -> bool | None:
    """Return whether the service has changed the name; None if its list cannot be read."""
    statuses = (Status.ACTIVE, Status.EXPIRED)
    organization, identifier = operation.entry.organization, operation.authorization_id
    pat, unclear = look_for(organization, identifier, operation.new_name, statuses, deps)
    if pat is not None and pat.is_named(operation.new_name):
        return True
    return None if unclear or (pat is not None and pat.unread) else False
