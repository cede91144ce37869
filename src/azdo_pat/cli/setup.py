"""Define the command `setup`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli import options
from azdo_pat.cli.command import command
from azdo_pat.cli.completers import complete_tokens, complete_tools
from azdo_pat.cli.helper_programs import (
    check_keyring_program,
    show_guidance,
    warn_of_variables,
    with_own_programs,
)
from azdo_pat.errors import UsageError
from azdo_pat.near_names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.results.tools import SetupResult
    from azdo_pat.services.tool_setup.wiring import SetupRequest
    from azdo_pat.tools.tool import Tool


@command("setup")
@click.argument("tool_name", metavar="TOOL", required=False, shell_complete=complete_tools)
@click.option("--feed", metavar="URL", help="URL of the feed for the tool.")
@click.option(
    "--use",
    "token_name",
    metavar="NAME",
    shell_complete=complete_tokens,
    help="Stored token for the tool [the one whose scopes fit best].",
)
@click.option("--undo", is_flag=True, help="Restore the file's previous content.")
@click.option(
    "--leave-file",
    is_flag=True,
    help="With --undo: leave the file as it is, and only delete the record of the setup.",
)
@options.dry_run(help="Only show what would change.")
@click.option("--list", "listing", is_flag=True, help="List the tools that pat knows.")
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
    """Configure TOOL to use a token. Shows what changes in which file, without secrets.

    If the tool can ask for a token, it asks pat, and no secret is written to a file. Otherwise the
    file gets the secret, readable only by you, and every rotation of the token updates the file.

    --undo reverts the setup for every feed and organization, or only for --feed or --org.

    \b
    Examples:
      pat setup git
      pat setup npm --feed https://…/ORG/_packaging/FEED/npm/registry/
      pat setup npm --undo
    """
    from azdo_pat.tools.osxkeychain import KEEPER
    from azdo_pat.tools.registry import ADVICE, OFFERED, TOOLS

    if listing:
        if tool_name or undo or feed:
            raise UsageError("--list lists all tools", hint="give it alone")
        from azdo_pat.services.tool_setup.known_tools import known_tools

        app.runtime.render.show_all(known_tools(app))
        return
    if leave_file and not undo:
        raise UsageError("--leave-file is for --undo", hint="add --undo, or leave out --leave-file")
    if tool_name is None:
        raise UsageError("no tool given", hint="to list the tools, run: pat setup --list")
    from azdo_pat.services.tool_setup.wiring import SetupRequest

    render = app.runtime.render
    if tool_name in ADVICE:
        render.show_all([show_guidance(app, ADVICE[tool_name])])
        return
    request = SetupRequest(
        feed=feed,
        token=token_name,
        packages_token=str(app.runtime.setting("packages-token") or ""),
        by_org=app.runtime.options.sources.get("org") == "--org",
        leave_file=leave_file,
        dry_run=dry_run,
    )
    if tool_name == KEEPER.name:
        from azdo_pat.services.tool_setup import macos_keychain

        results: Sequence[SetupResult] = (
            macos_keychain.uninstall_from_keychain(request, app)
            if undo
            else [macos_keychain.install_in_keychain(request, app)]
        )
    elif (tool := TOOLS.get(tool_name)) is None:
        names = [each.name for each in OFFERED]
        raise UsageError(
            f"pat does not know the tool {tool_name!r}",
            hint=f"{did_you_mean(tool_name, names)}it knows {', '.join(names)}",
        )
    elif undo:
        from azdo_pat.services.tool_setup.uninstall import uninstall

        results = uninstall(tool, with_own_programs(request), app)
    else:
        results = [_installed(app, tool, request)]
    for each in results:
        _say(app, each)
    render.show_all(results)


def _installed(app: App, tool: Tool, request: SetupRequest) -> SetupResult:
    from azdo_pat.services.tool_setup.install import install

    if tool.asks:
        check_keyring_program(app, tool)
    result = install(tool, with_own_programs(request), app)
    warn_of_variables(app, tool, result.feed)
    return result


def _say(app: App, result: SetupResult) -> None:
    from azdo_pat.results.tools import SetupOutcome

    messages = app.runtime.messages
    if result.why:
        messages.notice(f"chose the token {result.token!r}: {result.why}")
    messages.diff(result.diff)
    if result.warning:
        messages.warn(result.warning)
    where = result.file or "the macOS keychain"
    match result.outcome:
        case SetupOutcome.PLANNED:
            messages.notice(f"{where} would be changed (dry run)")
        case SetupOutcome.SET_UP:
            messages.done(f"{result.tool} is set up in {where}")
        case SetupOutcome.UNCHANGED:
            messages.notice(f"{result.tool} was set up already in {where}")
        case SetupOutcome.UNDONE:
            messages.done(f"removed the setup of {result.tool} from {where}")
