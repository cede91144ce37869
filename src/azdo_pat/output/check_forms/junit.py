"""Write findings as a JUnit report: one case for each token."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from xml.etree import ElementTree as ET

from azdo_pat.findings import Checked, Finding
from azdo_pat.output.check_forms.watched import Watched, report_of
from azdo_pat.output.check_forms.wording import sentence
from azdo_pat.output.sanitize import without_commands
from azdo_pat.times import rfc3339


def junit_text(checked: Checked, fails: Callable[[Finding], bool]) -> str:
    """Return the report.

    A token's case fails if one of its findings does; findings that do not are in its output. An
    organization that could not be checked is an error.

    Args:
        checked: what was found.
        fails: whether a finding fails the case.
    """
    suites = ET.Element("testsuites")
    suite = ET.SubElement(
        suites, "testsuite", name=checked.command, timestamp=rfc3339(checked.read_at), time="0"
    )
    report = report_of(checked)
    names = Counter((each.pat.org, _name(each)) for each in report.tokens)
    for each in report.tokens:
        pat, name = each.pat, _name(each)
        unique = names[pat.org, name] == 1 or pat.id is None
        case = _case(suite, pat.org, name if unique else f"{name} ({pat.id})")
        _add_findings(case, each.findings, fails, checked.now)
    others = defaultdict[tuple[str | None, str], list[Finding]](list)
    for finding in report.others:
        others[finding.org, finding.name or finding.kind].append(finding)
    for (org, name), found in others.items():
        _add_findings(_case(suite, org, name), found, fails, checked.now)
    for failure in checked.failures:
        case = _case(suite, failure.org, failure.what)
        ET.SubElement(case, "error", type="unreadable", message=without_commands(failure.reason))
    _count(suite)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _name(watched: Watched) -> str:
    return f"{watched.pat.name} of {watched.owner.handle}" if watched.owner else watched.pat.name


def _case(suite: ET.Element, org: str | None, name: str) -> ET.Element:
    """Add a case, in a class for each organization."""
    return ET.SubElement(
        suite,
        "testcase",
        classname=without_commands(org or str(suite.get("name"))),
        name=without_commands(name),
        time="0",
    )


def _add_findings(
    case: ET.Element,
    findings: Sequence[Finding],
    fails: Callable[[Finding], bool],
    now: datetime,
) -> None:
    failing = [each for each in findings if fails(each)]
    others = [each for each in findings if each not in failing]
    declared = next((each for each in findings if each.file), None)
    if declared:
        case.set("file", without_commands(declared.file))
        if declared.line is not None:
            case.set("line", str(declared.line))
    if failing:
        # Readers show one failure of a case.
        failure = ET.SubElement(
            case, "failure", type=failing[0].kind, message=without_commands(failing[0].message)
        )
        failure.text = _sentences(failing, now)
    if others:
        ET.SubElement(case, "system-out").text = _sentences(others, now)


def _sentences(findings: Sequence[Finding], now: datetime) -> str:
    return "\n".join(
        without_commands(f"{each.severity}: {sentence(each, now)}") for each in findings
    )


def _count(suite: ET.Element) -> None:
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suite.set("skipped", "0")
