"""Making a tool use a token."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from azdo_pat.errors import ConflictError, NotFoundError, UsageError
from azdo_pat.naming import as_argument
from azdo_pat.organizations import hosts_of
from azdo_pat.redaction import remember
from azdo_pat.results import SettingUp, SetUp
from azdo_pat.store.records import Record, Setup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.models import StoredPat
    from azdo_pat.services.place import Place
    from azdo_pat.store.records import Records
    from azdo_pat.upkeep import Delivery


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
    for other in records.of_tool(place.tool.known_as):
        _check_room(place, other)
    remember(place.handing.secret)
    before = place.read()
    after = place.edited(before)
    result = SetUp(
        tool=place.tool.name,
        file=str(place.path),
        outcome=SettingUp.PLANNED if dry_run else SettingUp.SET_UP,
        feed=place.handing.feed,
        token=place.entry.name if place.entry else "",
        diff=place.shown(before, after) + _lent(place),
        warning=_portless(place),
    )
    is_known = record is not None and record.find(place.about) is not None
    # What holds a secret of ours must be known, so that it can be undone.
    unchanged = after == before and (is_known or place.entry is None)
    if place.tool.keeps_secret and place.is_open():
        unchanged = False
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
        place.write(after, mode=0o600 if place.tool.keeps_secret else None)
    except UsageError:
        records.put(record or known._replace(setups=()))  # there is nothing to undo
        raise
    return result


def _lent(place: Place) -> str:
    """Say which entry of the keyring gets the secret."""
    if place.tool.service is None:
        return ""
    return f"\n+keyring: {place.tool.service(place.handing.org_url)} ***"


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
    same_file = record.path == str(place.path)
    for other in record.setups:
        if same_file and other.about == place.about:
            continue
        what = ""
        if tool.service and tool.service(other.org_url) == tool.service(mine.org_url):
            what = f"has the token of {other.org_url} in the same place of the keyring"
        elif not same_file:
            continue
        elif tool.by_host and (shared := hosts.intersection(hosts_of(other.org_url))):
            what = f"has the token of {other.org_url} for {min(shared)}"
        elif tool.slot and tool.slot(other.feed) == tool.slot(mine.feed):
            what = f"has {other.feed} by the name of {tool.slot(other.feed)!r}"
        if what:
            only = f" --feed {as_argument(other.feed)}" if other.feed else ""
            raise ConflictError(
                f"{record.path} {what} already, and {tool.name} has room for one",
                hint=f"pat setup {tool.name} --undo{only} takes that one out",
            )


def _noted(place: Place, record: Record | None) -> Record:
    """Return the record with this setup in it."""
    name = place.entry.name if place.entry else ""
    setup = Setup(
        feed=place.handing.feed,
        org_url=place.handing.org_url,
        name=name,
        servers=place.handing.servers,
    )
    if record is None:
        exists = place.path.exists()
        record = Record(
            tool=place.tool.known_as,
            path=str(place.path),
            before=place.path.read_bytes() if exists else None,
            mode=place.path.stat().st_mode & 0o777 if exists else None,
        )
    known = record.find(setup.about)
    if known is None:
        return record._replace(setups=(*record.setups, setup))
    setup = setup._replace(
        earlier=tuple(dict.fromkeys((*known.earlier, *({known.name} - {"", name})))),
        servers=tuple(dict.fromkeys((*known.servers, *setup.servers))),
    )
    setups = (setup if each.about == setup.about else each for each in record.setups)
    return record._replace(setups=tuple(setups))


def with_delivery(entry: StoredPat, delivery: Delivery, *, wanted: bool) -> StoredPat:
    """Return a token that remembers a delivery, or does not any more."""
    others: Sequence[Delivery] = [each for each in entry.upkeep.deliveries if each != delivery]
    deliveries = (*others, delivery) if wanted else tuple(others)
    return replace(entry, upkeep=entry.upkeep._replace(deliveries=deliveries))
