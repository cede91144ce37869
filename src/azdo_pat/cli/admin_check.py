"""Define the command `admin check`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from azdo_pat.cli.admin_scan import conclude, counted, scan_options, scanning
from azdo_pat.cli.check_output import output_options
from azdo_pat.cli.command import command
from azdo_pat.cli.finding_options import finding_options

if TYPE_CHECKING:
    from azdo_pat.cli.admin_scan import ScanRequest
    from azdo_pat.cli.app import App
    from azdo_pat.cli.check_output import Show
    from azdo_pat.cli.finding_options import Judging
    from azdo_pat.findings import Checked


@command("check", short_help="Find the tokens of users that need attention.")
@scan_options(everyone=True)
@finding_options
@output_options
def check_command(app: App, *, request: ScanRequest, judging: Judging, show: Show) -> None:
    """Find tokens that need attention, of all users or of each USER, and what to do about each.

    Reports what pat check reports, with the owner of each token; what depends on the keyring of a
    user, only pat check can see. Most findings show a command for the owner, who alone can change
    or replace the token. As an administrator, you can revoke it: pat admin revoke ID.

    Exits with 10 if there are findings of level warning or error (see --fail-on), with 9 if the
    tokens of some users could not be read; the findings of the others are shown all the same.

    Needs membership in Project Collection Administrators.

    \b
    Examples:
      pat admin check
      pat admin check ada@contoso.example --within 30d
      pat admin check --fail-on error,full-access -o json
      pat admin check --as prometheus --to admin.prom
    """
    from azdo_pat.findings import Kind
    from azdo_pat.services.admin_check import check_users

    with scanning(app, request) as scan:
        checked = check_users(scan, judging.limits, judging.ignored)
    show(checked, judging.fails)
    told = checked.everyone is None or checked.everyone.knows_policies
    if not told and Kind.POLICY not in judging.ignored:
        app.runtime.messages.notice(
            "the service does not tell every policy of the tenant, so findings of the kind policy"
            " may be missing; to look for none, add --ignore policy"
        )
    conclude(app, scan, f"{_summary(checked)}; checked {counted(checked.tokens, 'token')}")
    judging.exit_if_failing(checked)


def _summary(checked: Checked) -> str:
    """Return how many findings there are, the worst first, and of which kinds."""
    from azdo_pat.findings import Severity

    if not checked.findings:
        return "nothing needs attention"
    severities = Counter(each.severity for each in checked.findings)
    kinds = Counter(each.kind for each in checked.findings)
    levels = [counted(severities[each], each) for each in reversed(Severity) if severities[each]]
    return f"{', '.join(levels)} ({', '.join(f'{kind} {n}' for kind, n in kinds.most_common())})"
