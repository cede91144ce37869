"""What the runners of pipelines are told, read as they read it."""

import stat
import sys
from collections.abc import Mapping
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import TextIO, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from azdo_pat.errors import PatError
from azdo_pat.findings import Checked, Severity
from azdo_pat.formats import CheckForm
from azdo_pat.output.check_forms.summary import summary
from azdo_pat.output.checked_writer import form_for_ci, write_checked
from azdo_pat.output.runner_commands import azure_command, github_command
from azdo_pat.output.sanitize import SanitizedText, without_commands
from azdo_pat.results.tokens import OrganizationFailure
from output import runners
from output.found import CALM, HOSTILE, SAMPLE, about, expiring, fails_from, many, of_everyone, user
from output.samples import NOW

BOTH = (CheckForm.AZURE_PIPELINES, CheckForm.GITHUB_ACTIONS)
READ = {
    CheckForm.AZURE_PIPELINES: runners.azure_command,
    CheckForm.GITHUB_ACTIONS: runners.github_command,
}
NAMES = st.text(st.sampled_from("#:v[so]%;,=\r\n\xad A25B'\\|`<&"), max_size=12) | st.text()


def written(
    found: Checked,
    form: CheckForm,
    environment: Mapping[str, str] = MappingProxyType({}),
    fail_on: Severity = Severity.ERROR,
) -> list[str]:
    below = StringIO(newline="")
    out = cast("TextIO", SanitizedText(below))
    write_checked(found, form, fails_from(fail_on), out=out, environment=environment)
    return below.getvalue().splitlines()


def test_azure_pipelines() -> None:
    found = about("ci", file="/s/tokens.toml", line=7)
    assert written(found, CheckForm.AZURE_PIPELINES) == [
        (
            "##vso[task.logissue type=warning;sourcepath=/s/tokens.toml;linenumber=7;"
            "code=pat-expiring]'ci' in contoso: it expires soon (expires 2026-11-25 12:00 UTC);"
            " run: pat renew"
        ),
        "##vso[task.complete result=SucceededWithIssues]",
    ]


def test_github_actions() -> None:
    found = about("ci: main", file="/w/app/sub/tokens.toml", line=7, severity=Severity.NOTE)
    [line] = written(found, CheckForm.GITHUB_ACTIONS, {"GITHUB_WORKSPACE": "/w/app"})
    assert line == (
        "::notice file=sub/tokens.toml,line=7,title=expiring%3A ci%3A main::"
        "'ci: main' in contoso: it expires soon (expires 2026-11-25 12:00 UTC); run: pat renew"
    )


def test_a_file_outside_of_the_repository_keeps_its_path() -> None:
    found = about("ci", file="/etc/tokens.toml")
    [line] = written(found, CheckForm.GITHUB_ACTIONS, {"GITHUB_WORKSPACE": "/w/app"})
    command = runners.github_command(line)
    assert command is not None
    assert command.properties == {"file": "/etc/tokens.toml", "title": "expiring: ci"}


@pytest.mark.parametrize("form", BOTH)
def test_nothing_found_says_nothing(form: CheckForm, tmp_path: Path) -> None:
    summary_file = tmp_path / "summary"
    environment = {"AGENT_TEMPDIRECTORY": str(tmp_path), "GITHUB_STEP_SUMMARY": str(summary_file)}
    assert written(CALM, form, environment) == []
    assert list(tmp_path.iterdir()) == []


def test_the_worst_comes_first_and_an_organization_that_could_not_be_read_before_all() -> None:
    lines = written(SAMPLE, CheckForm.GITHUB_ACTIONS)
    levels = [line.split("::")[1].split()[0] for line in lines]
    assert levels == sorted(levels, key=["error", "warning", "notice"].index)
    assert lines[0] == "::error::fabrikam could not be checked: the service refused: 403"


@pytest.mark.parametrize("form", BOTH)
@pytest.mark.parametrize("severity", list(Severity))
@pytest.mark.parametrize("number", [9, 10, 11, 5000])
def test_ten_of_a_kind_at_most(form: CheckForm, severity: Severity, number: int) -> None:
    lines = [line for line in written(many(number, severity), form) if "task.complete" not in line]
    names = [f"'t{i}'" for i in range(1, 10 if number > 10 else number + 1)]
    assert [name in line for name, line in zip(names, lines, strict=False)] == [True] * len(names)
    last = f"{number - 9} more {severity}s: see the summary of this step, or run: pat check"
    assert [line for line in lines if "more" in line] == [
        line for line in lines[9:] if line.endswith(last) and number > 10
    ]
    assert len(lines) == min(number, 10)


def succeeded_with_issues(found: Checked, fail_on: Severity = Severity.ERROR) -> bool:
    lines = written(found, CheckForm.AZURE_PIPELINES, fail_on=fail_on)
    return "##vso[task.complete result=SucceededWithIssues]" in lines


def test_a_step_succeeds_with_issues_only_if_it_has_issues_and_does_not_fail() -> None:
    assert succeeded_with_issues(about("ci"))
    assert not succeeded_with_issues(about("ci"), Severity.WARNING)
    assert not succeeded_with_issues(about("ci", severity=Severity.NOTE))
    assert not succeeded_with_issues(SAMPLE)  # an organization could not be read


@given(NAMES, NAMES)
@example("##vso[task.setvariable variable=x]y", "##[error]")
@example("a\r::error::b", "::" * 9)
def test_the_runners_get_back_what_was_written(name: str, text: str) -> None:
    assert runners.azure_command(azure_command("a.b", text, first=name, second="x")) == (
        "a.b",
        {"first": name, "second": "x"} if name else {"second": "x"},
        text,
    )
    assert runners.github_command(github_command("a", text, first=name, second="x")) == (
        "a",
        {"first": name, "second": "x"} if name else {"second": "x"},
        text,
    )


@pytest.mark.parametrize("form", BOTH)
@given(name=NAMES)
def test_no_name_acts_or_hides(form: CheckForm, name: str) -> None:
    for found in (about(name, file=name, line=1), about(f"ci {name}", message=name, fix=name)):
        lines = [line for line in written(found, form) if "task.complete" not in line]
        [command] = [READ[form](line) for line in lines]
        assert command is not None
        assert runners.obeyed(command.text) == []
        assert [runners.obeyed(each) for each in command.properties.values()] == [
            [] for _ in command.properties
        ]
        # In the text, no name begins a line.
        assert without_commands(f"'{found.findings[0].name}'") in command.text


@pytest.mark.parametrize("form", BOTH)
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("severity", list(Severity))
def test_hostile_names(form: CheckForm, name: str, severity: Severity) -> None:
    lines = written(about(name, severity=severity, owner=user(name), org=name), form)
    own = [line for line in lines if "task.complete" not in line]
    assert len(own) == 1
    if form is CheckForm.AZURE_PIPELINES and severity is Severity.NOTE:
        assert runners.obeyed(own[0]) == []


class Cells(HTMLParser):
    """The cells of a table in HTML, and the elements that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.elements: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self.elements.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"th", "td"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def cells(markdown: str) -> Cells:
    """Read a summary as the pages of the runs show it, in GitHub's Markdown."""
    page = Cells()
    renderer = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    page.feed(renderer.render(markdown))
    return page


@pytest.mark.parametrize("name", HOSTILE)
def test_the_summary_shows_names_as_they_are(name: str) -> None:
    found = about(name, org=name, owner=user(name), fix=name, message=name)
    page = cells(summary(found, 10_000))
    assert page.elements <= {"h3", "p", "table", "thead", "tbody", "tr", "th", "td", "code"}
    shown = without_commands(name).strip()
    [_, row] = page.rows
    assert [each.strip() for each in (row[1], row[5])] == [shown, shown]
    assert row[2].strip() == (shown or "Grace Hopper")
    assert row[0].strip() == "warning"
    assert row[4].strip() == "2026-11-25 12:00 UTC"


@pytest.mark.parametrize("form", BOTH)
def test_who_must_act_on_the_tokens_of_everyone(form: CheckForm) -> None:
    pat = expiring("ci", stored=False, scopes=("vso.packaging",))
    found = of_everyone((pat, user("grace@contoso.example")))._replace(
        failures=(OrganizationFailure("contoso", "HTTP 500", "ada@contoso.example"),)
    )
    lines = [READ[form](line) for line in written(found, form)]
    unread, told = (line.text for line in lines if line)
    assert unread == "ada@contoso.example could not be checked: HTTP 500"
    assert told.startswith("'ci' of grace@contoso.example in contoso: it expires in 2 days (")
    assert told.endswith("; tell the owner to run: pat update 3d1f0c2a --expires 30d --org contoso")
    head, row = ([each.strip() for each in row] for row in cells(summary(found, 10_000)).rows)
    assert (head[2], row[2]) == ("Owner", "grace@contoso.example")
    assert row[5] == "the owner: pat update 3d1f0c2a --expires 30d --org contoso"


def test_a_summary_that_is_too_long_says_how_much_is_missing() -> None:
    text = summary(many(9000, Severity.ERROR), 1024 * 1024)
    assert 900_000 < len(text.encode()) <= 1024 * 1024
    rows = text.count("| error |")
    assert text.endswith(f"\n{9000 - rows} more findings did not fit here.\n")


@pytest.mark.parametrize("room", [0, 6, 200, 210, 300, 400])
def test_a_summary_never_needs_more_room_than_there_is(room: int) -> None:
    """The runner shows nothing of a file that is too long."""
    text = summary(many(2, Severity.ERROR), room)
    assert len(text.encode()) <= room
    assert not text or text.endswith("\n2 more findings did not fit here.\n")


def test_github_gets_the_summary_behind_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("# Tests\nno line end", "utf-8")
    written(SAMPLE, CheckForm.GITHUB_ACTIONS, {"GITHUB_STEP_SUMMARY": str(file)})
    text = file.read_text("utf-8")
    assert text.startswith("# Tests\nno line end\n\n### Azure DevOps tokens")
    assert len(cells(text).rows) == len(SAMPLE.findings) + 1
    assert "**fabrikam could not be checked**" in text


def test_azure_pipelines_uploads_the_summary(tmp_path: Path) -> None:
    lines = written(SAMPLE, CheckForm.AZURE_PIPELINES, {"AGENT_TEMPDIRECTORY": str(tmp_path)})
    [file] = tmp_path.iterdir()
    uploads = [runners.azure_command(line) for line in lines if "task.uploadsummary" in line]
    assert uploads == [runners.Command("task.uploadsummary", {}, str(file))]
    assert len(cells(file.read_text("utf-8")).rows) == len(SAMPLE.findings) + 1
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o644


@pytest.mark.parametrize("form", BOTH)
def test_a_summary_that_cannot_be_written_costs_no_issue(form: CheckForm, tmp_path: Path) -> None:
    environment = {
        "AGENT_TEMPDIRECTORY": str(tmp_path / "none"),
        "GITHUB_STEP_SUMMARY": str(tmp_path),
    }
    out = StringIO()
    with pytest.raises(PatError) as caught:
        write_checked(about("ci"), form, lambda _: False, out=out, environment=environment)
    assert caught.value.message.startswith(f"cannot write to {tmp_path}")
    assert caught.value.exit_code == 1
    assert out.getvalue().splitlines() == written(about("ci"), form, fail_on=Severity.WARNING)


@pytest.mark.parametrize(
    ("environment", "form"),
    [
        ({"TF_BUILD": "True"}, CheckForm.AZURE_PIPELINES),
        ({"GITHUB_ACTIONS": "true"}, CheckForm.GITHUB_ACTIONS),
        ({"GITHUB_ACTIONS": "false"}, None),
        ({"CI": "true"}, None),
    ],
)
def test_the_form_for_ci(environment: dict[str, str], form: CheckForm | None) -> None:
    assert form_for_ci(environment) is form


def test_dates_are_those_of_the_report() -> None:
    text = summary(SAMPLE, 100_000)
    assert f"{len(SAMPLE.pats)} tokens checked on {NOW:%Y-%m-%d %H:%M} UTC." in text
