"""Define the command `admin report`."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from azdo_pat.cli.admin_scan import conclude, counted, scan_options, scanning
from azdo_pat.cli.command import command
from azdo_pat.errors import UsageError
from azdo_pat.formats import Grouping

if TYPE_CHECKING:
    from collections.abc import Callable

    from azdo_pat.cli.admin_scan import ScanRequest
    from azdo_pat.cli.app import App
    from azdo_pat.results.admin import TokenReport

_STDOUT: Final = Path("-")
_OWNER_ONLY: Final = 0o600
_FOR_PAGES: Final = frozenset({"jinja2", "markupsafe", "svg"})


@command("report", short_help="Count the tokens of users; --html writes a page.")
@scan_options(everyone=True)
@click.option(
    "--group-by",
    "grouping",
    type=click.Choice([*map(str, Grouping)]),
    default=str(Grouping.USER),
    show_default=True,
    help="What the table shows below the totals.",
)
@click.option(
    "--within",
    metavar="SPAN",
    default="7d",
    show_default=True,
    help="Count tokens that expire within this span as expiring.",
)
@click.option(
    "--max-life",
    metavar="SPAN",
    default="90d",
    show_default=True,
    help="Count tokens with a longer lifetime as long-lived.",
)
@click.option(
    "--html",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Also write the report to FILE, as one page with charts.",
)
def report_command(  # one argument for each option
    app: App,
    *,
    grouping: str,
    within: str,
    max_life: str,
    file: Path | None,
    request: ScanRequest,
) -> None:
    """Count the active tokens of each USER, or of all users: by user, scope, and month of expiry.

    An active token is neither expired nor revoked. Expired tokens that the service still lists are
    counted by themselves. Months are those of UTC. If some users could not be read, the report is
    marked as partial, and the exit code is 9.

    -o json and jsonl write one object. -o csv and tsv write the tokens instead, one per row, with
    their owners and in any status, as soon as they are read.

    --html replaces FILE by a page that shows the same without network, script or other files. It
    needs the packages jinja2 and svg.py. The page names users and tokens: only you can read it.

    Needs membership in Project Collection Administrators.

    \b
    Examples:
      pat admin report
      pat admin report --group-by month --html tokens.html
      pat admin report -o csv > tokens.csv
    """
    from azdo_pat import __version__
    from azdo_pat.expiry import parse_span
    from azdo_pat.findings import Limits
    from azdo_pat.models import Status
    from azdo_pat.services.admin_report import Tally
    from azdo_pat.services.admin_tokens import Selection, matching
    from azdo_pat.services.find_tokens import Filters

    now = app.now()
    limits = Limits(within=parse_span(within, now), max_life=parse_span(max_life, now))
    page = None if file is None else _page(file)
    render = app.runtime.render
    tally = Tally(now, limits)
    in_any_status = Selection(Filters((Status.ACTIVE, Status.EXPIRED, Status.REVOKED)))
    with scanning(app, request) as scan:
        tokens = tally.counted(matching(scan, in_any_status))
        if render.writes_rows:
            render.owned_pats(tokens)
        else:
            deque(tokens, maxlen=0)
    report = tally.report(scan)
    if not render.writes_rows:
        render.report(report, Grouping(grouping))
    if file is not None and page is not None:
        from azdo_pat.output.result_file import replace_file

        replace_file(file, page(report, __version__), mode=_OWNER_ONLY)
        app.runtime.messages.done(f"wrote {file}")
    conclude(app, scan, counted(report.numbers.tokens, "active token"))


def _page(file: Path) -> Callable[[TokenReport, str], str]:
    """Return what makes the page, having checked that it can be written: reading takes minutes.

    Raises:
        UsageError: a library is missing, or the file is not one.
        PatError: the file cannot be written.
    """
    if file == _STDOUT:
        raise UsageError("--html writes to a file, not to stdout", hint="give the name of a file")
    try:
        from azdo_pat.output.report.page import page
    except ModuleNotFoundError as error:
        if error.name not in _FOR_PAGES:
            raise
        from azdo_pat.install_commands import adding

        raise UsageError(
            f"--html needs jinja2 and svg.py, and {error.name} is not installed",
            hint=f"to install them, run: {adding('jinja2', 'svg.py')}",
        ) from error
    from azdo_pat.output.result_file import check_replaceable

    check_replaceable(file)
    return page
