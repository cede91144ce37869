"""Paths, methods, versions, headers, connections."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from emulator.stage import ADA_ID, CONNECTION, NOW, PATS, Stage


@pytest.mark.parametrize(
    ("version", "type_key"),
    [
        (None, "VssVersionNotSpecifiedException"),
        ("", "VssVersionNotSpecifiedException"),
        ("7.1", "VssInvalidPreviewVersionException"),
        ("7.2", "VssInvalidPreviewVersionException"),
        ("7.3-preview.1", "VssVersionOutOfRangeException"),
        ("7.1-preview.2", "VssVersionOutOfRangeException"),
        ("latest", "VssInvalidApiResourceVersionException"),
    ],
)
def test_versions_refused(stage: Stage, version: str | None, type_key: str) -> None:
    stage.version = version
    answer = stage.ask("GET", PATS)
    assert (answer.status_code, answer.json()["typeKey"]) == (400, type_key)


@pytest.mark.parametrize(
    "version", ["7.1-preview.1", "7.2-preview.1", "7.1-preview", "7.0-Preview"]
)
def test_versions_taken(stage: Stage, version: str) -> None:
    stage.version = version
    answer = stage.ask("GET", PATS)
    kind = f"application/json; charset=utf-8; api-version={version}"
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)


def test_the_version_may_stand_in_the_accept_header(stage: Stage) -> None:
    stage.version = None
    answer = stage.ask(
        "GET", PATS, headers={"Accept": "application/json;api-version=7.1-preview.1"}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "version", "status"),
    [
        (CONNECTION, None, 200),
        (CONNECTION, "7.1-preview.1", 200),
        (CONNECTION, "7.1", 400),
        ("/_apis/profile/profiles/me", "7.1", 200),
        ("/_apis/profile/profiles/me", "7.2-preview.3", 200),
        ("/_apis/profile/profiles/me", "7.2-preview.4", 400),
        ("/_apis/profile/profiles/me", None, 400),
        (f"/_apis/accounts?memberId={ADA_ID}", "7.1-preview.1", 200),
    ],
)
def test_versions_of_the_other_resources(
    stage: Stage, path: str, version: str | None, status: int
) -> None:
    stage.version = version
    assert stage.ask("GET", path).status_code == status


@pytest.mark.parametrize(
    "path",
    ["/Contoso/_APIS/Tokens/PATS", "/contoso/_apis/tokens/pats/", "/CONTOSO/_apis/tokens/pats"],
)
def test_paths_have_no_case(stage: Stage, path: str) -> None:
    assert stage.names(path) == stage.names()


def test_unknown_paths_and_methods(stage: Stage) -> None:
    for path in ("/contoso/_apis/git/repositories", "/_apis/nothing", "/contoso", "/"):
        assert stage.ask("GET", path).status_code == 404, path
    answer = stage.ask("PATCH", PATS)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST, PUT, DELETE")
    assert stage.ask("POST", "/_apis/profile/profiles/me").status_code == 405


def test_every_answer_can_be_traced(stage: Stage) -> None:
    answers = [stage.ask("GET", path) for path in (PATS, "/nowhere", CONNECTION)]
    answers.append(stage.ask("DELETE", PATS, {"authorizationId": ADA_ID}))
    for answer in answers:
        assert answer.headers["X-VSS-E2EID"] == answer.headers["ActivityId"]
        assert answer.headers["Date"] == NOW.strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert len({answer.headers["ActivityId"] for answer in answers}) == len(answers)
    assert len({answer.headers["X-TFS-Session"] for answer in answers}) == 1


def raw(stage: Stage, text: str) -> bytes:
    """What comes back for bytes sent as they are, until the server ends the connection."""
    host, _, port = stage.emulator.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(text.encode())
        connection.shutdown(socket.SHUT_WR)
        parts = list(iter(lambda: connection.recv(65536), b""))
    return b"".join(parts)


def test_one_connection_carries_many_requests(stage: Stage) -> None:
    once = "GET /_signin HTTP/1.1\r\nHost: x\r\n\r\n"
    assert raw(stage, once * 3).count(b"HTTP/1.1 200 OK\r\n") == 3


def test_bodies_in_chunks_and_of_no_length(stage: Stage) -> None:
    head = f"POST {PATS} HTTP/1.1\r\nHost: x\r\nX-TFS-FedAuthRedirect: Suppress\r\n"
    chunked = raw(stage, head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
    assert chunked.startswith(b"HTTP/1.1 401 ")
    assert raw(stage, head + "Content-Length: x\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert raw(stage, head + "Content-Length: 99999999999\r\n\r\n").startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "rest",
    [
        "Content-Length: 50\r\n\r\n{}",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_half_a_request_has_no_effect(stage: Stage, rest: str) -> None:
    head = f"POST {PATS} HTTP/1.1\r\nHost: x\r\n"
    assert raw(stage, head + rest).startswith(b"HTTP/1.1 400 ")
    assert stage.control("GET", "requests") == {"requests": []}


@pytest.mark.parametrize(
    "head",
    [
        f"GET {PATS} HTTP/1.1\r\nHost: a b\r\n",
        f"GET {PATS} HTTP/1.1\r\n",
        f"GET {PATS} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic \N{SNOWMAN}\r\n",
        f"GET {PATS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a.\N{SNOWMAN}.c\r\n",
        f"GET {PATS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a.{'W1tb' * 9000}.c\r\n",
        f"GET {PATS}?%ff=%00 HTTP/1.1\r\nHost: x\r\n",
    ],
)
def test_odd_requests_meet_the_sign_in_page(stage: Stage, head: str) -> None:
    assert raw(stage, head + "\r\n").startswith(b"HTTP/1.1 203 ")


def test_many_clients_at_once(bare: Stage) -> None:
    def make(number: int) -> str:
        answer = requests.post(
            bare.emulator.url + PATS,
            params={"api-version": "7.2-preview.1"},
            json={"displayName": f"n{number}", "scope": "vso.code", "validTo": "2026-07-01"},
            headers={"Authorization": f"Bearer {bare.token}"},
            timeout=10,
        )
        name: str = answer.json()["patToken"]["displayName"]
        return name

    with ThreadPoolExecutor(12) as pool:
        made = sorted(pool.map(make, range(60)))
    assert sorted(bare.names()) == made
    assert len(made) == 60


def test_closing_ends_open_connections(stage: Stage) -> None:
    assert stage.ask("GET", PATS).status_code == 200
    stage.emulator.close()
    stage.emulator.close()
    with pytest.raises(requests.ConnectionError):
        stage.ask("GET", PATS)
