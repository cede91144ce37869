"""The snippets of the guides, run as a scheduler or a user would run them."""

import json
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import icalendar
import pexpect
import pytest

from drivers import TIME_LIMIT, Emulator, need
from e2e.stage import accepts, active, run
from published import PAGES, snippet


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
    page = (PAGES / "guides/unexpected-token.md").read_text("utf-8")
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
    assert "audit log: no event in the last " in said.rpartition("NAME ")[2]


def alike(text: str) -> list[str]:
    """Return the lines of an output, in any order, without what differs from day to day."""
    distance = r"(?:in [0-9]+ \w+|[0-9]+ \w+ ago)(?: \([0-9]{4}-[0-9]{2}-[0-9]{2}\))?"
    text = re.sub(distance, "DAY", text).replace("stopped", "stops")
    return sorted(" ".join(line.split()) for line in text.splitlines() if line.strip())


def follow(mark: str, env: dict[str, str], home: Path) -> str:
    """Run a block of the guide "Global tokens"; compare what it shows on a terminal, if it does."""
    command, _, shown = snippet("global-tokens", mark).partition("\n")
    if not command.startswith("$ "):
        return run(["/bin/bash", "-euc", snippet("global-tokens", mark)], env, home)
    terminal = pexpect.spawn(
        "/bin/bash",
        ["-euc", command.removeprefix("$ ")],
        env={**env, "TERM": "dumb"},
        cwd=home,
        encoding="utf-8",
        dimensions=(24, 80),
        timeout=TIME_LIMIT,
    )
    said: str = terminal.read()
    terminal.close()
    assert terminal.exitstatus == 0, said
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
