"""Define the command `admin`: the tokens of all users of an organization."""

from __future__ import annotations

import click

from azdo_pat.cli.admin_log import log_command, policy_command
from azdo_pat.cli.command import Group


@click.group("admin", cls=Group)
def admin_command() -> None:
    """See the tokens of all users of an organization, and what happens to them.

    For members of Project Collection Administrators.
    """


for _each in (log_command, policy_command):
    admin_command.add_command(_each)
