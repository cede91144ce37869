"""Sets up a tool to use a stored token."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from azdo_pat.command_lines import pat_command
from azdo_pat.errors import ConflictError, NotFoundError, UsageError
from azdo_pat.files import resolved
from azdo_pat.homes import account_home, expanded, home_folder
from azdo_pat.organizations import hosts_of
from azdo_pat.redaction import remember
from azdo_pat.results.tools import SetupOutcome, SetupResult
from azdo_pat.services.tool_setup.token_choice import chosen
from azdo_pat.services.tool_setup.tool_file import ToolFile
from azdo_pat.services.tool_setup.wiring import (
    follow,
    followers_locked,
    is_sandbox,
    setup_records,
    stored_secret,
    tool_input,
)
from azdo_pat.store.setup_records import SetupEntry, SetupRecord
from azdo_pat.tools.tool import checked_feed
from azdo_pat.urls import parse

if TYPE_CHECKING:
    from azdo_pat.operations.deps import Deps
    from azdo_pat.services.tool_setup.wiring import SetupRequest
    from azdo_pat.store.setup_records import SetupRecords
    from azdo_pat.tools.tool import Tool


def install(tool: Tool, request: SetupRequest, deps: Deps) -> SetupResult:
    """Make a tool use a stored token, and let each rotation of the token update the tool's file.

    Raises:
        UsageError: an argument does not fit the tool, or its file cannot be read, understood or
            written; or a sandbox would change a file of the user's.
        NotFoundError: there is no such token, its secret is gone, or there is no home folder.
        ConflictError: another organization's token is there, and the tool could not tell the two
            apart; or the token is being rotated.
        StoreError: the keyring refuses, or what the file held cannot be kept for undoing.
    """
    with deps.in_line("setup"):
        tool_file, records = _tool_file(tool, request, deps), setup_records(deps)
        if request.dry_run:
            return _set_up(tool_file, records, dry_run=True)
        _keep_out_of_sandbox(tool_file, deps)
        entry, delivery = tool_file.entry, tool_file.delivery
        with followers_locked(delivery, entry, deps), deps.in_line(f"file {tool_file.path}"):
            if entry is None:
                return _set_up(tool_file, records, dry_run=False)
            secret = stored_secret(entry, deps)  # it may have been rotated before it was locked
            told = tool_file.tool_input._replace(secret=secret.reveal())
            tool_file = tool_file._replace(tool_input=told)
            service = tool.service(entry.org_url) if tool.service else ""
            known = records.find(tool.known_as, str(tool_file.path))
            if service and (known is None or known.find(tool_file.about) is None):
                _set_up(tool_file, records, dry_run=True)  # what is refused changes nothing
                deps.secrets.keep_before(service, tool.account)
            result = _set_up(tool_file, records, dry_run=False)
            if service:
                deps.secrets.lend(service, tool.account, secret)
            follow(delivery, entry, deps)
    return result


def _tool_file(tool: Tool, request: SetupRequest, deps: Deps) -> ToolFile:
    """Find the file of a tool and the token that it gets."""
    given = deps.environment.get("HOME")
    if given is not None and not Path(given).is_absolute():
        raise NotFoundError(
            f"HOME is {given!r}, which is not a folder", hint="set HOME to a folder"
        )
    home = home_folder()
    path = expanded(tool.file(deps.environment, home)).absolute()
    try:
        path = resolved(path)  # by whatever names, it is one file
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="correct or remove its symbolic links"
        ) from error
    if tool.feed:
        request = request._replace(feed=checked_feed(tool, request.feed or ""))
    elif request.feed:
        raise UsageError(f"{tool.name} is set up for all feeds", hint="leave out --feed")
    told = tool_input(request, deps)._replace(feed=request.feed or "")
    if not tool.keeps_secret and not tool.service:
        if request.token is not None:
            raise UsageError(
                f"{tool.name} asks for a token when it needs one",
                hint="to choose the token, run: pat config set git-token NAME, or packages-token"
                " NAME",
            )
        return ToolFile(tool, path, home, told)
    entry, why = chosen(request, deps)
    secret = stored_secret(entry, deps)
    told = told._replace(secret=secret.reveal(), org_url=entry.org_url)
    return ToolFile(tool, path, home, told, entry, why)


def _keep_out_of_sandbox(tool_file: ToolFile, deps: Deps) -> None:
    """Check that a sandbox, of which nothing is left when it ends, changes no file of the user's.

    Raises:
        UsageError: it would.
    """
    if not is_sandbox(deps):
        return
    if tool_file.home != account_home() and tool_file.path.is_relative_to(tool_file.home):
        return
    raise UsageError(
        f"{tool_file.path} is outside the sandbox, so pat does not change it",
        hint="to see what would change, add --dry-run; to try it in a temporary home, "
        + (
            "set USERPROFILE and HOME to an empty folder"
            if sys.platform == "win32"
            else f"run: HOME=$(mktemp -d) pat setup {tool_file.tool.name} …"
        ),
    )


def _set_up(tool_file: ToolFile, records: SetupRecords, *, dry_run: bool) -> SetupResult:
    """Change the tool's file so that it uses the token; what it held is kept for undoing.

    Raises:
        UsageError: the file cannot be understood; nothing has changed.
        NotFoundError: there is no home folder.
        ConflictError: another organization's token is there, and the tool could not tell the two
            apart; nothing has changed.
        StoreError: what it held cannot be kept; nothing has changed.
    """
    record = records.find(tool_file.tool.known_as, str(tool_file.path))
    for other in records.of_tool(tool_file.tool.known_as):
        _check_room(tool_file, other)
    remember(tool_file.tool_input.secret)
    before = tool_file.read()
    after = tool_file.edited(before)
    result = SetupResult(
        tool=tool_file.tool.name,
        file=str(tool_file.path),
        outcome=SetupOutcome.PLANNED if dry_run else SetupOutcome.SET_UP,
        feed=tool_file.tool_input.feed,
        token=tool_file.entry.name if tool_file.entry else "",
        why=tool_file.why,
        diff=tool_file.shown(before, after) + _lent(tool_file),
        warning=_portless(tool_file),
    )
    is_known = record is not None and record.find(tool_file.about) is not None
    # What holds a secret of ours must be known, so that it can be undone.
    unchanged = after == before and (is_known or tool_file.entry is None)
    if tool_file.tool.keeps_secret and tool_file.is_open():
        unchanged = False
    if dry_run:
        return replace(result, outcome=SetupOutcome.UNCHANGED) if unchanged else result
    if not tool_file.home.is_dir():
        raise NotFoundError(
            f"the home folder {tool_file.home} does not exist",
            hint="set HOME to a folder that exists",
        )
    known = _noted(tool_file, record)
    if known != record and not (unchanged and not is_known):
        records.put(known)
    if unchanged:
        return replace(result, outcome=SetupOutcome.UNCHANGED)
    try:
        tool_file.write(after, mode=0o600 if tool_file.tool.keeps_secret else None)
    except UsageError:
        records.put(record or known._replace(setups=()))  # there is nothing to undo
        raise
    return result


def _lent(tool_file: ToolFile) -> str:
    """Say which entry of the keyring gets the secret."""
    if tool_file.tool.service is None:
        return ""
    return f"\n+keyring: {tool_file.tool.service(tool_file.tool_input.org_url)} ***"


def _portless(tool_file: ToolFile) -> str:
    """Say it where a secret would also go to other ports of a host."""
    url = parse(tool_file.tool_input.org_url)
    if not tool_file.tool.by_host or url.port is None:
        return ""
    return (
        f"{tool_file.tool.name} ignores ports: every program that asks for {url.host}, on any"
        " port, gets the secret"
    )


def _check_room(tool_file: ToolFile, record: SetupRecord) -> None:
    """Check that no other setup uses the same place.

    Raises:
        ConflictError: it does.
    """
    tool, mine = tool_file.tool, tool_file.tool_input
    hosts = set(hosts_of(mine.org_url))
    same_file = record.path == str(tool_file.path)
    for other in record.setups:
        if same_file and other.about == tool_file.about:
            continue
        what = ""
        if tool.service and tool.service(other.org_url) == tool.service(mine.org_url):
            what = f"already has the token of {other.org_url} in the same keyring entry"
        elif not same_file:
            continue
        elif tool.by_host and (shared := hosts.intersection(hosts_of(other.org_url))):
            what = f"already has the token of {other.org_url} for {min(shared)}"
        elif tool.slot and tool.slot(other.feed) == tool.slot(mine.feed):
            what = f"already has {other.feed} under the name {tool.slot(other.feed)!r}"
        if what:
            only = ("--feed", other.feed) if other.feed else ()
            undo = pat_command("setup", tool.name, options=("--undo", *only))
            raise ConflictError(
                f"{record.path} {what}, and {tool.name} can hold only one",
                hint=f"to remove it, run: {undo}",
            )


def _noted(tool_file: ToolFile, record: SetupRecord | None) -> SetupRecord:
    """Return the record with this setup in it."""
    name = tool_file.entry.name if tool_file.entry else ""
    setup = SetupEntry(
        feed=tool_file.tool_input.feed,
        org_url=tool_file.tool_input.org_url,
        name=name,
        servers=tool_file.tool_input.servers,
    )
    if record is None:
        exists = tool_file.path.exists()
        record = SetupRecord(
            tool=tool_file.tool.known_as,
            path=str(tool_file.path),
            before=tool_file.path.read_bytes() if exists else None,
            mode=tool_file.path.stat().st_mode & 0o777 if exists else None,
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
