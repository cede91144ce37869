"""Write findings as annotations of GitHub Actions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from azdo_pat.findings import Checked, Finding, Severity
from azdo_pat.output.check_forms.annotations import Annotation, annotations
from azdo_pat.output.runner_commands import github_command
from azdo_pat.output.sanitize import without_commands

_LEVELS: Final = {
    Severity.NOTE: "notice",
    Severity.WARNING: "warning",
    Severity.ERROR: "error",
}


def github_lines(checked: Checked, workspace: str = "") -> Iterator[str]:
    """Yield the lines for the runner, without line ends.

    Args:
        checked: what was found.
        workspace: the folder of the repository, which paths are relative to; empty if unknown.
    """
    for annotation in annotations(checked):
        yield _line(annotation, workspace)


def _line(annotation: Annotation, workspace: str) -> str:
    finding = annotation.finding
    return github_command(
        _LEVELS[annotation.severity],
        annotation.text,
        file=without_commands(_in_repository(finding.file, workspace)) if finding else "",
        line=str(finding.line or "") if finding and finding.file else "",
        title=without_commands(_title(finding)) if finding else "",
    )


def _title(finding: Finding) -> str:
    if not finding.name:
        return str(finding.kind)
    owner = f" of {finding.owner.handle}" if finding.owner else ""
    return f"{finding.kind}: {finding.name}{owner}"


def _in_repository(file: str, workspace: str) -> str:
    """Return a path as the pages of the repository know it; unchanged if it is elsewhere."""
    if not file or not workspace or not Path(file).is_relative_to(workspace):
        return file
    return Path(file).relative_to(workspace).as_posix()
