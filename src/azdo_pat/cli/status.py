"""Define the command `status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import command
from azdo_pat.cli.doctor import say_summary
from azdo_pat.errors import ExitCode

if TYPE_CHECKING:
    from azdo_pat.cli.app import App


@command("status")
def status_command(app: App) -> None:
    """Show who is signed in, where the access token comes from, and which keyring is used.

    Exits with 4 if you are not signed in, and with 11 if the service does not answer.

    \b
    Examples:
      pat status
      pat status --org contoso
    """
    from azdo_pat.services.status import report_status

    render = app.runtime.render
    report = report_status(app, config_file=str(app.runtime.config_file))
    render.show(report)
    say_summary(app, len(report.problems))
    if report.signed_in is None:
        raise click.exceptions.Exit(ExitCode.UNAVAILABLE)
    if not report.signed_in:
        raise click.exceptions.Exit(ExitCode.NOT_SIGNED_IN)
