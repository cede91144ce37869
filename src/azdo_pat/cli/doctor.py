"""Define the command `doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import command
from azdo_pat.errors import ExitCode

if TYPE_CHECKING:
    from azdo_pat.cli.app import App


@command("doctor")
@click.option("--fix", is_flag=True, help="Repair what can be repaired.")
@click.option(
    "--dismiss",
    "dismissed",
    metavar="ID",
    multiple=True,
    help="Stop reporting this token: no interrupted command created it. Repeatable.",
)
def doctor_command(app: App, *, fix: bool, dismissed: tuple[str, ...]) -> None:
    """Diagnose problems and say how to fix them.

    Checks the sign-in, the network, the service, the clock, the organization, the permission to
    list tokens, the keyring, the state file, unfinished operations of interrupted commands, and
    the stored secrets.

    --fix completes or rolls back interrupted commands, rebuilds a damaged state file, and deletes
    the stored secrets of revoked tokens. It revokes only tokens that an interrupted command
    created or was about to revoke. If it is not certain that an interrupted command created a
    token, the token is not revoked, and is reported until you revoke it or use --dismiss.

    Exits with 10 if a problem remains.

    \b
    Examples:
      pat doctor
      pat doctor --fix
    """
    from azdo_pat.services.doctor import dismiss, examine

    render = app.runtime.render
    app.recovers = False  # only --fix does
    _ = app.state
    app.look_at_state()  # a damaged one is moved aside here, and told
    for identifier in dismissed:
        dismiss(identifier, app)
        app.runtime.messages.done(f"dismissed the token {identifier}: pat ignores it from now on")
    checks = examine(app, ca_bundle=str(app.runtime.setting("ca-bundle") or ""), fix=fix)
    render.show_all(checks)
    problems = sum(each.status == "problem" for each in checks)
    say_summary(app, problems, skipped=sum(each.status == "skipped" for each in checks))
    if problems:
        raise click.exceptions.Exit(ExitCode.FOUND)


def say_summary(app: App, problems: int, *, skipped: int = 0) -> None:
    """Say how many problems were found, to a person at a terminal: others read the result."""
    if not app.runtime.err.isatty():
        return
    found = f"{problems or 'no'} problem{'s' * (problems != 1)} found"
    more = f", {skipped} check{'s' * (skipped != 1)} skipped" if skipped else ""
    tell = app.runtime.messages.problem if problems else app.runtime.messages.done
    tell(f"{found}{more}")
