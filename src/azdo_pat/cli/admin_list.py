"""Define the commands `admin users` and `admin list`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from azdo_pat.cli import options
from azdo_pat.cli.admin_sign_in import signed_in, with_token
from azdo_pat.cli.command import command
from azdo_pat.errors import PartialError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.models import User
    from azdo_pat.services.admin_tokens import Scan

_MOST_NAMED = 10
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1, 32),
    default=12,
    show_default=True,
    help="How many users to read side by side.",
)


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
@click.argument("users", metavar="[USER]...", nargs=-1)
@click.option("--all-users", is_flag=True, help="List the tokens of all users.")
@click.option(
    "--status",
    type=click.Choice(["active", "expired", "revoked", "all"]),
    default="active",
    show_default=True,
    help="List only tokens with this status.",
)
@click.option(
    "--global", "only_global", is_flag=True, help="List only tokens valid in all organizations."
)
@click.option("--full", "only_full", is_flag=True, help="List only tokens with full access.")
@options.scope(help="List only tokens with this scope. Repeatable.")
@click.option(
    "--expiring", metavar="SPAN", help="List only tokens that expire within this span: 7d."
)
@click.option(
    "--older-than",
    metavar="SPAN|DATE",
    help="List only tokens created longer ago than this span, or before this date: 180d.",
)
@options.name_filter(help="List only tokens whose name matches. Repeatable.")
@click.option("--ssh", is_flag=True, help="List SSH keys instead of tokens.")
@jobs_option
@with_token
def list_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    users: tuple[str, ...],
    *,
    all_users: bool,
    status: str,
    only_global: bool,
    only_full: bool,
    scopes: tuple[str, ...],
    expiring: str | None,
    older_than: str | None,
    names: tuple[str, ...],
    ssh: bool,
    jobs: int,
    admin_token: str | None,
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
    from azdo_pat.cli.list_show import filters_of
    from azdo_pat.expiry import parse_since
    from azdo_pat.services.admin_tokens import Selection, matching

    if all_users and users:
        raise UsageError("USER cannot be combined with --all-users", hint="leave out one of them")
    if not all_users and not users:
        raise UsageError(
            "no user given",
            hint="name a user, or add --all-users; to list users, run: pat admin users",
        )
    now = app.runtime.now()
    selection = Selection(
        filters_of(now, status, expiring, names, scopes, only_global=only_global),
        created_before=None if older_than is None else parse_since(older_than, now),
        only_full=only_full,
    )
    app = signed_in(app, admin_token)
    found = users_of(app, users)
    render = app.runtime.render
    with scanning(app, found, jobs, ssh=ssh) as scan:
        tokens = matching(scan, selection, app)
        if render.streams:
            count = render.owned_pats(tokens)
        else:
            held = list(tokens)
    if not render.streams:  # now that the progress is gone from the screen
        count = render.owned_pats(held)
    _conclude(app, scan, found, count, what="SSH key" if ssh else "token")


def users_of(app: App, texts: Sequence[str]) -> Sequence[User]:
    """Return the users that are named, or all."""
    if texts:
        from azdo_pat.services.admin_users import find_users

        return find_users(texts, app)
    if app.runtime.err.isatty():
        app.runtime.messages.notice(f"listing the users of {app.organization.name}…")
    return tuple(app.graph.users(app.organization))


@contextmanager
def scanning(app: App, users: Sequence[User], jobs: int, *, ssh: bool = False) -> Iterator[Scan]:
    """Yield the scan of users, showing its progress while the block runs."""
    from azdo_pat.services.admin_tokens import Scan

    # Rows that are written as they arrive would be drawn over, and show the progress themselves.
    shown = not (app.runtime.render.streams and app.runtime.out.isatty())
    with app.runtime.progress(len(users) if shown else 0, "users") as done:
        yield Scan(users, app, ssh=ssh, jobs=jobs, done=done)


def _conclude(app: App, scan: Scan, users: Sequence[User], count: int, *, what: str) -> None:
    """Say how many tokens there are if all users were read, or which users were not.

    Raises:
        PartialError: some users could not be read.
    """
    notice = app.runtime.messages.notice
    if not scan.failures:
        left = f"; {_counted(scan.gone, 'user')} left in the meantime" if scan.gone else ""
        notice(f"{_counted(count, what)} of {_counted(len(users), 'user')}{left}")
        return
    for failure in scan.failures[:_MOST_NAMED]:
        name = failure.user.upn or failure.user.descriptor
        app.runtime.messages.warn(f"{name}: {failure.error.message}")
    if len(scan.failures) > _MOST_NAMED:
        app.runtime.messages.warn(f"… and {len(scan.failures) - _MOST_NAMED} more users")
    raise PartialError(
        f"{len(scan.failures)} of {_counted(len(users), 'user')} could not be read",
        hint="see above; the tokens of the others are complete",
    )


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"
