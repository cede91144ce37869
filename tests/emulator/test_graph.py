"""The graph: the users of an organization, page by page, and how to find one."""

from typing import Any

import pytest

from emulator.stage import ADA, ADA_ID, CONTOSO_ID, GRACE_ID, UNKNOWN_ID, Stage
from emulator.stage import GRAPH_USERS as USERS

SEARCH = "/contoso/_apis/graph/subjectquery"
DESCRIPTORS = "/contoso/_apis/graph/descriptors"
NEXT = "X-MS-ContinuationToken"
NOBODY = "aad.MDAwMDAwMDAtMTExMS0yMjIyLTMzMzMtNDQ0NDQ0NDQ0NDQ0"


def pages(stage: Stage, **query: str) -> list[list[dict[str, Any]]]:
    found = []
    while True:
        answer = stage.ask("GET", USERS, query)
        assert answer.status_code == 200, answer.text
        document = answer.json()
        assert set(document) == {"count", "value"}
        assert document["count"] == len(document["value"])
        found.append(document["value"])
        if NEXT not in answer.headers:
            return found
        query["continuationToken"] = answer.headers[NEXT]


def found(stage: Stage, query: str, *kinds: str) -> list[str]:
    answer = stage.ask("POST", SEARCH, body={"query": query, "subjectKind": list(kinds)})
    assert answer.status_code == 200, answer.text
    return [user["displayName"] for user in answer.json()["value"]]


def test_everyone(stage: Stage) -> None:
    ((ada, grace, katherine, mary, build),) = pages(stage)
    root = f"{stage.emulator.url}/contoso/_apis"
    assert ada == {
        "subjectKind": "user",
        "directoryAlias": "ada",
        "metaType": "member",
        "domain": "7f0b9c1e-5d43-4f6a-9a51-2c8e6f1d0b37",
        "principalName": "ada@contoso.example",
        "mailAddress": "ada@contoso.example",
        "origin": "aad",
        "originId": "1c0d5f3a-7be2-4f5e-8c6d-40a1b1f0e9aa",
        "displayName": "Ada Lovelace",
        "_links": {
            "self": {"href": f"{root}/Graph/Users/{ADA}"},
            "memberships": {"href": f"{root}/Graph/Memberships/{ADA}"},
            "membershipState": {"href": f"{root}/Graph/MembershipStates/{ADA}"},
            "storageKey": {"href": f"{root}/Graph/StorageKeys/{ADA}"},
            "avatar": {"href": f"{root}/GraphProfile/MemberAvatars/{ADA}"},
        },
        "url": f"{root}/Graph/Users/{ADA}",
        "descriptor": ADA,
    }
    assert grace["principalName"] == "grace@contoso.example"
    assert katherine["metaType"] == "guest"
    assert mary["isDeletedInOrigin"] is True
    assert build["descriptor"].startswith("svc.")


def test_the_kinds_of_users(stage: Stage) -> None:
    (people,) = pages(stage, subjectTypes="aad,msa")
    assert len(people) == 4
    (services,) = pages(stage, subjectTypes="SVC")
    assert [user["displayName"] for user in services] == [
        "Project Collection Build Service (contoso)"
    ]
    assert pages(stage, subjectTypes="msa") == [[]]


def test_pages_are_uneven(stage: Stage) -> None:
    stage.control("PUT", "users", {"count": 2000})
    lengths = [len(page) for page in pages(stage)]
    assert lengths == [500, 495, 500, 33, 477]
    thinned = pages(stage, subjectTypes="svc")
    assert [len(page) for page in thinned] == [1, 0, 0, 0, 0]
    descriptors = {user["descriptor"] for page in pages(stage) for user in page}
    assert len(descriptors) == 2005


def test_a_crowd_is_the_same_each_time(stage: Stage) -> None:
    first = stage.control("PUT", "users", {"count": 50, "seed": 3})
    assert first == {"count": 50, "seed": 3, "tokens": 5}
    before = pages(stage)
    stage.control("PUT", "users", {"count": 50, "seed": 4})
    assert pages(stage) != before
    stage.control("PUT", "users", {"count": 50, "seed": 3})
    assert pages(stage) == before
    for user in before[0]:
        assert stage.ask("GET", f"{USERS}/{user['descriptor']}").json() == user
    stage.control("PUT", "users", {"count": 0})
    assert stage.ask("GET", f"{USERS}/{before[0][-1]['descriptor']}").status_code == 404


def test_a_continuation_token_belongs_to_its_list(stage: Stage) -> None:
    stage.control("PUT", "users", {"count": 600})
    token = stage.ask("GET", USERS).headers[NEXT]
    for query in ({"subjectTypes": "aad"}, {}):
        sent = query | {"continuationToken": token if query else "x"}
        assert stage.ask("GET", USERS, sent).status_code == 400


def test_the_same_continuation_token_again(stage: Stage) -> None:
    stage.control("PUT", "users", {"count": 600})
    stage.fault("GET */graph/users repeat-continuation times=always")
    token = stage.ask("GET", USERS).headers[NEXT]
    assert stage.ask("GET", USERS, {"continuationToken": token}).headers[NEXT] == token


def test_one_user(stage: Stage) -> None:
    user = stage.ask("GET", f"{USERS}/{ADA}")
    assert (user.status_code, user.json()["descriptor"]) == (200, ADA)
    # In another organization she may be, Grace is not.
    assert stage.ask("GET", f"/fabrikam/_apis/graph/users/{ADA}").status_code == 200
    grace = stage.ask("GET", f"{DESCRIPTORS}/{GRACE_ID}").json()["value"]
    assert stage.ask("GET", f"/fabrikam/_apis/graph/users/{grace}").status_code == 404


@pytest.mark.parametrize(
    ("descriptor", "status", "error"),
    [
        (NOBODY, 404, "GraphSubjectNotFoundException"),
        (ADA.lower(), 400, "ArgumentException"),
        ("ada", 400, "ArgumentException"),
        ("aad.%C3%A9", 400, "ArgumentException"),
        ("msa" + ADA.removeprefix("aad"), 404, "GraphSubjectNotFoundException"),
    ],
)
def test_no_user(stage: Stage, descriptor: str, status: int, error: str) -> None:
    answer = stage.ask("GET", f"{USERS}/{descriptor}")
    assert (answer.status_code, answer.json()["typeKey"]) == (status, error)


def test_the_descriptor_of_a_storage_key(stage: Stage) -> None:
    root = f"{stage.emulator.url}/contoso/_apis/Graph"
    assert stage.ask("GET", f"{DESCRIPTORS}/{ADA_ID}").json() == {
        "value": ADA,
        "_links": {
            "self": {"href": f"{root}/Descriptors/{ADA_ID}"},
            "storageKey": {"href": f"{root}/StorageKeys/{ADA}"},
            "subject": {"href": f"{root}/Users/{ADA}"},
        },
    }
    assert stage.ask("GET", f"{DESCRIPTORS}/{UNKNOWN_ID}").status_code == 404
    assert stage.ask("GET", f"{DESCRIPTORS}/x").status_code == 400


def test_it_is_the_one_of_the_connection_data(stage: Stage) -> None:
    identity = stage.ask("GET", "/contoso/_apis/connectionData").json()["authenticatedUser"]
    assert identity["subjectDescriptor"] == ADA


def test_searching_by_the_beginning(stage: Stage) -> None:
    assert found(stage, "ADA", "User") == ["Ada Lovelace"]
    assert found(stage, "grace@cont") == ["Grace Hopper"]
    assert found(stage, "lovelace", "User") == []
    assert found(stage, "ada", "Group") == []
    assert found(stage, "ada", "Group", "user") == ["Ada Lovelace"]
    stage.control("PUT", "users", {"count": 3000})
    assert len(found(stage, "user", "User")) == 100


@pytest.mark.parametrize("body", [{}, {"query": ""}, [], None, {"query": "a", "subjectKind": 1}])
def test_a_search_for_nothing(stage: Stage, body: object) -> None:
    assert stage.ask("POST", SEARCH, body=body).status_code == 400


def test_who_may_look(stage: Stage) -> None:
    good = ["vso.graph", "vso.graph_manage", "app_token"]
    secrets = {
        scope: stage.create(scope=scope)["token"] for scope in (*good, "vso.code", "vso.identity")
    }
    path = f"{USERS}?api-version=7.1-preview.1"
    statuses = {scope: stage.connect(secret, path).status_code for scope, secret in secrets.items()}
    assert statuses == dict.fromkeys(good, 200) | {"vso.code": 403, "vso.identity": 403}
    assert stage.ask("GET", "/northwind/_apis/graph/users").status_code == 401
    stage.token = stage.access_token(scopes="vso.graph", user="grace")
    assert stage.ask("GET", USERS).status_code == 200
    stage.token = None
    assert stage.ask("GET", USERS).status_code == 401
    assert stage.ask("POST", USERS).status_code == 405


def test_a_guest_has_tokens_and_who_left_has_dead_ones(stage: Stage) -> None:
    for user, status in (("katherine", 200), ("mary", 401)):
        made = stage.control("POST", "tokens", {"user": user, "withSecrets": True})
        assert stage.connect(made["secrets"][0]).status_code == status


@pytest.mark.parametrize(
    "order", [{}, {"count": -1}, {"count": True}, {"count": 10**6}, {"count": 1, "tokens": 100}]
)
def test_no_crowd(stage: Stage, order: object) -> None:
    address = f"{stage.emulator.url}/_emulator/users"
    assert stage.session.put(address, json=order, timeout=5).status_code == 400


def test_the_members_of_a_crowd_are_known_by_key_and_mail(stage: Stage) -> None:
    stage.control("PUT", "users", {"count": 3})
    for name in ("user2", "USER2", pages(stage)[0][-1]["mailAddress"]):
        assert stage.control("POST", "tokens", {"user": name})["count"] == 1
    address = f"{stage.emulator.url}/_emulator/tokens"
    for name in ("user3", "2", "user2@elsewhere.example"):
        assert stage.session.post(address, json={"user": name}, timeout=5).status_code == 400


def test_only_one_organization_has_the_crowd(stage: Stage) -> None:
    stage.control("PUT", "users", {"count": 3})
    fabrikam = stage.ask("GET", "/fabrikam/_apis/graph/users").json()
    assert [user["displayName"] for user in fabrikam["value"]] == ["Ada Lovelace"]
    assert stage.ask("GET", f"/{CONTOSO_ID}/_apis/graph/users").json()["count"] == 8
