"""setup."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from azdo_pat.cli.command import command
from azdo_pat.cli.completing import complete_tokens
from azdo_pat.cli.globals import option
from azdo_pat.cli.programs import advised, check_asked, own_home, programs
from azdo_pat.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App
    from azdo_pat.models import StoredPat
    from azdo_pat.results import SetUp
    from azdo_pat.services.set_up import Place
    from azdo_pat.store.records import Record, Records
    from azdo_pat.tools.tool import Handing, Tool


@command("setup")
@click.argument("tool_name", metavar="TOOL", required=False)
@option("--feed", metavar="URL", help="The feed that the tool is to use.")
@option(
    "--use",
    "token_name",
    metavar="NAME",
    shell_complete=complete_tokens,
    help="The stored token that it gets [the one whose scopes fit best].",
)
@option("--undo", is_flag=True, help="Give back what the file held.")
@option("--dry-run", is_flag=True, help="Only show what would change.")
@option("--list", "listing", is_flag=True, help="List the tools that pat knows.")
def setup_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    tool_name: str | None,
    *,
    feed: str | None,
    token_name: str | None,
    undo: bool,
    dry_run: bool,
    listing: bool,
) -> None:
    """Make TOOL use a token. What is changed in which file is shown, without secrets.

    Where the tool can ask for a token, it asks pat, and no secret lies in a file. Else the file
    gets it, readable by you alone, and every rotation of the token updates the file.

    \b
    Examples:
      pat setup git
      pat setup npm --feed https://…/ORG/_packaging/FEED/npm/registry/
      pat setup npm --undo
    """
    from azdo_pat.tools.table import ADVICE, TOOLS

    if listing:
        app.render.tools((*TOOLS.values(), *ADVICE.values()))
        return
    if tool_name is None:
        raise UsageError("which tool?", hint="pat setup --list lists them")
    render = app.render
    if tool_name in ADVICE:
        render.set_ups([advised(app, ADVICE[tool_name])])
        return
    tool = TOOLS.get(tool_name)
    if tool is None:
        raise UsageError(
            f"pat does not know the tool {tool_name!r}",
            hint=f"it knows {', '.join((*TOOLS, *ADVICE))}",
        )
    with app.in_line("setup"):
        if undo:
            results = _undone(app, tool, feed, dry_run=dry_run)
        else:
            results = [_set_up(app, tool, feed, token_name, dry_run=dry_run)]
    for each in results:
        _say(app, each)
    render.set_ups(results)


def _say(app: App, result: SetUp) -> None:
    for line in result.diff.splitlines():
        app.talk.notice(line)
    app.talk.notice(
        {
            "planned": f"{result.file} would be changed; it was not",
            "set up": f"{result.tool} is set up in {result.file}",
            "unchanged": f"{result.tool} was set up already in {result.file}",
            "undone": f"{result.file} is as it was before {result.tool} was set up",
        }[result.outcome]
    )


def _set_up(app: App, tool: Tool, feed: str | None, token: str | None, *, dry_run: bool) -> SetUp:
    from azdo_pat.models import Secret
    from azdo_pat.services.set_up import set_up

    if tool.asks:
        check_asked(app, tool)
    place = _place(app, tool, feed or "", token)
    if not dry_run:
        _keep_out_of_sandbox(app, place)
    first = _records(app).find(tool.name, str(place.path), place.handing.feed) is None
    result = set_up(place, _records(app), dry_run=dry_run)
    if place.entry is not None and not dry_run:
        if tool.service:
            service = tool.service.format(org_url=place.entry.org_url)
            secret = Secret(place.handing.secret)
            app.secrets.lend(service, tool.account, secret, first=first)
        _follow(app, place, place.entry)
    return result


def _keep_out_of_sandbox(app: App, place: Place) -> None:
    """Hold that a sandbox, of which nothing is left when it ends, changes no file of the user's.

    Raises:
        UsageError: it would.
    """
    if not app.environment.get("PAT_THROWAWAY_KEYRING"):
        return
    if place.home != own_home() and place.path.is_relative_to(place.home):
        return
    raise UsageError(
        f"this is a sandbox, and {place.path} is yours",
        hint="--dry-run shows what would change; to try it for real, in another home:"
        f" HOME=$(mktemp -d) pat setup {place.tool.name} …",
    )


def _follow(app: App, place: Place, entry: StoredPat | None) -> None:
    """Let the rotations of one token update the file, and of no other."""
    from azdo_pat.services.set_up import delivery_of, with_delivery

    delivery = delivery_of(place)
    for each in app.state.stored():
        mine = entry is not None and (each.org_url, each.name) == (entry.org_url, entry.name)
        if mine or delivery in each.upkeep.deliveries:
            app.state.remember(with_delivery(each, delivery, wanted=mine))


def _undone(app: App, tool: Tool, feed: str | None, *, dry_run: bool) -> list[SetUp]:
    """Undo what was done for a tool: for one feed, or all of it, the last first."""
    from azdo_pat.services.set_up import undo
    from azdo_pat.tools.tool import checked_feed

    records = _records(app)
    found = list(records.of_tool(tool.name))
    if feed is not None:
        wanted = checked_feed(tool, feed)
        found = [each for each in found if each.feed == wanted]
    if not found:
        raise NotFoundError(
            f"pat has not set up {tool.name}{f' for {feed}' if feed else ''} here",
            hint="pat setup --list lists the tools",
        )
    results = []
    for record in found:
        place = _place_of(app, tool, record)
        results.append(undo(record, place, records, dry_run=dry_run))
        if tool.service and not dry_run:
            service = tool.service.format(org_url=record.org_url)
            app.secrets.take_back(service, tool.account)
        if not dry_run:
            _follow(app, place, None)
    return results


def _place(app: App, tool: Tool, feed: str, token: str | None) -> Place:
    from azdo_pat.services.set_up import Place
    from azdo_pat.tools.tool import checked_feed

    home = Path.home()
    path = tool.file(app.environment, home).expanduser().absolute()
    if tool.feed:
        feed = checked_feed(tool, feed)
    elif feed:
        raise UsageError(f"{tool.name} is set up for all feeds", hint="leave out --feed")
    handing = _handing(app)._replace(feed=feed)
    if not tool.keeps_secret and not tool.service:
        if token is not None:
            raise UsageError(
                f"{tool.name} asks for a token when it needs one",
                hint="pat config set git-token NAME, or packages-token NAME, chooses",
            )
        return Place(tool, path, home, handing)
    entry = _entry(app, feed, token)
    secret = app.secrets.get(entry.org_url, entry.name)
    if secret is None:
        raise NotFoundError(
            f"the secret of {entry.name!r} is not in the keyring any more",
            hint="--use NAME takes another token; pat list --stored shows them",
        )
    handing = handing._replace(secret=secret.reveal(), org_url=entry.org_url)
    return Place(tool, path, home, handing, entry)


def _place_of(app: App, tool: Tool, record: Record) -> Place:
    from azdo_pat.services.set_up import Place

    handing = _handing(app)._replace(feed=record.feed, org_url=record.org_url)
    return Place(tool, Path(record.path), Path.home(), handing)


def _handing(app: App) -> Handing:
    from azdo_pat.organizations import hosted_name
    from azdo_pat.tools.tool import Handing

    # What stands in for Azure DevOps counts as a server, too: git must ask for it.
    urls = {each.org_url for each in app.state.stored() if each.stored}
    servers = sorted(url for url in urls if not hosted_name(url))
    return Handing(programs=str(programs()), servers=tuple(servers))


def _entry(app: App, feed: str, token: str | None) -> StoredPat:
    """Return the token that a tool gets."""
    from azdo_pat.tools.choice import at_place, for_git, for_packages

    stored = [each for each in app.state.stored() if each.stored]
    if feed:
        parts = urlsplit(feed)
        entries = at_place(
            stored, parts.scheme, parts.netloc, parts.path, api_root=app.api_root, feeds=True
        )
        wish = token or app.setting("packages-token")
        found = for_packages(entries, str(wish) if wish else None)
        what, recipe = f"packages of {feed}", "packages"
    else:
        located = app.located[0]
        entries = [each for each in stored if located is None or each.org_url == located.url]
        if len({each.org_url for each in entries}) > 1:
            raise UsageError("which organization?", hint=f"add --org {entries[0].org}")
        found = [*for_git(entries, token), *for_packages(entries, token), *entries]
        what, recipe = located.name if located else "any organization", "git"
    if token is not None:
        found = [each for each in found if each.name == token]
        what = f"{what} under the name {token!r}"
    if not found:
        raise NotFoundError(
            f"no token for {what} is stored",
            hint=f"pat create {token or recipe} --for {recipe} makes one; pat list --stored shows"
            " those that are here",
        )
    return found[0]


def _records(app: App) -> Records:
    from azdo_pat.store.records import Records

    return Records(app.state_folder / "setups")
