"""Define the command `check`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from azdo_pat.cli import options
from azdo_pat.cli.check_output import output_options
from azdo_pat.cli.command import command
from azdo_pat.cli.completers import complete_tokens
from azdo_pat.cli.finding_options import finding_options
from azdo_pat.errors import PartialError, PatError

if TYPE_CHECKING:
    from collections.abc import Callable

    from azdo_pat.cli.app import App
    from azdo_pat.cli.check_output import Show
    from azdo_pat.cli.finding_options import Judging
    from azdo_pat.findings import Checked


@command("check")
@click.argument("tokens", metavar="[TOKEN]...", nargs=-1, shell_complete=complete_tokens)
@click.option("--all-orgs", is_flag=True, help="Check the tokens of all your organizations.")
@click.option(
    "--stored",
    is_flag=True,
    help="Check what this machine knows of its stored tokens, without network and sign-in.",
)
@options.verify(help="Also try each stored secret at the service.")
@finding_options
@output_options
def check_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    tokens: tuple[str, ...],
    *,
    all_orgs: bool,
    stored: bool,
    verify: bool,
    judging: Judging,
    show: Show,
) -> None:
    """Find tokens that need attention, and show the command that fixes each finding.

    Checks the active tokens of one organization, and the secrets that are stored here. Without
    TOKEN, it checks all tokens.

    Exits with 10 if there are findings of level warning or error (see --fail-on), with 9 if
    something could not be read.

    \b
    Examples:
      pat check
      pat check --stored --within 14d
      pat check --all-orgs --ignore made-by-tool -o json
      pat check --stored --as prometheus --to tokens.prom
    """
    from azdo_pat.results.tokens import OrganizationFailure
    from azdo_pat.services.check import CheckRequest, check, check_stored

    request = CheckRequest(
        texts=tokens,
        limits=judging.limits,
        ignored=judging.ignored,
        verify=verify,
        line_of=_lines(app),
    )
    if stored:
        app.require_whole_state()
        organization = None if all_orgs else app.session.located[0]
        checked = check_stored(organization.url if organization else None, request, app)
    else:
        organizations = app.organization_cache.all() if all_orgs else [app.organization]
        checked = check(organizations, request, app)
        if app.damaged_states:
            lost = OrganizationFailure(
                "this machine", "the state file was damaged; to rebuild it, run: pat doctor --fix"
            )
            checked = checked._replace(failures=(*checked.failures, lost))
    show(checked, judging.fails)
    _conclude(app, checked)
    judging.exit_if_failing(checked)


def _conclude(app: App, checked: Checked) -> None:
    if not checked.findings and not checked.failures:
        count = len(checked.pats)
        app.runtime.messages.done(
            f"nothing needs attention; checked {count} token{'' if count == 1 else 's'}"
        )
    if checked.failures:
        for failure in checked.failures:
            app.runtime.messages.warn(f"{failure.org}: {failure.reason}")
        raise PartialError(
            "not everything could be checked",
            hint="the findings are those of what could be read; fix the cause, and check again",
        )


def _lines(app: App) -> Callable[[str, str, str], int | None]:
    """Return the function that tells where a file declares a token; None if it is unknown."""
    lines: dict[str, dict[tuple[str, str], int]] = {}

    def line_of(file: str, org: str, name: str) -> int | None:
        if file not in lines:
            from azdo_pat.config.declarations import read_declarations

            lines[file] = {}
            with suppress(PatError):  # it may have changed since
                declared = read_declarations(
                    Path(file), expires="30d", now=app.now(), environment=app.environment
                )
                lines[file] = {(each.org.lower(), each.name): each.line for each in declared}
        # Without an organization in the file, it was the one at hand.
        return lines[file].get((org, name)) or lines[file].get(("", name))

    return line_of
