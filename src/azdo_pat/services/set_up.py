"""Making a tool use a token, and undoing that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from azdo_pat.errors import ConflictError, NotFoundError, UsageError
from azdo_pat.files import (
    check_writable,
    clear_scratch,
    read_text,
    resolved,
    write_text,
)
from azdo_pat.organizations import hosts_of
from azdo_pat.redaction import guises, remember
from azdo_pat.results import SettingUp, SetUp
from azdo_pat.store.folders import make_private
from azdo_pat.store.records import Record, Setup
from azdo_pat.tools.changes import shown, taken_out
from azdo_pat.upkeep import Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from azdo_pat.models import StoredPat
    from azdo_pat.store.records import Records
    from azdo_pat.tools.tool import Handing, Tool

_BY_HAND: Final = "take it out by hand, then: pat setup {tool} --undo --leave-file"
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
    record = records.find(place.tool.known_as, str(place.path))
    if record is not None:
        _check_room(place, record)
    remember(place.handing.secret)
    before = _read(place.path)
    after = _edited(place, before, place.handing)
    result = SetUp(
        tool=place.tool.name,
        file=str(place.path),
        outcome=SettingUp.PLANNED if dry_run else SettingUp.SET_UP,
        feed=place.handing.feed,
        token=place.entry.name if place.entry else "",
        diff=_shown(before, after, place),
        warning=_portless(place),
    )
    is_known = record is not None and record.find(place.about) is not None
    # What holds a secret of ours must be known, so that it can be undone.
    unchanged = after == before and (is_known or place.entry is None)
    if dry_run:
        return replace(result, outcome=SettingUp.UNCHANGED) if unchanged else result
    if not place.home.is_dir():
        raise NotFoundError(
            f"the home folder {place.home} is not there", hint="set HOME to one that is"
        )
    known = _noted(place, record)
    if known != record and not (unchanged and not is_known):
        records.put(known)
    if unchanged:
        return replace(result, outcome=SettingUp.UNCHANGED)
    try:
        _write(place.path, after, mode=0o600 if place.tool.keeps_secret else None)
    except UsageError:
        records.put(record or known._replace(setups=()))  # there is nothing to undo
        raise
    return result


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
    own = _told(place, setup, secret)
    current = after = _read(place.path)
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
        diff=_shown(current, after, own),
    )
    if dry_run or leave_file:
        return result
    last = exact and not rest.setups
    if last and record.before is None:
        _remove(place.path)
    elif after != current or (last and place.path.exists()):
        _write(place.path, after, mode=record.mode if last else None)
    return result


def _undone(record: Record, setup: Setup, place: Place, current: str) -> tuple[str, bool]:
    """Return a content without a setup, and whether all else of it is as it was left.

    Raises:
        ConflictError: what was put in is not found in it as it was.
    """

    def all_of(setups: Sequence[Setup], text: str) -> str:
        for each in setups:
            text = _edited(place, text, _told(place, each, _STAND_IN).handing)
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


def _told(place: Place, setup: Setup, secret: str) -> Place:
    """Return a place with what the tool was told for a setup."""
    kept = secret if place.tool.keeps_secret else ""
    handing = place.handing._replace(feed=setup.feed, org_url=setup.org_url, secret=kept)
    return place._replace(handing=handing)


def _text(record: Record) -> str:
    return "" if record.before is None else record.before.decode("utf-8", "surrogateescape")


def _stays(secret: str, record: Record, current: str, after: str, own: Place) -> bool:
    """Tell whether what was put in would still be there, as in lines that somebody made comments.

    The user's own content may hold the same secret, and what was put in for another feed.
    """
    before, put_in = _text(record), _edited(own, "", own.handing)
    return any(
        after.count(each) > max(before.count(each), current.count(each) - put_in.count(each))
        for each in guises(secret)
    )


def delivery_of(place: Place) -> Delivery:
    """Return what brings each new secret into the file."""
    return Delivery("setup", (place.tool.known_as, str(place.path), place.about))


def _shown(before: str, after: str, place: Place) -> str:
    """Return what is changed; what stands in the tool's file when it holds no more is ours."""
    ours = {line.strip() for line in _edited(place, "", place.handing).splitlines()}
    return shown(before, after, str(place.path), ours)


def _portless(place: Place) -> str:
    """Say it where a secret would also go to other ports of a host."""
    parts = urlsplit(place.handing.org_url)
    if not place.tool.by_host or parts.port is None:
        return ""
    return (
        f"{place.tool.name} knows no ports: whatever asks for {parts.hostname}, on whichever port,"
        " gets the secret"
    )


def _check_room(place: Place, record: Record) -> None:
    """Hold that nothing else that was set up lies where this is to lie.

    Raises:
        ConflictError: it does.
    """
    tool, mine = place.tool, place.handing
    hosts = set(hosts_of(mine.org_url))
    for other in record.setups:
        if other.about == place.about:
            continue
        what = ""
        if tool.by_host and (shared := hosts.intersection(hosts_of(other.org_url))):
            what = f"has the token of {other.org_url} for {min(shared)}"
        elif tool.service and tool.service(other.org_url) == tool.service(mine.org_url):
            what = f"has the token of {other.org_url} in the same place of the keyring"
        elif tool.slot and tool.slot(other.feed) == tool.slot(mine.feed):
            what = f"has {other.feed} by the name of {tool.slot(other.feed)!r}"
        if what:
            only = f" --feed {other.feed}" if other.feed else ""
            raise ConflictError(
                f"{record.path} {what} already, and {tool.name} has room for one",
                hint=f"pat setup {tool.name} --undo{only} takes that one out",
            )


def _noted(place: Place, record: Record | None) -> Record:
    """Return the record with this setup in it."""
    name = place.entry.name if place.entry else ""
    setup = Setup(feed=place.handing.feed, org_url=place.handing.org_url, name=name)
    if record is None:
        exists = place.path.exists()
        record = Record(
            tool=place.tool.known_as,
            path=str(place.path),
            before=place.path.read_bytes() if exists else None,
            mode=place.path.stat().st_mode & 0o777 if exists else None,
        )
    if record.find(setup.about) is None:
        return record._replace(setups=(*record.setups, setup))
    setups = (setup if each.about == setup.about else each for each in record.setups)
    return record._replace(setups=tuple(setups))


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
