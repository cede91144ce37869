"""Tell which tokens a report is about, and what was found about each."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from azdo_pat.findings import Checked, Finding
from azdo_pat.judgement import is_active
from azdo_pat.models import Pat

_Key = tuple[str | None, str | None, str | None]


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


def _alone(pats: Sequence[Pat]) -> dict[tuple[str | None, str | None], _Key]:
    """Return by organization and name the key of each token that has no namesake."""
    keys = [(pat.org, pat.name, pat.id) for pat in pats]
    counts = Counter(key[:2] for key in keys)
    return {key[:2]: key for key in keys if counts[key[:2]] == 1}


def report_of(checked: Checked) -> Report:
    """Return what was checked, by token, in its order."""
    about = defaultdict[_Key, list[Finding]](list)
    for finding in checked.findings:
        about[finding.org, finding.name, finding.id].append(finding)
    alone = _alone(checked.pats)
    for key in [key for key in about if key not in alone.values()]:
        if (own := alone.get(key[:2])) and own != key:  # of a token that this one has replaced
            about[own] += about.pop(key)
    tokens = []
    keys = {(pat.org, pat.name, pat.id) for pat in checked.pats}
    for pat in checked.pats:
        found = about.get((pat.org, pat.name, pat.id), [])
        if found or is_active(pat, checked.now):
            tokens.append(Watched(pat, tuple(found)))
    others = [finding for key, found in about.items() if key not in keys for finding in found]
    return Report(tokens, others)
