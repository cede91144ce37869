"""Report what recovery did, and which delivery targets still hold an old secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.command_lines import pat_command, quoted
from azdo_pat.delivery_targets import CommandTarget, FileTarget, ToolTarget, UnknownTarget
from azdo_pat.errors import DoubtfulError
from azdo_pat.journal import (
    Deliver,
    Exec,
    Forget,
    Import,
    Local,
    Replaced,
    Revoke,
    RevokeReplaced,
    TakeOver,
    open_question,
    title,
)
from azdo_pat.results.recovery import RecoveryOutcome, Unrecovered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azdo_pat.delivery_targets import Delivery
    from azdo_pat.errors import PatError
    from azdo_pat.journal import Operation
    from azdo_pat.output.messages import Messages
    from azdo_pat.results.recovery import Recovered


def say(messages: Messages, event: Recovered | Unrecovered) -> None:
    """Report on stderr what became of an unfinished operation of an earlier run."""
    if isinstance(event, Unrecovered):
        where = f" in {event.organization.name}" if event.organization else ""
        messages.warn(
            f"unfinished operations of earlier runs could not be recovered{where}:"
            f" {event.failure.message}"
        )
    elif event.failure is not None:
        _say_failed(messages, event.operation, event.failure)
    else:
        _say_recovered(messages, event.operation, event.outcome)


def _say_recovered(
    messages: Messages, operation: Operation, outcome: RecoveryOutcome | None
) -> None:
    token, org = operation.entry.token, operation.entry.organization.name
    interrupted = f"an interrupted {title(operation)}"
    if outcome is RecoveryOutcome.UNDECIDED:
        messages.warn(
            f"the result of {interrupted} is not known yet; the next command that signs in will"
            " check again"
        )
        return
    match operation:
        case Revoke(authorization_id=identifier) if outcome is RecoveryOutcome.STILL_ACTIVE:
            messages.warn(
                f"{token} was not revoked: the request got no answer, and the token is still"
                " active; to revoke it, run: "
                + pat_command("revoke", identifier, options=("--org", org))
            )
        case Revoke():
            messages.done(f"completed {interrupted}: the token is revoked")
        case RevokeReplaced(replaced=replaced):
            messages.done(f"revoked the old token of {token} ({replaced.authorization_id})")
        case Exec(new=new) if outcome is RecoveryOutcome.ROLLED_BACK:
            which = f" ({new.authorization_id})" if new.authorization_id else ""
            messages.done(f"revoked {token}{which}, which was made for one command")
        case Deliver(replaced=replaced):
            _say_delivered(messages, operation, replaced, outcome)
        case _ if outcome is RecoveryOutcome.COMPLETED:
            messages.done(f"completed {interrupted}")
        case _ if outcome is RecoveryOutcome.ROLLED_BACK:
            messages.done(f"rolled back {interrupted}: {_undone(operation)}")
        case _:
            messages.detail(f"{interrupted} had changed nothing")


def _say_delivered(
    messages: Messages,
    operation: Deliver,
    replaced: Replaced | None,
    outcome: RecoveryOutcome | None,
) -> None:
    token, old = operation.entry.token, replaced.authorization_id if replaced else ""
    match outcome:
        case RecoveryOutcome.NOTHING_DONE:
            kept = f", and its old token ({old}) is no longer needed" if old else ""
            messages.notice(f"the new secret of {token} no longer has a delivery target{kept}")
        case RecoveryOutcome.STILL_ACTIVE:
            org = operation.entry.organization.name
            messages.warn(
                f"the new secret of {token} had not been delivered, so its old token stays active;"
                f" to revoke it, run: {pat_command('revoke', old, options=('--org', org))}"
            )
        case RecoveryOutcome.TAKEN_OVER:
            messages.done(f"took over {token}, as another machine has renewed it")
        case _:
            messages.done(f"delivered the new secret of {token}")


def _undone(operation: Operation) -> str:
    match operation:
        case Import() | TakeOver():
            return "no secret was stored"
        case Forget():
            return "its secret is still stored"
        case _:
            return "the token that it created is revoked"


def _say_failed(messages: Messages, operation: Operation, failure: PatError) -> None:
    if isinstance(failure, DoubtfulError):
        messages.warn(failure.one_line)
    elif isinstance(operation, Deliver):
        token = operation.entry.token
        messages.warn(f"the new secret of {token} could not be delivered: {failure.one_line}")
    elif isinstance(operation, Local):
        messages.warn(f"{open_question(operation)}: {failure.one_line}")
    else:
        messages.warn(f"{open_question(operation)}: {failure.message}")


def say_remaining_copies(
    messages: Messages, name: str, deliveries: Iterable[Delivery], outcome: str
) -> None:
    """Report which delivery targets still hold the secret of a token that pat no longer manages.

    Args:
        messages: where to report.
        name: of the token.
        deliveries: those that it had.
        outcome: what has become of the secret: `no longer works`, `is no longer renewed`.
    """
    for delivery in deliveries:
        step = ""
        match delivery:
            case ToolTarget(tool=tool, path=path, about=about):
                which = "--feed" if "/_packaging/" in about else "--org"
                where = f"{tool} ({path or 'the macOS keychain'}) still holds"
                undo = pat_command("setup", tool, options=("--undo", which, about))
                step = f"; to remove it, run: {undo}"
            case FileTarget(path=path):
                where = f"{path} still holds"
            case CommandTarget(words=words):
                where = f"the command {quoted(words[0])} was given"
            case UnknownTarget(kind=kind):
                where = f"a target of the kind {kind!r}, which a newer pat has set up, may hold"
            case _:
                where = f"{delivery.place} still holds"
        messages.notice(f"{where} the secret of {name!r}, which {outcome}{step}")
