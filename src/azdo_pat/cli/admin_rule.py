"""Define the command `admin rule`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from azdo_pat.cli import options
from azdo_pat.cli.admin_sign_in import signed_in, with_token
from azdo_pat.cli.command import command
from azdo_pat.errors import ExitCode, NoAnswerError, UsageError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App
    from azdo_pat.results.admin import RevocationRule

_OPTION: Final = "--org"


@command("rule", short_help="End all access tokens that were issued before a time.")
@options.scope(required=True, help="End access tokens with this scope. Repeatable.")
@options.unknown_scope
@click.option(
    "--before",
    metavar="SPAN|DATE",
    default="now",
    show_default=True,
    help="End those that were issued longer ago than this span, or before this date.",
)
@options.yes(help="Do not ask for confirmation. Needs --org.")
@options.dry_run(help="Only show the rule.")
@with_token
def rule_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    *,
    scopes: tuple[str, ...],
    allow_unknown_scope: bool,
    before: str,
    yes: bool,
    dry_run: bool,
    admin_token: str | None,
) -> None:
    """End the access tokens (JWTs) of all users of the organization that have one of the scopes.

    For when access tokens have leaked, or a program was given too much. The service refuses such
    tokens from then on, if they were issued before the given time. That ends the current sign-ins
    of users and of the programs that act for them, until they sign in again or fetch new access
    tokens: builds, extensions and your own sign-in, too, if the scope fits. Personal access tokens
    are not affected: pat admin revoke ends those.

    A rule cannot be listed, changed or taken back. pat asks for the name of the organization before
    it creates one.

    Needs membership in Project Collection Administrators.

    \b
    Examples:
      pat admin rule --scope code_write --dry-run
      pat admin rule --scope full --before 2026-11-30T09:00:00Z
    """
    from azdo_pat.expiry import parse_since
    from azdo_pat.results.admin import RevocationRule
    from azdo_pat.scopes import parse_scopes

    # One by one, as a rule may have full access next to other scopes: each ends different tokens.
    wanted = tuple(
        dict.fromkeys(
            scope
            for text in scopes
            for scope in parse_scopes([text], allow_unknown=allow_unknown_scope)
        )
    )
    moment = None if before == "now" else parse_since(before, app.runtime.now())
    if not dry_run:
        _require_consent(app, yes=yes)
    app = signed_in(app, admin_token)
    rule = RevocationRule(app.organization.name, wanted, moment, is_planned=True)
    if dry_run:
        app.runtime.render.show(rule)
        app.runtime.messages.notice("the rule would be created (dry run)")
        return
    if not yes:
        _ask(app, rule)
    try:
        app.token_admin.add_rule(app.organization, wanted, moment)
    except NoAnswerError as error:
        error.hint = "the rule may exist, which no one can look up; to create it again does no harm"
        raise
    app.runtime.render.show(rule._replace(is_planned=False))
    app.runtime.messages.done(
        "the rule is created; users and programs whose access tokens it ends must sign in again"
    )


def _require_consent(app: App, *, yes: bool) -> None:
    """Check that the question can be asked, or that the organization is named in its place.

    Raises:
        UsageError: it cannot, and is not.
    """
    if yes and app.runtime.options.sources.get("org") != _OPTION:
        raise UsageError(
            "--yes needs --org, as a rule cannot be taken back",
            hint="add --org NAME with the name of the organization",
        )
    if not yes and not app.runtime.may_ask:
        raise UsageError(
            "access tokens would be ended, but pat cannot ask for confirmation here",
            hint="add --yes --org NAME to confirm, or --dry-run to see the rule",
        )


def _ask(app: App, rule: RevocationRule) -> None:
    """Show the rule, and ask for the name of the organization.

    Raises:
        Exit: the user declined.
    """
    app.runtime.preview.show(rule)
    messages = app.runtime.messages
    messages.warn(
        "this ends the sign-ins of all users, and of the programs that act for them, whose access"
        " tokens have one of these scopes; a rule cannot be taken back"
    )
    typed: str = click.prompt(
        "To create the rule, type the name of the organization",
        default="",
        show_default=False,
        err=True,
    )
    if typed.strip().casefold() != rule.org.casefold():
        messages.notice("no rule was created")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
