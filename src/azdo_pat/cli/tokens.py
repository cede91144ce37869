"""create, list, show, update."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import command
from azdo_pat.cli.completing import complete_recipes, complete_scopes, complete_tokens
from azdo_pat.cli.globals import option
from azdo_pat.cli.showing import SECRET_FORMS, print_secret, say_created, warn_shortened
from azdo_pat.errors import PartialError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from azdo_pat.cli.app import App
    from azdo_pat.results import OrganizationFailure
    from azdo_pat.services.browse import Filters


@command("create")
@click.argument("name", metavar="NAME")
@option(
    "--scope",
    "scopes",
    metavar="S",
    multiple=True,
    shell_complete=complete_scopes,
    help="What it may do: code_write, vso.code_write, or full. Repeatable.",
)
@option(
    "--for",
    "recipes",
    metavar="RECIPE",
    multiple=True,
    shell_complete=complete_recipes,
    help="The least scopes for a job: git, packages, agent… (pat scopes --recipes).",
)
@option("--expires", metavar="SPAN|DATE", help="Its life: 12h, 30d, 2w, 3mo, 1y, or its last day.")
@option("--as", "form", type=SECRET_FORMS, help="Print the secret, in this form.")
@option("--no-store", is_flag=True, help="Keep the secret out of the keyring; needs --as.")
@option("--replace", is_flag=True, help="Overwrite a secret that is stored under NAME.")
@option("--fail-if-shortened", is_flag=True, help="Fail if a policy grants a shorter life.")
@option("--allow-unknown-scope", is_flag=True, help="Pass on scopes that pat does not know.")
@option("--all-orgs", is_flag=True, help="Not possible any more; says why.")
def create_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    name: str,
    *,
    scopes: tuple[str, ...],
    recipes: tuple[str, ...],
    expires: str | None,
    form: str | None,
    no_store: bool,
    replace: bool,
    fail_if_shortened: bool,
    allow_unknown_scope: bool,
    all_orgs: bool,
) -> None:
    """Make a token called NAME and put its secret in the keyring.

    The keyring is tried before anything is made, and the secret is read back before the token
    is announced: no token is left alive whose secret is lost.

    \b
    Examples:
      pat create laptop --for git --expires 90d
      pat create ci --scope code --scope packaging --as token
    """
    from azdo_pat.expiry import parse_expiry
    from azdo_pat.naming import checked_name
    from azdo_pat.scopes import parse_scopes
    from azdo_pat.services.create import CreateRequest, create, refuse_global

    if all_orgs:
        raise refuse_global()
    if no_store and form is None:
        raise UsageError(
            "without the keyring the secret would be lost",
            hint="--no-store needs --as, which prints the secret: --as token",
        )
    request = CreateRequest(
        name=checked_name(name),
        scopes=parse_scopes(scopes, recipes=recipes, allow_unknown=allow_unknown_scope),
        expires=parse_expiry(str(expires or app.setting("expires")), app.now()),
        store=not no_store,
        replace=replace,
        fail_if_shortened=fail_if_shortened,
    )
    render = app.render  # a mistake in --query is found before anything is made
    created = create(app.organization, request, app.workshop)
    say_created(app, created)
    if form is None:
        render.pat(created.pat)
    else:
        print_secret(app, created, form)


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
    failures: Sequence[OrganizationFailure] = ()
    if all_orgs:
        from azdo_pat.services.everywhere import listing_everywhere

        pats, failures = listing_everywhere(app.browser, app.book.all(), filters)
        count = render.pats(in_order(pats, order))
    else:
        found = app.browser.listing(app.organization, filters)
        count = render.pats(found if streams else in_order(found, order))
    if not count:
        where = "your organizations" if all_orgs else app.organization.name
        app.talk.notice(f"no token of {where} fits (pat list --status all lists every one)")
    if failures:
        for failure in failures:
            app.talk.warn(f"{failure.org}: {failure.reason}")
        raise PartialError(
            f"{len(failures)} of your organizations could not be listed",
            hint="pat list --org NAME tries one of them by itself",
        )


@command("show")
@click.argument("token", metavar="TOKEN", shell_complete=complete_tokens)
def show_command(app: App, token: str) -> None:
    """Show one token. TOKEN is its name, its id, or 8 or more characters of the id."""
    render = app.render
    render.pat(app.browser.find(app.organization, [token])[0])


@command("update")
@click.argument("token", metavar="TOKEN", shell_complete=complete_tokens)
@option("--name", metavar="NAME", help="Its new name; a stored secret moves along.")
@option(
    "--scope",
    "scopes",
    metavar="S",
    multiple=True,
    shell_complete=complete_scopes,
    help="Its scopes from now on, all of them. Repeatable.",
)
@option("--expires", metavar="SPAN|DATE", help="Its new end, counted from now.")
@option("--allow-unknown-scope", is_flag=True, help="Pass on scopes that pat does not know.")
def update_command(  # one argument for each option
    app: App,
    token: str,
    *,
    name: str | None,
    scopes: tuple[str, ...],
    expires: str | None,
    allow_unknown_scope: bool,
) -> None:
    """Change the name, the scopes or the end of TOKEN; its secret stays the same.

    \b
    Examples:
      pat update laptop --expires 90d
      pat update laptop --name desktop --scope code_write
    """
    from azdo_pat.expiry import parse_expiry
    from azdo_pat.models import PatChanges
    from azdo_pat.naming import checked_name
    from azdo_pat.scopes import parse_scopes
    from azdo_pat.services.update import update

    changes = PatChanges(
        display_name=None if name is None else checked_name(name),
        scopes=parse_scopes(scopes, allow_unknown=allow_unknown_scope) if scopes else None,
        valid_to=None if expires is None else parse_expiry(expires, app.now()),
    )
    if changes == PatChanges():
        raise UsageError("nothing is to change", hint="give --name, --scope or --expires")
    render = app.render
    pat = app.browser.find(app.organization, [token])[0]
    updated = update(
        app.organization,
        pat,
        changes,
        tokens=app.tokens,
        book=app.book,
        secrets=app.secrets,
        state=app.state,
    )
    if updated.requested_expiry is not None and updated.shortened:
        warn_shortened(app, updated.pat, updated.requested_expiry)
    app.talk.notice(f"updated {updated.pat.name!r} in {app.organization.name}")
    render.pat(updated.pat)


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
