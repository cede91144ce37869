"""The snippets of the guides, run as cron, systemd and CI would run them."""

import configparser
import json
import os
import re
import shutil
import stat
import subprocess
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import icalendar
import junitparser
import pytest

from drivers import PROGRAM, TIME_LIMIT, Emulator, Installed, need
from e2e.stage import accepts, active, in_keyring

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
CRON = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LOGNAME": "ada"}
"""What cron gives to what it runs (crontab(5)), beside HOME."""


def snippet(guide: str, mark: str) -> str:
    """Return the block of a guide that stands below its mark."""
    text = (GUIDES / f"{guide}.md").read_text("utf-8")
    block = rf"<!-- test: {mark} -->\n *```\w+\n(.*?)^ *```$"
    found = re.search(block, text, re.DOTALL | re.MULTILINE)
    assert found, f"{guide}.md has no block below <!-- test: {mark} -->"
    return textwrap.dedent(found[1])


def script(yaml: str, key: str) -> str:
    """Return the script of a step, as the runner writes it to a file."""
    lines = yaml.splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip().lstrip("- ") == f"{key}: |")
    depth = len(lines[start + 1]) - len(lines[start + 1].lstrip())
    body = []
    for line in lines[start + 1 :]:
        if line.strip() and len(line) - len(line.lstrip()) < depth:
            break
        body.append(line)
    return textwrap.dedent("\n".join(body))


def run(command: list[str], env: dict[str, str], cwd: Path, *, code: int = 0) -> str:
    """Run it; it must end with this code; return what it said."""
    ran = subprocess.run(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT,
        check=False,
    )
    assert ran.returncode == code, ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture
def bare(pat: Installed, home: Path) -> dict[str, str]:
    """What a clock's job has: where the emulator is stands for the network and the sign-in."""
    programs = home / "bin"
    programs.mkdir()
    (programs / "pat").symlink_to(PROGRAM)
    own = pat.environment()
    session = ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "XDG_DATA_HOME")
    kept = {name: own[name] for name in own if name.startswith("PAT_") or name in session}
    return {**kept, **CRON, "HOME": str(home), "PATH": f"{programs}:{CRON['PATH']}"}


def make(pat: Installed, name: str, expires: str = "12h") -> None:
    made = ("create", name, "--scope", "code", "--expires", expires, "-q", "-o", "none")
    assert pat(*made).exit_code == 0


def test_cron(pat: Installed, emulator: Emulator, bare: dict[str, str], home: Path) -> None:
    make(pat, "ci")
    *settings, line = snippet("renew", "cron").splitlines()
    assert [each.partition("=")[0] for each in settings] == ["DBUS_SESSION_BUS_ADDRESS"]
    minute, hour, *rest = line.split(maxsplit=5)
    assert (minute.isdigit(), hour, rest[:3]) == (True, "5,17", ["*", "*", "*"])
    command = rest[3]
    env = {name: text for name, text in bare.items() if name != "XDG_RUNTIME_DIR"}
    before = in_keyring(pat.environment(), emulator, "ci")
    assert run(["/bin/sh", "-c", command], env, home) == ""
    assert in_keyring(pat.environment(), emulator, "ci") == before
    said = run(["/bin/sh", "-c", f"{command} --within 13h -o none"], env, home)
    assert said == ""
    after = in_keyring(pat.environment(), emulator, "ci")
    assert after not in {None, before}
    assert len(active(emulator, "ci")) == 1


def test_systemd(pat: Installed, emulator: Emulator, bare: dict[str, str], home: Path) -> None:
    make(pat, "ci")
    service = configparser.ConfigParser(interpolation=None)
    service.read_string(snippet("renew", "service"))
    timer = configparser.ConfigParser(interpolation=None)
    timer.read_string(snippet("renew", "timer"))
    assert service["Service"]["Type"] == "oneshot"
    assert timer["Timer"]["Persistent"] == "true"
    if shutil.which("systemd-analyze"):
        run(["systemd-analyze", "calendar", timer["Timer"]["OnCalendar"]], dict(os.environ), home)
    before = in_keyring(pat.environment(), emulator, "ci")
    start = service["Service"]["ExecStart"].split()
    assert "renewed 1 token\n" in run([*start, "--within", "13h"], bare, home)
    assert in_keyring(pat.environment(), emulator, "ci") != before


def test_azure_pipelines(
    pat: Installed, emulator: Emulator, bare: dict[str, str], home: Path
) -> None:
    (home / "tokens.toml").write_text(snippet("apply", "apply"), "utf-8")
    deploy = home / "deploy-secret"
    deploy.write_text('#!/bin/sh\n[ "$1" = production ] && cat > deployed\n')
    deploy.chmod(0o700)
    step = home / "step.sh"
    step.write_text(script(snippet("renew", "azure-pipelines"), "bash"))
    env = {**bare, "CI": "true"}
    assert "created 2\n" in run(["/bin/bash", str(step)], env, home)
    deployed = (home / "deployed").read_text()
    assert in_keyring(pat.environment(), emulator, "deploy") == deployed
    assert accepts(emulator, deployed)
    packages = (home / ".env").read_text().removeprefix("AZURE_PACKAGES=").strip()
    assert in_keyring(pat.environment(), emulator, "packages") == packages
    assert stat.S_IMODE((home / ".env").stat().st_mode) == 0o600
    assert "kept 2\n" in run(["/bin/bash", str(step)], env, home)


def test_github_actions(emulator: Emulator, bare: dict[str, str], home: Path) -> None:
    gh = home / "bin" / "gh"
    gh.write_text('#!/bin/sh\necho "$*" > gh-arguments; cat > gh-secret\n')
    gh.chmod(0o700)
    step = home / "step.sh"
    step.write_text(script(snippet("renew", "github-actions"), "run"))
    env = {**bare, "CI": "true", "GITHUB_REPOSITORY": "contoso/app"}
    for said in ("created 'ci' in contoso", "kept 'ci' in contoso"):
        assert said in run(["/bin/bash", str(step)], env, home)
    assert (home / "gh-arguments").read_text() == "secret set AZURE_PAT --repo contoso/app\n"
    assert accepts(emulator, (home / "gh-secret").read_text())
    assert len(active(emulator, "ci")) == 1


FOUND = "'ci' in contoso: its lifetime is"


@pytest.fixture
def watched(pat: Installed, bare: dict[str, str]) -> dict[str, str]:
    """What a job has that looks at a token with one warning, without the session of a user."""
    make(pat, "ci", "200d")
    session = ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "PAT_ACCESS_TOKEN")
    return {name: text for name, text in bare.items() if name not in session}


def test_check_by_cron(pat: Installed, watched: dict[str, str], home: Path) -> None:
    command = snippet("expiry", "cron").split(maxsplit=5)[5]
    said = run(["/bin/sh", "-c", command], watched, home, code=10)
    assert FOUND.partition(": ")[2] in said
    assert pat("update", "ci", "--expires", "30d", "-q", "-o", "none").exit_code == 0
    assert run(["/bin/sh", "-c", command], watched, home) == ""


def test_check_by_systemd(watched: dict[str, str], home: Path) -> None:
    service = configparser.ConfigParser(interpolation=None)
    service.read_string(snippet("expiry", "service"))
    timer = configparser.ConfigParser(interpolation=None)
    timer.read_string(snippet("expiry", "timer"))
    if shutil.which("systemd-analyze"):
        run(["systemd-analyze", "calendar", timer["Timer"]["OnCalendar"]], dict(os.environ), home)
    run(service["Service"]["ExecStart"].split(), watched, home, code=10)


def test_check_in_azure_pipelines(watched: dict[str, str], home: Path) -> None:
    step = home / "step.sh"
    step.write_text(script(snippet("expiry", "azure-pipelines"), "bash"))
    temporary = home / "temporary"
    temporary.mkdir()
    env = {**watched, "CI": "true", "TF_BUILD": "True", "AGENT_TEMPDIRECTORY": str(temporary)}
    said = run(["/bin/bash", str(step)], env, home).splitlines()
    [summary] = temporary.iterdir()
    assert said[0].startswith(f"##vso[task.logissue type=warning;code=pat-long-lived]{FOUND}")
    assert said[1:] == [
        f"##vso[task.uploadsummary]{summary}",
        "##vso[task.complete result=SucceededWithIssues]",
    ]
    assert "\n| warning | <code>ci</code> | contoso |" in summary.read_text("utf-8")


def test_check_as_test_results(watched: dict[str, str], home: Path) -> None:
    yaml = snippet("expiry", "junit")
    step = home / "step.sh"
    step.write_text(script(yaml, "bash"))
    assert run(["/bin/bash", str(step)], {**watched, "CI": "true"}, home, code=10) == ""
    file = yaml.partition("testResultsFiles: ")[2].strip()
    [suite] = junitparser.JUnitXml.fromfile(str(home / file))
    assert [(case.classname, case.name, len(case.result)) for case in suite] == [
        ("contoso", "ci", 1)
    ]


def test_check_in_github_actions(watched: dict[str, str], home: Path) -> None:
    step = home / "step.sh"
    step.write_text(script(snippet("expiry", "github-actions"), "run"))
    summary = home / "summary"
    more = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    said = run(["/bin/bash", str(step)], watched | more, home)
    assert said.startswith(f"::warning title=long-lived%3A ci::{FOUND}")
    assert "\n| warning | <code>ci</code> | contoso |" in summary.read_text("utf-8")


def test_check_for_prometheus(
    request: pytest.FixtureRequest, watched: dict[str, str], home: Path
) -> None:
    need(request.config, [] if shutil.which("promtool") else ["promtool"])
    command = snippet("expiry", "prometheus").split(maxsplit=5)[5]
    folder = "/var/lib/prometheus/node-exporter"
    assert folder in command
    said = run(["/bin/sh", "-c", command.replace(folder, str(home))], watched, home)
    assert said == ""
    metrics = (home / "pat.prom").read_text("utf-8")
    [findings] = [line for line in metrics.splitlines() if line.startswith("pat_check_findings")]
    assert findings == 'pat_check_findings{org="contoso",kind="long-lived",severity="warning"} 1'
    (home / "rules.yml").write_text(snippet("expiry", "rules"))
    promtool = {**os.environ, "HOME": str(home)}
    assert "SUCCESS: 2 rules found" in run(
        ["promtool", "check", "rules", "rules.yml"], promtool, home
    )
    (home / "test.yml").write_text(ALERTS)
    run(["promtool", "test", "rules", "test.yml"], promtool, home)


ALERTS = """\
rule_files: [rules.yml]
tests:
  - interval: 1m
    input_series:
      - series: 'pat_check_findings{instance="a",org="contoso",kind="expiring",severity="warning"}'
        values: 2x600
      - series: 'pat_check_findings{instance="a",org="contoso",kind="broad",severity="note"}'
        values: 1x600
      - series: 'pat_check_findings{instance="a",org="",kind="global",severity="error"}'
        values: 1x600
      - series: 'pat_check_timestamp_seconds{instance="a"}'
        values: 0+0x600
      - series: 'pat_check_complete{instance="a"}'
        values: 1x600
    alert_rule_test:
      - alertname: AzureDevOpsTokens
        eval_time: 1h
        exp_alerts:
          - exp_labels: {instance: a, org: contoso, kind: expiring}
            exp_annotations:
              summary: "pat check on a found: expiring, 2 times in contoso. Run there: pat check"
          - exp_labels: {instance: a, kind: global}
            exp_annotations:
              summary: "pat check on a found: global, 1 times. Run there: pat check"
      - alertname: AzureDevOpsTokensNotChecked
        eval_time: 2h
        exp_alerts: []
      - alertname: AzureDevOpsTokensNotChecked
        eval_time: 4h
        exp_alerts:
          - exp_labels: {instance: a}
            exp_annotations:
              summary: "Azure DevOps tokens have not been checked on a. Run there: pat check"
"""
"""Ten hours of metrics, and the alerts that they raise (promtool's "Unit testing for rules")."""


def test_check_for_a_calendar(watched: dict[str, str], home: Path) -> None:
    command = snippet("expiry", "calendar")
    assert run(["/bin/sh", "-c", command], watched, home) == ""
    calendar = icalendar.Calendar.from_ical((home / "tokens.ics").read_bytes())
    [event] = calendar.walk("VEVENT")
    assert event["SUMMARY"] == "Token 'ci' in contoso expires"


def test_a_token_you_did_not_make(emulator: Emulator, bare: dict[str, str], home: Path) -> None:
    emulator.add_tokens(name="strange")
    shell = ["/bin/bash", "-euc"]
    said = run([*shell, snippet("unexpected-token", "name")], {**bare, "COLUMNS": "80"}, home)
    page = (GUIDES / "unexpected-token.md").read_text("utf-8")
    shown, doubt = re.findall(r"^```text\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)[:2]
    # The page shows another moment.
    kept = shown.partition("Tokens")[0]
    assert said.startswith(kept)
    assert said.endswith(doubt)
    said = run([*shell, snippet("unexpected-token", "all")], bare, home)
    assert said.count("git: https://dev.azure.com/contoso on ada-laptop") == 2
    assert "strange" in said
    assert said.splitlines().count(emulator.tokens[-1]["authorizationId"]) == 1
    said = run([*shell, snippet("unexpected-token", "audit")], {**bare, "COLUMNS": "80"}, home)
    assert "created by Ada Lovelace <ada@contoso.example> from\n" in said
    assert "            127.0.0.1 with azdo-pat/" in said
    assert "audit log: no event since " in said.rpartition("NAME ")[2]


def alike(text: str) -> list[str]:
    """Return the lines of an output, in any order, without what differs from day to day."""
    text = re.sub(r"\d{4}-\d\d-\d\d \(.*?\)", "DAY", text).replace("stopped", "stops")
    return sorted(" ".join(line.split()) for line in text.splitlines())


def follow(mark: str, env: dict[str, str], home: Path) -> str:
    """Run a block of the guide "Global tokens"; compare what it shows, if it does."""
    command, _, shown = snippet("global-tokens", mark).partition("\n")
    if not command.startswith("$ "):
        return run(["/bin/bash", "-euc", snippet("global-tokens", mark)], env, home)
    said = run(["/bin/bash", "-euc", command.removeprefix("$ ")], env, home)
    assert alike(said) == alike(shown)
    return said


def test_global_tokens(emulator: Emulator, bare: dict[str, str], home: Path) -> None:
    follow("find", bare, home)
    assert json.loads(follow("script", bare, home)) == ["old laptop"]
    assert "fix: pat migrate " in follow("check", bare, home)
    for mark in ("plan", "migrate"):
        follow(mark, bare, home)
    for org, secret in zip(("contoso", "fabrikam"), follow("use", bare, home).split(), strict=True):
        assert accepts(emulator, secret, org=org)
    follow("revoke", bare, home)
    assert len(active(emulator, "old laptop")) == 2


def test_global_tokens_are_revoked_later(
    emulator: Emulator, bare: dict[str, str], home: Path
) -> None:
    said = follow("revoke-old", bare, home)
    assert "will be revoked by the first command that signs in after" in said
    assert len(active(emulator, "old laptop")) == 3


def test_global_tokens_become_narrower(
    emulator: Emulator, bare: dict[str, str], home: Path
) -> None:
    follow("narrow", bare, home)
    new = active(emulator, "old laptop")
    scopes = {each["scope"] for each in emulator.tokens if each["authorizationId"] in new}
    assert scopes == {"vso.code_write", "vso.code"}


def test_global_tokens_after_the_day(emulator: Emulator, bare: dict[str, str], home: Path) -> None:
    emulator.set_policies("global-hidden")
    ahead = datetime(2026, 12, 2, tzinfo=UTC) - datetime.now(UTC)
    emulator.advance(max(0, ahead.total_seconds()))
    env = {**bare, "PAT_ACCESS_TOKEN": emulator.mint("user")}
    assert "created 1\n" in follow("afterwards", env, home)
