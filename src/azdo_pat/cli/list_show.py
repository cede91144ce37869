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
    from collections.abc import Sequence
    from datetime import datetime

    from azdo_pat.cli.app import App
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

        known = stored_here(None if all_orgs else app.session.located[0], filters, app)
        if not render.pats(in_order(known, order)):
            app.runtime.messages.notice("no stored token matches")
        return
    failures: Sequence[OrganizationFailure] = ()
    finder = TokenFinder(app)
    if all_orgs:
        pats, failures = finder.listing_everywhere(app.organization_cache.all(), filters)
        count = render.pats(in_order(pats, order))
    else:
        found = finder.listing(app.organization, filters)
        unordered = sort is None and render.streams
        count = render.pats(found if unordered else in_order(found, order))
    if not count:
        nothing = "no token of {} matches".format(
            "your organizations" if all_orgs else app.organization.name
        )
        if only_global and not (expiring or names or scopes):
            nothing = f"you have no {'global' if status == 'all' else f'{status} global'} tokens"
        app.runtime.messages.notice(f"{nothing}; to list all, run: pat list --status all")
    if failures:
        for failure in failures:
            app.runtime.messages.warn(f"{failure.org}: {failure.reason}")
        raise PartialError(
            f"{len(failures)} of your organizations could not be listed",
            hint="to try one organization, run: pat list --org NAME",
        )


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
