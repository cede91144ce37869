"""Define the command `admin revoke`."""

from __future__ import annotations

from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from azdo_pat.cli import options
from azdo_pat.cli.admin_filters import TokenFilters, token_filters
from azdo_pat.cli.admin_scan import (
    ScanRequest,
    jobs_option,
    read_users,
    scanning,
    users_from_option,
)
from azdo_pat.cli.admin_sign_in import with_token
from azdo_pat.cli.bulk import stoppable_progress
from azdo_pat.cli.command import command
from azdo_pat.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from azdo_pat.cli.app import App
    from azdo_pat.models import User
    from azdo_pat.services.admin_revoke_plan import Guard, Plan
    from azdo_pat.services.admin_tokens import Scan


_MOST_SHOWN: Final = 10
"""Tokens that are shown one by one before they are revoked; of more, only the owners are."""


class _Choice(NamedTuple):
    """Which tokens to revoke.

    Attributes:
        ids: of the tokens; empty for those that the filters select.
        users: whose tokens to look at.
        everyone: look at the tokens of all users, without being asked for ids.
        everywhere: also tokens that are valid in all organizations.
        mine: also tokens of the signed-in user.
    """

    ids: tuple[str, ...]
    users: tuple[str, ...]
    everyone: bool
    filters: TokenFilters
    everywhere: bool
    mine: bool
    ssh: bool


class _Consent(NamedTuple):
    """What was given in place of an answer to the question."""

    dry_run: bool
    yes: bool
    at_most: int | None


@command("revoke", short_help="Revoke tokens of any users.")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option(
    "--user",
    "users",
    metavar="USER",
    multiple=True,
    help="Revoke the tokens of this user. With ID, look for it only there. Repeatable.",
)
@users_from_option
@click.option(
    "--all-users", is_flag=True, help="Revoke tokens of all users. Needs one of the filters."
)
@token_filters("Revoke")
@click.option("--ssh", is_flag=True, help="Revoke SSH keys instead of tokens.")
@click.option(
    "--include-global",
    "everywhere",
    is_flag=True,
    help="Also revoke tokens valid in all organizations; they end in the others, too.",
)
@click.option("--include-mine", "mine", is_flag=True, help="Also revoke your own tokens.")
@options.yes(help="Do not ask for confirmation.")
@click.option(
    "--at-most",
    metavar="N",
    type=click.IntRange(min=1),
    help="Revoke nothing if it would be more than N tokens.",
)
@options.dry_run(help="Only show what would be revoked.")
@jobs_option
@with_token
def revoke_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    ids: tuple[str, ...],
    *,
    users: tuple[str, ...],
    users_from: Path | None,
    all_users: bool,
    filters: TokenFilters,
    ssh: bool,
    everywhere: bool,
    mine: bool,
    yes: bool,
    at_most: int | None,
    dry_run: bool,
    jobs: int,
    admin_token: str | None,
) -> None:
    """Revoke tokens of any users of the organization, for good.

    ID is the id of a token, or its first 8 or more characters. pat looks for it among the tokens of
    all users; that is faster with --user. USER is a whole sign-in name, mail address or name, or a
    descriptor. Without ID, pat revokes the active tokens of each USER,
    or of all users, that meet every filter.

    pat shows the tokens by owner, and asks for their number before it revokes them. It never
    revokes the token that it signs in with. It revokes your own tokens, and tokens valid in all
    organizations, only with --include-mine and --include-global.

    The service does not tell what it has revoked, and may take up to an hour. So pat lists the
    tokens again: while some may still work, the exit code is 8. The command can be repeated.

    Needs membership in Project Collection Administrators.

    \b
    Examples:
      pat admin revoke --user ada@contoso.example --include-global
      pat admin revoke 3f2a9c1e-5b7d-4e8a-9c21-0d4f6a8b1c3e --user ada@contoso.example
      pat admin revoke --all-users --full --older-than 180d --dry-run
    """
    named = (*users, *(read_users(users_from) if users_from else ()))
    choice = _Choice(
        ids=ids,
        users=named,
        everyone=all_users,
        filters=filters,
        everywhere=everywhere or filters.only_global,
        mine=mine,
        ssh=ssh,
    )
    consent = _Consent(dry_run, yes, at_most)
    _require_sensible(choice)
    _require_consent(app, consent)
    request = ScanRequest(texts=named, jobs=jobs, admin_token=admin_token, exactly=True)
    _revoke(app, choice, consent, request)


def _require_sensible(choice: _Choice) -> None:
    """Check that it is said what to revoke, and only once.

    Raises:
        UsageError: it is not.
    """
    from azdo_pat.services.admin_revoke_plan import require_ids

    if choice.ids and (choice.everyone or choice.filters != TokenFilters()):
        raise UsageError(
            "ID cannot be combined with --all-users or filters", hint="leave out one of them"
        )
    if choice.everyone and choice.users:
        raise UsageError(
            "--all-users cannot be combined with other users", hint="leave out one of them"
        )
    if not (choice.ids or choice.users or choice.everyone):
        raise UsageError(
            "no token given",
            hint="name tokens by their ids, a user with --user, or add --all-users and a filter",
        )
    if choice.everyone and choice.filters == TokenFilters():
        raise UsageError(
            "--all-users needs a filter, as it would revoke every token of the organization",
            hint="add --global, --full, --scope, --expiring, --older-than or --name",
        )
    require_ids(choice.ids)


def _require_consent(app: App, consent: _Consent) -> None:
    """Check, before all users are read, that the question can be asked, or is answered.

    Raises:
        UsageError: it cannot.
    """
    if not (consent.dry_run or consent.yes or app.runtime.may_ask):
        raise UsageError(
            "tokens would be revoked, but pat cannot ask for confirmation here",
            hint="add --yes to confirm, or --dry-run to see the tokens",
        )


def _revoke(app: App, choice: _Choice, consent: _Consent, request: ScanRequest) -> None:
    from azdo_pat.cli.admin_revoke_messages import Summary
    from azdo_pat.services.admin_revoke import plan as planned
    from azdo_pat.services.admin_revoke import revoke
    from azdo_pat.services.admin_revoke_plan import Allowed, Guard

    with scanning(app, request, ssh=choice.ssh) as scan:
        guard = Guard(scan.deps, Allowed(mine=choice.mine, everywhere=choice.everywhere))
        plan = _plan(choice, scan, guard, app.runtime.now())
    summary = Summary(app, plan, scan, by_id=bool(choice.ids), ssh=choice.ssh)
    summary.say_plan()
    if consent.dry_run or not plan.living:
        if consent.dry_run and app.runtime.err.isatty():
            app.runtime.preview.owners(plan.living)
        app.runtime.render.owned_revocations(planned(plan.chosen))
        would = f"{summary.what} would be revoked (dry run)"
        summary.conclude_without(would if plan.living else "nothing to revoke")
        return
    _confirm(app, plan, consent, summary.what)
    ended = revoke(
        plan.chosen,
        scan.deps,
        ssh=choice.ssh,
        progress=partial(stoppable_progress, app, "revoking"),
        rescan=partial(_rescan, app, scan, ssh=choice.ssh, jobs=request.jobs),
    )
    app.runtime.render.owned_revocations(ended.items)
    summary.conclude(ended)


def _plan(choice: _Choice, scan: Scan, guard: Guard, now: datetime) -> Plan:
    from azdo_pat.services.admin_revoke_plan import find, select

    if not choice.ids:
        return select(scan, choice.filters.selection(now), guard)
    whose = ", ".join(choice.users) or scan.deps.organization.name
    return find(scan, choice.ids, guard, whose)


def _confirm(app: App, plan: Plan, consent: _Consent, what: str) -> None:
    """Show what would be revoked, and ask for the number of tokens.

    Raises:
        UsageError: it is more than may be revoked.
        Exit: the user declined.
    """
    number = len(plan.living)
    if consent.at_most is not None and number > consent.at_most:
        raise UsageError(
            f"{what} would be revoked, which is more than {consent.at_most}",
            hint="nothing was revoked; to see the tokens, add --dry-run",
        )
    if consent.yes:
        return
    from azdo_pat.output.escape import visible

    show = app.runtime.preview.owned_pats if number <= _MOST_SHOWN else app.runtime.preview.owners
    show(plan.living)
    question = visible(f"Revoke {what}? To confirm, type the number of tokens")
    typed: str = click.prompt(question, default="", show_default=False, err=True)
    if typed.strip() != str(number):
        app.runtime.messages.notice("nothing was revoked")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)


@contextmanager
def _rescan(
    app: App, before: Scan, users: Sequence[User], *, ssh: bool, jobs: int
) -> Iterator[Scan]:
    """Yield another scan of users, and show its progress while the block runs."""
    from azdo_pat.services.admin_tokens import Scan

    scan = Scan(users, before.deps, ssh=ssh, jobs=jobs)
    with closing(scan), app.runtime.progress(len(users), "checking") as scan.done:
        yield scan
