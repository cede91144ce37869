"""Define the commands `list` and `show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from azdo_pat.cli import options
from azdo_pat.cli.command import command
from azdo_pat.cli.completers import complete_tokens
from azdo_pat.errors import PartialError
from azdo_pat.formats import Format

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from azdo_pat.cli.app import App
    from azdo_pat.models import Pat
    from azdo_pat.results.tokens import OrganizationFailure
    from azdo_pat.services.find_tokens import Filters

*_OTHERS, _LAST = (each for each in Format if each.is_streamed and each is not Format.NONE)
_STREAMED: Final = f"{', '.join(_OTHERS)} and {_LAST}"


@command("list")
@click.option(
    "--status",
    type=click.Choice(["active", "expired", "revoked", "all"]),
    default="active",
    show_default=True,
    help="List only tokens with this status.",
)
@click.option("--all-orgs", is_flag=True, help="List the tokens of all your organizations.")
@click.option(
    "--expiring", metavar="SPAN", help="List only tokens that expire within this span: 7d."
)
@options.name_filter(help="List only tokens whose name matches. Repeatable.")
@options.scope(help="List only tokens with this scope. Repeatable.")
@click.option(
    "--stored",
    is_flag=True,
    help="List stored tokens, including imported ones. The network is not used.",
)
@click.option(
    "--global", "only_global", is_flag=True, help="List only tokens valid in all organizations."
)
@click.option(
    "--sort",
    type=click.Choice(["name", "created", "expires"]),
    help=f"Sort order. Without it, {_STREAMED} keep the order of the service.",
)
def list_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    *,
    status: str,
    all_orgs: bool,
    expiring: str | None,
    names: tuple[str, ...],
    scopes: tuple[str, ...],
    stored: bool,
    only_global: bool,
    sort: str | None,
) -> None:
    """List your tokens with their ids, scopes and expiry, and what needs attention.

    Lists the active tokens of one organization unless options say otherwise. The notes mark
    tokens valid in all organizations with the day they stop working, tokens that expire within 7
    days, and tokens whose secret is in this machine's keyring.

    \b
    Examples:
      pat list --expiring 14d --all-orgs
      pat list -o json --query "[?global].name"
    """
    from azdo_pat.services.find_tokens import Sort, TokenFinder, in_order

    filters = filters_of(
        app.runtime.now(), status, expiring, names, scopes, only_global=only_global
    )
    order = Sort(str(sort or app.runtime.setting("sort")))
    render = app.runtime.render
    if stored:
        from azdo_pat.services.stored_secrets import stored_here

        found = stored_here(None if all_orgs else app.session.located[0], filters, app)
        if not render.pats(in_order(found, order)):
            app.runtime.messages.notice("no stored token matches")
        else:
            _say_how_many(app, found)
        return
    failures: Sequence[OrganizationFailure] = ()
    finder = TokenFinder(app)
    pats: Iterable[Pat]
    if all_orgs:
        pats, failures = finder.listing_everywhere(app.organization_cache.all(), filters)
    else:
        pats = finder.listing(app.organization, filters)
    if all_orgs or sort or not render.streams:
        pats = in_order(pats, order)
    if not render.pats(pats):
        nothing = "no token of {} matches".format(
            "your organizations" if all_orgs else app.organization.name
        )
        if only_global and not (expiring or names or scopes):
            nothing = f"you have no {'global' if status == 'all' else f'{status} global'} tokens"
        app.runtime.messages.notice(f"{nothing}; to list all, run: pat list --status all")
    else:
        asked = app.runtime.options.sources.get("org") == "--org"
        own = ("--org", app.organization.name) if asked and not all_orgs else ()
        _say_how_many(app, pats, ("--all-orgs",) if all_orgs else own)
    if failures:
        for failure in failures:
            app.runtime.messages.warn(f"{failure.org}: {failure.reason}")
        raise PartialError(
            f"{len(failures)} of your organizations could not be listed",
            hint="to try one organization, run: pat list --org NAME",
        )


def _say_how_many(app: App, pats: Iterable[Pat], where: Sequence[str] | None = None) -> None:
    """Say below a table on a terminal how many tokens it has, as its beginning may be out of sight.

    Args:
        app: the program.
        pats: the tokens.
        where: the options with which `pat check` checks them; None if it does not.
    """
    runtime = app.runtime
    if not (runtime.render.draws_tokens and runtime.out.isatty() and runtime.err.isatty()):
        return
    from azdo_pat.command_lines import pat_command
    from azdo_pat.judgement import in_need

    shown = list(pats)
    said = "1 token" if len(shown) == 1 else f"{len(shown)} tokens"
    if where is not None and (needy := in_need(shown, runtime.now())):
        that = "that needs" if needy == 1 else "that need"
        check = pat_command("check", options=where)
        said += f"; to see what to do about the {needy} {that} attention, run: {check}"
    runtime.messages.notice(said)


@command("show")
@click.argument("token", metavar="TOKEN", shell_complete=complete_tokens)
def show_command(app: App, token: str) -> None:
    """Show one token, and where its secret is delivered.

    TOKEN is its name, its id, or 8 or more characters of the id.

    \b
    Examples:
      pat show laptop
      pat show a64081fd -o json --query expires
    """
    from azdo_pat.services.destinations import with_destinations
    from azdo_pat.services.find_tokens import TokenFinder

    render = app.runtime.render
    (pat,) = TokenFinder(app).find(app.organization, [token])
    render.show(with_destinations(app.organization, pat, app))


def filters_of(  # one argument for each option
    now: datetime,
    status: str,
    expiring: str | None,
    names: Sequence[str],
    scopes: Sequence[str],
    *,
    only_global: bool,
) -> Filters:
    """Return the filters that options describe.

    Raises:
        UsageError: the value of an option is malformed.
    """
    from azdo_pat.models import Status
    from azdo_pat.services.find_tokens import Filters

    everything = (Status.ACTIVE, Status.EXPIRED, Status.REVOKED)
    known: tuple[str, ...] = ()
    before = None
    if scopes:
        from azdo_pat.scopes import parse_scopes

        known = parse_scopes(scopes, allow_unknown=True)
    if expiring is not None:
        from azdo_pat.expiry import parse_moment

        before = parse_moment(expiring, now)
    return Filters(
        statuses=everything if status == "all" else (Status(status),),
        names=tuple(names),
        scopes=known,
        expires_before=before,
        only_global=only_global,
    )
