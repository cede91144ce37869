"""Making a tool use a token, and undoing that."""

from __future__ import annotations

import difflib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.errors import ConflictError, NotFoundError, UsageError
from azdo_pat.files import check_writable, read_text, write_text
from azdo_pat.organizations import hosts_of
from azdo_pat.redaction import masked, remember
from azdo_pat.results import SettingUp, SetUp
from azdo_pat.store.records import Record
from azdo_pat.tools.texts import end_of_line
from azdo_pat.upkeep import Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from azdo_pat.models import StoredPat
    from azdo_pat.store.records import Records
    from azdo_pat.tools.tool import Handing, Tool

_STAND_IN: Final = "pat-secret-of-nobody"
"""Stands for the secret where two contents are compared: it may have been replaced since."""

_VALUES: Final = re.compile(
    r"""(?ix)
    (
        (?: _password | _authToken | _auth | authIdent | password | passwd | secret | token )
        (?: [\w.-]* ["']? \s* (?: [=:] | value\s*= | \s ) \s* ["']? | > )
    )
    [^\s"'<>]+
    """
)
"""What stands behind such a word in a user's file is not shown, whoever it is of."""


class Place(NamedTuple):
    """Where a tool is set up, and with what.

    Attributes:
        home: must be there; folders below it are made.
        entry: the token that it gets; None where it asks for one itself.
    """

    tool: Tool
    path: Path
    home: Path
    handing: Handing
    entry: StoredPat | None = None

    @property
    def about(self) -> str:
        """What it is set up for: the feed, or the organization whose token it gets."""
        return self.handing.feed or self.handing.org_url


def set_up(place: Place, records: Records, *, dry_run: bool) -> SetUp:
    """Change the tool's file so that it uses the token; what it held is kept for undoing.

    Raises:
        UsageError: the file cannot be understood; nothing has changed.
        NotFoundError: there is no home folder.
        ConflictError: another organization's token is there, and the tool could not tell the two
            apart; nothing has changed.
        StoreError: what it held cannot be kept; nothing has changed.
    """
    _check_room(place, records)
    before = _read(place.path)
    after = _edited(place, before, place.handing)
    remember(place.handing.secret)
    result = SetUp(
        tool=place.tool.name,
        file=str(place.path),
        outcome=SettingUp.PLANNED if dry_run else SettingUp.SET_UP,
        feed=place.handing.feed,
        token=place.entry.name if place.entry else "",
        diff=shown_difference(before, after, str(place.path)),
    )
    known = records.find(place.tool.name, str(place.path), place.about)
    if after == before and (known is not None or not place.tool.service):
        return replace(result, outcome=SettingUp.UNCHANGED)
    if dry_run:
        return result
    if not place.home.is_dir():
        raise NotFoundError(
            f"the home folder {place.home} is not there", hint="set HOME to one that is"
        )
    record = known or _record(place)
    if known is None:
        records.put(record)
    try:
        _write(place.path, after, mode=0o600 if place.tool.keeps_secret else None)
    except UsageError:
        if known is None:  # there is nothing to undo
            records.remove(record)
        raise
    return result


def undo(record: Record, place: Place, *, dry_run: bool) -> SetUp:
    """Give a file back what it held; where it was changed since, take out what was put in.

    The record stays; done twice is done once.

    Raises:
        ConflictError: what was put in cannot be told from later changes; nothing has changed.
    """
    before = "" if record.before is None else record.before.decode("utf-8", "surrogateescape")
    stand_in = place.handing._replace(secret=_STAND_IN if place.tool.keeps_secret else "")
    current = _read(place.path)
    result = SetUp(
        tool=record.tool,
        file=record.path,
        outcome=SettingUp.PLANNED if dry_run else SettingUp.UNDONE,
        feed=record.feed,
        token=record.name,
    )
    put_in = _edited(place, before, stand_in)
    now = _edited(place, current, stand_in)
    exact = now == put_in or current == before
    after = before if exact else _taken_out(now, put_in, before)
    if after is None or (not exact and _STAND_IN in after):
        raise ConflictError(
            f"{record.path} was changed since, and what pat put in cannot be told from that",
            hint="take it out by hand: pat setup --list tells what it is",
        )
    result = replace(result, diff=shown_difference(current, after, record.path))
    if dry_run:
        return result
    if exact and record.before is None:
        _remove(place.path)
    elif after != current:
        _write(place.path, after, mode=record.mode if exact else None)
    return result


def delivery_of(place: Place) -> Delivery:
    """Return what brings each new secret into the file."""
    return Delivery("setup", (place.tool.name, str(place.path), place.about))


def shown_difference(before: str, after: str, path: str) -> str:
    """Return what is changed in a file, without any secret; empty for nothing."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), path, path, lineterm="", n=0
    )
    return "\n".join(_VALUES.sub(r"\1***", masked(line.expandtabs(4))) for line in lines)


def _taken_out(now: str, put_in: str, before: str) -> str | None:
    """Undo in a later content what was put in; None where it is not found in it as it was."""
    old, new = put_in.splitlines(keepends=True), before.splitlines(keepends=True)
    lines = now.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, start, end, first, last in matcher.get_opcodes():
        if tag == "equal":
            continue
        block = old[start:end]
        if not block:  # a line was taken out: it goes back behind the one that stood before it
            block = old[start - 1 : start] if start else []
            back = [*block, *new[first:last]]
        else:
            back = new[first:last]
        places = [n for n in range(len(lines)) if block and lines[n : n + len(block)] == block]
        if len(places) != 1:
            return None
        behind = places[0] + len(block)
        if back and behind < len(lines) and not back[-1].endswith(("\n", "\r")):
            # It was the end of the file, and is not any more.
            back = [*back[:-1], back[-1] + end_of_line(now)]
        lines[places[0] : behind] = back
    return "".join(lines)


def _check_room(place: Place, records: Records) -> None:
    """Hold that no other organization's token lies where this one's is to lie."""
    if not place.tool.by_host:
        return
    hosts = set(hosts_of(place.handing.org_url))
    for other in records.of_tool(place.tool.name):
        shared = hosts.intersection(hosts_of(other.org_url))
        if other.path == str(place.path) and other.about != place.about and shared:
            raise ConflictError(
                f"{place.path} has the token of {other.org_url} for {min(shared)} already, and"
                f" {place.tool.name} has room for one token a host",
                hint=f"pat setup {place.tool.name} --undo takes that one out; git, pip and uv need"
                " none of it, as they ask pat",
            )


def _record(place: Place) -> Record:
    exists = place.path.exists()
    return Record(
        tool=place.tool.name,
        path=str(place.path),
        feed=place.handing.feed,
        org_url=place.handing.org_url,
        name=place.entry.name if place.entry else "",
        before=place.path.read_bytes() if exists else None,
        mode=place.path.stat().st_mode & 0o777 if exists else None,
    )


def _edited(place: Place, text: str, handing: Handing) -> str:
    try:
        return place.tool.edited(text, handing)
    except UsageError as error:
        raise UsageError(f"{place.path}: {error.message}", hint=error.hint) from error


def _read(path: Path) -> str:
    try:
        return read_text(path)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror or error}",
            hint="see to its permissions, or move it aside",
        ) from error


def _write(path: Path, text: str, *, mode: int | None) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_writable(path)
        write_text(path, text, mode=mode)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="see to its folder and permissions; nothing has changed",
        ) from error


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be deleted: {error.strerror}", hint="see to its folder"
        ) from error


def with_delivery(entry: StoredPat, delivery: Delivery, *, wanted: bool) -> StoredPat:
    """Return a token that remembers a delivery, or does not any more."""
    others: Sequence[Delivery] = [each for each in entry.upkeep.deliveries if each != delivery]
    deliveries = (*others, delivery) if wanted else tuple(others)
    return replace(entry, upkeep=entry.upkeep._replace(deliveries=deliveries))
