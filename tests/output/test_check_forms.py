"""The formats of `pat check` that are files, read by those who know them."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any, TextIO, cast

import icalendar
import junitparser
import pytest

from azdo_pat.errors import UsageError
from azdo_pat.findings import Checked, Kind, Severity
from azdo_pat.formats import CheckForm
from azdo_pat.models import Field, Origin, Status
from azdo_pat.output.check_forms.wording import sentence
from azdo_pat.output.checked_writer import checked_text, write_checked
from azdo_pat.output.sanitize import SanitizedText, without_commands
from azdo_pat.results.tokens import OrganizationFailure
from output import runners
from output.found import HOSTILE, SAMPLE, about, checked, expiring, fails_from, of_everyone, user
from output.samples import BY_GIT, EXPIRED, GLOBAL, LAPTOP, NOW, PUBLISHING, UNKNOWN

DOCUMENTS = [form for form in CheckForm if not form.is_for_runner]
ID = LAPTOP.id
FAILS = fails_from(Severity.WARNING)


def text_of(found: Checked, form: CheckForm, fail_on: Severity = Severity.WARNING) -> str:
    return checked_text(found, form, fails_from(fail_on))


@pytest.mark.parametrize("form", DOCUMENTS)
@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_acts_where_the_file_is_printed(form: CheckForm, name: str) -> None:
    pats = (expiring(name, org=name), expiring(f"ci {name}", id=name))
    found = about(name, owner=user(name), file=name)._replace(
        pats=pats, failures=(OrganizationFailure(name, name),)
    )
    text = text_of(found, form)
    assert runners.obeyed(text) == []
    assert re.findall("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e\ud800]", text) == []
    below = StringIO(newline="")
    write_checked(found, form, FAILS, out=cast("TextIO", SanitizedText(below)), environment={})
    assert below.getvalue() == text


def test_prometheus() -> None:
    pats = (
        replace(LAPTOP, name='a "b" \\c', scopes=("vso.code_manage",)),
        replace(GLOBAL, id=None),
        UNKNOWN,
        EXPIRED,
    )
    text = text_of(Checked(checked(*pats).findings, pats, (), NOW), CheckForm.PROMETHEUS)
    laptop = rf'{{org="contoso",name="a \"b\" \\c",id="{ID}",origin="pat"}}'
    old = '{org="",name="old everything",id="",origin="unknown"}'
    odd = '{org="contoso",name="部署令牌 🚀",id="",origin="unknown"}'
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        f"pat_check_timestamp_seconds {NOW.timestamp():.0f}",
        "pat_check_complete 1",
        f"pat_token_expiry_timestamp_seconds{laptop} 1798027200",
        f"pat_token_expiry_timestamp_seconds{old} 1803211200",
        f"pat_token_global{laptop} 0",
        f"pat_token_global{old} 1",
        f"pat_token_global{odd} 0",
        'pat_check_findings{org="",kind="full-access",severity="warning"} 1',
        'pat_check_findings{org="",kind="global",severity="warning"} 1',
        'pat_check_findings{org="contoso",kind="broad",severity="note"} 1',
    ]


def test_prometheus_has_each_series_once_whatever_the_names() -> None:
    pats = tuple(expiring(name, id=None) for name in ("a\n", "a\\n", "a\\n"))
    lines = text_of(checked(*pats), CheckForm.PROMETHEUS).splitlines()
    series = [line.rpartition(" ")[0] for line in lines]
    assert sorted(series) == sorted(set(series))


def test_prometheus_tells_that_not_all_could_be_read() -> None:
    assert "\npat_check_complete 0\n" in text_of(SAMPLE, CheckForm.PROMETHEUS)


def junit_cases(found: Checked, fail_on: Severity) -> dict[tuple[str, str], list[Any]]:
    [suite] = junitparser.JUnitXml.fromstring(text_of(found, CheckForm.JUNIT, fail_on).encode())
    assert suite.tests == len(list(suite))
    results = {(case.classname, case.name): case.result for case in suite}
    kinds = [type(each) for result in results.values() for each in result]
    assert suite.failures == kinds.count(junitparser.Failure)
    assert suite.errors == kinds.count(junitparser.Error)
    return results


def test_junit_has_a_case_for_each_token_and_for_what_could_not_be_read() -> None:
    results = junit_cases(SAMPLE, Severity.WARNING)
    failures = {key: result[0] for key, result in results.items() if result}
    worst = {each.name: each.message for each in reversed(SAMPLE.findings)}
    assert {key: each.message for key, each in failures.items()} == {
        ("contoso", PUBLISHING.name): worst[PUBLISHING.name],
        ("contoso", BY_GIT.name): worst[BY_GIT.name],
        ("pat check", GLOBAL.name): worst[GLOBAL.name],
        ("fabrikam", "fabrikam"): "the service refused: 403",
    }
    assert set(results) - set(failures) == {("contoso", "laptop"), ("contoso", "部署令牌 🚀")}


def test_junit_fails_what_the_option_fails() -> None:
    results = junit_cases(checked(expiring("ci"), expiring("ci", id="b")), Severity.ERROR)
    assert results == {("contoso", f"ci ({ID})"): [], ("contoso", "ci (b)"): []}
    [result] = junit_cases(about("ci"), Severity.NOTE).values()
    assert [(type(each), each.type, each.text) for each in result] == [
        (
            junitparser.Failure,
            "expiring",
            f"warning: {sentence(about('ci').findings[0], NOW)}",
        )
    ]


def test_junit_names_the_file_that_declares_a_token() -> None:
    text = text_of(about("ci", file="tokens.toml", line=7), CheckForm.JUNIT)
    assert '<testcase classname="contoso" name="ci" time="0" file="tokens.toml" line="7">' in text


def test_junit_has_what_is_about_no_token() -> None:
    found = about("ci", kind=Kind.NO_SIGN_IN, name=None, id=None, org=None)
    results = junit_cases(found, Severity.WARNING)
    assert [(key, len(result)) for key, result in results.items()] == [
        (("contoso", "ci"), 0),
        (("pat check", "no-sign-in"), 1),
    ]


def test_no_row_that_cannot_be_read_passes() -> None:
    unnamed = expiring("", id=None)
    text = text_of(checked(unnamed, unnamed), CheckForm.JUNIT)
    assert text.count("<testcase") == text.count("</testcase>") == 2


@pytest.mark.parametrize("name", HOSTILE)
def test_junit_keeps_hostile_names(name: str) -> None:
    [(key, result)] = junit_cases(checked(expiring(name)), Severity.WARNING).items()
    assert key == ("contoso", without_commands(name))
    assert [each.type for each in result] == ["expiring"]


def events(found: Checked) -> list[Any]:
    text = text_of(found, CheckForm.ICS)
    assert "\n" not in text.replace("\r\n", "")
    assert [line for line in text.split("\r\n") if len(line.encode()) > 75] == []
    calendar = icalendar.Calendar.from_ical(text)
    assert calendar.errors == []
    return [each for each in calendar.subcomponents if each.name == "VEVENT"]


def test_the_calendar_has_the_expiry_of_each_active_token() -> None:
    revoked = expiring("gone", status=Status.REVOKED)
    renewed = expiring("renewed", renewal_due=NOW + timedelta(days=1), id="r")
    missed = expiring("missed", renewal_due=NOW - timedelta(days=3), id="m")
    by_git = expiring("git: https://x on y", origin=Origin.GIT, id="g")
    found = checked(expiring("ci"), EXPIRED, UNKNOWN, revoked, renewed, missed, by_git)
    assert [
        (
            str(each["SUMMARY"]),
            each["DTSTART"].dt,
            [alarm["TRIGGER"].dt for alarm in each.subcomponents],
        )
        for each in events(found)
    ] == [
        (f"Token '{name}' in contoso expires", NOW + timedelta(days=2), alarms)
        for name, alarms in (
            ("ci", [timedelta(days=-7), timedelta(days=-1)]),
            ("renewed", [timedelta(days=-1)]),
            ("missed", [timedelta(days=-7), timedelta(days=-1)]),
            ("git: https://x on y", []),
        )
    ]


def test_the_calendar_tells_what_to_run() -> None:
    due = replace(LAPTOP, renewal_due=NOW + timedelta(days=1))
    later = replace(LAPTOP, stored=False)
    pats = (LAPTOP, expiring("ci", stored=False), GLOBAL, due, later)
    assert [str(each["DESCRIPTION"]) for each in events(checked(*pats))] == [
        "Run: pat rotate 3d1f0c2a --org contoso",
        "Run: pat update 3d1f0c2a --expires 30d --org contoso",
        "Run: pat migrate bbbb0c2b --to-all",
        (
            f"pat renew replaces it from {NOW + timedelta(days=1):%Y-%m-%d} on, if it is scheduled."
            " Run: pat rotate 3d1f0c2a --org contoso"
        ),
        "Run: pat update 3d1f0c2a --expires 30d --org contoso",
    ]


def test_a_later_calendar_updates_the_events() -> None:
    elsewhere = expiring("elsewhere", stored=False, id="e")
    before = checked(expiring("ci"), expiring("no id", id=None), elsewhere)
    rotated = replace(before.pats[0], id="another")
    renamed = replace(elsewhere, name="renamed")
    pats = (rotated, before.pats[1], renamed)
    later = before._replace(pats=pats, now=NOW + timedelta(days=1))
    first, second = events(before), events(later)
    assert [each["UID"] for each in first] == [each["UID"] for each in second]
    assert len({each["UID"] for each in first}) == 3
    assert {each["DTSTAMP"].dt for each in second} == {NOW + timedelta(days=1)}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_calendar_keeps_hostile_names(name: str) -> None:
    [event] = events(checked(expiring(name), EXPIRED))
    shown = without_commands(name, broken=True)
    assert str(event["SUMMARY"]) == f"Token '{shown}' in contoso expires"


GRACE, LINUS = user("grace@contoso.example"), user("linus@contoso.example")
SHARED = expiring("ci", stored=False, scopes=("vso.packaging",))
WITHOUT_ID = replace(SHARED, id=None, unread=frozenset({Field.ID}))
EVERYONE = of_everyone((SHARED, GRACE), (WITHOUT_ID, GRACE), (WITHOUT_ID, LINUS))._replace(
    failures=(OrganizationFailure("contoso", "HTTP 500", "ada@contoso.example"),)
)


def test_prometheus_tells_the_tokens_of_everyone_from_ones_own() -> None:
    """node_exporter rejects series that two files have."""
    lines = text_of(EVERYONE, CheckForm.PROMETHEUS).splitlines()
    ends = (NOW + timedelta(days=2)).timestamp()
    grace = f'{{org="contoso",owner="grace@contoso.example",name="ci",id="{ID}",origin="pat"}}'
    assert f"pat_admin_token_expiry_timestamp_seconds{grace} {ends:.0f}" in lines
    assert 'pat_admin_check_complete{org="contoso"} 0' in lines
    assert 'pat_admin_check_findings{org="contoso",kind="expiring",severity="warning"} 3' in lines
    series = {line.partition("{")[0].partition(" ")[0] for line in lines if line[0] != "#"}
    own = text_of(SAMPLE, CheckForm.PROMETHEUS).splitlines()
    assert series & {line.partition("{")[0].partition(" ")[0] for line in own} == set()
    globals_ = of_everyone((GLOBAL, GRACE))
    assert '\npat_admin_token_global{org="contoso",' in text_of(globals_, CheckForm.PROMETHEUS)


def test_junit_has_a_case_for_each_owner_of_a_token() -> None:
    results = junit_cases(EVERYONE, Severity.WARNING)
    assert {key: [each.type for each in result] for key, result in results.items()} == {
        ("contoso", f"ci of {GRACE.upn} ({ID})"): ["expiring"],
        ("contoso", f"ci of {GRACE.upn}"): ["expiring"],
        ("contoso", f"ci of {LINUS.upn}"): ["expiring"],
        ("contoso", "ada@contoso.example"): ["unreadable"],
    }


def test_the_calendar_of_everyone_tells_whom_to_ask() -> None:
    assert [(str(each["SUMMARY"]), str(each["DESCRIPTION"])) for each in events(EVERYONE)] == [
        (
            f"Token 'ci' of {GRACE.upn} in contoso expires",
            "Tell the owner to run: pat update 3d1f0c2a --expires 30d --org contoso",
        ),
        (f"Token 'ci' of {GRACE.upn} in contoso expires", "Ask the owner whether it is needed."),
        (f"Token 'ci' of {LINUS.upn} in contoso expires", "Ask the owner whether it is needed."),
    ]
    assert len({each["UID"] for each in events(EVERYONE)}) == 3
    due = NOW + timedelta(days=1)
    (own,) = events(of_everyone((replace(SHARED, stored=True, renewal_due=due), GRACE)))
    assert str(own["DESCRIPTION"]).endswith("Run: pat rotate 3d1f0c2a --org contoso")


@pytest.mark.parametrize("form", [form for form in CheckForm if form.is_for_runner])
def test_what_a_runner_reads_is_no_file(form: CheckForm) -> None:
    with pytest.raises(UsageError) as caught:
        text_of(SAMPLE, form)
    assert caught.value.message == f"--to does not apply to --as {form}: the runner reads stdout"


def test_no_form_needs_a_library() -> None:
    script = (
        "import sys; from azdo_pat.output import checked_writer\n"
        "from azdo_pat.output.check_forms import azure_pipelines, github_actions, icalendar\n"
        "from azdo_pat.output.check_forms import junit, prometheus, summary\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert loaded & {"rich", "requests", "urllib3", "dateutil", "click", "tomlkit"} == set()
