"""setup."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import command
from azdo_pat.cli.complete import complete_tokens, complete_tools
from azdo_pat.cli.global_options import option
from azdo_pat.cli.programs import advised, check_asked, own_home, warn_of_variables
from azdo_pat.cli.setups import (
    chosen,
    follow,
    followers_locked,
    put_in,
    recorded,
    records_of,
    stored_secret,
    tool_input_here,
)
from azdo_pat.errors import NotFoundError, UsageError
from azdo_pat.files import resolved
from azdo_pat.homes import expanded, home_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.results import SetupResult
    from azdo_pat.services.tool_setup.tool_file import ToolFile
    from azdo_pat.store.setup_records import SetupEntry
    from azdo_pat.tools.tool import Tool


@command("setup")
@click.argument("tool_name", metavar="TOOL", required=False, shell_complete=complete_tools)
@option("--feed", metavar="URL", help="The feed that the tool is to use.")
@option(
    "--use",
    "token_name",
    metavar="NAME",
    shell_complete=complete_tokens,
    help="The stored token that it gets [the one whose scopes fit best].",
)
@option("--undo", is_flag=True, help="Give back what the file held.")
@option("--leave-file", is_flag=True, help="With --undo: do not touch the file, only forget it.")
@option("--dry-run", is_flag=True, help="Only show what would change.")
@option("--list", "listing", is_flag=True, help="List the tools that pat knows.")
def setup_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    tool_name: str | None,
    *,
    feed: str | None,
    token_name: str | None,
    undo: bool,
    leave_file: bool,
    dry_run: bool,
    listing: bool,
) -> None:
    """Make TOOL use a token. What is changed in which file is shown, without secrets.

    Where the tool can ask for a token, it asks pat, and no secret lies in a file. Else the file
    gets it, readable by you alone, and every rotation of the token updates the file.

    --undo undoes it for every feed and organization, or for those of --feed or --org.

    \b
    Examples:
      pat setup git
      pat setup npm --feed https://…/ORG/_packaging/FEED/npm/registry/
      pat setup npm --undo
    """
    from azdo_pat.tools.osxkeychain import KEEPER
    from azdo_pat.tools.registry import ADVICE, ALL, TOOLS

    if listing:
        if tool_name or undo or feed:
            raise UsageError("--list lists all tools", hint="give it alone")
        records = records_of(app)
        app.render.tools([(each, records.of_tool(each.name)) for each in ALL])
        return
    if leave_file and not undo:
        raise UsageError("--leave-file is for --undo", hint="add --undo, or leave it out")
    if tool_name is None:
        raise UsageError("which tool?", hint="pat setup --list lists them")
    render = app.render
    if tool_name in ADVICE:
        render.set_ups([advised(app, ADVICE[tool_name])])
        return
    tool = TOOLS.get(tool_name)
    if tool is None and tool_name != KEEPER.name:
        raise UsageError(
            f"pat does not know the tool {tool_name!r}",
            hint=f"it knows {', '.join(each.name for each in ALL)}",
        )
    with app.in_line("setup"):
        if tool is None:
            results = _keychain(app, feed, token_name, undo=undo, dry_run=dry_run)
        elif undo:
            results = _undone(app, tool, feed, leave_file=leave_file, dry_run=dry_run)
        else:
            results = [_set_up(app, tool, feed, token_name, dry_run=dry_run)]
    for each in results:
        _say(app, each)
    render.set_ups(results)


def _say(app: App, result: SetupResult) -> None:
    for line in result.diff.splitlines():
        app.messages.notice(line)
    if result.warning:
        app.messages.warn(result.warning)
    where = result.file or "the macOS keychain"
    app.messages.notice(
        {
            "planned": f"{where} would be changed; it was not",
            "set up": f"{result.tool} is set up in {where}",
            "unchanged": f"{result.tool} was set up already in {where}",
            "undone": f"{result.tool} is not set up in {where} any more",
        }[result.outcome]
    )


def _set_up(
    app: App, tool: Tool, feed: str | None, token: str | None, *, dry_run: bool
) -> SetupResult:
    from azdo_pat.models import Secret
    from azdo_pat.services.tool_setup.install import set_up

    if tool.asks:
        check_asked(app, tool)
    tool_file = _place(app, tool, feed or "", token)
    warn_of_variables(app, tool, tool_file.tool_input.feed)
    if dry_run:
        return set_up(tool_file, records_of(app), dry_run=True)
    _keep_out_of_sandbox(app, tool_file)
    delivery = tool_file.delivery
    with followers_locked(app, delivery, tool_file.entry), app.in_line(f"file {tool_file.path}"):
        if tool_file.entry is not None:  # it may have been rotated before the lock was had
            secret = stored_secret(app, tool_file.entry)
            tool_file = tool_file._replace(
                tool_input=tool_file.tool_input._replace(secret=secret.reveal())
            )
        service = tool.service(tool_file.entry.org_url) if tool.service and tool_file.entry else ""
        known = records_of(app).find(tool.known_as, str(tool_file.path))
        if service and (known is None or known.find(tool_file.about) is None):
            set_up(tool_file, records_of(app), dry_run=True)  # what is refused changes nothing
            app.secrets.keep_before(service, tool.account)
        result = set_up(tool_file, records_of(app), dry_run=False)
        if service:
            app.secrets.lend(service, tool.account, Secret(tool_file.tool_input.secret))
        if tool_file.entry is not None:
            follow(app, delivery, tool_file.entry)
    return result


def _keychain(
    app: App, feed: str | None, token: str | None, *, undo: bool, dry_run: bool
) -> list[SetupResult]:
    """Put a token into the macOS keychain, or take out those that were put there."""
    from azdo_pat.services.tool_setup.macos_keychain import delivery_to_keychain, give_back, keep
    from azdo_pat.tools.osxkeychain import KEEPER

    if feed:
        raise UsageError(f"{KEEPER.name} is set up for all feeds", hint="leave out --feed")
    if app.environment.get("PAT_THROWAWAY_KEYRING") and not dry_run:
        raise UsageError(
            "this is a sandbox, and the keychain is yours",
            hint="--dry-run shows what would change",
        )
    records = records_of(app)
    around = (records, app.secrets, app.environment)
    if not undo:
        entry = chosen(app, "", token)
        delivery = delivery_to_keychain(entry.org_url)
        with followers_locked(app, delivery, entry):
            result = keep(entry, stored_secret(app, entry), *around, dry_run=dry_run)
            if not dry_run:
                follow(app, delivery, entry)
        return [result]
    results = []
    for _, setup in recorded(app, KEEPER, None):
        delivery = delivery_to_keychain(setup.org_url)
        record = records.find(KEEPER.name, "")
        if record is None:
            continue
        with followers_locked(app, delivery, None):
            ours = put_in(app, delivery, setup)
            results.append(give_back(record, setup, *around, ours=ours, dry_run=dry_run))
            if not dry_run:
                follow(app, delivery, None)
    return results


def _keep_out_of_sandbox(app: App, tool_file: ToolFile) -> None:
    """Hold that a sandbox, of which nothing is left when it ends, changes no file of the user's.

    Raises:
        UsageError: it would.
    """
    if not app.environment.get("PAT_THROWAWAY_KEYRING"):
        return
    if tool_file.home != own_home() and tool_file.path.is_relative_to(tool_file.home):
        return
    raise UsageError(
        f"this is a sandbox, and {tool_file.path} is yours",
        hint="--dry-run shows what would change; to try it for real, in another home:"
        f" HOME=$(mktemp -d) pat setup {tool_file.tool.name} …",
    )


def _undone(
    app: App, tool: Tool, feed: str | None, *, leave_file: bool, dry_run: bool
) -> list[SetupResult]:
    """Undo what was done for a tool: for one feed or organization, or all of it."""
    from azdo_pat.services.tool_setup.uninstall import undo
    from azdo_pat.tools.tool import checked_feed

    wanted = None if feed is None else checked_feed(tool, feed)
    records = records_of(app)
    results = []
    for path, setup in recorded(app, tool, wanted):
        tool_file = _place_of(app, tool, path, setup)
        delivery = tool_file.delivery
        with followers_locked(app, delivery, None), app.in_line(f"file {path}"):
            record = records.find(tool.known_as, path)
            if record is None:
                continue
            service = tool.service(setup.org_url) if tool.service else ""
            ours = put_in(app, delivery, setup) if service else ()

            def held(other: SetupEntry, tool_file: ToolFile = tool_file) -> Sequence[str]:
                return put_in(app, tool_file.told(other, "").delivery, other)

            result = undo(record, setup, tool_file, held, leave_file=leave_file, dry_run=dry_run)
            results.append(result)
            if dry_run:
                continue
            follow(app, delivery, None)
            if service:
                app.secrets.take_back(service, tool.account, ours)
            # In this order: killed between any two, the same again does the rest.
            records.put(record.without(setup))
            if service:
                app.secrets.drop_aside(service, tool.account)
    return results


def _place(app: App, tool: Tool, feed: str, token: str | None) -> ToolFile:
    from azdo_pat.services.tool_setup.tool_file import ToolFile
    from azdo_pat.tools.tool import checked_feed

    given = app.environment.get("HOME")
    if given is not None and not Path(given).is_absolute():
        raise NotFoundError(f"HOME is {given!r}, which is no folder", hint="set it to one that is")
    home = home_folder()
    path = expanded(tool.file(app.environment, home)).absolute()
    try:
        path = resolved(path)  # by whatever names, it is one file
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="see to the links, or move it aside"
        ) from error
    if tool.feed:
        feed = checked_feed(tool, feed)
    elif feed:
        raise UsageError(f"{tool.name} is set up for all feeds", hint="leave out --feed")
    tool_input = tool_input_here(app)._replace(feed=feed)
    if not tool.keeps_secret and not tool.service:
        if token is not None:
            raise UsageError(
                f"{tool.name} asks for a token when it needs one",
                hint="pat config set git-token NAME, or packages-token NAME, chooses",
            )
        return ToolFile(tool, path, home, tool_input)
    entry = chosen(app, feed, token)
    secret = stored_secret(app, entry)
    tool_input = tool_input._replace(secret=secret.reveal(), org_url=entry.org_url)
    return ToolFile(tool, path, home, tool_input, entry)


def _place_of(app: App, tool: Tool, path: str, setup: SetupEntry) -> ToolFile:
    from azdo_pat.services.tool_setup.tool_file import ToolFile

    tool_input = tool_input_here(app)._replace(feed=setup.feed, org_url=setup.org_url)
    return ToolFile(tool, Path(path), home_folder(), tool_input)
