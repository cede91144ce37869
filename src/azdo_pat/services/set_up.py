"""Making a tool use a token, and undoing that."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.errors import ConflictError, NotFoundError, UsageError
from azdo_pat.files import (
    check_writable,
    clear_scratch,
    read_text,
    resolved,
    write_text,
)
from azdo_pat.organizations import hosts_of
from azdo_pat.redaction import guises, masked, remember
from azdo_pat.results import SettingUp, SetUp
from azdo_pat.store.folders import make_private
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
    remember(place.handing.secret)
    before = _read(place.path)
    after = _edited(place, before, place.handing)
    result = SetUp(
        tool=place.tool.name,
        file=str(place.path),
        outcome=SettingUp.PLANNED if dry_run else SettingUp.SET_UP,
        feed=place.handing.feed,
        token=place.entry.name if place.entry else "",
        diff=shown_difference(before, after, place),
    )
    known = records.find(place.tool.known_as, str(place.path), place.about)
    # What holds a secret of ours must be known, so that it can be undone.
    if after == before and (known is not None or place.entry is None):
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


def undo(record: Record, place: Place, secret: str, *, dry_run: bool) -> SetUp:
    """Give a file back what it held; where it was changed since, take out what was put in.

    The record stays; done twice is done once.

    Args:
        record: what the file was like.
        place: where that is.
        secret: what must not stay in it; empty where that is not known.
        dry_run: only say what would be done.

    Raises:
        ConflictError: what was put in cannot be told from later changes; nothing has changed.
    """
    before = "" if record.before is None else record.before.decode("utf-8", "surrogateescape")
    stand_in = place.handing._replace(secret=_STAND_IN if place.tool.keeps_secret else "")
    current = _read(place.path)
    put_in = _edited(place, before, stand_in)
    try:
        now = _edited(place, current, stand_in)
    except UsageError:
        now = current  # what stands there now need not be understood to be found unchanged
    exact = now == put_in or current == before
    after = before if exact else _taken_out(now, put_in, before)
    if after is None or (not exact and _STAND_IN in after):
        raise ConflictError(
            f"{record.path} was changed since, and what pat put in cannot be told from that",
            hint="take it out by hand: pat setup --list tells what it is",
        )
    if secret and _stays(secret, before, current, after, place):
        raise ConflictError(
            f"{record.path} was changed since, and the secret would stay in it",
            hint="take it out by hand, then try again",
        )
    result = SetUp(
        tool=place.tool.name,
        file=record.path,
        outcome=SettingUp.PLANNED if dry_run else SettingUp.UNDONE,
        feed=record.feed,
        token=record.name,
        diff=shown_difference(current, after, _with_secret(place, secret)),
    )
    if dry_run:
        return result
    if exact and record.before is None:
        _remove(place.path)
    elif after != current:
        _write(place.path, after, mode=record.mode if exact else None)
    return result


def _with_secret(place: Place, secret: str) -> Place:
    """Return a place with the secret that lies there by now."""
    remember(secret)
    return place._replace(handing=place.handing._replace(secret=secret))


def _stays(secret: str, before: str, current: str, after: str, place: Place) -> bool:
    """Tell whether what was put in would still be there, as in lines that somebody made comments.

    The user's own content may hold the same secret, and what was put in for another feed.
    """
    own = _with_secret(place, secret)
    put_in = _edited(own, "", own.handing)
    return any(
        after.count(each) > max(before.count(each), current.count(each) - put_in.count(each))
        for each in guises(secret)
    )


def delivery_of(place: Place) -> Delivery:
    """Return what brings each new secret into the file."""
    return Delivery("setup", (place.tool.known_as, str(place.path), place.about))


def shown_difference(before: str, after: str, place: Place) -> str:
    """Return what is changed in a file, without any secret; empty for nothing.

    Of the lines of the user, which may hold secrets of all kinds, only their number is told. What
    is shown is ours: it also stands in what the tool's editing makes of no file at all.
    """
    ours = {line.strip() for line in _edited(place, "", place.handing).splitlines()}
    path = str(place.path)
    shown: list[str] = []
    hidden = 0
    for line in difflib.unified_diff(
        before.splitlines(), after.splitlines(), path, path, lineterm="", n=0
    ):
        is_ours = line.startswith(("---", "+++", "@@")) or line[1:].strip() in {"", *ours}
        if is_ours:
            shown.append(masked(line.expandtabs(4)))
            hidden = 0
            continue
        if hidden and shown[-1].startswith(line[0]):
            shown.pop()
        else:
            hidden = 0
        hidden += 1
        shown.append(f"{line[0]}({hidden} line{'s' * (hidden > 1)} of yours)")
    return "\n".join(shown)


def _taken_out(now: str, put_in: str, before: str) -> str | None:
    """Undo in a later content what was put in; None where it is not found in it as it was."""
    if before and not before.endswith(("\n", "\r")):
        before += end_of_line(before)  # a last line that has none is not told from a changed one
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
    """Hold that nothing else that was set up lies where this is to lie.

    Raises:
        ConflictError: it does.
    """
    tool, path = place.tool, str(place.path)
    hosts = set(hosts_of(place.handing.org_url))
    for other in records.of_tool(tool.known_as):
        if other.path != path or other.about == place.about:
            continue
        what = ""
        if tool.by_host and (shared := hosts.intersection(hosts_of(other.org_url))):
            what = f"has the token of {other.org_url} for {min(shared)}"
        elif tool.service and tool.service(other.org_url) == tool.service(place.handing.org_url):
            what = f"has the token of {other.org_url} in the same place of the keyring"
        elif tool.slot and tool.slot(other.feed) == tool.slot(place.handing.feed):
            what = f"has {other.feed} by the name of {tool.slot(other.feed)!r}"
        if what:
            only = f" --feed {other.feed}" if other.feed else ""
            raise ConflictError(
                f"{path} {what} already, and {tool.name} has room for one",
                hint=f"pat setup {tool.name} --undo{only} takes that one out",
            )


def _record(place: Place) -> Record:
    exists = place.path.exists()
    return Record(
        tool=place.tool.known_as,
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
        make_private(path.parent)
        check_writable(path)
        write_text(path, text, mode=mode)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="see to its folder and permissions; nothing has changed",
        ) from error


def _remove(path: Path) -> None:
    try:
        target = resolved(path)
        target.unlink(missing_ok=True)
        clear_scratch(target)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be deleted: {error.strerror}", hint="see to its folder"
        ) from error


def with_delivery(entry: StoredPat, delivery: Delivery, *, wanted: bool) -> StoredPat:
    """Return a token that remembers a delivery, or does not any more."""
    others: Sequence[Delivery] = [each for each in entry.upkeep.deliveries if each != delivery]
    deliveries = (*others, delivery) if wanted else tuple(others)
    return replace(entry, upkeep=entry.upkeep._replace(deliveries=deliveries))
