"""Choose what the runner of a pipeline is told: it shows ten issues of a kind for each step."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from azdo_pat.findings import Checked, Finding, Severity
from azdo_pat.output.check_forms.wording import counted, sentence
from azdo_pat.output.sanitize import without_commands

_MOST: Final = 10
"""Both keep so many errors, and as many warnings (GitHub: notices, too); they drop the others."""


class Annotation(NamedTuple):
    """One issue for the log of a pipeline.

    Attributes:
        text: without anything that could act as a command.
        finding: what it is about; None if it is about no single one.
    """

    severity: Severity
    text: str
    finding: Finding | None = None


def annotations(checked: Checked) -> list[Annotation]:
    """Return the issues to show, the worst first; the last of a severity counts the others."""
    unread = [
        Annotation(Severity.ERROR, f"{each.what} could not be checked: {each.reason}")
        for each in checked.failures
    ]
    found = [
        Annotation(each.severity, sentence(each, checked.now), each) for each in checked.findings
    ]
    chosen = [
        annotation
        for severity in reversed(Severity)
        for annotation in _cut(
            [each for each in (*unread, *found) if each.severity is severity], checked.command
        )
    ]
    return [each._replace(text=without_commands(each.text)) for each in chosen]


def _cut(same: Sequence[Annotation], command: str) -> Sequence[Annotation]:
    """Return at most ten issues of one severity."""
    if len(same) <= _MOST:
        return same
    shown = same[: _MOST - 1]
    more = counted(len(same) - len(shown), f"more {same[0].severity}")
    rest = f"{more}: see the summary of this step, or run: {command}"
    return [*shown, Annotation(same[0].severity, rest)]
