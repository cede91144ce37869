"""Returns what earlier runs have left pending, from the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.command_lines import pat_command
from azdo_pat.dates import local_minute
from azdo_pat.models import Pending, PendingKind, are_global_tokens_stopped, global_tokens_stop

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from azdo_pat.journal import Operation
    from azdo_pat.models import StoredPat


def pending(operations: Iterable[Operation], now: datetime) -> tuple[Pending, ...]:
    """Return what is pending of unfinished operations (`left_behind`), in their order.

    Several deliveries of one secret are one item, with the reason of the last.
    """
    found: dict[tuple[str, str, PendingKind, str | None], Pending] = {}
    for operation in operations:
        item = _item(operation, now)
        shared = item.kind is PendingKind.UNDELIVERED
        found[item.org_url, item.name, item.kind, None if shared else item.id] = item
    return tuple(found.values())


def pending_by_id(
    entries: Iterable[StoredPat], operations: Sequence[Operation], now: datetime
) -> Mapping[str, tuple[Pending, ...]]:
    """Return what is pending by the id of each token that it is about, the old and the new one.

    Args:
        entries: the known tokens of the organization of the operations.
        operations: as for `pending`.
        now: the time.
    """
    found: dict[str, tuple[Pending, ...]] = {}
    if not operations:
        return found
    current = {entry.name: entry.id for entry in entries if entry.stored}
    for item in pending(operations, now):
        for identifier in {item.id, current.get(item.name)} - {None}:
            found[identifier or ""] = (*found.get(identifier or "", ()), item)
    return found


def _item(operation: Operation, now: datetime) -> Pending:
    # Imported here, as the journal is mostly empty.
    from azdo_pat.journal import (  # noqa: PLC0415 - see above
        Deliver,
        Exec,
        Local,
        NewToken,
        Revoke,
        RevokeReplaced,
        is_due,
        open_question,
        revoked_by,
    )

    entry, revoked = operation.entry, revoked_by(operation)
    kind, message, until, fix = PendingKind.INTERRUPTED, open_question(operation), None, "pat renew"
    match operation:
        case Deliver():
            kind = PendingKind.UNDELIVERED
        case RevokeReplaced(replaced=replaced) if not is_due(operation, now):
            kind, until = PendingKind.GRACE, replaced.due
            stops_earlier = replaced.is_global and are_global_tokens_stopped(until)
            message = (
                f"the {'global ' * replaced.is_global}token replaced by {entry.token} ({revoked})"
                + (
                    f" {global_tokens_stop(now)}, and will be revoked after"
                    if stops_earlier
                    else " stays active until"
                )
                + f" {local_minute(until)}"
            )
            fix = pat_command("revoke", revoked or "", options=("--org", entry.organization.name))
        case Revoke() | RevokeReplaced() | Exec(new=NewToken(authorization_id=str())):
            kind = PendingKind.UNREVOKED
        case _ if isinstance(operation, Local):
            fix = "pat list --stored"
        case _:
            pass
    return Pending(
        name=entry.name,
        org=entry.organization.name,
        kind=kind,
        until=until,
        reason=entry.reason,
        fix=fix,
        message=message,
        org_url=entry.organization.url,
        id=revoked,
        user=entry.user,
    )
