"""A token that the service refused counts as due."""

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from keyring.errors import KeyringError

from azdo_pat.keyring_backend import PackagesBackend
from cli.stage import held, names
from drivers import Emulator, InProcess, Installed

ENSURE = ("ensure", "ci", "--scope", "code", "--expires", "30d")
OFFLINE = {"PAT_ACCESS_TOKEN": None, "PATH": "/nowhere"}


def asked(emulator: Emulator, secret: str) -> str:
    """Return what git says to a helper of a password that was refused."""
    parts = urlsplit(emulator.url)
    lines = {
        "protocol": parts.scheme,
        "host": parts.netloc,
        "path": "contoso/_git/app",
        "username": "pat",
        "password": secret,
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items()) + "\n"


@pytest.fixture
def secret(pat: InProcess) -> str:
    """Make a token; return its secret."""
    assert pat(*ENSURE).exit_code == 0
    return pat("get", "ci").stdout.strip()


@pytest.fixture
def refuse(pat: InProcess, emulator: Emulator, secret: str) -> Callable[[], None]:
    """Return a function that tells pat that the service refused the token."""

    def erase() -> None:
        assert pat("git-credential", "erase", stdin=asked(emulator, secret)).exit_code == 0

    return erase


def revoke_elsewhere(pat: InProcess | Installed, emulator: Emulator, tmp_path: Path) -> None:
    identifier = str(held(emulator, "ci")["authorizationId"])
    elsewhere = {"PAT_STATE_DIR": str(tmp_path / "other")}
    result = pat("revoke", identifier, "--yes", env=elsewhere)
    assert result.exit_code == 0, result.stderr


def test_ensure_makes_another(
    pat: InProcess, emulator: Emulator, refuse: Callable[[], None], tmp_path: Path
) -> None:
    revoke_elsewhere(pat, emulator, tmp_path)
    assert "kept" in pat(*ENSURE).stderr  # nobody knows yet
    refuse()
    result = pat(*ENSURE)
    assert (result.exit_code, "created" in result.stderr) == (0, True), result.stderr
    assert names(emulator) == ["ci"]
    again = pat(*ENSURE, env=OFFLINE)
    assert "kept" in again.stderr


def test_ensure_keeps_one_that_works_after_all(
    pat: InProcess, emulator: Emulator, refuse: Callable[[], None]
) -> None:
    refuse()
    assert "kept" in pat(*ENSURE).stderr
    asked = len(emulator.requests)
    assert "kept" in pat(*ENSURE, env=OFFLINE).stderr
    assert len(emulator.requests) == asked


def test_apply_makes_another(
    pat: InProcess, emulator: Emulator, refuse: Callable[[], None], tmp_path: Path
) -> None:
    file = tmp_path / "tokens.toml"
    file.write_text('[[token]]\nname = "ci"\nscopes = ["code"]\nexpires = "30d"\n', "utf-8")
    assert "kept 1" in pat("apply", str(file)).stderr
    refuse()
    assert "kept 1" in pat("apply", str(file)).stderr
    revoke_elsewhere(pat, emulator, tmp_path)
    refuse()
    assert "rotate" in pat("apply", str(file), "--dry-run").stdout
    assert pat("apply", str(file)).exit_code == 0
    assert names(emulator) == ["ci"]
    assert "kept 1" in pat("apply", str(file)).stderr


def test_renew_asks_and_reports(
    pat: InProcess, emulator: Emulator, refuse: Callable[[], None], tmp_path: Path
) -> None:
    refuse()
    assert pat("renew").exit_code == 0
    assert pat("renew", env=OFFLINE).exit_code == 0  # it works after all: nothing is due
    revoke_elsewhere(pat, emulator, tmp_path)
    refuse()
    result = pat("renew")
    assert result.exit_code == 9
    assert "it was revoked" in result.stderr


@pytest.fixture
def works_again(emulator: Emulator, refuse: Callable[[], None]) -> None:
    """Have the service refuse the token for as long as it takes to mark it, and no longer."""
    emulator.fail("GET */connectionData status=401 times=1")
    refuse()


@pytest.mark.usefixtures("works_again")
def test_renew_keeps_one_that_works_again(pat: InProcess, emulator: Emulator) -> None:
    token = held(emulator, "ci")
    (planned,) = pat("renew", "--dry-run", "-o", "json").json
    assert planned["why"] == "reported as refused: pat will ask the service"
    result = pat("renew", "-o", "json")
    assert (result.exit_code, emulator.tokens) == (0, [token])
    assert [(each["outcome"], each["why"]) for each in result.json] == [("kept", "still works")]
    assert pat("renew", "-o", "json", env=OFFLINE).json == []  # the mark is gone


@pytest.mark.usefixtures("works_again")
def test_apply_keeps_one_that_works_again(
    pat: InProcess, emulator: Emulator, tmp_path: Path
) -> None:
    token = held(emulator, "ci")
    file = tmp_path / "tokens.toml"
    file.write_text('[[token]]\nname = "ci"\nscopes = ["code"]\nexpires = "30d"\n', "utf-8")
    assert "pat will ask the service" in pat("apply", str(file), "--dry-run").stdout
    assert "kept 1" in pat("apply", str(file)).stderr
    assert emulator.tokens == [token]
    assert "kept 1" in pat("apply", str(file), env=OFFLINE).stderr


@pytest.mark.usefixtures("works_again")
def test_ensure_keeps_one_that_works_again(pat: InProcess, emulator: Emulator) -> None:
    token = held(emulator, "ci")
    assert "kept" in pat(*ENSURE).stderr
    assert emulator.tokens == [token]
    assert "kept" in pat(*ENSURE, env=OFFLINE).stderr


def test_renew_replaces_one_that_is_still_refused(
    pat: InProcess, emulator: Emulator, refuse: Callable[[], None]
) -> None:
    """The token is active; its owner has not used it for long, say."""
    old = held(emulator, "ci")["authorizationId"]
    emulator.fail("GET */connectionData status=401 times=2")
    refuse()
    (change,) = pat("renew", "-o", "json").json
    assert change["outcome"] == "rotated"
    assert change["why"] == "reported as refused"
    assert {each["authorizationId"]: each["status"] for each in emulator.tokens}[old] == "revoked"
    assert pat("renew", "-o", "json", env=OFFLINE).json == []


@pytest.mark.usefixtures("works_again")
def test_git_gets_it_where_the_service_cannot_be_asked(
    pat: InProcess, emulator: Emulator, secret: str
) -> None:
    emulator.fail("GET */connectionData status=500 times=2")
    place = asked(emulator, "").replace("password=\n", "")
    unsure = pat("git-credential", "get", stdin=place)
    assert f"password={secret}\n" in unsure.stdout
    assert "the service refused 'ci'; the reason is unknown" in unsure.stderr
    sure = pat("git-credential", "get", stdin=place)
    assert (f"password={secret}\n" in sure.stdout, sure.stderr) == (True, "")


def test_pip_and_cargo_get_none_that_is_refused(
    pat: InProcess, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pat("create", "packages", "--for", "packages").exit_code == 0
    secret = pat("get", "packages").stdout.strip()
    feed = f"{emulator.url}/contoso/_packaging/feed/Cargo/index/"
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    backend = PackagesBackend()  # type: ignore[no-untyped-call]  # keyring's

    def to_cargo() -> dict[str, dict[str, str]]:
        asks = {"v": 1, "kind": "get", "registry": {"index-url": f"sparse+{feed}"}}
        said = pat("cargo-credential", stdin=json.dumps(asks) + "\n").stdout
        answer: dict[str, dict[str, str]] = json.loads(said.splitlines()[1])
        return answer

    emulator.fail("GET */connectionData status=401 times=3")
    assert pat("git-credential", "erase", stdin=asked(emulator, secret)).exit_code == 0
    why = "contoso no longer accepts the token 'packages'"
    assert to_cargo()["Err"]["message"].startswith(why)
    with pytest.raises(KeyringError, match=why):
        backend.get_password(feed, "x")
    assert backend.get_password(feed, "x") == secret  # it works again
    requests = len(emulator.requests)
    basic = base64.b64encode(f"pat:{secret}".encode()).decode()
    assert to_cargo()["Ok"]["token"] == f"Basic {basic}"
    assert len(emulator.requests) == requests  # the mark is gone


def test_exec_says_so(pat_process: Installed, emulator: Emulator, tmp_path: Path) -> None:
    assert pat_process(*ENSURE).exit_code == 0
    secret = pat_process("get", "ci").stdout.strip()
    command = ("exec", "ci", "--", sys.executable, "-c", "")
    assert "accept" not in pat_process(*command).stderr
    revoke_elsewhere(pat_process, emulator, tmp_path)
    assert pat_process("git-credential", "erase", stdin=asked(emulator, secret)).exit_code == 0
    result = pat_process(*command)
    assert result.exit_code == 0
    assert (
        "contoso no longer accepts 'ci'; to replace it, run: pat ensure ci --scope vso.code"
        in result.stderr
    )


def test_the_advice_for_a_token_without_code_keeps_its_scopes(
    pat: InProcess, emulator: Emulator
) -> None:
    scopes = ("--scope", "packaging", "--scope", "build_execute")
    assert pat("create", "feeds", *scopes).exit_code == 0
    secret = pat("get", "feeds").stdout.strip()
    told = pat("git-credential", "erase", stdin=asked(emulator, secret)).stderr
    assert "'feeds' works, but its scopes (" in told
    advice = told.strip().rpartition("run: pat ")[2].split()
    assert advice[:2] == ["update", "feeds"]
    assert pat(*advice).exit_code == 0
    scope = held(emulator, "feeds")["scope"]
    assert sorted(str(scope).split()) == ["vso.build_execute", "vso.code_write", "vso.packaging"]
