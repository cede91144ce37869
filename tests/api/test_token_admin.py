"""The tokens of other users, as the service may answer."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import responses

from api.stage import client
from azdo_pat.api.service_errors import BadRequestError
from azdo_pat.errors import (
    NoAnswerError,
    NoOrganizationError,
    PatError,
    RefusedError,
    SignInError,
    UnavailableError,
)
from azdo_pat.models import Field, Organization, ServicePat, SessionToken

ROOT = "https://vssps.dev.azure.com/contoso/_apis/tokenadmin"
LIST = f"{ROOT}/personalaccesstokens/aad.YWRh"
CONTOSO = Organization(name="contoso", url="https://dev.azure.com/contoso")
NONE = "00000000-0000-0000-0000-000000000000"
NEXT = "7c3f1c2e-0000-4000-8000-000000000001"
ACCOUNT = "38aaa865-2c70-4bf7-a308-0c6539c38c1a"
ROW: dict[str, Any] = {
    "clientId": NONE,
    "accessId": NONE,
    "authorizationId": "952858d3-7084-4635-964e-3c2a57645185",
    "userId": "bb5bb6c8-ef0a-400f-8987-92b3674d2043",
    "validFrom": "2026-07-19T00:00:00",
    "validTo": "2027-07-19T00:00:00",
    "displayName": "ci",
    "scope": "vso.code vso.build",
    "targetAccounts": [ACCOUNT],
    "token": None,
    "isValid": True,
    "isPublic": False,
    "crossCompanyCorrelatingId": "abcdefghijklmnopqrst",
}
PAT = ServicePat(
    authorization_id="952858d3-7084-4635-964e-3c2a57645185",
    display_name="ci",
    scopes=("vso.code", "vso.build"),
    valid_from=datetime(2026, 7, 19, tzinfo=UTC),
    valid_to=datetime(2027, 7, 19, tzinfo=UTC),
    target_accounts=(ACCOUNT,),
)
TOKEN = SessionToken(pat=PAT, is_valid=True, correlating_id="abcdefghijklmnopqrst")


def page(*rows: object, **more: object) -> dict[str, object]:
    return {"value": list(rows), **more}


def read(*pages: object, ssh: bool = False) -> tuple[list[SessionToken], list[str], list[str]]:
    """Read tokens from these pages; return them, what was odd, and the URLs."""
    made = client(None)
    with responses.RequestsMock() as mock:
        for each in pages:
            mock.get(LIST, json=each)
        found = list(made.token_admin.tokens(CONTOSO, "aad.YWRh", ssh=ssh))
        return found, made.odd, [str(call.request.url) for call in mock.calls]


@pytest.mark.parametrize("end", [{}, {"continuationToken": None}, {"continuationToken": NONE}])
def test_all_pages_until_there_is_no_more(end: dict[str, object]) -> None:
    found, odd, urls = read(page(continuationToken=NEXT), page(ROW, count=1, **end))
    assert (found, odd) == ([TOKEN], [])
    first = f"{LIST}?pageSize=20&isPublic=false&api-version=7.2-preview.1"
    assert urls == [first, f"{first}&continuationToken={NEXT}"]


def test_ssh_keys() -> None:
    assert "isPublic=true" in read(page(), ssh=True)[2][0]


def test_a_list_that_never_ends_is_left() -> None:
    with pytest.raises(UnavailableError, match="a page is repeated"):
        read(page(ROW, continuationToken=NEXT), page(ROW, continuationToken=NEXT))


@pytest.mark.parametrize("name", [None, ""])
def test_a_token_may_have_no_name_and_all_organizations(name: str | None) -> None:
    """As in Microsoft's example."""
    found, odd, _ = read(page(ROW | {"displayName": name, "targetAccounts": None}))
    assert found == [TOKEN._replace(pat=PAT._replace(display_name="", target_accounts=None))]
    assert odd == []


@pytest.mark.parametrize(("valid", "expected"), [(False, False), (None, None), ("yes", None)])
def test_whether_it_is_valid(valid: object, *, expected: bool | None) -> None:
    assert read(page(ROW | {"isValid": valid}))[0] == [TOKEN._replace(is_valid=expected)]


def test_a_row_that_is_listed_twice_counts_once() -> None:
    """Pages overlap if a token is added meanwhile."""
    found, _, _ = read(page(ROW, ROW))
    assert found == [TOKEN]


def test_a_row_that_cannot_be_read_hides_no_other() -> None:
    other = ROW | {"authorizationId": "0" * 8 + str(ROW["authorizationId"])[8:]}
    found, odd, _ = read(page(None, ROW | {"validTo": "soon", "scope": None}, other))
    assert [sorted(each.pat.unread) for each in found] == [
        sorted(Field),
        [Field.SCOPES, Field.EXPIRES],
        [],
    ]
    everything = "authorizationId, displayName, scope, targetAccounts, validFrom, validTo"
    assert odd == [
        f"a token of contoso (id unknown: {everything})",
        "a token of contoso (952858d3-7084-4635-964e-3c2a57645185: scope, validTo)",
    ]


@pytest.mark.parametrize(
    "body", [[], "text", {}, {"value": {}}, {"value": [], "continuationToken": 7}]
)
def test_what_is_no_list(body: object) -> None:
    with pytest.raises(UnavailableError, match="is not a list of tokens"):
        read(body)


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (401, "TF400813: The user 'd6245f20' is not authorized.", RefusedError),
        (401, "TF400813: The user '' is not authorized.", SignInError),
        (403, "no", RefusedError),
        (404, "no", NoOrganizationError),
        (400, "no", BadRequestError),
    ],
)
def test_refusals(status: int, message: str, error: type[PatError]) -> None:
    body = {"$id": "1", "message": message, "typeKey": "SomeException"}
    admin = client(None).token_admin
    with responses.RequestsMock() as mock:
        mock.get(LIST, json=body, status=status)
        with pytest.raises(error) as caught:
            list(admin.tokens(CONTOSO, "aad.YWRh"))
    assert type(caught.value) is error


REVOCATIONS = f"{ROOT}/revocations?isPublic=false&api-version=7.2-preview.1"
RULES = f"{ROOT}/revocationrules?api-version=7.2-preview.1"


def test_revocations_may_be_repeated() -> None:
    with responses.RequestsMock() as mock:
        mock.post(REVOCATIONS, status=503)
        mock.post(REVOCATIONS, body=requests.ConnectionError("cut"))
        mock.post(REVOCATIONS, status=204)
        client(None).token_admin.revoke(CONTOSO, ["a", "b"])
        bodies = {call.request.body for call in mock.calls}
    assert bodies == {b'[{"authorizationId": "a"}, {"authorizationId": "b"}]'}


def test_a_rule_is_added_once() -> None:
    """As in Microsoft's example; a rule cannot be taken back."""
    moment = datetime(2026, 7, 18, 7, 51, 26, 555735, tzinfo=UTC)
    admin = client(None).token_admin
    with responses.RequestsMock() as mock:
        mock.post(RULES, status=201)
        mock.post(RULES, status=503)
        admin.add_rule(CONTOSO, ["vso.code", "vso.packaging"], moment)
        with pytest.raises(NoAnswerError):
            admin.add_rule(CONTOSO, ["vso.code"], None)
        bodies = [json.loads(call.request.body or "") for call in mock.calls]
    assert bodies == [
        {"scopes": "vso.code vso.packaging", "createdBefore": "2026-07-18T07:51:26.555Z"},
        {"scopes": "vso.code"},
    ]


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (401, "TF400813: The user 'd6245f20' is not authorized.", RefusedError),
        (400, "bad id", BadRequestError),
        (500, "no", UnavailableError),
    ],
)
def test_revocations_that_are_refused(status: int, message: str, error: type[PatError]) -> None:
    body = {"$id": "1", "message": message, "typeKey": "SomeException"}
    with responses.RequestsMock() as mock:
        mock.post(REVOCATIONS, json=body, status=status)
        with pytest.raises(error) as caught:
            client(None).token_admin.revoke(CONTOSO, ["a"])
    assert type(caught.value) is error


def test_more_rows_than_were_asked_for_are_all_read() -> None:
    rows = [
        ROW | {"authorizationId": f"{number:08x}-0000-0000-0000-000000000000"}
        for number in range(100)
    ]
    found, _, _ = read(page(*rows))
    assert len(found) == 100
