"""Write findings as issues of Azure Pipelines."""

from collections.abc import Callable, Iterator

from azdo_pat.findings import Checked, Finding, Severity
from azdo_pat.output.check_forms.annotations import Annotation, annotations
from azdo_pat.output.runner_commands import azure_command
from azdo_pat.output.sanitize import without_commands


def issue_lines(checked: Checked) -> Iterator[str]:
    """Yield a line for each issue of the step, without line ends."""
    yield from map(_line, annotations(checked))


def end_lines(
    checked: Checked, fails: Callable[[Finding], bool], summary_file: str
) -> Iterator[str]:
    """Yield the lines that follow the issues.

    Args:
        checked: what was found.
        fails: whether a finding fails the step.
        summary_file: of the table of all findings, to attach to the run; empty for none.
    """
    if summary_file:
        yield azure_command("task.uploadsummary", summary_file)
    # The agent marks a step as failed by itself, and knows no issue that is milder than a warning.
    fine = not checked.failures and not any(map(fails, checked.findings))
    if fine and any(each.severity is not Severity.NOTE for each in checked.findings):
        yield azure_command("task.complete", result="SucceededWithIssues")


def _line(annotation: Annotation) -> str:
    if annotation.severity is Severity.NOTE:
        return without_commands(f"note: {annotation.text}")
    finding = annotation.finding
    return azure_command(
        "task.logissue",
        annotation.text,
        type=str(annotation.severity),
        sourcepath=without_commands(finding.file) if finding else "",
        linenumber=str(finding.line or "") if finding and finding.file else "",
        code=f"pat-{finding.kind}" if finding else "",
    )
