"""The control endpoint: guarded, exact, and silent about secrets."""

import pytest

from emulator.stage import ADA_ID, CONTOSO_ID, GRACE_ID, PATS, Stage, new_token

KATHERINE_ID = "8e1c7d42-6b3f-4a90-b5e8-17c2d9f0a463"
MARY_ID = "c7f2b8a1-9d54-4e36-8a0c-f3e1d2b4c5a6"
BUILD_ID = "3d6a5e9c-1f82-4b7d-9c04-a8b7e6f5d421"


def refused(stage: Stage, method: str, name: str, body: object = None) -> tuple[int, str]:
    """Status and error of a control request that must fail."""
    address = f"{stage.emulator.url}/_emulator/{name}"
    answer = stage.session.request(method, address, json=body, timeout=5)
    return answer.status_code, answer.json()["error"]


def test_health(stage: Stage) -> None:
    assert stage.control("GET", "health") == {"status": "ok"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_web_pages_cannot_drive_it(stage: Stage, headers: dict[str, str]) -> None:
    address = f"{stage.emulator.url}/_emulator/tokens"
    answer = stage.session.delete(address, headers=headers, timeout=5)
    assert answer.status_code == 403
    assert len(stage.names(displayFilterOption="all")) == 6


def test_localhost_is_the_same(stage: Stage) -> None:
    port = stage.emulator.url.rpartition(":")[2]
    address = f"{stage.emulator.url}/_emulator/health"
    answer = stage.session.get(address, headers={"Host": f"localhost:{port}"}, timeout=5)
    assert answer.status_code == 200


def test_policies(stage: Stage) -> None:
    policies = {
        "fullScopeForbidden": False,
        "globalForbidden": False,
        "globalBlocked": False,
        "globalHidden": False,
        "maximumLifespanDays": 30,
        "lifespanMode": "refuse",
        "creation": "allowed",
        "publicProjects": False,
        "auditingDisabled": False,
        "auditLogForbidden": False,
        "policiesForbidden": False,
        "administrators": ["ada"],
        "revocationDelaySeconds": 0,
    }
    assert stage.control("PUT", "policies", ["maximum-lifespan=30 mode=refuse"]) == policies
    assert stage.control("GET", "policies") == policies
    off = policies | {"maximumLifespanDays": None, "lifespanMode": "clamp"}
    assert stage.control("PUT", "policies", {}) == off


def test_seeding(bare: Stage) -> None:
    order = {
        "count": 2,
        "name": "n {n}",
        "organization": "fabrikam",
        "scope": "vso.work",
        "validTo": "2026-12-24T18:00:00Z",
        "state": "revoked",
    }
    made = bare.control("POST", "tokens", order)
    tokens = bare.ask("GET", PATS, {"displayFilterOption": "revoked"}).json()["patTokens"]
    assert made == {"count": 2, "ids": [token["authorizationId"] for token in tokens]}
    assert tokens[1] == {
        "displayName": "n 2",
        "validTo": "2026-12-24T18:00:00.00Z",
        "scope": "vso.work",
        "targetAccounts": ["6affcbef-fe5d-44c6-8a29-439b79aaa118"],
        "validFrom": "2026-04-16T12:00:00.1233333Z",
        "authorizationId": made["ids"][1],
        "token": None,
    }


def test_secrets_only_on_request(bare: Stage) -> None:
    made = bare.control("POST", "tokens", {"withSecrets": True})
    assert bare.connect(made["secrets"][0]).status_code == 200
    assert "secrets" not in bare.control("POST", "tokens", {})


def test_presets_have_the_same_ids_each_time(bare: Stage) -> None:
    first = bare.control("POST", "tokens", {"preset": "small"})
    assert bare.control("POST", "tokens", {"preset": "small"}) == first
    assert bare.control("DELETE", "tokens") == {"removed": 7}


def test_the_state_without_secrets(bare: Stage) -> None:
    token = bare.create()
    state = bare.control("GET", "state")
    expected = {name: token[name] for name in token if name != "token"}
    assert state["tokens"] == [expected | {"status": "active", "ownerId": ADA_ID}]
    assert state["now"] == "2026-06-15T12:00:00.1233333Z"
    assert state["organizations"][0] == {
        "name": "contoso",
        "id": CONTOSO_ID,
        "members": sorted([ADA_ID, GRACE_ID, KATHERINE_ID, MARY_ID, BUILD_ID]),
    }
    assert token["token"] not in str(state)


def test_the_log_tells_what_was_asked(bare: Stage) -> None:
    bare.ask("POST", PATS, body=new_token(token="hush"), headers={"User-Agent": "tester/1"})
    bare.ask("GET", PATS, {"$top": "5"})
    bare.ask("PUT", PATS, body=b"{hush")
    log = bare.control("GET", "requests")["requests"]
    kept = ("method", "path", "query", "status", "userAgent", "authorization", "body")
    version = {"api-version": "7.2-preview.1"}
    agent = bare.session.headers["User-Agent"]
    assert [{name: entry[name] for name in kept} for entry in log] == [
        dict(zip(kept, row, strict=True))
        for row in (
            ("POST", PATS, version, 200, "tester/1", "Bearer", new_token(token="***")),
            ("GET", PATS, {"$top": "5"} | version, 200, agent, "Bearer", None),
            ("PUT", PATS, version, 400, agent, "Bearer", "5 bytes that are not JSON"),
        )
    ]
    assert "hush" not in str(log)
    assert str(bare.token) not in str(log)
    assert bare.control("DELETE", "requests") == {"removed": 3}
    assert bare.control("GET", "requests") == {"requests": []}


def test_the_clock(stage: Stage) -> None:
    assert stage.control("GET", "clock") == {"now": "2026-06-15T12:00:00.1233333Z"}
    moved = {"now": "2026-06-15T13:00:00.1233333Z"}
    assert stage.control("POST", "clock", {"advanceSeconds": 3600}) == moved
    assert stage.control("GET", "clock") == moved
    assert stage.ask("GET", PATS).headers["Date"] == "Mon, 15 Jun 2026 13:00:00 GMT"


def test_access_tokens_end(stage: Stage) -> None:
    stage.token = stage.access_token(lifetimeSeconds=60)
    assert stage.ask("GET", PATS).status_code == 200
    stage.control("POST", "clock", {"advanceSeconds": 61})
    assert stage.ask("GET", PATS).status_code == 401


@pytest.mark.parametrize(
    ("method", "name", "body"),
    [
        ("POST", "faults", {"fault": 5}),
        ("POST", "faults", {"fault": "nonsense"}),
        ("POST", "faults", {"faults": "GET * html"}),
        ("POST", "faults", ["GET * html"]),
        ("PUT", "policies", 5),
        ("PUT", "policies", ["nonsense"]),
        ("PUT", "policies", {"creation": "sometimes"}),
        ("POST", "tokens", {"preset": "huge"}),
        ("POST", "tokens", {"count": 0}),
        ("POST", "tokens", {"count": True}),
        ("POST", "tokens", {"organization": "nowhere"}),
        ("POST", "tokens", {"user": "nobody"}),
        ("POST", "tokens", {"state": "lost"}),
        ("POST", "tokens", {"validTo": "soon"}),
        ("POST", "tokens", {"colour": "red"}),
        ("POST", "clock", {}),
        ("POST", "clock", {"advanceSeconds": "5"}),
        ("POST", "clock", {"advanceSeconds": 1e12}),
        ("POST", "access-tokens", {"kind": "robot"}),
        ("POST", "access-tokens", {"lifetimeSeconds": 0}),
    ],
)
def test_what_is_not_understood(stage: Stage, method: str, name: str, body: object) -> None:
    before = stage.control("GET", "state")
    status, error = refused(stage, method, name, body)
    assert status == 400
    assert error
    assert stage.control("GET", "state") == before


@pytest.mark.parametrize(
    ("method", "name"),
    [("GET", "nothing"), ("PATCH", "policies"), ("DELETE", "faults/9"), ("GET", "state/x")],
)
def test_what_is_not_there(stage: Stage, method: str, name: str) -> None:
    assert refused(stage, method, name)[0] == 404


def test_a_body_that_is_not_json(stage: Stage) -> None:
    address = f"{stage.emulator.url}/_emulator/faults"
    assert stage.session.post(address, data=b"{", timeout=5).status_code == 400


def test_spoilers_change_what_is_answered_and_not_the_token(stage: Stage) -> None:
    stage.control("DELETE", "tokens")
    made = stage.create(displayName="a")
    before = stage.control("GET", "state")["tokens"]
    stage.control("POST", "spoilers", {"token": "a", "fields": {"scope": 7}, "without": ["token"]})
    stage.control("POST", "spoilers", {"token": "b", "row": "\ud800"})
    stage.control("POST", "spoilers", {"rows": [None, 3]})
    spoilt = {key: value for key, value in {**made, "scope": 7}.items() if key != "token"}
    assert stage.ask("GET", PATS).json()["patTokens"] == [spoilt, None, 3]
    one = {"authorizationId": made["authorizationId"]}
    assert stage.ask("GET", PATS, one).json()["patToken"] == spoilt
    assert stage.ask("POST", PATS, body=new_token(displayName="b")).json()["patToken"] == "\ud800"
    assert stage.ask("GET", PATS, {"displayFilterOption": "revoked"}).json()["patTokens"] == []
    assert stage.control("DELETE", "spoilers") == {"removed": 4}
    assert stage.names() == ["a", "b"]
    assert stage.control("GET", "state")["tokens"][:1] == before


@pytest.mark.parametrize(
    "order", [[], {"row": 1, "x": 2}, {"rows": 1}, {"without": "x"}, {"token": "a", "fields": []}]
)
def test_spoilers_that_are_not_understood(stage: Stage, order: object) -> None:
    address = f"{stage.emulator.url}/_emulator/spoilers"
    answer = stage.session.request("POST", address, json=order, timeout=10)
    assert answer.status_code == 400
    assert stage.control("DELETE", "spoilers") == {"removed": 0}
