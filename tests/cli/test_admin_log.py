"""pat admin log and pat admin policy."""

import pytest

from cli.stage import (
    as_jsonl,
    done,
    lines,
    minute,
    put,
    table,
)
from drivers import Emulator, InProcess

OFF = "it has none at all while Log Audit Events is off (organization settings > Policies)"
MEANINGS = {
    "RestrictGlobalPersonalAccessToken": "users cannot create tokens for all organizations",
    "RestrictFullScopePersonalAccessToken": "users cannot create tokens with full access",
    "RestrictPersonalAccessTokenLifespan": (
        "users cannot create tokens that are valid for longer than a limit"
    ),
    "EnableLeakedPersonalAccessTokenAutoRevocation": (
        "Azure DevOps revokes tokens that it finds in public repositories"
    ),
}


def policy(name: str, state: str, *, days: int | None = None) -> dict[str, object]:
    """A policy as the contract has it."""
    exceptions = None if state == "unknown" else False
    meaning = MEANINGS[name]
    return {
        "name": name,
        "state": state,
        "meaning": meaning,
        "max_days": days,
        "exceptions": exceptions,
    }


def test_events_about_tokens(pat: InProcess) -> None:
    assert pat("create", "ci", "--scope", "vso.code", "--no-store", "--as", "json").exit_code == 0
    (event,) = pat("admin", "log", "-o", "json").json
    assert event["details"] == 'Personal Access Token "ci" was created.'
    assert event["program"].startswith("azdo-pat/")
    del event["details"], event["program"]
    assert event == {
        "time": event["time"],
        "action": "Token.PatCreateEvent",
        "token": "ci",
        "actor": "Ada Lovelace",
        "actor_mail": "ada@contoso.example",
        "address": "127.0.0.1",
    }


def test_as_lines_and_as_a_table(pat: InProcess, emulator: Emulator) -> None:
    token = put(emulator, "ci")
    assert pat("revoke", token["authorizationId"], "--yes").exit_code == 0
    (event,) = pat("admin", "log", "-o", "json").json
    assert pat("admin", "log", "-o", "jsonl") == done(as_jsonl(event))
    header, row, below = pat("admin", "log").stdout.splitlines()
    assert header.split() == ["TIME", "EVENT", "TOKEN", "BY"]
    assert row.split() == [*minute(event["time"]).split(), "revoked", "ci", "ada@contoso.example"]
    assert below.strip() == f"from 127.0.0.1 with {event['program']}"


def test_all_events(pat: InProcess) -> None:
    assert pat("admin", "log", "-o", "json").json == []
    (event,) = pat("admin", "log", "--all", "-o", "json").json
    assert (event["action"], event["token"]) == ("AuditLog.AccessLog", None)


def test_an_empty_log_says_what_may_be_off(pat: InProcess) -> None:
    result = pat("admin", "log", "--since", "2026-01-01")
    notice = "the audit log of contoso has no event about tokens since 2026-01-01 00:00"
    assert result == done("", f"{notice}; {OFF}")


def test_a_refusal_names_the_permission(pat: InProcess, emulator: Emulator) -> None:
    emulator.set_policies("audit-log-forbidden")
    result = pat("admin", "log")
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr.splitlines()[0] == "pat: you cannot read the audit log of contoso"
    assert "View audit log" in result.stderr


def test_since_must_be_in_the_past(pat: InProcess) -> None:
    assert pat("admin", "log", "--since", "2999-01-01").exit_code == 2


def test_policies(pat: InProcess, emulator: Emulator) -> None:
    emulator.set_policies("maximum-lifespan=30", "full-scope-forbidden")
    states = [
        policy("RestrictGlobalPersonalAccessToken", "off"),
        policy("RestrictFullScopePersonalAccessToken", "on"),
        policy("RestrictPersonalAccessTokenLifespan", "on", days=30),
        policy("EnableLeakedPersonalAccessTokenAutoRevocation", "on"),
    ]
    assert pat("admin", "policy", "-o", "json").json == states
    rows = [(str(each["name"]), str(each["state"]), str(each["meaning"])) for each in states]
    rows[2] = (*rows[2][:2], f"{rows[2][2]} (30 days)")
    assert pat("admin", "policy") == done(table(("POLICY", "STATE", "MEANING IF ON"), *rows))


def test_a_policy_that_is_not_told_is_unknown(pat: InProcess, emulator: Emulator) -> None:
    emulator.set_policies("policies-forbidden")
    result = pat("admin", "policy", "-o", "json")
    assert result.exit_code == 0
    assert result.json == [policy(name, "unknown") for name in MEANINGS]
    assert result.stderr == lines(
        "the service does not show you every policy; Azure DevOps Administrators see them in the"
        " organization settings, under Microsoft Entra"
    )


@pytest.mark.parametrize("command", ["log", "policy"])
def test_who_is_not_signed_in_is_told_so(pat: InProcess, command: str) -> None:
    result = pat("admin", command, env={"PAT_ACCESS_TOKEN": None, "PATH": ""})
    assert (result.exit_code, result.stdout) == (4, "")


def test_the_log_with_a_personal_access_token(pat: InProcess, emulator: Emulator) -> None:
    secret = emulator.add_with_secret("audit", scope="vso.auditlog")
    env = {"PAT_ACCESS_TOKEN": None, "PATH": "", "PAT_ADMIN_TOKEN": f" {secret}\n"}
    result = pat("admin", "log", "--all", "--debug", "-o", "json", env=env)
    assert result.exit_code == 0, result.stderr
    assert secret not in result.stderr
    assert "AuditLog.AccessLog" in {
        each["action"] for each in pat("admin", "log", "--all", "-o", "json").json
    }


@pytest.mark.parametrize(
    ("scope", "code", "words"),
    [("vso.code", 5, "scope vso.auditlog"), ("", 4, "pat scopes --for admin")],
)
def test_a_personal_access_token_that_will_not_do(
    pat: InProcess, emulator: Emulator, scope: str, code: int, words: str
) -> None:
    secret = emulator.add_with_secret("audit", scope=scope) if scope else "a" * 84
    env = {"PAT_ACCESS_TOKEN": None, "PATH": "", "PAT_ADMIN_TOKEN": secret}
    result = pat("admin", "log", env=env)
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in " ".join(result.stderr.split())


def test_users_with_a_stored_token_and_its_organization(pat: InProcess, emulator: Emulator) -> None:
    created = pat("create", "administrator", "--for", "admin")
    assert created.exit_code == 0
    env = {"PAT_ACCESS_TOKEN": None, "PATH": "", "PAT_ORG": None}
    result = pat("admin", "users", "ada", "--with", "administrator", "-o", "json", env=env)
    assert result.exit_code == 0, result.stderr
    assert [each["upn"] for each in result.json] == ["ada@contoso.example"]
    used = [each for each in emulator.requests if each["path"].endswith("/graph/subjectquery")]
    assert len(used) == 1


def test_a_stored_token_is_not_sent_to_another_service(pat: InProcess) -> None:
    assert pat("create", "administrator", "--for", "admin").exit_code == 0
    env = {"PAT_ORG": None, "PAT_API_URL": "http://127.0.0.1:9"}  # where no one listens
    result = pat("admin", "users", "--with", "administrator", env=env)
    assert result.exit_code == 5, result.stderr


def test_policies_of_a_service_that_does_not_answer(pat: InProcess) -> None:
    result = pat("admin", "policy", env={"PAT_API_URL": "http://127.0.0.1:9"})
    assert (result.exit_code, result.stdout) == (11, "")
