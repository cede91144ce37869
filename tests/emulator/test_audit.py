"""The audit log: what is recorded, who may read it, and its pages."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from azdo_pat.emulator.run import Options, start
from emulator.stage import ADA_ID, AUDIT_ACTIONS, AUDIT_LOG, NOW, PATS, Stage, new_token

READ = "AuditLog.AccessLog"
SSH = "Token.SshRevokeEvent"
CREATED, UPDATED, REVOKED = "Token.PatCreateEvent", "Token.PatUpdateEvent", "Token.PatRevokeEvent"


def entries(stage: Stage, **query: str) -> list[dict[str, Any]]:
    """Return the events about tokens of one page."""
    answer = stage.ask("GET", AUDIT_LOG, query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["decoratedAuditLogEntries"]
    return [each for each in found if each["area"] == "Token"]


def summaries(stage: Stage, **query: str) -> list[tuple[str, str]]:
    return [(each["actionId"], each["data"]["DisplayName"]) for each in entries(stage, **query)]


def tick(stage: Stage) -> None:
    stage.control("POST", "clock", {"advanceSeconds": 60})


def test_what_happens_to_tokens_is_recorded(stage: Stage) -> None:
    token = stage.create(displayName="ci")["authorizationId"]
    tick(stage)
    stage.ask("PUT", PATS, body={"authorizationId": token, "displayName": "renamed"})
    tick(stage)
    stage.ask("DELETE", PATS, {"authorizationId": token})
    assert summaries(stage) == [(REVOKED, "renamed"), (UPDATED, "renamed"), (CREATED, "ci")]


def test_who_did_it_from_where_with_what(stage: Stage) -> None:
    answer = stage.ask(
        "POST",
        PATS,
        body={"displayName": "ci", "scope": "vso.code", "validTo": "2026-07-15T12:00:00Z"},
        headers={"User-Agent": "tool/1.0"},
    )
    (entry,) = entries(stage)
    assert entry["actorDisplayName"] == "Ada Lovelace"
    assert (entry["actorUserId"], entry["actorUPN"]) == (ADA_ID, "ada@contoso.example")
    assert (entry["ipAddress"], entry["userAgent"]) == ("127.0.0.1", "tool/1.0")
    assert entry["details"] == 'Personal Access Token "ci" was created.'
    assert (entry["area"], entry["category"]) == ("Token", "create")
    assert entry["activityId"] == answer.headers["ActivityId"]
    assert entry["timestamp"] == NOW.isoformat()


@pytest.mark.parametrize(
    "name", ['a "quoted" one', "{name}", "##vso[task.complete]", "line\u2028end"]
)
def test_a_name_stands_as_it_is(stage: Stage, name: str) -> None:
    stage.create(displayName=name)
    (entry,) = entries(stage)
    assert entry["details"] == f'Personal Access Token "{name}" was created.'


def test_what_is_refused_is_not_recorded(stage: Stage) -> None:
    stage.error(scope="nope")
    assert entries(stage) == []


def test_an_answer_that_is_lost_does_not_undo_the_event(stage: Stage) -> None:
    stage.fault("POST */pats cut=after")
    with pytest.raises(requests.ConnectionError):
        stage.create(displayName="lost")
    assert summaries(stage) == [(CREATED, "lost")]


def test_reading_is_recorded_once_for_all_pages(stage: Stage) -> None:
    for name in "abc":
        stage.create(displayName=name)
        tick(stage)
    first = stage.ask("GET", AUDIT_LOG, {"batchSize": "2"}).json()
    tick(stage)
    token = first["continuationToken"]
    second = stage.ask("GET", AUDIT_LOG, {"batchSize": "2", "continuationToken": token}).json()
    assert (first["hasMore"], second["hasMore"]) == (True, False)
    names = [
        each["data"]["DisplayName"]
        for page in (first, second)
        for each in page["decoratedAuditLogEntries"]
    ]
    assert names == ["c", "b", "a"]
    read = stage.ask("GET", AUDIT_LOG).json()["decoratedAuditLogEntries"]
    assert [each["actionId"] for each in read].count(READ) == 1


def test_the_last_page_has_a_continuation_token_too(stage: Stage) -> None:
    """So a client that goes on while there is one never ends."""
    stage.create()
    tick(stage)
    page = stage.ask("GET", AUDIT_LOG).json()
    assert page["hasMore"] is False
    assert page["continuationToken"] == page["decoratedAuditLogEntries"][-1]["id"]
    tick(stage)
    query = {"continuationToken": page["continuationToken"]}
    after = stage.ask("GET", AUDIT_LOG, query).json()
    assert after == {**page, "decoratedAuditLogEntries": []}


def test_a_span_of_time(stage: Stage) -> None:
    stage.create(displayName="old")
    stage.control("POST", "clock", {"advanceSeconds": 3600})
    stage.create(displayName="new")
    half = (NOW + timedelta(minutes=30)).isoformat()
    assert summaries(stage, startTime=half) == [(CREATED, "new")]
    assert summaries(stage, endTime=half) == [(CREATED, "old")]


def test_nothing_is_kept_for_longer_than_90_days(stage: Stage) -> None:
    stage.create()
    stage.control("POST", "clock", {"advanceSeconds": 91 * 86400})
    stage.token = stage.access_token()
    assert entries(stage) == []


def test_each_organization_has_its_own(stage: Stage) -> None:
    stage.create()
    answer = stage.ask("GET", AUDIT_LOG.replace("contoso", "fabrikam"))
    assert answer.json()["decoratedAuditLogEntries"] == []


def test_an_organization_may_keep_none(stage: Stage) -> None:
    stage.control("PUT", "policies", ["auditing-disabled"])
    stage.create()
    stage.control("PUT", "policies", {})
    assert entries(stage) == []


def test_a_permission_is_needed(stage: Stage) -> None:
    stage.control("PUT", "policies", ["audit-log-forbidden"])
    for path in (AUDIT_LOG, AUDIT_ACTIONS):
        answer = stage.ask("GET", path)
        assert (answer.status_code, answer.json()["typeKey"]) == (403, "AccessCheckException")
        assert "View audit log" in answer.json()["message"]


def test_each_organization_has_policies_of_its_own(stage: Stage) -> None:
    policies = ["fabrikam:auditing-disabled", "fabrikam:audit-log-forbidden"]
    stage.control("PUT", "policies", policies)
    stage.create()
    assert len(entries(stage)) == 1
    there = AUDIT_LOG.replace("contoso", "fabrikam")
    assert stage.ask("GET", there).status_code == 403
    stage.ask("POST", PATS.replace("contoso", "fabrikam"), body=new_token())
    stage.control("PUT", "policies", {})
    assert stage.ask("GET", there).json()["decoratedAuditLogEntries"] == []


@pytest.mark.parametrize(
    ("scopes", "status"), [("vso.auditlog", 200), ("user_impersonation", 200), ("vso.pats", 403)]
)
def test_the_scope_of_an_access_token(stage: Stage, scopes: str, status: int) -> None:
    stage.token = stage.access_token(scopes=scopes)
    assert stage.ask("GET", AUDIT_LOG).status_code == status


@pytest.mark.parametrize(
    ("scope", "status"), [("vso.auditlog", 200), ("app_token", 200), ("vso.code", 403)]
)
def test_a_personal_access_token_will_do(stage: Stage, scope: str, status: int) -> None:
    order = {"scope": scope, "withSecrets": True}
    (secret,) = stage.control("POST", "tokens", order)["secrets"]
    answer = stage.connect(secret, f"{AUDIT_LOG}?api-version=7.2-preview.1")
    assert answer.status_code == status
    (entry, *_) = stage.ask("GET", AUDIT_LOG).json()["decoratedAuditLogEntries"] or [{}]
    assert entry.get("authenticationMechanism") == ("PAT" if status == 200 else None)


def test_strangers_read_nothing(stage: Stage) -> None:
    assert stage.connect("nope", f"{AUDIT_LOG}?api-version=7.2-preview.1").status_code == 401
    assert stage.ask("GET", AUDIT_LOG.replace("contoso", "northwind")).status_code == 401
    stage.token = None
    assert stage.ask("GET", AUDIT_LOG).status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        {"startTime": "yesterday"},
        {"endTime": ""},
        {"startTime": "2026-06-15T12:00:00Z", "endTime": "2026-06-14T12:00:00Z"},
        {"batchSize": "0"},
        {"batchSize": "many"},
        {"batchSize": "4294967296"},
        {"continuationToken": "abc"},
        {"skipAggregation": "perhaps"},
    ],
    ids=str,
)
def test_what_is_no_query(stage: Stage, query: dict[str, str]) -> None:
    assert stage.ask("GET", AUDIT_LOG, query).status_code == 400


def test_it_is_in_preview(stage: Stage) -> None:
    stage.version = "7.1"
    assert stage.ask("GET", AUDIT_LOG).json()["typeKey"] == "VssInvalidPreviewVersionException"
    stage.version = None
    assert stage.ask("GET", AUDIT_LOG).json()["typeKey"] == "VssVersionNotSpecifiedException"


def test_the_actions_of_one_area(stage: Stage) -> None:
    answer = stage.ask("GET", AUDIT_ACTIONS, {"areaName": "token"}).json()
    assert [each["actionId"] for each in answer["value"]] == [CREATED, REVOKED, UPDATED, SSH]


def test_only_reading(stage: Stage) -> None:
    assert stage.ask("POST", AUDIT_LOG).status_code == 405


def test_it_outlives_the_emulator(tmp_path: Path) -> None:
    options = Options(state_file=tmp_path / "state.json")
    for expected in ([(CREATED, "ci")], [(CREATED, "ci")] * 2):
        with start(options, clock=lambda: NOW) as emulator, requests.Session() as session:
            stage = Stage(emulator=emulator, session=session, token=emulator.access_token)
            stage.create(displayName="ci")
            assert summaries(stage) == expected
