"""Define the command `admin`: the tokens of all users of an organization."""

from __future__ import annotations

import click

from azdo_pat.cli.admin_check import check_command
from azdo_pat.cli.admin_list import list_command, users_command
from azdo_pat.cli.admin_log import log_command, policy_command
from azdo_pat.cli.admin_report import report_command
from azdo_pat.cli.admin_revoke import revoke_command
from azdo_pat.cli.admin_rule import rule_command
from azdo_pat.cli.admin_whose import whose_command
from azdo_pat.cli.command import Group


@click.group("admin", cls=Group)
def admin_command() -> None:
    """See and revoke the tokens of all users of an organization, and see what happens to them.

    For members of Project Collection Administrators. The commands sign in as you, or with a
    personal access token: a stored one (--with TOKEN), or the secret in the variable
    PAT_ADMIN_TOKEN. Such a token needs the scopes of the recipe admin: pat create NAME --for admin.

    \b
    Examples:
      pat admin list ada@contoso.example
      pat admin check --within 30d
      pat admin report --html report.html
    """


for _each in (
    users_command,
    list_command,
    check_command,
    report_command,
    whose_command,
    revoke_command,
    rule_command,
    log_command,
    policy_command,
):
    admin_command.add_command(_each)
