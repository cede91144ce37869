"""pat admin rule."""

import pexpect
import pytest

from cli.stage import done, failed
from drivers import Emulator, InProcess, Installed

RULE = ("admin", "rule", "--scope", "full")


def rules(emulator: Emulator) -> list[object]:
    """What was sent to make rules."""
    sent = emulator.requests
    return [each["body"] for each in sent if each["path"].endswith("/revocationrules")]


def test_a_rule_ends_access_tokens(pat: InProcess, emulator: Emulator) -> None:
    result = pat(*RULE, "--scope", "code", "--yes", "--org", "contoso", "-o", "json")
    assert result.exit_code == 0, result.stderr
    scopes = ["app_token", "vso.code"]
    assert result.json == {"org": "contoso", "scopes": scopes, "before": None, "outcome": "created"}
    assert rules(emulator) == [{"scopes": "app_token vso.code"}]
    assert "must sign in again" in result.stderr
    assert pat("admin", "list", "ada@contoso.example").exit_code == 4
    emulator.advance(1)  # an access token tells the second in which it was issued
    fresh = {"PAT_ACCESS_TOKEN": emulator.mint("user")}
    assert pat("admin", "list", "ada@contoso.example", env=fresh).exit_code == 0


def test_of_a_time_before(pat: InProcess, emulator: Emulator) -> None:
    words = ("--before", "2026-11-01T09:00:00Z", "--yes", "--org", "contoso", "-q", "-o", "none")
    assert pat(*RULE, *words) == done()
    assert rules(emulator) == [{"scopes": "app_token", "createdBefore": "2026-11-01T09:00:00.000Z"}]
    assert pat("admin", "list", "ada@contoso.example").exit_code == 0


def test_dry_run(pat: InProcess, emulator: Emulator) -> None:
    result = pat(*RULE, "--dry-run", "-o", "json")
    assert (result.exit_code, result.json["outcome"], rules(emulator)) == (0, "planned", [])


@pytest.mark.parametrize(
    "words",
    [
        ("admin", "rule", "--yes", "--org", "contoso"),
        (*RULE, "--before", "2999-01-01", "--yes", "--org", "contoso"),
        (*RULE, "--before", "soon", "--yes", "--org", "contoso"),
        (*RULE, "--scope", "cod", "--yes", "--org", "contoso"),
    ],
    ids=" ".join,
)
def test_what_is_no_rule(pat: InProcess, emulator: Emulator, words: tuple[str, ...]) -> None:
    assert (pat(*words).exit_code, emulator.requests) == (2, [])


def test_the_organization_is_given_on_the_command_line(pat: InProcess, emulator: Emulator) -> None:
    """Here it is in the environment."""
    assert pat(*RULE, "--yes") == failed(
        2,
        "--yes needs --org, as a rule cannot be taken back",
        "add --org NAME with the name of the organization",
    )
    assert pat(*RULE, "--org", "contoso").exit_code == 2
    assert emulator.requests == []


def test_who_may_not(pat: InProcess, emulator: Emulator) -> None:
    emulator.set_policies("administrators=grace")
    result = pat(*RULE, "--yes", "--org", "contoso")
    assert (result.exit_code, result.stdout) == (5, "")
    assert "vso.tokenadministration" in result.stderr


@pytest.mark.parametrize(
    ("answer", "code", "made"), [("contoso", 0, 1), ("y", 130, 0), ("", 130, 0)]
)
def test_the_name_is_asked_for(
    pat_process: Installed, emulator: Emulator, answer: str, code: int, made: int
) -> None:
    terminal = pat_process.on_terminal(*RULE)
    terminal.expect("a rule cannot be taken back")
    terminal.expect("type the name of the organization: ")
    terminal.sendline(answer)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert (terminal.exitstatus, len(rules(emulator))) == (code, made), terminal.before
