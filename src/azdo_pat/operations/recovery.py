"""Completes or rolls back the operations that an interrupted run left in the journal."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, assert_never

from azdo_pat.errors import ConflictError, DoubtfulError, PatError, PendingError
from azdo_pat.journal import (
    Create,
    Deliver,
    Exec,
    Forget,
    Import,
    Local,
    Rename,
    Revoke,
    RevokeReplaced,
    Rotate,
    TakeOver,
    is_due,
)
from azdo_pat.operations.command_token import recover_command_token
from azdo_pat.operations.delivery import recover_delivery, recover_revocation_of_replaced
from azdo_pat.operations.issue import recover_issue
from azdo_pat.operations.left_behind import left_behind
from azdo_pat.operations.local_secrets import recover_local, recover_local_operation
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.operations.rename import recover_rename
from azdo_pat.operations.revocation import recover_revocation
from azdo_pat.organizations import is_of_root
from azdo_pat.results.recovery import Recovered, RecoveryOutcome, Unrecovered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.journal import Operation
    from azdo_pat.models import Organization
    from azdo_pat.operations.deps import Deps
    from azdo_pat.store.state import State


def recover(deps: Deps, *, org_url: str | None = None, again: bool = False) -> Sequence[Recovered]:
    """Complete or roll back unfinished operations of earlier runs of this user; report each.

    Operations of running processes, and those that are not due yet, are skipped.

    Args:
        deps: the dependencies; `deps.tokens` must have been read before.
        org_url: of one organization only; None for all.
        again: also retry failed deliveries. A delivery command that always fails must not delay
            commands that only list tokens.

    Raises:
        SignInError: the user is not signed in.
    """
    user = deps.session.user()
    recovered: list[Recovered] = []
    undelivered: set[tuple[str, str]] = set()
    for operation in deps.state.unfinished(org_url):
        place = operation.entry.organization.url, operation.entry.name
        if not _may_recover(operation, user, deps.session.api_root):
            continue
        if earlier := deps.undelivered.get(operation.entry.key or 0):
            recovered.append(earlier)  # reported already
            undelivered.add(place)
            continue
        if isinstance(operation, Deliver) and (
            place in undelivered  # the same secret to the same targets
            or (not again and _has_failed(operation, deps.state))
        ):
            continue
        found = _recovered(operation, deps)
        if found is not None:
            if isinstance(operation, Deliver) and found.failure:
                undelivered.add(place)
                deps.undelivered[operation.entry.key or 0] = found
            deps.report(found)
            recovered.append(found)
    return recovered


def recover_due(deps: Deps, org_url: str | None = None) -> Sequence[Recovered]:
    """Recover due operations in a command that does not need a sign-in itself; report each.

    Without this, nothing would recover the tokens of a user who runs only `pat ensure`.
    """
    recover_local(deps, org_url=org_url)
    if not any(is_due(each, deps.now()) for each in left_behind(deps, org_url)):
        return ()
    try:
        deps.session.access_token()
        _ = deps.tokens
        return recover(deps, org_url=org_url, again=True)
    except PatError as error:
        deps.report(Unrecovered(error))
        return ()


def due_here(deps: Deps, org_url: str | None = None) -> list[Operation]:
    """Return the unfinished operations that are due, at the current API root."""
    now = deps.now()
    return [
        each
        for each in left_behind(deps, org_url)
        if is_due(each, now) and is_of_root(each.entry.organization, deps.session.api_root)
    ]


def _may_recover(operation: Operation, user: str, api_root: str | None) -> bool:
    """Return whether it is this user's, who finds its tokens, or needs no sign-in."""
    entry = operation.entry
    is_own = entry.user == user and is_of_root(entry.organization, api_root)
    return is_own or isinstance(operation, Local)


def _has_failed(operation: Deliver, state: State) -> bool:
    """Return whether a delivery failed before, and may fail again.

    For a token that is gone, or no longer has a delivery target, nothing can fail.
    """
    known = state.find(operation.entry.organization.url, operation.entry.name)
    return bool(operation.entry.reason and known and known.renewal.deliveries)


def _recovered(operation: Operation, deps: Deps) -> Recovered | None:
    """Recover an operation under its lock; None if it is another process's, done, or not due."""
    url, name = operation.entry.organization.url, operation.entry.name
    try:
        with deps.exclusive(lock_key(name, url)):
            # Another process may have done it before the lock was taken.
            here = deps.state.unfinished(url, name)
            is_open = any(each.entry.key == operation.entry.key for each in here)
            if is_open and is_due(operation, deps.now()):
                return Recovered(operation, recover_operation(operation, deps))
    except ConflictError:
        pass
    except PatError as error:
        return Recovered(operation, failure=error)
    return None


def recover_name(organization: Organization, name: str, deps: Deps) -> None:
    """Complete or roll back unfinished operations of a name, which must be locked.

    An operation without a trace on the service stays as long as a slow service may still be at
    work on it. One of another user stays, as this user would not find its tokens.

    Raises:
        PatError: the service could not be asked.
    """
    for operation in deps.state.unfinished(organization.url, name):
        if not isinstance(operation, Local) and operation.entry.user != deps.session.user():
            continue
        if operation.entry.key in deps.undelivered:
            continue
        # A failed delivery is repeated with the secret that is about to be created; a doubtful
        # token has been reported, and does not prevent creating another one.
        with suppress(PendingError, DoubtfulError):
            recover_operation(operation, deps)


def recover_operation(operation: Operation, deps: Deps) -> RecoveryOutcome:
    """Complete one operation or roll it back; it stays in the journal if undecided.

    Raises:
        DoubtfulError: it is uncertain which token it created, if any.
        PendingError: the secret could not be delivered.
        PatError: the service could not be asked.
    """
    match operation:
        case Create() | Rotate():
            outcome = recover_issue(operation, deps)
        case Exec():
            outcome = recover_command_token(operation, deps)
        case Deliver():
            outcome = recover_delivery(operation, deps)
        case RevokeReplaced():
            outcome = recover_revocation_of_replaced(operation, deps)
        case Revoke():
            outcome = recover_revocation(operation, deps)
        case Rename():
            outcome = recover_rename(operation, deps)
        case Import() | TakeOver() | Forget():
            return recover_local_operation(operation, deps)
        case _:
            assert_never(operation)
    if outcome is not RecoveryOutcome.UNDECIDED:
        deps.state.finish(operation.entry.key)
    return outcome
