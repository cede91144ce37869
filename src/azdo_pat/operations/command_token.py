"""Creates a token for one command, and revokes it when the command has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.errors import CancelledError, PatError
from azdo_pat.operations.issue import begun, recover_issue
from azdo_pat.results.recovery import RecoveryOutcome
from azdo_pat.results.tokens import CommandRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from azdo_pat.journal import Exec
    from azdo_pat.operations.deps import Deps
    from azdo_pat.operations.issue import CreateRequest
    from azdo_pat.results.tokens import Created


def with_token_of_its_own(
    operation: Exec, request: CreateRequest, deps: Deps, run: Callable[[Created], int]
) -> CommandRun:
    """Create a token, let `run` use it, and revoke it. The name must be locked throughout.

    The secret is tried before it is used. Whatever `run` raises, the token is revoked; if that
    fails or is interrupted, or the process is killed, the next run revokes it.

    Args:
        operation: it is recorded in the journal before it has any effect.
        request: what the token is for; it is not stored.
        deps: the dependencies.
        run: runs the command and returns its exit status.

    Raises:
        PatError: the token could not be created or used, or the command not be started; the error
            says what became of the token.
    """
    organization = operation.entry.organization
    issuance = begun(operation, request, deps)
    new = issuance.post()
    try:
        deps.directory.check_secret(organization, new.secret)
        created = issuance.created(new)
        status = run(created)
    except KeyboardInterrupt:
        raise issuance.take_back(new, CancelledError("interrupted")) from None
    except PatError as error:
        raise issuance.take_back(new, error) from error
    except BaseException:
        issuance.discard(new)
        raise
    try:
        deps.tokens.revoke(organization, new.pat.authorization_id)
        issuance.close()
    except KeyboardInterrupt:
        return CommandRun(created, status, CancelledError("interrupted"))
    except PatError as error:
        return CommandRun(created, status, error)
    return CommandRun(created, status)


def recover_command_token(operation: Exec, deps: Deps) -> RecoveryOutcome:
    """Revoke the token of a command whose run was killed, or failed to revoke it.

    A token that has expired by the service's clock need not be revoked, if it cannot be.

    Raises:
        PatError: it could not be revoked, or not be found out which token it is.
    """
    try:
        return recover_issue(operation, deps)
    except PatError:
        now = deps.session.service_time()
        if now is None or now <= operation.new.valid_to:
            raise
        return RecoveryOutcome.COMPLETED
