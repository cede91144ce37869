"""Define the command `status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import command
from azdo_pat.errors import ExitCode

if TYPE_CHECKING:
    from azdo_pat.cli.app import App


@command("status")
def status_command(app: App) -> None:
    """Show who is signed in, where the access token comes from, and which keyring is used.

    Ends with exit code 4 if no one is signed in, and with 11 if the service does not answer.
    """
    from azdo_pat.organizations import HOSTED_ROOT
    from azdo_pat.services.status import StatusDeps, report_status

    render = app.runtime.render
    report = report_status(
        StatusDeps(
            api_root=app.session.api_root or HOSTED_ROOT,
            now=app.runtime.now(),
            source_names=app.session.source_names,
            locate=lambda: app.session.located,
            config_file=str(app.runtime.config_file),
            state_file=str(app.runtime.state_folder / "state.db"),
            damaged=tuple(each.name for each in app.damaged_states),
        ),
        search=app.session.search,
        organization_cache=app.organization_cache,
        secrets=app.session.secrets,
        state=app.state,
    )
    render.show(report)
    if report.signed_in is None:
        raise click.exceptions.Exit(ExitCode.UNAVAILABLE)
    if not report.signed_in:
        raise click.exceptions.Exit(ExitCode.NOT_SIGNED_IN)
