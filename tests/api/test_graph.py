"""The users of an organization, as the service may answer."""

import json
from typing import Any

import pytest
import responses
from responses import matchers

from api.stage import Stage, client
from azdo_pat.api.graph import MOST_FOUND
from azdo_pat.errors import (
    NotFoundError,
    PatError,
    RefusedError,
    SignInError,
    UnavailableError,
)
from azdo_pat.models import Organization, User

GRAPH = "https://vssps.dev.azure.com/contoso/_apis/graph"
CONTOSO = Organization(name="contoso", url="https://dev.azure.com/contoso")
ROW: dict[str, Any] = {
    "subjectKind": "user",
    "metaType": "member",
    "directoryAlias": "ada",
    "domain": "45aa3d2d-7442-473d-b4d3-3c670da9dd96",
    "principalName": "ada@contoso.example",
    "mailAddress": "ada.lovelace@contoso.example",
    "origin": "aad",
    "displayName": "Ada Lovelace",
    "descriptor": "aad.YWRh",
}
ADA = User(
    descriptor="aad.YWRh",
    name="Ada Lovelace",
    upn="ada@contoso.example",
    mail="ada.lovelace@contoso.example",
)
FORBIDDEN = "TF400813: The user 'd6245f20' is not authorized to access this resource."
ANONYMOUS = "TF400813: The user '' is not authorized to access this resource."


def row(descriptor: str, **changes: object) -> dict[str, Any]:
    return {**ROW, "descriptor": descriptor, **changes}


def read(*pages: tuple[object, str]) -> tuple[list[User], list[str], list[str]]:
    """Read users from these pages, each with its header; return them, what was odd, and URLs."""
    made = client(None)
    with responses.RequestsMock() as mock:
        for body, following in pages:
            mock.get(
                f"{GRAPH}/users",
                json=body,
                headers={"X-MS-ContinuationToken": following} if following else {},
            )
        users = list(made.graph.users(CONTOSO))
        return users, made.odd, [str(call.request.url) for call in mock.calls]


def test_all_pages_until_the_header_is_missing() -> None:
    """Their length says nothing: 2, none, 1."""
    users, odd, urls = read(
        ({"count": 2, "value": [ROW, row("aad.2")]}, "a=&b"), ([], "c"), ([row("msa.3")], "")
    )
    assert [each.descriptor for each in users] == ["aad.YWRh", "aad.2", "msa.3"]
    assert (users[0], odd) == (ADA, [])
    first = f"{GRAPH}/users?subjectTypes=aad%2Cmsa&api-version=7.2-preview.1"
    assert urls == [
        first,
        f"{first}&continuationToken=a%3D%26b",
        f"{first}&continuationToken=c",
    ]


def test_a_list_that_never_ends_is_left() -> None:
    with pytest.raises(UnavailableError, match="a page is repeated"):
        read(([ROW], "a"), ([ROW], "b"), ([ROW], "a"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"metaType": "guest"}, ADA._replace(is_guest=True)),
        ({"isDeletedInOrigin": True}, ADA._replace(is_deleted=True)),
        ({"metaType": None, "mailAddress": None}, ADA._replace(mail="")),
        ({"displayName": 7, "principalName": {}}, ADA._replace(name="", upn="")),
    ],
)
def test_properties(changes: dict[str, Any], expected: User) -> None:
    assert read(([ROW | changes], ""))[:2] == ([expected], [])


@pytest.mark.parametrize("bad", [None, "text", {}, {"descriptor": None}, {"descriptor": ""}])
def test_a_user_that_cannot_be_read_hides_no_other(bad: object) -> None:
    assert read(([bad, ROW], ""))[:2] == ([ADA], ["a user of contoso"])


@pytest.mark.parametrize("body", ["text", {}, {"value": {}}, 7, None])
def test_what_is_no_list(body: object) -> None:
    with pytest.raises(UnavailableError, match="is not a list of users"):
        read((body, ""))


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [(401, FORBIDDEN, RefusedError), (401, ANONYMOUS, SignInError), (403, "no", RefusedError)],
)
def test_a_missing_right(status: int, message: str, error: type[PatError]) -> None:
    body = {"$id": "1", "message": message, "typeKey": "UnauthorizedRequestException"}
    graph = client(None).graph
    with responses.RequestsMock() as mock:
        mock.get(f"{GRAPH}/users", json=body, status=status)
        with pytest.raises(error) as caught:
            list(graph.users(CONTOSO))
    assert type(caught.value) is error
    assert ("vso.graph" in caught.value.hint) is (error is RefusedError)


def test_a_search_is_one_post_of_which_only_people_are_returned() -> None:
    with responses.RequestsMock() as mock:
        mock.post(
            f"{GRAPH}/subjectquery",
            json={"value": [ROW, row("svc.1"), row("vssgp.2"), row("msa.3")]},
            match=[matchers.json_params_matcher({"query": "ad", "subjectKind": ["User"]})],
        )
        found = client(None).graph.find(CONTOSO, "ad").users
    assert [each.descriptor for each in found] == ["aad.YWRh", "msa.3"]


def test_services_count_for_how_many_a_search_returns() -> None:
    rows = [row("svc.1"), *(row(f"aad.{number}") for number in range(MOST_FOUND - 1))]
    with responses.RequestsMock() as mock:
        mock.post(f"{GRAPH}/subjectquery", json={"value": rows})
        found = client(None).graph.find(CONTOSO, "ad")
    assert (len(found.users), found.may_be_more) == (MOST_FOUND - 1, True)


def test_a_search_is_repeated_like_a_get() -> None:
    """It changes nothing, so no one need ask what became of it."""
    made = client(None)
    with responses.RequestsMock() as mock:
        for status in (503, 500):
            mock.post(f"{GRAPH}/subjectquery", status=status)
        with pytest.raises(UnavailableError) as caught:
            made.graph.find(CONTOSO, "ad")
    assert type(caught.value) is UnavailableError


def test_one_user() -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{GRAPH}/users/aad.YWRh", json=ROW)
        assert client(None).graph.user(CONTOSO, "aad.YWRh") == ADA


def test_an_unknown_user() -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{GRAPH}/users/aad.a%2Fb", status=404, body=json.dumps({"message": "no"}))
        with pytest.raises(NotFoundError, match=r"^contoso has no user 'aad\.a/b'$"):
            client(None).graph.user(CONTOSO, "aad.a/b")


def test_the_users_of_the_emulator(stage: Stage) -> None:
    graph = stage.client().graph
    few = list(graph.users(stage.contoso))
    assert ("Ada Lovelace", "ada@contoso.example") in [(each.name, each.upn) for each in few]
    assert any(each.is_guest for each in few)
    stage.control("PUT", "users", {"count": 1100})
    many = {each.descriptor for each in graph.users(stage.contoso)}
    assert len(many) == len(few) + 1100
    pages = [each for each in stage.asked("GET") if each["path"].endswith("/graph/users")]
    assert len(pages) == 4
    ada = graph.find(stage.contoso, "ADA@").users
    assert ada == tuple(each for each in few if each.upn == "ada@contoso.example")
    assert graph.user(stage.contoso, ada[0].descriptor) == ada[0]
    assert len(graph.find(stage.contoso, "user").users) == MOST_FOUND


@pytest.mark.parametrize("descriptor", ["aad.YWRhYWRhYWRh", "nonsense", "aad.?"])
def test_who_is_no_user_of_the_emulator(stage: Stage, descriptor: str) -> None:
    with pytest.raises(NotFoundError, match=r"^contoso has no user "):
        stage.client().graph.user(stage.contoso, descriptor)
