"""Define the commands `admin log` and `admin policy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.admin_sign_in import signed_in, with_token
from azdo_pat.cli.command import command
from azdo_pat.dates import local_minute

if TYPE_CHECKING:
    from azdo_pat.cli.app import App


@command("log", short_help="List events of the audit log.")
@click.option(
    "--since",
    metavar="SPAN|DATE",
    default="7d",
    show_default=True,
    help="Only events within this span or since this date. The service keeps 90 days.",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="All events, not only those about tokens and SSH keys.",
)
@with_token
def log_command(app: App, *, since: str, everything: bool, admin_token: str | None) -> None:
    """List what happened to tokens and SSH keys in the organization, the newest first.

    Shows who created, changed or revoked a token, when, from which address and with which program,
    as far as the audit log tells. The use of a token is not logged.

    Needs the permission View audit log, which Project Collection Administrators have, and a policy
    of the organization: Log Audit Events, which is off by default.

    \b
    Examples:
      pat admin log --since 30d
      pat admin log -o jsonl
    """
    from azdo_pat.cli.token_messages import AUDITING_MAY_BE_OFF
    from azdo_pat.expiry import parse_since

    moment = parse_since(since, app.runtime.now())
    app = signed_in(app, admin_token)
    organization = app.organization
    if app.runtime.err.isatty():
        app.runtime.messages.notice("reading the audit log, which may take a while…")
    read = app.audit.events if everything else app.audit.token_events
    if not app.runtime.render.events(read(organization, moment)):
        about = "event" if everything else "event about tokens"
        app.runtime.messages.notice(
            f"the audit log of {organization.name} has no {about} since"
            f" {local_minute(moment)}; {AUDITING_MAY_BE_OFF}"
        )


@command("policy", short_help="Show the policies that restrict tokens.")
def policy_command(app: App) -> None:
    """Show the policies of the organization's tenant that restrict tokens, and whether they are on.

    Microsoft documents no API for them. pat asks as the administration pages do: a policy that the
    service does not report, or reports in a form that pat does not know, is shown as unknown, and
    the exit code is still 0. pat asks as the signed-in user, not with PAT_ADMIN_TOKEN.

    \b
    Examples:
      pat admin policy
      pat admin policy -o json
    """
    from azdo_pat.results.admin import OnOff
    from azdo_pat.services.admin_policies import policies

    app.session.applications = True  # not documented whether the service lets them
    found = policies(app)
    app.runtime.render.show_all(found)
    if any(each.state is OnOff.UNKNOWN for each in found):
        app.runtime.messages.notice(
            "the service does not show you every policy; Azure DevOps Administrators see them in"
            " the organization settings, under Microsoft Entra"
        )
