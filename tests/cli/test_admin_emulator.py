"""pat admin against the emulator: its users, and the tokens of all of them."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from cli.stage import lines, put, token_object
from drivers import PROGRAM, TIME_LIMIT, Emulator, InProcess, Installed

Row = dict[str, object]
ADA, GRACE = "ada@contoso.example", "grace@contoso.example"


@pytest.fixture
def owners(pat: InProcess) -> dict[str, Row]:
    """Give the owner objects of all users, by the sign-in name."""
    users = pat("admin", "users", "-o", "json").json
    return {
        each["upn"]: {key: each[key] for key in ("name", "upn", "descriptor")} for each in users
    }


def test_the_tokens_of_everyone(pat: InProcess, emulator: Emulator, owners: dict[str, Row]) -> None:
    deploy = put(emulator, "deploy", user="grace", scope="vso.code vso.work")
    ci = put(emulator, "ci")
    emulator.add_tokens(1, name="laptop", ssh=True)
    emulator.add_tokens(1, name="elsewhere", organization="fabrikam")
    result = pat("admin", "list", "--all-users", "-o", "json")
    assert (result.exit_code, result.stderr) == (0, lines(f"2 tokens of {len(owners)} users"))
    assert result.json == [
        token_object(ci) | {"owner": owners[ADA]},
        token_object(deploy) | {"owner": owners[GRACE]},
    ]
    (key,) = pat("admin", "list", ADA, "--ssh", "-o", "json").json
    assert key["name"] == "laptop"


def test_tokens_that_ended(pat: InProcess, emulator: Emulator) -> None:
    for state in ("expired", "revoked"):
        emulator.add_tokens(1, name=state, state=state, user="grace")
    for state in ("expired", "revoked"):
        (found,) = pat("admin", "list", GRACE, "--status", state, "-o", "json").json
        assert (found["name"], found["status"]) == (state, state)


def test_more_tokens_than_a_page_has(pat: InProcess, emulator: Emulator) -> None:
    ids = emulator.add_tokens(45, name="ci", user="grace")
    found = pat("admin", "list", GRACE, "-o", "json").json
    assert sorted(each["id"] for each in found) == sorted(ids)


def test_a_crowd(pat: InProcess, emulator: Emulator) -> None:
    emulator.invent_users(600, tokens=3)
    result = pat("admin", "list", "--all-users", "--status", "all", "-o", "jsonl")
    assert result.exit_code == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert len({each["id"] for each in rows}) == len(rows) > 600
    assert len({each["owner"]["descriptor"] for each in rows}) > 300
    assert result.stderr.startswith(f"{len(rows)} tokens of 6")


def test_users_that_cannot_be_read(
    pat: InProcess, emulator: Emulator, owners: dict[str, Row]
) -> None:
    put(emulator, "ci")
    grace = owners[GRACE]["descriptor"]
    emulator.fail(f"GET */tokenadmin/personalaccesstokens/{grace} status=500 times=always")
    result = pat("admin", "list", "--all-users", "-o", "json")
    assert result.exit_code == 9
    assert [each["name"] for each in result.json] == ["ci"]
    assert f"1 of {len(owners)} users could not be read" in result.stderr


def test_a_service_that_repeats_itself(pat: InProcess, emulator: Emulator) -> None:
    emulator.fail("GET */graph/users repeat-continuation times=always")
    result = pat("admin", "list", "--all-users")
    assert result.exit_code == 11
    assert "a page is repeated" in result.stderr


def test_whose(pat: InProcess, emulator: Emulator, owners: dict[str, Row]) -> None:
    secret = emulator.add_with_secret("leaked", user="grace")
    put(emulator, "ci")
    found = pat("admin", "whose", "--debug", "-o", "json", stdin=f"{secret}\n")
    assert found.exit_code == 0, found.stderr
    assert (found.json["name"], found.json["owner"]) == ("leaked", owners[GRACE])
    assert secret not in found.stdout + found.stderr
    assert pat("admin", "whose", stdin=secret[:-1]).exit_code == 3


def test_who_is_no_administrator(pat: InProcess, emulator: Emulator) -> None:
    emulator.set_policies("administrators=grace")
    result = pat("admin", "list", ADA)
    assert (result.exit_code, result.stdout) == (5, "")
    assert "you cannot administer the tokens of contoso" in result.stderr
    assert "Project Collection Administrators" in result.stderr


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ("vso.tokenadministration vso.graph", 0),
        ("app_token", 0),
        ("vso.graph", 5),
        ("vso.tokenadministration", 5),
    ],
)
def test_a_personal_access_token(pat: InProcess, emulator: Emulator, scope: str, code: int) -> None:
    secret = emulator.add_with_secret("inventory", scope=scope)
    env = {"PAT_ACCESS_TOKEN": None, "PATH": "", "PAT_ADMIN_TOKEN": secret}
    result = pat("admin", "list", ADA, "--debug", env=env)
    assert result.exit_code == code, result.stderr
    assert secret not in result.stdout + result.stderr


def test_an_access_token_that_is_rejected_midway(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "ci")
    emulator.fail("GET */tokenadmin/* status=401 times=always")
    assert pat("admin", "list", "--all-users").exit_code == 4


def test_a_service_principal_is_refused_by_the_service(pat: InProcess, emulator: Emulator) -> None:
    """It is not documented whether it may use these APIs, so it is for the service to say."""
    env = {"PAT_ACCESS_TOKEN": emulator.mint("app")}
    result = pat("admin", "list", "--all-users", env=env)
    assert (result.exit_code, result.stdout) == (5, "")
    assert "you cannot list the users of contoso" in result.stderr
    assert "the service said: " in result.stderr
    assert len(emulator.requests) == 1
    assert pat("admin", "policy", env=env).exit_code == 5
    assert pat("list", env=env).exit_code == 5
    assert [each["path"] for each in emulator.requests if "/tokens/pats" in each["path"]] == []


def test_a_name_from_the_service_cannot_act(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "##vso[task.complete]\x1b[31m", user="grace")
    for form in ("table", "csv", "json"):
        shown = pat("admin", "list", GRACE, "-o", form, env={"TF_BUILD": "True"}).stdout
        assert "\x1b" not in shown
        assert "##vso[" not in shown


def test_killed_and_resumed(pat_process: Installed, emulator: Emulator, tmp_path: Path) -> None:
    emulator.invent_users(120, tokens=2)
    # So that it is killed in the middle, not at its end.
    emulator.fail("GET */tokenadmin/* delay=100ms times=always")
    scan = tmp_path / "scan.jsonl"
    process = subprocess.Popen(
        [PROGRAM, "admin", "list", "--all-users", "--save", str(scan)],
        env=pat_process.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + TIME_LIMIT
    while not (scan.exists() and scan.read_bytes().count(b"\n") > 30):
        assert time.monotonic() < deadline, process.poll()
        time.sleep(0.01)
    process.kill()
    process.wait()
    emulator.heal()
    _, *lines = scan.read_bytes().splitlines(keepends=True)
    saved = {json.loads(line)["user"] for line in lines if line.endswith(b"\n")}
    before = len(emulator.requests)
    everything = ("--status", "all", "-o", "json")
    resumed = pat_process("admin", "list", "--resume", str(scan), *everything)
    asked = {each["path"].rpartition("/")[2] for each in emulator.requests[before:]}
    assert len(saved) >= 30
    assert len(asked) >= 30
    assert asked.isdisjoint({*saved, "users"})
    whole = pat_process("admin", "list", "--all-users", *everything)
    assert (resumed.exit_code, resumed.json) == (0, whole.json)
