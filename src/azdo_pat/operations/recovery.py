"""Completes or rolls back the operations that an interrupted run left in the journal."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, assert_never

from azdo_pat.errors import ConflictError, DoubtfulError, PatError, PendingError
from azdo_pat.journal import (
    Create,
    Deliver,
    Forget,
    Import,
    Rename,
    Revoke,
    RevokeReplaced,
    Rotate,
    is_due,
)
from azdo_pat.operations.delivery import recover_delivery, recover_revocation_of_replaced
from azdo_pat.operations.issue import recover_issue
from azdo_pat.operations.local_secrets import LOCAL, recover_local_operation
from azdo_pat.operations.name_lock import lock_key
from azdo_pat.operations.rename import recover_rename
from azdo_pat.operations.revocation import recover_revocation
from azdo_pat.organizations import is_of_root
from azdo_pat.results import Recovered, RecoveryOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azdo_pat.journal import Operation
    from azdo_pat.models import Organization
    from azdo_pat.operations.deps import Deps
    from azdo_pat.store.state import State


class RecoveryScope(NamedTuple):
    """Which operations of the journal to recover.

    Attributes:
        user: the sign-in name; for another user the tokens would seem to be gone.
        api_root: `PAT_API_URL`; operations at other roots are skipped.
        org_url: of one organization only; None for all.
        again: also retry failed deliveries. A delivery command that always fails must not delay
            commands that only list tokens.
    """

    user: str
    api_root: str | None
    org_url: str | None = None
    again: bool = False

    def holds(self, operation: Operation) -> bool:
        """Return whether an operation is included; local ones always are."""
        if isinstance(operation, LOCAL):
            return True
        entry = operation.entry
        return entry.user == self.user and is_of_root(
            entry.organization.url, entry.organization.name, self.api_root
        )

    def leaves_for_later(self, operation: Operation, state: State) -> bool:
        """Return whether it failed before, and is retried only on request.

        For a token that is gone, or no longer has a delivery target, nothing can fail.
        """
        if not isinstance(operation, Deliver) or not operation.entry.reason or self.again:
            return False
        known = state.find(operation.entry.organization.url, operation.entry.name)
        return known is not None and bool(known.renewal.deliveries)


def recover(deps: Deps, scope: RecoveryScope) -> Iterator[Recovered]:
    """Complete or roll back unfinished operations of earlier runs of the same user.

    Operations of running processes, and those that are not due yet, are skipped.
    """
    undelivered: set[tuple[str, str]] = set()
    for operation in deps.state.unfinished(scope.org_url):
        if not scope.holds(operation) or scope.leaves_for_later(operation, deps.state):
            continue
        url, name = operation.entry.organization.url, operation.entry.name
        if isinstance(operation, Deliver) and (url, name) in undelivered:
            continue  # the same secret to the same targets
        try:
            with deps.exclusive(lock_key(name, url)):
                # Another process may have done it before the lock was taken.
                here = deps.state.unfinished(url, name)
                is_open = any(each.entry.key == operation.entry.key for each in here)
                if is_open and is_due(operation, deps.now()):
                    yield Recovered(operation, recover_operation(operation, deps))
        except ConflictError:
            continue
        except PatError as error:
            if isinstance(operation, Deliver):
                undelivered.add((url, name))
            yield Recovered(operation, failure=error)


def recover_name(organization: Organization, name: str, deps: Deps) -> None:
    """Complete or roll back unfinished operations of a name, which must be locked.

    An operation without a trace on the service stays as long as a slow service may still be at
    work on it. One of another user stays, as this user would not find its tokens.
    gone.

    Raises:
        PatError: the service could not be asked.
    """
    for operation in deps.state.unfinished(organization.url, name):
        if not isinstance(operation, LOCAL) and operation.entry.user != deps.user():
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
        case Deliver():
            outcome = recover_delivery(operation, deps)
        case RevokeReplaced():
            outcome = recover_revocation_of_replaced(operation, deps)
        case Revoke():
            outcome = recover_revocation(operation, deps)
        case Rename():
            outcome = recover_rename(operation, deps)
        case Import() | Forget():
            return recover_local_operation(operation, deps.secrets, deps.state)
        case _:
            assert_never(operation)
    if outcome is not RecoveryOutcome.UNDECIDED:
        deps.state.finish(operation.entry.key)
    return outcome
