"""The administration of tokens: everyone's tokens, how they end, and who may do that."""

import base64
import hashlib
from typing import Any

import pytest

from emulator.stage import (
    ADA,
    AUDIT_LOG,
    CONNECTION,
    CONTOSO_ID,
    FABRIKAM_ID,
    GRACE,
    GRACE_ID,
    GRAPH_USERS,
    PATS,
    TOKEN_ADMIN,
    UNKNOWN_ID,
    Stage,
)

LIST = f"{TOKEN_ADMIN}/personalaccesstokens"
REVOCATIONS = f"{TOKEN_ADMIN}/revocations"
RULES = f"{TOKEN_ADMIN}/revocationrules"
NO_ID = "00000000-0000-0000-0000-000000000000"
NOBODY = "aad.MDAwMDAwMDAtMTExMS0yMjIyLTMzMzMtNDQ0NDQ0NDQ0NDQ0"
OTHERS = {"vso.tokens", "vso.pats_manage", "vso.code"}


def listed(stage: Stage, descriptor: str, **query: str) -> list[dict[str, Any]]:
    """All pages of a user's tokens."""
    found: list[dict[str, Any]] = []
    while True:
        answer = stage.ask("GET", f"{LIST}/{descriptor}", query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert set(page) == {"value", "continuationToken"}
        found += page["value"]
        if page["continuationToken"] is None:
            return found
        query["continuationToken"] = page["continuationToken"]


def valid(stage: Stage, descriptor: str, **query: str) -> dict[str, bool]:
    """Whether the tokens of a user work, by name."""
    return {token["displayName"]: token["isValid"] for token in listed(stage, descriptor, **query)}


def revoke(stage: Stage, *ids: str, path: str = REVOCATIONS, **query: str) -> int:
    body = [{"authorizationId": each} for each in ids]
    answer = stage.ask("POST", path, query, body=body)
    assert answer.content == b"" or not answer.ok
    return answer.status_code


def test_the_tokens_of_another_user(bare: Stage) -> None:
    order = {"user": "grace", "withSecrets": True, "name": "deploy", "scope": "vso.code vso.work"}
    made = bare.control("POST", "tokens", order | {"validTo": "2026-07-15T12:00:00Z"})
    digest = hashlib.sha256(made["secrets"][0].encode()).hexdigest().upper()
    correlating = hashlib.sha256(f"CrossMicrosoftCorrelatingId:{digest}".encode()).digest()
    assert listed(bare, GRACE) == [
        {
            "clientId": NO_ID,
            "accessId": NO_ID,
            "authorizationId": made["ids"][0],
            "hostAuthorizationId": NO_ID,
            "userId": GRACE_ID,
            "validFrom": "2026-04-16T12:00:00.1233333",
            "validTo": "2026-07-15T12:00:00",
            "displayName": "deploy",
            "scope": "vso.code vso.work",
            "targetAccounts": [CONTOSO_ID],
            "token": None,
            "alternateToken": None,
            "isValid": True,
            "isPublic": False,
            "publicData": None,
            "source": None,
            "crossCompanyCorrelatingId": base64.b64encode(correlating[:15]).decode(),
        }
    ]


def test_what_has_ended_is_listed_and_what_is_elsewhere_is_not(bare: Stage) -> None:
    for state in ("active", "expired", "revoked"):
        bare.control("POST", "tokens", {"state": state, "name": state})
    bare.control("POST", "tokens", {"name": "elsewhere", "organization": "fabrikam"})
    bare.control("POST", "tokens", {"name": "global", "allOrgs": True})
    assert valid(bare, ADA) == {"active": True, "expired": False, "revoked": False, "global": True}
    assert [token["targetAccounts"] for token in listed(bare, ADA)][-1] is None
    fabrikam = bare.ask("GET", f"/fabrikam/_apis/tokenadmin/personalaccesstokens/{ADA}").json()
    assert [token["targetAccounts"] for token in fabrikam["value"]] == [[FABRIKAM_ID], None]


def test_pages(bare: Stage) -> None:
    ids = bare.control("POST", "tokens", {"count": 250, "user": "grace"})["ids"]
    first = bare.ask("GET", f"{LIST}/{GRACE}").json()
    assert len(first["value"]) == 20
    assert first["continuationToken"] == ids[20]
    for size in ("1", "100", "83", "50"):
        assert [each["authorizationId"] for each in listed(bare, GRACE, pageSize=size)] == ids
    bare.fault("GET */personalaccesstokens/* repeat-continuation times=always")
    query = {"continuationToken": ids[20]}
    assert bare.ask("GET", f"{LIST}/{GRACE}", query).json()["continuationToken"] == ids[20]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pageSize", "0"),
        ("pageSize", "101"),
        ("pageSize", "many"),
        ("continuationToken", "x"),
        ("continuationToken", UNKNOWN_ID),
        ("isPublic", "maybe"),
    ],
)
def test_bad_queries(stage: Stage, name: str, value: str) -> None:
    assert stage.ask("GET", f"{LIST}/{ADA}", {name: value}).status_code == 400


def test_bad_descriptors(stage: Stage) -> None:
    descriptors = (NOBODY, "vssgp.Uy0xLTktMTU1MTM3NDI0NQ", "aadsp." + ADA[4:], "ada", "aad.!")
    statuses = [stage.ask("GET", f"{LIST}/{each}").status_code for each in descriptors]
    assert statuses == [404, 404, 404, 400, 400]
    # Grace is not of this organization.
    path = f"/fabrikam/_apis/tokenadmin/personalaccesstokens/{GRACE}"
    assert stage.ask("GET", path).status_code == 404


def test_ssh_keys_are_a_list_of_their_own(bare: Stage) -> None:
    (key,) = bare.control("POST", "tokens", {"ssh": True, "name": "key"})["ids"]
    bare.control("POST", "tokens", {"name": "token"})
    assert valid(bare, ADA) == {"token": True}
    (found,) = listed(bare, ADA, isPublic="true")
    assert (found["displayName"], found["isPublic"]) == ("key", True)
    assert found["crossCompanyCorrelatingId"] is None
    # They are none of the owner's personal access tokens.
    assert bare.names(displayFilterOption="all") == ["token"]
    assert bare.ask("DELETE", PATS, {"authorizationId": key}).status_code == 404
    assert revoke(bare, key) == 204
    assert valid(bare, ADA, isPublic="True") == {"key": True}
    assert revoke(bare, key, isPublic="true") == 204
    assert valid(bare, ADA, isPublic="true") == {"key": False}


def test_revoking_many(bare: Stage) -> None:
    grace = bare.control("POST", "tokens", {"count": 3, "user": "grace", "withSecrets": True})
    ada = bare.control("POST", "tokens", {"name": "mine"})["ids"]
    elsewhere = bare.control("POST", "tokens", {"organization": "fabrikam"})["ids"]
    ids = grace["ids"]
    assert revoke(bare, ids[0].upper(), ids[2], *ada, UNKNOWN_ID, *elsewhere) == 204
    assert valid(bare, GRACE) == {"token 1": False, "token 2": True, "token 3": False}
    assert valid(bare, ADA) == {"mine": False}
    assert [bare.connect(secret).status_code for secret in grace["secrets"]] == [401, 200, 401]
    state = {token["authorizationId"]: token for token in bare.control("GET", "state")["tokens"]}
    assert state[elsewhere[0]]["status"] == "active"
    assert revoke(bare, *ids) == 204  # again, and nothing is said


@pytest.mark.parametrize(
    "body",
    [None, {}, [{}], [None], ["x"], [{"authorizationId": "x"}], [{"authorizationId": NO_ID}]],
)
def test_revocations_that_are_not_understood_end_nothing(bare: Stage, body: object) -> None:
    (token,) = bare.control("POST", "tokens", {"name": "one"})["ids"]
    sent = [{"authorizationId": token}, *body] if isinstance(body, list) else body
    assert bare.ask("POST", REVOCATIONS, body=sent).status_code == 400
    assert valid(bare, ADA) == {"one": True}


def test_too_many_revocations_are_refused(bare: Stage) -> None:
    assert revoke(bare, *[UNKNOWN_ID] * 1000) == 204
    assert revoke(bare, *[UNKNOWN_ID] * 1001) == 400
    assert revoke(bare) == 204


def test_a_revocation_may_take_its_time(bare: Stage) -> None:
    bare.control("PUT", "policies", ["revocation-delay=600"])
    order = {"user": "grace", "name": "slow", "withSecrets": True}
    made = bare.control("POST", "tokens", order)
    (secret,) = made["secrets"]
    assert revoke(bare, *made["ids"]) == 204
    bare.control("POST", "clock", {"advanceSeconds": 599})
    assert (valid(bare, GRACE), bare.connect(secret).status_code) == ({"slow": True}, 200)
    assert revoke(bare, *made["ids"]) == 204  # does not begin the wait again
    bare.control("POST", "clock", {"advanceSeconds": 1})
    assert (valid(bare, GRACE), bare.connect(secret).status_code) == ({"slow": False}, 401)


def test_revocations_are_recorded(bare: Stage) -> None:
    (token,) = bare.control("POST", "tokens", {"user": "grace", "name": "hers"})["ids"]
    (key,) = bare.control("POST", "tokens", {"user": "grace", "name": "key", "ssh": True})["ids"]
    revoke(bare, token, UNKNOWN_ID, token)
    bare.control("POST", "clock", {"advanceSeconds": 60})
    revoke(bare, key, isPublic="true")
    entries = bare.ask("GET", AUDIT_LOG).json()["decoratedAuditLogEntries"]
    found = [
        (each["actionId"], each["data"], each["actorUPN"], each["category"])
        for each in entries
        if each["area"] == "Token"
    ]
    ada = "ada@contoso.example"
    assert found == [
        ("Token.SshRevokeEvent", {"DisplayName": "key"}, ada, "remove"),
        ("Token.PatRevokeEvent", {"DisplayName": "hers"}, ada, "remove"),
    ]


def asked(stage: Stage, headers: dict[str, str] | None = None) -> set[int]:
    """The statuses of everything that takes an administrator."""
    rule = {"scopes": "vso.drop", "createdBefore": "2020-01-01T00:00:00"}
    answers = [
        stage.ask("GET", f"{LIST}/{GRACE}", headers=headers),
        stage.ask("POST", REVOCATIONS, body=[], headers=headers),
        stage.ask("POST", RULES, body=rule, headers=headers),
    ]
    return {answer.status_code for answer in answers}


def basic(secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f":{secret}".encode()).decode()}


def test_who_may_administer(stage: Stage) -> None:
    assert asked(stage) <= {200, 201, 204}
    for scope in ("vso.tokenadministration", "app_token", "vso.code vso.tokenadministration"):
        assert asked(stage, basic(stage.create(scope=scope)["token"])) == {200, 201, 204}, scope
    for scope in OTHERS:
        assert asked(stage, basic(stage.create(scope=scope)["token"])) == {401}, scope
    stage.token = stage.access_token(scopes="vso.tokenadministration")
    assert asked(stage) == {200, 201, 204}
    stage.token = stage.access_token(scopes="vso.pats")
    assert asked(stage) == {401}
    stage.token = stage.access_token(kind="app")
    assert asked(stage) == {403}
    stage.token = None
    assert asked(stage) == {401}
    assert asked(stage, basic("no secret")) == {401}


def test_a_member_may_not_until_made_an_administrator(stage: Stage) -> None:
    order = {"user": "grace", "scope": "app_token", "withSecrets": True}
    secret = stage.control("POST", "tokens", order)["secrets"][0]
    ada, stage.token = stage.token, stage.access_token(user="grace")
    assert asked(stage) == asked(stage, basic(secret)) == {401}
    answer = stage.ask("GET", f"{LIST}/{ADA}")
    assert GRACE_ID in answer.json()["message"]
    assert "insufficient_claims" not in answer.headers["WWW-Authenticate"]
    assert stage.ask("GET", AUDIT_LOG).status_code == 403
    assert stage.ask("GET", GRAPH_USERS).status_code == 200
    stage.control("PUT", "policies", ["administrators=grace"])
    assert asked(stage) == asked(stage, basic(secret)) == {200, 201, 204}
    assert stage.ask("GET", AUDIT_LOG).status_code == 200
    stage.token = ada
    assert asked(stage) == {401}
    stage.control("PUT", "policies", {"administrators": ["Ada@contoso.example", GRACE_ID]})
    assert asked(stage) == {200, 201, 204}


def test_administrators_that_there_are_not(stage: Stage) -> None:
    address = f"{stage.emulator.url}/_emulator/policies"
    for policies in (["administrators=nobody"], {"administrators": "ada"}, ["revocation-delay=x"]):
        assert stage.session.put(address, json=policies, timeout=5).status_code == 400
    assert stage.control("PUT", "policies", ["administrators="])["administrators"] == []
    assert asked(stage) == {401}


def test_a_rule_ends_the_access_tokens_that_were_there(stage: Stage) -> None:
    admin = stage.token
    before = {scope: stage.access_token(scopes=scope) for scope in ("vso.pats", "vso.graph")}
    stage.control("POST", "clock", {"advanceSeconds": 5})
    answer = stage.ask("POST", RULES, body={"scopes": "vso.code vso.pats"})
    assert (answer.status_code, answer.content) == (201, b"")
    stage.token = before["vso.pats"]
    assert stage.ask("GET", PATS).status_code == 401
    assert stage.ask("GET", CONNECTION).status_code == 401
    assert stage.ask("GET", PATS.replace("contoso", "fabrikam")).status_code == 200
    stage.token = before["vso.graph"]
    assert stage.ask("GET", GRAPH_USERS).status_code == 200
    stage.control("POST", "clock", {"advanceSeconds": 1})
    stage.token = stage.access_token(scopes="vso.pats")
    assert stage.ask("GET", PATS).status_code == 200
    stage.token = admin
    assert asked(stage) <= {200, 201, 204}


def test_a_rule_hits_who_made_it(stage: Stage) -> None:
    secret = stage.create()["token"]
    stage.control("POST", "clock", {"advanceSeconds": 1})
    assert stage.ask("POST", RULES, body={"scopes": "app_token"}).status_code == 201
    assert stage.ask("GET", PATS).status_code == 401
    assert stage.connect(secret).status_code == 200  # a personal access token is not one of them


def test_a_rule_of_an_earlier_time(stage: Stage) -> None:
    rule = {"scopes": "app_token", "createdBefore": "2026-06-15T05:00:00-07:00"}
    assert stage.ask("POST", RULES, body=rule).status_code == 201
    assert stage.ask("GET", PATS).status_code == 200  # made in the very second
    rule["createdBefore"] = "2026-06-15T05:00:01-07:00"
    assert stage.ask("POST", RULES, body=rule).status_code == 201
    assert stage.ask("GET", PATS).status_code == 401


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"scopes": " "}, {"scope": "vso.code"}, {"scopes": "a", "createdBefore": "x"}],
)
def test_rules_that_are_not_understood(stage: Stage, body: object) -> None:
    assert stage.ask("POST", RULES, body=body).status_code == 400


def test_the_tokens_of_a_crowd(stage: Stage) -> None:
    order = {"count": 300, "seed": 5, "tokens": 6}
    assert stage.control("PUT", "users", order) == order
    users = stage.ask("GET", GRAPH_USERS).json()["value"][5:]
    found = {user["descriptor"]: listed(stage, user["descriptor"]) for user in users}
    tokens = [token for each in found.values() for token in each]
    assert {len(each) for each in found.values()} == set(range(7))
    assert len({token["authorizationId"][:8] for token in tokens}) == len(tokens)
    assert {token["isValid"] for token in tokens} == {True, False}
    assert any(token["targetAccounts"] is None for token in tokens)
    assert any(token["scope"] == "app_token" for token in tokens)
    stage.control("PUT", "users", order)
    assert {each: listed(stage, each) for each in found} == found


def test_the_tokens_of_a_crowd_work_and_end(stage: Stage) -> None:
    stage.control("PUT", "users", {"count": 40})
    users = stage.ask("GET", GRAPH_USERS).json()["value"][5:]
    living = next(
        (user, token)
        for user in users
        for token in listed(stage, user["descriptor"])
        if token["isValid"] and "isDeletedInOrigin" not in user
    )
    descriptor, token = living[0]["descriptor"], living[1]
    secrets = stage.control("POST", "secrets", {"user": living[0]["principalName"]})["secrets"]
    secret = secrets[token["authorizationId"]]
    identity = stage.connect(secret).json()["authenticatedUser"]
    assert identity["subjectDescriptor"] == descriptor
    assert stage.connect(secret[:-1]).status_code == 401
    before = listed(stage, descriptor)
    assert revoke(stage, token["authorizationId"]) == 204
    assert stage.connect(secret).status_code == 401
    ended = token | {"isValid": False}
    assert listed(stage, descriptor) == [ended if each == token else each for each in before]
    stage.control("PUT", "users", {"count": 40})
    assert listed(stage, descriptor) == before  # a new crowd knows nothing of it


def test_deleting_all_tokens_brings_a_crowd_back_to_its_beginning(stage: Stage) -> None:
    stage.control("PUT", "users", {"count": 3, "tokens": 4})
    users = stage.ask("GET", GRAPH_USERS).json()["value"][5:]
    before = {user["descriptor"]: listed(stage, user["descriptor"]) for user in users}
    for tokens in before.values():
        revoke(stage, *[token["authorizationId"] for token in tokens])
    assert not any(token["isValid"] for each in before for token in listed(stage, each))
    stage.control("DELETE", "tokens")
    assert {each: listed(stage, each) for each in before} == before


def test_spoilt_rows(bare: Stage) -> None:
    bare.control("POST", "tokens", {"name": "odd"})
    bare.control("POST", "spoilers", {"token": "odd", "fields": {"displayName": None}})
    assert [token["displayName"] for token in listed(bare, ADA)] == [None]
