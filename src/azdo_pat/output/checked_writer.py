"""Write what `pat check` found for another program: on stdout, or into a file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, assert_never

from azdo_pat.errors import UsageError
from azdo_pat.formats import CheckForm, runner_of
from azdo_pat.output.result_file import replace_file, unwritten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TextIO

    from azdo_pat.findings import Checked, Finding

_SUMMARY: Final = 1024 * 1024
"""Bytes of a summary that GitHub shows ("Adding a job summary"); of a longer one, nothing."""
_READABLE: Final = 0o644
"""What reads the file is seldom this user: node_exporter, a web server, the agent."""


def form_for_ci(environment: Mapping[str, str]) -> CheckForm | None:
    """Return the format for the runner that runs this step; None outside of a pipeline."""
    runner = runner_of(environment)
    return None if runner is None else CheckForm(runner)


def write_checked(
    checked: Checked,
    form: CheckForm,
    fails: Callable[[Finding], bool],
    *,
    out: TextIO,
    environment: Mapping[str, str],
    to: Path | None = None,
) -> None:
    """Write findings in a format for another program.

    Args:
        checked: what was found.
        form: the format.
        fails: whether a finding fails the check.
        out: stdout; it may neutralize commands of runners, see `output.sanitize`.
        environment: of this process, which tells what a runner wants.
        to: the file to replace, instead of writing to `out`.

    Raises:
        UsageError: the format or the file does not fit `to`.
        PatError: a file could not be written; it is unchanged.
    """
    if to is not None:
        replace_file(to, checked_text(checked, form, fails), mode=_READABLE)
        return
    # Names were neutralized where they were written; the commands among them are to act.
    stream = getattr(out, "verbatim", out)
    match form:
        case CheckForm.AZURE_PIPELINES:
            _tell_azure(checked, fails, stream, environment)
        case CheckForm.GITHUB_ACTIONS:
            _tell_github(checked, stream, environment)
        case _:
            stream.write(checked_text(checked, form, fails))
            stream.flush()


def checked_text(checked: Checked, form: CheckForm, fails: Callable[[Finding], bool]) -> str:
    """Return findings in a format that is a file of its own.

    Raises:
        UsageError: a runner reads this format, and reads it on stdout alone.
    """
    match form:
        case CheckForm.PROMETHEUS:
            from azdo_pat.output.check_forms.prometheus import (  # noqa: PLC0415 - one of several
                prometheus_text,
            )

            return prometheus_text(checked)
        case CheckForm.JUNIT:
            from azdo_pat.output.check_forms.junit import junit_text  # noqa: PLC0415 - as above

            return junit_text(checked, fails)
        case CheckForm.ICS:
            from azdo_pat.output.check_forms.icalendar import (  # noqa: PLC0415 - as above
                icalendar_text,
            )

            return icalendar_text(checked)
        case CheckForm.AZURE_PIPELINES | CheckForm.GITHUB_ACTIONS:
            raise UsageError(
                f"--to does not apply to --as {form}: the runner reads stdout",
                hint="leave out --to, or choose prometheus, junit or ics",
            )
        case _:
            assert_never(form)


def _tell_azure(
    checked: Checked,
    fails: Callable[[Finding], bool],
    stream: TextIO,
    environment: Mapping[str, str],
) -> None:
    from azdo_pat.output.check_forms import azure_pipelines  # noqa: PLC0415 - one of several

    _write_lines(stream, azure_pipelines.issue_lines(checked))
    summary_file = _azure_summary_file(checked, environment)
    _write_lines(stream, azure_pipelines.end_lines(checked, fails, summary_file))


def _tell_github(checked: Checked, stream: TextIO, environment: Mapping[str, str]) -> None:
    from azdo_pat.output.check_forms.github_actions import (  # noqa: PLC0415 - one of several
        github_lines,
    )

    _write_lines(stream, github_lines(checked, environment.get("GITHUB_WORKSPACE", "")))
    _append_github_summary(checked, environment)


def _write_lines(stream: TextIO, lines: Iterable[str]) -> None:
    stream.writelines(f"{line}\n" for line in lines)
    stream.flush()


def _azure_summary_file(checked: Checked, environment: Mapping[str, str]) -> str:
    """Write the summary where the agent reads it when the job ends, and return its path.

    The agent empties its temporary folder after the job. Outside of a step there is no such
    folder: then nothing is written, and the path is empty.
    """
    folder = environment.get("AGENT_TEMPDIRECTORY", "")
    if not folder or not (checked.findings or checked.failures):
        return ""
    from azdo_pat.output.check_forms.summary import summary  # noqa: PLC0415 - one of several

    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix="pat-check-", suffix=".md")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as opened:
            opened.write(summary(checked, _SUMMARY))
        Path(name).chmod(_READABLE)  # in a container, the agent outside is another user
    except OSError as error:
        raise unwritten(Path(folder), error) from error
    return name


def _append_github_summary(checked: Checked, environment: Mapping[str, str]) -> None:
    """Append the summary to the file that the runner shows on the page of the run."""
    name = environment.get("GITHUB_STEP_SUMMARY", "")
    if not name or not (checked.findings or checked.failures):
        return
    from azdo_pat.output.check_forms.summary import summary  # noqa: PLC0415 - one of several
    from azdo_pat.output.runner_commands import append_lines  # noqa: PLC0415 - as above

    file = Path(name)
    try:
        before = file.stat().st_size if file.exists() else 0
        append_lines(file, summary(checked, _SUMMARY - before))
    except OSError as error:
        raise unwritten(file, error) from error
