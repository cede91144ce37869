"""Tell which tokens a report is about, and what was found about each."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from azdo_pat.findings import Checked, Finding, is_active
from azdo_pat.models import Pat


class Watched(NamedTuple):
    """A token and the findings about it, the worst first."""

    pat: Pat
    findings: tuple[Finding, ...]


class Report(NamedTuple):
    """Findings by what they are about.

    Attributes:
        tokens: those that are active, or have findings: others need no one's attention.
        others: the findings about anything else, such as the sign-in.
    """

    tokens: Sequence[Watched]
    others: Sequence[Finding]


def report_of(checked: Checked) -> Report:
    """Return what was checked, by token, in its order."""
    about = defaultdict[tuple[str | None, str | None, str | None], list[Finding]](list)
    for finding in checked.findings:
        about[finding.org, finding.name, finding.id].append(finding)
    tokens = []
    for pat in checked.pats:
        found = about.pop((pat.org, pat.name, pat.id), [])
        if found or is_active(pat, checked.now):
            tokens.append(Watched(pat, tuple(found)))
    return Report(tokens, [finding for found in about.values() for finding in found])
