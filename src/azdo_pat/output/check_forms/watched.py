"""Tell which tokens a report is about, and what was found about each."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from azdo_pat.findings import Checked, Finding
from azdo_pat.judgement import is_active
from azdo_pat.models import Pat, User

_Key = tuple[str | None, str | None, str | None, str]


class Watched(NamedTuple):
    """A token and the findings about it, the worst first.

    Attributes:
        owner: whose it is; None for the user's own.
    """

    pat: Pat
    findings: tuple[Finding, ...]
    owner: User | None = None


class Report(NamedTuple):
    """Findings by what they are about.

    Attributes:
        tokens: those that are active, or have findings: others need no one's attention.
        others: the findings about anything else, such as the sign-in.
    """

    tokens: Sequence[Watched]
    others: Sequence[Finding]


def _alone(keys: Sequence[_Key]) -> dict[tuple[str | None, str | None], _Key]:
    """Return by organization and name the key of each token that has no namesake."""
    counts = Counter(key[:2] for key in keys)
    return {key[:2]: key for key in keys if counts[key[:2]] == 1}


def report_of(checked: Checked) -> Report:
    """Return what was checked, by token, in its order."""
    about = defaultdict[_Key, list[Finding]](list)
    for finding in checked.findings:
        about[_key(finding, finding.owner)].append(finding)
    looked_at: list[tuple[Pat, User | None]] = [(pat, None) for pat in checked.pats]
    looked_at += checked.everyone.pats if checked.everyone else []
    keys = [_key(pat, owner) for pat, owner in looked_at]
    alone = _alone(keys) if checked.everyone is None else {}
    for key in [key for key in about if key not in alone.values()]:
        if (own := alone.get(key[:2])) and own != key:  # of a token that this one has replaced
            about[own] += about.pop(key)
    tokens = []
    for key, (pat, owner) in zip(keys, looked_at, strict=True):
        found = about.get(key, [])
        if found or is_active(pat, checked.now):
            tokens.append(Watched(pat, tuple(found), owner))
    known = set(keys)
    others = [finding for key, found in about.items() if key not in known for finding in found]
    return Report(tokens, others)


def _key(what: Pat | Finding, owner: User | None) -> _Key:
    return what.org, what.name, what.id, owner.descriptor if owner else ""
