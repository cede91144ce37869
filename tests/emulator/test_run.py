"""Starting, stopping, and the state file."""

import json
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from azdo_pat.emulator.errors import EmulatorError
from azdo_pat.emulator.run import Options, start
from emulator.stage import (
    CONNECTION,
    ENDPOINTS,
    GRAPH_USERS,
    NOW,
    PATS,
    TOKEN_ADMIN,
    Stage,
    new_connection,
    new_token,
)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """Connections, closed at the end."""
    with requests.Session() as opened:
        yield opened


def stage_on(path: Path, session: requests.Session) -> Stage:
    """An emulator with that state file; the caller closes it."""
    emulator = start(Options(state_file=path), clock=lambda: NOW)
    return Stage(emulator=emulator, session=session, token=emulator.access_token)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A place for a state file; there is none yet."""
    return tmp_path / "emulator.json"


def test_what_it_says_of_itself() -> None:
    with start(Options()) as emulator:
        assert emulator.url.startswith("http://127.0.0.1:")
        assert emulator.organization == "contoso"
        assert emulator.access_token.count(".") == 2


def test_the_access_token_lives_twelve_hours() -> None:
    moment = NOW
    with start(Options(), clock=lambda: moment) as emulator, requests.Session() as session:
        stage = Stage(emulator=emulator, session=session, token=emulator.access_token)
        moment = NOW + timedelta(hours=11, minutes=59)
        assert stage.ask("GET", PATS).status_code == 200
        moment = NOW + timedelta(hours=12)
        assert stage.ask("GET", PATS).status_code == 401


def test_ipv6() -> None:
    with start(Options(host="::1")) as emulator:
        assert emulator.url.startswith("http://[::1]:")
        health = requests.get(f"{emulator.url}/_emulator/health", timeout=5)
    assert health.status_code == 200


def test_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EmulatorError, match=f"cannot listen on 127.0.0.1 port {port}: "):
            start(Options(port=port))


@pytest.mark.parametrize("host", ["256.0.0.1", "no.such.host.invalid"])
def test_no_such_host(host: str) -> None:
    with pytest.raises(EmulatorError, match=f"cannot listen on {host} port 0: "):
        start(Options(host=host))


def test_no_such_port() -> None:
    with pytest.raises(EmulatorError, match=r"cannot listen on 127\.0\.0\.1 port 99999: "):
        start(Options(port=99999))


@pytest.mark.parametrize("options", [Options(faults=("x",)), Options(policies=("x",))])
def test_strings_not_understood(options: Options) -> None:
    with pytest.raises(EmulatorError, match="'x'"):
        start(options)


def test_everything_outlives_the_emulator(path: Path, session: requests.Session) -> None:
    first = stage_on(path, session)
    token = first.create(displayName="Prüfung")
    first.control("PUT", "policies", ["full-scope-forbidden", "revocation-delay=30"])
    keys = first.control("POST", "tokens", {"ssh": True, "count": 2})["ids"]
    first.control("POST", "clock", {"advanceSeconds": 60})
    first.control("PUT", "users", {"count": 7, "seed": 2})
    users = first.ask("GET", GRAPH_USERS).json()["count"]
    revocations = [{"authorizationId": keys[0]}]
    first.ask("POST", f"{TOKEN_ADMIN}/revocations", {"isPublic": "true"}, body=revocations)
    first.ask("POST", f"{TOKEN_ADMIN}/revocationrules", body={"scopes": "vso.pats"})
    roles = {"grace": "user"}
    variables = {"A": {"value": "a", "isSecret": True}}
    first.control("POST", "variable-groups", {"name": "g", "variables": variables, "roles": roles})
    first.control("PUT", "readiness", {"delaySeconds": 600, "failure": "It does not answer."})
    assert first.ask("POST", ENDPOINTS, body=new_connection()).status_code == 200
    kept = ("state", "variable-groups", "service-connections")
    before = [first.control("GET", name) for name in kept]
    first.emulator.close()
    second = stage_on(path, session)
    assert [second.control("GET", name) for name in kept] == before
    assert second.control("POST", "variable-groups", {"name": "h"}) == {"id": 3}
    second.token = second.access_token(scopes="vso.pats")
    assert second.ask("GET", PATS).status_code == 401
    second.control("POST", "clock", {"advanceSeconds": 30})
    tokens = {each["authorizationId"]: each for each in second.control("GET", "state")["tokens"]}
    assert [tokens[key]["status"] for key in keys] == ["revoked", "active"]
    assert second.connect(token["token"]).status_code == 200
    second.token = first.token
    assert second.ask("GET", GRAPH_USERS).json()["count"] == users == 12
    assert second.ask("GET", CONNECTION).status_code == 200
    second.emulator.close()


def test_a_crowd_from_the_start(path: Path, session: requests.Session) -> None:
    def count(users: int | None) -> int:
        options = Options(state_file=path, users=users)
        with start(options, clock=lambda: NOW) as emulator:
            stage = Stage(emulator=emulator, session=session, token=emulator.access_token)
            found: int = stage.ask("GET", GRAPH_USERS).json()["count"]
            return found

    assert [count(users) for users in (20, None, 10, 0)] == [25, 25, 15, 5]


def test_the_file_is_private_and_holds_no_secret(path: Path, session: requests.Session) -> None:
    stage = stage_on(path, session)
    token = stage.create()
    stage.emulator.close()
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert token["token"] not in path.read_text(encoding="utf-8")
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": "other", "version": 1}',
        "null",
        "\x00",
        '{"format": "azdo-pat-emulator", "version": 2}',
    ],
)
def test_a_file_of_something_else_is_left_alone(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EmulatorError, match=r"emulator\.json is not a state file"):
        start(Options(state_file=path))
    assert path.read_text(encoding="utf-8") == text


def test_a_file_of_a_version_without_a_library(path: Path, session: requests.Session) -> None:
    stage_on(path, session).emulator.close()
    value = json.loads(path.read_text(encoding="utf-8"))
    del value["library"]
    path.write_text(json.dumps(value), encoding="utf-8")
    stage = stage_on(path, session)
    assert stage.control("GET", "variable-groups") == {"variableGroups": []}
    stage.emulator.close()


def test_a_damaged_token_is_no_state_file(path: Path, session: requests.Session) -> None:
    stage_on(path, session).emulator.close()
    value = json.loads(path.read_text(encoding="utf-8"))
    del value["tokens"][0]["scope"]
    path.write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(EmulatorError, match=r"emulator\.json is not a state file"):
        start(Options(state_file=path))


def test_a_change_that_cannot_be_kept_is_a_server_error(
    tmp_path: Path, session: requests.Session
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    stage = stage_on(folder / "state.json", session)
    shutil.rmtree(folder)
    answer = stage.ask("POST", PATS, body=new_token())
    stage.emulator.close()
    assert answer.status_code == 500
    assert "cannot write the state file" in answer.json()["message"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    for place in (tmp_path / "missing" / "file", tmp_path):
        with pytest.raises(EmulatorError, match="the state file"):
            start(Options(state_file=place))
