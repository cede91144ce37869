"""list, show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import command
from azdo_pat.cli.complete import complete_scopes, complete_tokens
from azdo_pat.cli.global_options import option
from azdo_pat.errors import PartialError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from azdo_pat.cli.app import App
    from azdo_pat.models import Pat
    from azdo_pat.results import OrganizationFailure
    from azdo_pat.services.browse import Filters


@command("list")
@option(
    "--status",
    type=click.Choice(["active", "expired", "revoked", "all"]),
    default="active",
    show_default=True,
    help="Which tokens.",
)
@option("--all-orgs", is_flag=True, help="Those of all your organizations.")
@option("--expiring", metavar="SPAN", help="Only those that end within this span, as in 7d.")
@option("--name", "names", metavar="GLOB", multiple=True, help="Only those named so. Repeatable.")
@option(
    "--scope",
    "scopes",
    metavar="S",
    multiple=True,
    shell_complete=complete_scopes,
    help="Only those with this scope. Repeatable.",
)
@option(
    "--stored",
    is_flag=True,
    help="Those whose secret is in the keyring here, imported ones too; no network is used.",
)
@option("--global", "only_global", is_flag=True, help="Only those for all organizations.")
@option(
    "--sort",
    type=click.Choice(["name", "created", "expires"]),
    help="Order; jsonl, csv and tsv stay as the service gives them unless it is set.",
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
    """List your tokens: their names, ids, scopes and ends, and what needs attention.

    The active ones of one organization are shown. Tokens for all organizations are marked with
    the day they stop; so are tokens that end within 7 days, and those whose secret is in this
    machine's keyring.

    \b
    Examples:
      pat list --expiring 14d --all-orgs
      pat list -o json --query "[?global].name"
    """
    from azdo_pat.services.browse import Sort, in_order

    filters = _filters(app.now(), status, expiring, names, scopes, only_global=only_global)
    streams = app.streams and sort is None and not all_orgs
    order = Sort(str(sort or app.setting("sort")))
    render = app.render
    if stored:
        if not render.pats(in_order(_stored(app, filters, everywhere=all_orgs), order)):
            app.messages.notice("no secret of such a token is stored here")
        return
    failures: Sequence[OrganizationFailure] = ()
    if all_orgs:
        from azdo_pat.services.everywhere import listing_everywhere

        pats, failures = listing_everywhere(app.browser, app.organization_cache.all(), filters)
        count = render.pats(in_order(pats, order))
    else:
        found = app.browser.listing(app.organization, filters)
        count = render.pats(found if streams else in_order(found, order))
    if not count:
        where = "your organizations" if all_orgs else app.organization.name
        app.messages.notice(f"no token of {where} fits (pat list --status all lists every one)")
    if failures:
        for failure in failures:
            app.messages.warn(f"{failure.org}: {failure.reason}")
        raise PartialError(
            f"{len(failures)} of your organizations could not be listed",
            hint="pat list --org NAME tries one of them by itself",
        )


def _stored(app: App, filters: Filters, *, everywhere: bool) -> list[Pat]:
    """Return what this machine remembers; its own records know no status but expired."""
    from azdo_pat.services.stored_secrets import stored_here

    organization = None if everywhere else app.located[0]
    app.recover_local(organization.url if organization else None)
    known = stored_here(organization, state=app.state, now=app.now())
    return [pat for pat in known if filters.match(pat)]


@command("show")
@click.argument("token", metavar="TOKEN", shell_complete=complete_tokens)
def show_command(app: App, token: str) -> None:
    """Show one token. TOKEN is its name, its id, or 8 or more characters of the id."""
    render = app.render
    render.pat(app.browser.find(app.organization, [token])[0])


def _filters(  # one argument for each option
    now: datetime,
    status: str,
    expiring: str | None,
    names: Sequence[str],
    scopes: Sequence[str],
    *,
    only_global: bool,
) -> Filters:
    from azdo_pat.models import Status
    from azdo_pat.services.browse import Filters

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
