"""The audit log, from the emulator and as the service may answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses

from api.stage import Stage, client
from azdo_pat.errors import PatError, RefusedError, SignInError, UnavailableError
from azdo_pat.models import AuditEvent, Organization, PatRequest

LOG = "https://auditservice.dev.azure.com/contoso/_apis/audit/auditlog"
CONTOSO = Organization(name="contoso", url="https://dev.azure.com/contoso")
SINCE = datetime(2026, 11, 1, tzinfo=UTC)
ENTRY: dict[str, Any] = {
    "id": "2518505060978539161;00000064-0000-8888-8000-000000000000;86fbe369",
    "timestamp": "2026-11-05T14:05:02.1460838+00:00",
    "ipAddress": "192.0.2.7",
    "userAgent": "Git Credential Manager",
    "actionId": "Token.PatCreateEvent",
    "data": {"DisplayName": "ci", "Scopes": ["vso.code"]},
    "details": 'Personal Access Token "ci" was created.',
    "area": "Token",
    "category": "create",
    "actorDisplayName": "Ada Lovelace",
    "actorUPN": "ada@contoso.example",
}
OTHER = {**ENTRY, "id": "another"}
EVENT = AuditEvent(
    time=datetime(2026, 11, 5, 14, 5, 2, 146083, tzinfo=UTC),
    action="Token.PatCreateEvent",
    token="ci",
    actor="Ada Lovelace",
    actor_mail="ada@contoso.example",
    address="192.0.2.7",
    program="Git Credential Manager",
    details='Personal Access Token "ci" was created.',
)


def page(*entries: object, more: bool = False, following: str | None = None) -> dict[str, object]:
    """A page as the specification has it."""
    return {
        "decoratedAuditLogEntries": list(entries),
        "continuationToken": following,
        "hasMore": more,
    }


def read(*pages: object) -> tuple[list[AuditEvent], list[str], list[str]]:
    """Read a log of these pages; return the events, what was odd, and the URLs requested."""
    made = client(None)
    with responses.RequestsMock() as mock:
        for each in pages:
            mock.get(LOG, json=each)
        found = list(made.audit.token_events(CONTOSO, SINCE))
        return found, made.odd, [str(call.request.url) for call in mock.calls]


def test_what_the_emulator_recorded(stage: Stage) -> None:
    made = stage.client()
    expiry = datetime.now(UTC) + timedelta(days=7)
    request = PatRequest(display_name="ci", scopes=("vso.code",), valid_to=expiry)
    token = made.tokens.create(stage.contoso, request).pat
    made.tokens.revoke(stage.contoso, token.authorization_id)
    since = datetime.now(UTC) - timedelta(days=1)
    revoked, created = made.audit.token_events(stage.contoso, since)
    assert (revoked.action, created.action) == ("Token.PatRevokeEvent", "Token.PatCreateEvent")
    assert (created.token, created.actor, created.address) == ("ci", "Ada Lovelace", "127.0.0.1")
    assert created.program.startswith("azdo-pat/")
    assert created.time is not None
    assert abs(created.time - datetime.now(UTC)) < timedelta(minutes=5)


def test_all_pages_of_the_emulator(stage: Stage) -> None:
    made = stage.client()
    expiry = datetime.now(UTC) + timedelta(days=7)
    for number in range(201):  # one more than a page has
        name = f"token {number}"
        request = PatRequest(display_name=name, scopes=("vso.code",), valid_to=expiry)
        made.tokens.create(stage.contoso, request)
    since = datetime.now(UTC) - timedelta(days=1)
    names = {each.token for each in made.audit.token_events(stage.contoso, since)}
    assert names == {f"token {number}" for number in range(201)}
    pages = [each for each in stage.asked("GET") if each["path"].endswith("auditlog")]
    assert len(pages) == 2


def test_on_the_wire() -> None:
    found, odd, urls = read(page(ENTRY))
    assert (found, odd) == ([EVENT], [])
    assert urls == [f"{LOG}?startTime=2026-11-01T00%3A00%3A00.000Z&api-version=7.2-preview.1"]


def test_a_page_may_be_wrapped() -> None:
    """As in Microsoft's example."""
    assert read({"value": page(ENTRY)})[0] == [EVENT]


def test_only_more_pages_are_read() -> None:
    """A continuation token stands on the last page, too."""
    found, _, urls = read(
        page(ENTRY, more=True, following="a;b"), page(OTHER, more=False, following="c;d")
    )
    assert found == [EVENT, EVENT]
    assert [url.partition("continuationToken=")[2] for url in urls] == ["", "a%3Bb"]


def test_an_event_counts_once() -> None:
    """Pages of a log that is being written to may overlap."""
    assert read(page(ENTRY, ENTRY, more=True, following="a"), page(ENTRY, OTHER))[0] == [EVENT] * 2


@pytest.mark.parametrize("identifier", [None, 7])
def test_events_without_an_id_are_not_the_same(identifier: object) -> None:
    nameless = {**ENTRY, "id": identifier}
    assert read(page(nameless, nameless))[0] == [EVENT, EVENT]


@pytest.mark.parametrize("following", [None, "", "a"])
def test_a_log_that_never_ends_is_left(following: str | None) -> None:
    with pytest.raises(UnavailableError, match="a page is repeated"):
        read(page(more=True, following="a"), page(more=True, following=following))


def test_other_events_are_left_out() -> None:
    other = {"actionId": "AuditLog.AccessLog", "timestamp": 7, "data": []}
    assert read(page(other, ENTRY))[:2] == ([EVENT], [])


@pytest.mark.parametrize("row", [None, "text", 7, []])
def test_a_row_that_is_no_event_hides_no_other(row: object) -> None:
    found, odd, _ = read(page(row, ENTRY))
    assert (found, odd) == ([EVENT], ["an event of the audit log of contoso"])


@pytest.mark.parametrize(
    ("changes", "emptied"),
    [
        ({"ipAddress": None, "userAgent": ""}, {"address", "program"}),
        ({"data": None}, {"token"}),
        ({"data": "text"}, {"token"}),
        ({"data": {"DisplayName": ["ci"]}}, {"token"}),
        ({"actorDisplayName": 7, "actorUPN": {}}, {"actor", "actor_mail"}),
    ],
)
def test_what_is_missing_is_empty(changes: dict[str, Any], emptied: set[str]) -> None:
    found, odd, _ = read(page(ENTRY | changes))
    expected = {**EVENT._asdict(), **dict.fromkeys(emptied, "")}
    assert ([each._asdict() for each in found], odd) == ([expected], [])


@pytest.mark.parametrize("time", [None, "soon", 7, "9999-12-31T23:59:59-14:00"])
def test_a_time_that_cannot_be_read(time: object) -> None:
    found, odd, _ = read(page(ENTRY | {"timestamp": time}))
    assert found == [EVENT._replace(time=None)]
    assert odd == ["an event of the audit log of contoso (timestamp)"]


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        {},
        {"value": []},
        {"decoratedAuditLogEntries": {}},
        {"decoratedAuditLogEntries": [], "continuationToken": 7},
    ],
)
def test_what_is_no_log(body: object) -> None:
    with pytest.raises(UnavailableError, match=r"is not an audit log"):
        read(body)


def test_a_refusal_says_which_permission_is_missing(stage: Stage) -> None:
    stage.control("PUT", "policies", ["audit-log-forbidden"])
    with pytest.raises(RefusedError) as caught:
        list(stage.client().audit.token_events(stage.contoso, SINCE))
    assert caught.value.message == "you cannot read the audit log of contoso"
    assert "View audit log" in caught.value.hint
    assert "View audit log" in caught.value.server_message


@pytest.mark.parametrize(
    ("user", "error"), [("5f1e2d3c-0000-4000-8000-000000000001", RefusedError), ("", SignInError)]
)
def test_a_401_that_names_the_user_is_a_refusal(user: str, error: type[PatError]) -> None:
    message = f"TF400813: The user '{user}' is not authorized to access this resource."
    body = {"$id": "1", "message": message, "typeKey": "UnauthorizedRequestException"}
    log = client(None).audit
    with responses.RequestsMock() as mock:
        mock.get(LOG, json=body, status=401)
        with pytest.raises(error) as caught:
            list(log.token_events(CONTOSO, SINCE))
    assert type(caught.value) is error
