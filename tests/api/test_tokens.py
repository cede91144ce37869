"""The lifecycle of tokens, against the emulator and, for the exact wire, mocked hosts."""

import json
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from typing import Any

import pytest
import requests
import responses

from api.stage import CONTOSO_ID, FABRIKAM_ID, PATS, Stage, client
from azdo_pat.api.service_errors import NoSuchTokenError
from azdo_pat.errors import NotFoundError, RefusedError, UnavailableError, UsageError
from azdo_pat.models import (
    Field,
    NewPat,
    Organization,
    PatChanges,
    PatRequest,
    Secret,
    ServicePat,
    Status,
)

URL = "https://vssps.dev.azure.com/contoso/_apis/tokens/pats"
CONTOSO = Organization(name="contoso", url="https://dev.azure.com/contoso")
WIRE: dict[str, Any] = {
    "displayName": "work_token",
    "validTo": "2020-11-23T04:03:55.8033333Z",
    "scope": "vso.work_full  vso.code",
    "targetAccounts": ["38AAA865-2C70-4BF7-A308-0C6539C38C1A"],
    "validFrom": "2020-10-24T03:04:19.1466667Z",
    "authorizationId": "EABB38B2-48EF-440B-959B-B9E6CB37A64E",
    "token": None,
}
PAT = ServicePat(
    authorization_id="eabb38b2-48ef-440b-959b-b9e6cb37a64e",
    display_name="work_token",
    scopes=("vso.work_full", "vso.code"),
    valid_from=datetime(2020, 10, 24, 3, 4, 19, 146666, UTC),
    valid_to=datetime(2020, 11, 23, 4, 3, 55, 803333, UTC),
    target_accounts=("38aaa865-2c70-4bf7-a308-0c6539c38c1a",),
)
VERSION = {"api-version": "7.2-preview.1"}
TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


def sent(call: responses.Call) -> tuple[str | None, dict[str, str], Any]:
    """Return method, query and body of a request."""
    assert call.request.url is not None
    assert call.request.url.partition("?")[0] == URL
    body = call.request.body
    query: dict[str, str] = call.request.params  # type: ignore[attr-defined]  # responses adds it
    return call.request.method, query, json.loads(body) if body else None


def test_create_on_the_wire() -> None:
    zone = timezone(timedelta(hours=2))
    request = PatRequest(
        display_name='ü "x"',
        scopes=("vso.code", "vso.work"),
        valid_to=datetime(2026, 12, 1, 1, 2, 3, 456789, zone),
    )
    with responses.RequestsMock() as mock:
        mock.post(URL, json={"patToken": {**WIRE, "token": "s3cret"}, "patTokenError": "none"})
        made = client(None).tokens.create(CONTOSO, request)
        assert made == NewPat(pat=PAT, secret=Secret("s3cret"))
        assert "s3cret" not in repr(made)
        assert sent(mock.calls[0]) == (
            "POST",
            VERSION,
            {
                "displayName": 'ü "x"',
                "scope": "vso.code vso.work",
                "validTo": "2026-11-30T23:02:03.456Z",
                "allOrgs": False,
            },
        )


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        (PatChanges(), {}),
        (PatChanges(display_name="b"), {"displayName": "b"}),
        (PatChanges(display_name=""), {"displayName": ""}),
        (PatChanges(scopes=("a", "b")), {"scope": "a b"}),
        (
            PatChanges(valid_to=datetime(2026, 1, 1, tzinfo=UTC)),
            {"validTo": "2026-01-01T00:00:00.000Z"},
        ),
    ],
)
def test_update_sends_only_what_changes(changes: PatChanges, body: dict[str, str]) -> None:
    with responses.RequestsMock() as mock:
        mock.put(URL, json={"patToken": WIRE, "patTokenError": "none"})
        assert client(None).tokens.update(CONTOSO, "x&y=z", changes) == PAT
        assert sent(mock.calls[0]) == ("PUT", VERSION, {"authorizationId": "x&y=z", **body})


def test_get_and_revoke_on_the_wire() -> None:
    query = {"authorizationId": "x&displayFilterOption=all#?", **VERSION}
    with responses.RequestsMock() as mock:
        mock.get(URL, json={"patToken": WIRE, "patTokenError": "none"})
        mock.delete(URL, status=204)
        tokens = client(None).tokens
        assert tokens.get(CONTOSO, query["authorizationId"]) == PAT
        assert tokens.revoke(CONTOSO, query["authorizationId"]) is True
        assert [sent(call) for call in mock.calls] == [
            ("GET", query, None),
            ("DELETE", query, None),
        ]


def test_every_page_repeats_the_filters() -> None:
    pages = [
        {"continuationToken": "a/b+c=", "patTokens": [WIRE, WIRE]},
        {"continuationToken": "2", "patTokens": []},
        {"continuationToken": None, "patTokens": [{**WIRE, "targetAccounts": None}]},
    ]
    with responses.RequestsMock() as mock:
        for page in pages:
            mock.get(URL, json=page)
        listing = client(None).tokens.list(CONTOSO, None, sort="displayDate", ascending=False)
        assert len(mock.calls) == 0
        assert next(listing) == PAT
        assert len(mock.calls) == 1
        rest = list(listing)
        assert [token.target_accounts for token in rest] == [PAT.target_accounts, None]
        query = {
            "displayFilterOption": "all",
            "$top": "100",
            "sortByOption": "displayDate",
            "isSortAscending": "false",
            **VERSION,
        }
        assert [sent(call) for call in mock.calls] == [
            ("GET", query, None),
            ("GET", {**query, "continuationToken": "a/b+c="}, None),
            ("GET", {**query, "continuationToken": "2"}, None),
        ]


@pytest.mark.parametrize("end", [{}, {"continuationToken": ""}, {"continuationToken": None}])
def test_a_list_without_options(end: dict[str, None]) -> None:
    with responses.RequestsMock() as mock:
        mock.get(URL, json={"patTokens": [], **end})
        assert list(client(None).tokens.list(CONTOSO)) == []
        assert sent(mock.calls[0]) == (
            "GET",
            {"displayFilterOption": "active", "$top": "100", **VERSION},
            None,
        )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"authorizationId": None}, "authorizationId"),
        ({"authorizationId": ""}, "authorizationId"),
        ({"authorizationId": 7}, "authorizationId"),
        ({"authorizationId": "x; touch y"}, "authorizationId"),
        ({"authorizationId": "\ud800"}, "authorizationId"),
        ({"authorizationId": f"{WIRE['authorizationId']}\n"}, "authorizationId"),
        ({"authorizationId": f"{{{WIRE['authorizationId']}}}"}, "authorizationId"),
        ({"displayName": ["x"]}, "displayName"),
        ({"displayName": "a\ud800"}, "displayName"),
        ({"scope": {}}, "scope"),
        ({"targetAccounts": "x"}, "targetAccounts"),
        ({"targetAccounts": [None]}, "targetAccounts"),
        ({"targetAccounts": ["contoso"]}, "targetAccounts"),
        ({"targetAccounts": [*WIRE["targetAccounts"], "$(x)"]}, "targetAccounts"),
        ({"targetAccounts": ...}, "targetAccounts"),
        ({"validTo": "soon"}, "validTo"),
        ({"validTo": "2026-01-01"}, "validTo"),
        ({"validFrom": 1700000000}, "validFrom"),
        ({"validFrom": None}, "validFrom"),
        ({"validTo": ...}, "validTo"),
        ({"targetAccounts": []}, "targetAccounts"),
        ({"validFrom": "0001-01-01T00:00:00+05:00"}, "validFrom"),
    ],
)
def test_a_token_of_which_one_field_cannot_be_read(change: dict[str, Any], field: str) -> None:
    """All else is read; and nothing stands for "all organizations" but null."""
    token = {key: value for key, value in {**WIRE, **change}.items() if value is not ...}
    with responses.RequestsMock() as mock:
        mock.get(URL, json={"patToken": token, "patTokenError": "none"})
        found = client(None).tokens.get(CONTOSO, "x")
    nothing = {
        "authorizationId": found._replace(authorization_id=PAT.authorization_id),
        "displayName": found._replace(display_name=PAT.display_name),
        "scope": found._replace(scopes=PAT.scopes),
        "validTo": found._replace(valid_to=PAT.valid_to),
        "validFrom": found._replace(valid_from=PAT.valid_from),
        "targetAccounts": found._replace(target_accounts=PAT.target_accounts),
    }[field]
    assert found.unread == {field}
    assert nothing._replace(unread=frozenset()) == PAT
    assert found.target_accounts is not None
    assert found != PAT


@pytest.mark.parametrize(
    ("garbled", "unread"),
    [(b"\xff", {Field.NAME}), (b"\xed\xa0\x80", {Field.NAME}), (b"\n", set())],
)
def test_garbled_bytes_in_one_row(garbled: bytes, unread: set[Field]) -> None:
    """No JSON by the letter, and the other rows can be read all the same."""
    body = json.dumps({"patTokens": [{**WIRE, "displayName": "a%b"}, WIRE]}).encode()
    with responses.RequestsMock() as mock:
        mock.get(URL, body=body.replace(b"%", garbled))
        odd, right = client(None).tokens.list(CONTOSO)
    assert odd.unread == unread
    assert right == PAT


@pytest.mark.parametrize("row", [None, "x", 7, [], [WIRE], True])
def test_a_row_that_is_no_object(row: object) -> None:
    made = client(None)
    with responses.RequestsMock() as mock:
        mock.get(URL, json={"patTokens": [WIRE, row, WIRE]})
        listed = list(made.tokens.list(CONTOSO))
    assert [pat.unread for pat in listed] == [frozenset(), frozenset(Field), frozenset()]
    assert listed[1].target_accounts == ()
    assert len(made.odd) == 1


@pytest.mark.parametrize(
    "result",
    [
        "text",
        None,
        [],
        {},
        {"patToken": None},
        {"patToken": None, "patTokenError": "none"},
        {"patToken": [], "patTokenError": "none"},
        {"patToken": WIRE, "patTokenError": 5},
    ],
)
def test_a_result_of_the_wrong_shape(result: object) -> None:
    with responses.RequestsMock() as mock:
        mock.get(URL, json=result)
        with pytest.raises(UnavailableError, match="is not a token"):
            client(None).tokens.get(CONTOSO, "x")


@pytest.mark.parametrize("token", [None, "", 7, "\ud800", "a\n::stop", "a b", "é"])
def test_a_created_token_without_its_secret(token: object) -> None:
    request = PatRequest(display_name="n", scopes=(), valid_to=TOMORROW)
    with responses.RequestsMock() as mock:
        mock.post(URL, json={"patToken": {**WIRE, "token": token}, "patTokenError": "none"})
        with pytest.raises(UnavailableError) as caught:
            client(None).tokens.create(CONTOSO, request)
    assert caught.value.message == (
        "the response from vssps.dev.azure.com is not a token"
        " (token is missing or of the wrong type)"
    )
    assert (
        caught.value.hint == "the service may have carried out the request; to check, run: pat list"
    )


def test_a_mark_at_the_start_of_json_is_borne() -> None:
    with responses.RequestsMock() as mock:
        mock.get(URL, body=b"\xef\xbb\xbf" + json.dumps({"patToken": WIRE}).encode())
        assert client(None).tokens.get(CONTOSO, "x") == PAT


@pytest.mark.parametrize(("status", "body"), [(200, b""), (200, b"{}"), (202, b"x"), (204, b"")])
def test_any_success_is_a_revocation(status: int, body: bytes) -> None:
    with responses.RequestsMock() as mock:
        mock.delete(URL, status=status, body=body)
        assert client(None).tokens.revoke(CONTOSO, "x") is True


def test_a_revocation_that_the_service_refuses_in_a_success() -> None:
    with responses.RequestsMock() as mock:
        mock.delete(URL, json={"patToken": None, "patTokenError": "accessDenied"})
        mock.delete(URL, json={"patToken": None, "patTokenError": "tokenNotFound"})
        tokens = client(None).tokens
        with pytest.raises(RefusedError, match="the signed-in user is not allowed to do this"):
            tokens.revoke(CONTOSO, "x")
        assert tokens.revoke(CONTOSO, "x") is False


def test_an_organization_that_is_gone_is_no_revocation(stage: Stage) -> None:
    with pytest.raises(NotFoundError):
        stage.client().tokens.revoke(stage.organization("nope"), "x")


def test_a_name_that_is_no_organization_asks_nothing() -> None:
    for name in ("", ".", ".."):
        made = client(None)
        with pytest.raises(UsageError):
            made.tokens.get(Organization(name=name, url=""), "x")
        assert made.exchanges == []


def test_the_life_of_a_token(stage: Stage) -> None:
    tokens, contoso = stage.client().tokens, stage.contoso
    request = PatRequest(display_name="naïve ✓", scopes=("vso.code",), valid_to=TOMORROW)
    made = tokens.create(contoso, request)
    pat, authorization_id = made.pat, made.pat.authorization_id
    assert (pat.display_name, pat.scopes, pat.valid_to, pat.target_accounts) == (
        "naïve ✓",
        ("vso.code",),
        TOMORROW,
        (CONTOSO_ID,),
    )
    assert tokens.get(contoso, authorization_id.upper()) == pat
    assert pat in list(tokens.list(contoso))
    changed = tokens.update(contoso, authorization_id, PatChanges(display_name="other"))
    assert changed.display_name == "other"
    assert (changed.scopes, changed.target_accounts) == (pat.scopes, pat.target_accounts)
    assert tokens.revoke(contoso, authorization_id) is True
    assert tokens.revoke(contoso, authorization_id) is False
    assert changed in list(tokens.list(contoso, Status.REVOKED))
    assert changed not in list(tokens.list(contoso))


@pytest.mark.parametrize("authorization_id", ["00000000-0000-0000-0000-000000000000"])
def test_a_token_that_is_not_there(stage: Stage, authorization_id: str) -> None:
    tokens = stage.client().tokens
    with pytest.raises(NoSuchTokenError):
        tokens.get(stage.contoso, authorization_id)
    with pytest.raises(NoSuchTokenError):
        tokens.update(stage.contoso, authorization_id, PatChanges(display_name="x"))
    assert tokens.revoke(stage.contoso, authorization_id) is False


def test_the_list_holds_tokens_of_other_organizations(stage: Stage) -> None:
    stage.control("DELETE", "tokens")
    stage.control("POST", "tokens", {"name": "a", "organization": "contoso"})
    stage.control("POST", "tokens", {"name": "b", "organization": "fabrikam"})
    stage.control("POST", "tokens", {"name": "c", "allOrgs": True})
    stage.control("POST", "tokens", {"name": "d", "user": "grace"})
    listed = stage.client().tokens.list(stage.contoso, sort="displayName")
    assert [(token.display_name, token.target_accounts) for token in listed] == [
        ("a", (CONTOSO_ID,)),
        ("b", (FABRIKAM_ID,)),
        ("c", None),
    ]


def test_a_repeated_page_ends_in_an_error(stage: Stage) -> None:
    stage.control("POST", "tokens", {"count": 300})
    stage.fault("GET * repeat-continuation times=always")
    with pytest.raises(UnavailableError) as caught:
        list(stage.client().tokens.list(stage.contoso))
    assert caught.value.message == (
        f"the response from {stage.host} is not a complete list (a page is repeated)"
    )
    assert len(stage.asked("GET")) <= 3


def test_empty_pages_that_promise_more_end_in_an_error() -> None:
    """Two in a row are borne, as often as they come; the third is the last."""
    contents = [[], [], [WIRE], [], [], [WIRE], [], [], []]
    with responses.RequestsMock() as mock:
        for number, content in enumerate(contents):
            mock.get(URL, json={"continuationToken": str(number), "patTokens": content})
        listing = client(None).tokens.list(CONTOSO)
        assert [next(listing), next(listing)] == [PAT, PAT]
        with pytest.raises(UnavailableError) as caught:
            next(listing)
        assert len(mock.calls) == len(contents)
    assert caught.value.message == (
        "the response from vssps.dev.azure.com is not a complete list (its pages are empty)"
    )


def test_a_thousand_pages_are_enough() -> None:
    asked: list[str] = []

    def page(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        asked.append(str(request.url))
        return 200, {}, json.dumps({"continuationToken": str(len(asked)), "patTokens": [WIRE]})

    listed: list[ServicePat] = []
    with responses.RequestsMock() as mock:
        mock.add_callback("GET", URL, callback=page)
        with pytest.raises(UnavailableError) as caught:
            listed.extend(client(None).tokens.list(CONTOSO))
    assert (len(listed), len(asked)) == (1000, 1000)
    assert caught.value.message == (
        "the response from vssps.dev.azure.com is not a complete list (it does"
        " not end after 1000 pages)"
    )


def test_a_continuation_token_that_no_url_can_hold() -> None:
    with responses.RequestsMock() as mock:
        mock.get(URL, json={"continuationToken": "\ud800", "patTokens": []})
        with pytest.raises(UnavailableError, match="continuationToken is missing or of the wrong"):
            list(client(None).tokens.list(CONTOSO))


def test_five_thousand_tokens_in_fifty_requests_and_flat_memory(stage: Stage) -> None:
    stage.control("DELETE", "tokens")
    stage.control("POST", "tokens", {"count": 5000})
    made = stage.client()
    listing = made.tokens.list(stage.contoso)
    ids = {token.authorization_id for token in islice(listing, 1000)}
    tracemalloc.start()
    try:
        for token in islice(listing, 1000):
            ids.add(token.authorization_id)
            made.exchanges.clear()  # what the test keeps of them does not count
        tracemalloc.reset_peak()
        early, _ = tracemalloc.get_traced_memory()
        count = 0
        for _ in listing:
            count += 1
            made.exchanges.clear()
        late, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(ids), count) == (2000, 3000)
    # Three thousand tokens held would be 2 MB and more; the emulator's log grows meanwhile.
    assert late - early < 500_000
    assert peak - early < 1_500_000
    assert len(stage.asked("GET")) == 50
    assert {entry["path"] for entry in stage.asked("GET")} == {PATS}
