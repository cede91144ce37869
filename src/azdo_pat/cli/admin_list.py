"""Define the commands `admin users` and `admin list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.admin_filters import token_filters
from azdo_pat.cli.admin_scan import conclude, counted, scan_options, scanning
from azdo_pat.cli.admin_sign_in import signed_in, with_token
from azdo_pat.cli.command import command
from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from azdo_pat.cli.admin_filters import TokenFilters
    from azdo_pat.cli.admin_scan import ScanRequest
    from azdo_pat.cli.app import App


@command("users", short_help="List the users of the organization.")
@click.argument("beginning", metavar="[PREFIX]", required=False)
@with_token
def users_command(app: App, beginning: str | None, *, admin_token: str | None) -> None:
    """List the users of the organization: people, with guests, but without service accounts.

    With PREFIX, list only those whose name, sign-in name or mail address begins with it. The
    service then returns at most 100.

    \b
    Examples:
      pat admin users ada
      pat admin users -o json --query "[?guest].upn"
    """
    from azdo_pat.api.graph import MOST_FOUND

    if beginning is not None and not beginning.strip():
        raise UsageError("the beginning of a name is empty", hint="to list all users, leave it out")
    app = signed_in(app, admin_token)
    organization = app.organization
    if beginning is None:
        app.runtime.render.users(app.graph.users(organization))
        return
    found = app.graph.find(organization, beginning)
    if not app.runtime.render.users(found.users):
        app.runtime.messages.notice(f"no user of {organization.name} begins with {beginning!r}")
    if found.may_be_more:
        app.runtime.messages.notice(
            f"the service returns {MOST_FOUND} users at most: there may be more"
        )


@command("list", short_help="List the tokens of users.")
@scan_options(everyone=False)
@click.option(
    "--status",
    type=click.Choice(["active", "expired", "revoked", "all"]),
    default="active",
    show_default=True,
    help="List only tokens with this status.",
)
@token_filters("List")
@click.option("--ssh", is_flag=True, help="List SSH keys instead of tokens.")
def list_command(
    app: App,
    *,
    status: str,
    filters: TokenFilters,
    ssh: bool,
    request: ScanRequest,
) -> None:
    """List the tokens of each USER, or of all users of the organization.

    USER is a sign-in name, mail address, name, or descriptor (pat admin users -o json); or the
    beginning of one, if only one user has it. -o jsonl, csv and tsv write the tokens of a user as
    soon as they are read, in any order. If the tokens of a user cannot be read, the others are
    still listed, and the exit code is 9.

    Needs membership in Project Collection Administrators.

    \b
    Examples:
      pat admin list ada@contoso.example
      pat admin list --all-users --global
      pat admin list --all-users --status all -o csv > tokens.csv
    """
    from azdo_pat.services.admin_tokens import matching

    selection = filters.selection(app.runtime.now(), status)
    render = app.runtime.render
    with scanning(app, request, ssh=ssh) as scan:
        tokens = matching(scan, selection)
        if render.streams:
            count = render.owned_pats(tokens)
        else:
            held = list(tokens)
    if not render.streams:  # now that the progress is gone from the screen
        count = render.owned_pats(held)
    conclude(app, scan, counted(count, "SSH key" if ssh else "token"))
