"""Undoing what a tool was set up for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azdo_pat.errors import ConflictError, UsageError
from azdo_pat.redaction import guises, remember
from azdo_pat.results import SettingUp, SetUp
from azdo_pat.tools.changes import taken_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.services.place import Place
    from azdo_pat.store.records import Record, Setup

_BY_HAND: Final = "take it out by hand, then: pat setup {tool} --undo --leave-file"
_STAND_IN: Final = "pat-secret-of-nobody"
"""Stands for the secret where two contents are compared: it may have been replaced since."""


def undo(  # what it takes
    record: Record, setup: Setup, place: Place, secret: str, *, leave_file: bool, dry_run: bool
) -> SetUp:
    """Give a file back what it held; where it was changed since, take out what was put in.

    What was set up beside it stays. The record stays, too; done twice is done once.

    Args:
        record: what the file was like.
        setup: the one of it that is undone.
        place: where that is.
        secret: what must not stay in it; empty where that is not known.
        leave_file: do nothing to the file.
        dry_run: only say what would be done.

    Raises:
        ConflictError: what was put in cannot be told from later changes; nothing has changed.
    """
    rest = record.without(setup)
    own = place.told(setup, secret)
    current = after = place.read()
    exact = False
    if not leave_file and place.path.exists():
        after, exact = _undone(record, setup, place, current)
        if secret and _stays(secret, record, current, after, own):
            raise ConflictError(
                f"{record.path} was changed since, and the secret would stay in it",
                hint=_BY_HAND.format(tool=place.tool.name),
            )
    remember(secret)
    result = SetUp(
        tool=place.tool.name,
        file=record.path,
        outcome=SettingUp.PLANNED if dry_run else SettingUp.UNDONE,
        feed=setup.feed,
        token=setup.name,
        diff=own.shown(current, after),
    )
    if dry_run or leave_file:
        return result
    last = exact and not rest.setups
    if last and record.before is None:
        place.remove()
    elif after != current or (last and place.path.exists()):
        place.write(after, mode=record.mode if last else None)
    return result


def _undone(record: Record, setup: Setup, place: Place, current: str) -> tuple[str, bool]:
    """Return a content without a setup, and whether all else of it is as it was left.

    Raises:
        ConflictError: what was put in is not found in it as it was.
    """

    def all_of(setups: Sequence[Setup], text: str) -> str:
        for each in setups:
            text = place.told(each, _STAND_IN).edited(text)
        return text

    before = _text(record)
    rest = record.without(setup).setups
    put_in, target = all_of(record.setups, before), all_of(rest, before)
    try:
        now, without = all_of(record.setups, current), all_of(rest, current)
    except UsageError:
        now = without = current  # it need not be understood to be found unchanged
    if now == put_in and not rest:
        return before, True
    after = taken_out(current, now, put_in, target)
    if after is None and without == target:
        return current, True  # a run that was killed has done it
    if after is None or any(each in after for each in guises(_STAND_IN)):
        raise ConflictError(
            f"{record.path} was changed since, and what pat put in cannot be told from that",
            hint=_BY_HAND.format(tool=place.tool.name),
        )
    return after, now == put_in


def _text(record: Record) -> str:
    return "" if record.before is None else record.before.decode("utf-8", "surrogateescape")


def _stays(secret: str, record: Record, current: str, after: str, own: Place) -> bool:
    """Tell whether what was put in would still be there, as in lines that somebody made comments.

    The user's own content may hold the same secret, and what was put in for another feed.
    """
    before, put_in = _text(record), own.edited("")
    return any(
        after.count(each) > max(before.count(each), current.count(each) - put_in.count(each))
        for each in guises(secret)
    )
