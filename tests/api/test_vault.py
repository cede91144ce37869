"""Answers that a real Vault server cannot be made to give; the others are in `tests/e2e`."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
import responses
from responses import matchers

from api.stage import Client, client
from azdo_pat.api.credentials import VaultToken
from azdo_pat.api.vault import KvPlace, Vault
from azdo_pat.api.vault_lease import Lease, take_lease
from azdo_pat.errors import (
    ConflictError,
    NotFoundError,
    PatError,
    RefusedError,
    SignInError,
    UnavailableError,
    UsageError,
)
from azdo_pat.models import Secret

ADDRESS = "https://vault.example.com:8200/at"
ROOT = f"{ADDRESS}/v1"
MOUNT = f"{ROOT}/sys/internal/ui/mounts/secret/team/ci"
DATA = f"{ROOT}/secret/data/team/ci"
TOKEN = "hvs.CAESIJoL-of-a-test"
PAGE = {"body": "<html>Sign in</html>", "content_type": "text/html"}


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def http() -> Client:
    return client(None)


@pytest.fixture
def vault(http: Client) -> Vault:
    return Vault(http.http, ADDRESS, "", Secret(TOKEN))


@pytest.fixture
def place(vault: Vault) -> KvPlace:
    return KvPlace(vault, "secret", "team/ci", has_versions=True)


def mount(**changed: object) -> dict[str, object]:
    found: dict[str, object] = {"path": "secret/", "type": "kv", "options": {"version": "2"}}
    return {"data": {**found, **changed}}


def answer(fields: dict[str, object], version: int) -> dict[str, object]:
    return {"data": {"data": fields, "metadata": {"version": version}}}


@pytest.mark.parametrize("status", [200, 403, 404, 502])
def test_a_web_page_is_not_an_answer(
    server: responses.RequestsMock, place: KvPlace, status: int
) -> None:
    server.get(DATA, status=status, **PAGE)
    with pytest.raises(UnavailableError, match=rf"a web page instead of data \(HTTP {status}\)"):
        place.read()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_names_the_other_host(
    server: responses.RequestsMock, place: KvPlace, status: int
) -> None:
    server.get(DATA, status=status, headers={"Location": "https://u:p@evil.example/v1/x"})
    with pytest.raises(UnavailableError, match=r"redirects to evil\.example, which does not get"):
        place.read()
    assert len(server.calls) == 1


@pytest.mark.parametrize("location", ["/v1/elsewhere", "https://vault.example.com:8200/x", ""])
def test_a_redirect_to_another_path_is_named_as_such(
    server: responses.RequestsMock, place: KvPlace, location: str
) -> None:
    server.get(DATA, status=307, headers={"Location": location})
    with pytest.raises(UnavailableError, match="redirects to another path"):
        place.read()


@pytest.mark.parametrize(
    ("status", "said", "error", "match"),
    [
        (412, "required index state not present", UnavailableError, "behind that of the active"),
        (472, "", UnavailableError, "standby for disaster recovery"),
        (473, "", UnavailableError, "it is a standby"),
        (429, "request path: rate limit quota exceeded", UnavailableError, "rate limit allows"),
        (503, "Vault is sealed", UnavailableError, "is sealed"),
        (503, "upstream is away", UnavailableError, r"failed \(HTTP 503\)"),
        (500, "internal error", UnavailableError, r"failed \(HTTP 500\)"),
        (404, 'no handler for route "secret/data"', NotFoundError, "no secrets engine"),
        (400, "something else", RefusedError, r"refused the request \(HTTP 400\)"),
        (405, "unsupported operation", RefusedError, "does not support"),
    ],
)
def test_each_failure_is_told_apart(
    server: responses.RequestsMock,
    place: KvPlace,
    status: int,
    said: str,
    error: type[PatError],
    match: str,
) -> None:
    server.get(DATA, status=status, json={"errors": [said] if said else []})
    with pytest.raises(error, match=match) as caught:
        place.read()
    assert caught.value.server_message == said
    assert TOKEN not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize("document", [{}, [], {"errors": None}, {"data": None}, "text"])
def test_a_404_of_another_server_does_not_mean_that_there_is_no_secret(
    server: responses.RequestsMock, place: KvPlace, document: object
) -> None:
    server.get(DATA, status=404, json=document)
    with pytest.raises(UnavailableError, match="does not answer like Vault"):
        place.read()


@pytest.mark.parametrize(
    "document",
    [
        {"data": {"data": [], "metadata": {"version": 1}}},
        {"data": {"data": {}, "metadata": {"version": "1"}}},
        {"data": {"data": {}}},
        {"data": None},
        [],
    ],
)
def test_an_answer_of_another_shape_is_not_believed(
    server: responses.RequestsMock, place: KvPlace, document: object
) -> None:
    server.get(DATA, json=document)
    with pytest.raises(UnavailableError, match="does not answer like Vault"):
        place.read()


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"options": {"version": "3"}}, "of an unknown version"),
        ({"path": "other/"}, "does not answer like Vault"),
        ({"path": 1}, "does not answer like Vault"),
    ],
)
def test_the_version_of_an_engine_is_never_guessed(
    server: responses.RequestsMock, vault: Vault, changed: dict[str, object], match: str
) -> None:
    server.get(MOUNT, json=mount(**changed))
    with pytest.raises(UnavailableError, match=match):
        vault.locate("secret/team/ci")


@pytest.mark.parametrize("options", [None, {}, {"version": "1"}])
def test_an_engine_that_tells_no_version_has_none(
    server: responses.RequestsMock, vault: Vault, options: object
) -> None:
    server.get(MOUNT, json=mount(options=options))
    found = vault.locate("secret/team/ci")
    assert (found.data, found.has_versions) == ("secret/team/ci", False)


def test_each_request_says_what_the_server_wants_to_know(
    server: responses.RequestsMock, http: Client
) -> None:
    wanted = {"X-Vault-Request": "true", "X-Vault-Namespace": "a/b", "X-Vault-Token": TOKEN}
    server.get(DATA, json=answer({}, 1), match=[matchers.header_matcher(wanted)])
    vault = Vault(http.http, ADDRESS, "a/b", Secret(TOKEN))
    KvPlace(vault, "secret", "team/ci", has_versions=True).read()
    [exchange] = http.exchanges
    assert TOKEN not in "".join(exchange.lines())


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "ümlaut"])
def test_a_token_that_cannot_be_sent_is_not_quoted(http: Client, token: str) -> None:
    with pytest.raises(SignInError, match="contains spaces") as caught:
        Vault(http.http, ADDRESS, "", Secret(token))
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "is_sent"),
    [
        (f"{ADDRESS}/v1/x", True),
        ("https://VAULT.example.com:8200/other", True),
        ("https://vault.example.com/v1/x", False),
        ("http://vault.example.com:8200/v1/x", False),
        ("https://vault.example.com.evil.example:8200/v1/x", False),
        ("https://vault.example.com:8200@evil.example/v1/x", False),
    ],
)
def test_the_token_goes_to_the_origin_of_its_server_only(url: str, *, is_sent: bool) -> None:
    request = requests.Request("GET", url, auth=VaultToken(Secret(TOKEN), ADDRESS)).prepare()
    assert (request.headers.get("X-Vault-Token") == TOKEN) == is_sent
    assert is_sent or TOKEN not in str(request.headers)


def test_a_token_is_sent_to_a_protected_address_only(http: Client) -> None:
    with pytest.raises(UsageError, match="not https"):
        Vault(http.http, "http://vault.example.com", "", Secret(TOKEN))


def test_a_write_whose_answer_was_lost_is_repeated_and_then_conflicts_with_itself(
    server: responses.RequestsMock, place: KvPlace
) -> None:
    server.post(DATA, body=ConnectionResetError())
    server.post(
        DATA,
        status=400,
        json={"errors": ["check-and-set parameter did not match the current version"]},
    )
    with pytest.raises(ConflictError):
        place.write({"a": "b"}, cas=1)
    assert len(server.calls) == 2


NOW = datetime(2026, 11, 30, 12, 0, 0, 0, UTC)
DATE = {"Date": "Mon, 30 Nov 2026 12:00:00 GMT"}


def test_a_lease_whose_answer_was_lost_is_held(
    server: responses.RequestsMock, place: KvPlace
) -> None:
    sent: list[dict[str, object]] = []

    def written(request: object) -> tuple[int, dict[str, str], str]:
        sent.append(json.loads(request.body)["data"])  # type: ignore[attr-defined]  # responses' own
        return 400, {}, '{"errors": ["check-and-set parameter did not match"]}'

    def read(_: object) -> tuple[int, dict[str, str], str]:
        if not sent:
            return 404, DATE, '{"errors": []}'
        return 200, DATE, json.dumps(answer(sent[0], 1))

    server.add_callback("GET", DATA, read)
    server.add_callback("POST", DATA, written)
    lease = take_lease(place, "one", timedelta(minutes=5))
    assert isinstance(lease, Lease)
    assert (lease.version, lease.until) == (1, NOW + timedelta(minutes=5))


@pytest.mark.parametrize(("seconds", "is_taken"), [(-1, True), (0, True), (1, False)])
def test_the_clock_of_the_server_decides_when_a_lease_ends(
    server: responses.RequestsMock, place: KvPlace, seconds: int, *, is_taken: bool
) -> None:
    until = (NOW + timedelta(seconds=seconds)).isoformat()
    fields: dict[str, object] = {"holder": "two", "until": until, "claim": "x"}
    server.get(DATA, json=answer(fields, 4), headers=DATE)
    server.post(DATA, json={"data": {"version": 5}})
    assert isinstance(take_lease(place, "one", timedelta(minutes=5)), Lease) == is_taken


@pytest.mark.parametrize("date", [{}, {"Date": "yesterday"}])
def test_a_lease_needs_the_clock_of_the_server(
    server: responses.RequestsMock, place: KvPlace, date: dict[str, str]
) -> None:
    server.get(DATA, status=404, json={"errors": []}, headers=date)
    with pytest.raises(UnavailableError, match="does not tell the time"):
        take_lease(place, "one", timedelta(minutes=5))


def test_a_lease_for_years_is_none(server: responses.RequestsMock, place: KvPlace) -> None:
    until = (NOW + timedelta(hours=2)).isoformat()
    server.get(DATA, json=answer({"holder": "two", "until": until, "claim": "x"}, 4), headers=DATE)
    with pytest.raises(ConflictError, match="is too far away") as caught:
        take_lease(place, "one", timedelta(minutes=5))
    assert "vault kv delete -mount=secret team/ci" in caught.value.hint


@pytest.mark.parametrize("until", ["soon", 12, None])
def test_a_lease_without_an_end_is_none(
    server: responses.RequestsMock, place: KvPlace, until: object
) -> None:
    fields = {"holder": "two", "until": until, "claim": "x"}
    server.get(DATA, json=answer(fields, 4), headers=DATE)
    with pytest.raises(ConflictError, match="it is not a lease"):
        take_lease(place, "one", timedelta(minutes=5))
