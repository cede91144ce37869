"""pat doctor: why something does not work, and --fix."""

import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from azdo_pat.cli.runtime import Runtime
from cli.stage import moment, names, put
from drivers import Emulator, InProcess, put_writer
from fakes import MemoryKeyring

CHECKS = [
    "sign-in",
    "network",
    "service",
    "clock",
    "organization",
    "permission",
    "keyring",
    "state file",
    "leftovers",
    "secrets",
]


def examined(pat: InProcess, *args: str, exit_code: int = 10) -> dict[str, dict[str, str]]:
    """Run it; return what it says of each thing, the last of several."""
    result = pat("doctor", *args, "-o", "json")
    assert result.exit_code == exit_code, result
    return {each["check"]: each for each in result.json}


def make(pat: InProcess, name: str = "ci") -> None:
    assert pat("create", name, "--scope", "code", "-q", "-o", "none").exit_code == 0


def state_file(home: Path) -> Path:
    return home / "pat/state/state.db"


def test_all_is_well(pat: InProcess) -> None:
    make(pat)
    result = pat("doctor", "-o", "json")
    assert result.exit_code == 0
    assert [each["check"] for each in result.json] == CHECKS
    assert {each["status"] for each in result.json} == {"ok"}
    assert {each["fix"] for each in result.json} == {None}
    table = pat("doctor", env={"COLUMNS": "80"}).stdout
    assert all(len(line) <= 80 for line in table.splitlines())


def test_nobody_is_signed_in(pat: InProcess, emulator: Emulator, tmp_path: Path) -> None:
    pat.env = {**pat.env, "PAT_ACCESS_TOKEN": None, "PATH": str(tmp_path)}  # without az
    found = examined(pat)
    assert found["sign-in"]["status"] == "problem"
    assert "pat login" in found["sign-in"]["fix"]
    assert {found[name]["status"] for name in ("service", "permission")} == {"skipped"}
    assert found["clock"]["status"] == "ok"
    assert [each["path"] for each in emulator.requests] == ["/_apis/connectionData"]


def test_a_clock_that_is_wrong_is_told_first_and_without_a_sign_in(
    pat: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = datetime.now(UTC) + timedelta(days=2, seconds=30)  # the access token looks expired
    monkeypatch.setattr(Runtime, "now", lambda _: wrong)
    result = pat("doctor", "-o", "json")
    assert result.exit_code == 10
    first, second, *_ = result.json
    assert (first["check"], first["status"]) == ("clock", "problem")
    assert "2880 minutes ahead of the service's" in first["detail"]
    assert (second["check"], second["status"]) == ("sign-in", "problem")


@pytest.mark.parametrize(
    ("kind", "word"), [("expired", "expired"), ("wrong-audience", "is for"), ("app", "as a user")]
)
def test_a_sign_in_that_will_not_do(
    kind: str, word: str, pat: InProcess, emulator: Emulator
) -> None:
    pat.env = {**pat.env, "PAT_ACCESS_TOKEN": emulator.mint(kind)}
    found = examined(pat)
    problems = [each for each in found.values() if each["status"] == "problem"]
    assert word in str(problems)


def test_an_organization_that_is_none(pat: InProcess) -> None:
    found = examined(pat, "--org", "contosso")
    assert found["organization"] == {
        "check": "organization",
        "status": "problem",
        "detail": "there is no organization contosso, or the signed-in user has no access to it",
        "fix": "did you mean contoso? to use another organization, add --org"
        " (known: contoso, fabrikam)",
        "time": None,
    }
    assert found["permission"]["status"] == "skipped"


@pytest.mark.parametrize(
    ("name", "status", "more"),
    [
        ("contoso", "ok", ""),
        ("contoso-test", "skipped", ", not checked; did you mean contoso?"),
        ("nosuch", "skipped", ", not checked"),
    ],
)
def test_an_organization_without_a_sign_in(
    pat: InProcess, name: str, status: str, more: str
) -> None:
    make(pat)
    pat.env = {**pat.env, "PAT_ACCESS_TOKEN": None, "PATH": "/nowhere"}  # without az
    found = examined(pat, "--org", name)["organization"]
    assert (found["status"], found["fix"] or "") == (status, "")
    assert found["detail"] == f"{name} (from --org){more}"


def test_a_service_that_does_not_answer(pat: InProcess, emulator: Emulator) -> None:
    emulator.fail("* * status=500 times=always")
    found = examined(pat)
    assert found["service"]["status"] == "problem"
    assert found["keyring"]["status"] == "ok"


def test_a_clock_that_is_wrong(pat: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = datetime.now(UTC) - timedelta(minutes=40)
    monkeypatch.setattr(Runtime, "now", lambda _: wrong)
    found = examined(pat)
    assert found["clock"]["status"] == "problem"
    assert "minutes behind the service's" in found["clock"]["detail"]


def test_certificates_that_are_not_there(pat: InProcess) -> None:
    pat.env = {**pat.env, "PAT_CA_BUNDLE": "/no/such/file"}
    found = examined(pat)
    assert "/no/such/file does not exist" in found["network"]["detail"]


def test_a_proxy_is_named_without_its_password(pat: InProcess) -> None:
    pat.env = {**pat.env, "HTTPS_PROXY": "http://me:s3cretpassword@proxy:8080", "NO_PROXY": "*"}
    result = pat("doctor", "-o", "json")
    assert "proxy:8080" in result.stdout
    assert "s3cretpassword" not in result.stdout


def test_what_is_left_is_brought_to_its_end(pat: InProcess, emulator: Emulator) -> None:
    make(pat)
    emulator.fail("DELETE */pats status=503 times=4")
    assert pat("rotate", "ci", "-q").exit_code == 8
    emulator.heal()
    found = examined(pat)
    begun = moment(found["leftovers"]["time"])
    assert abs(datetime.now(UTC) - begun) < timedelta(minutes=1)
    assert f"unfinished since {begun:%Y-%m-%d %H:%M}: " in found["leftovers"]["detail"]
    assert names(emulator) == ["ci", "ci"]
    fixed = examined(pat, "--fix", exit_code=0)
    assert fixed["leftovers"]["status"] == "fixed"
    assert names(emulator) == ["ci"]
    assert examined(pat, exit_code=0)["leftovers"]["status"] == "ok"


def test_a_delivery_that_failed_is_tried_again(
    pat: InProcess, emulator: Emulator, tmp_path: Path
) -> None:
    make(pat)
    command = put_writer(tmp_path, tmp_path / "no" / "it")
    assert pat("rotate", "ci", "--deliver", command, "-q").exit_code == 8
    assert examined(pat, "--fix")["leftovers"]["status"] == "problem"
    (tmp_path / "no").mkdir()
    assert examined(pat, "--fix", exit_code=0)["leftovers"]["status"] == "fixed"
    assert names(emulator) == ["ci"]


def test_a_secret_that_is_gone(pat: InProcess, memory_keyring: MemoryKeyring) -> None:
    make(pat)
    memory_keyring.held.clear()
    found = examined(pat, "--fix")
    assert "is no longer in the keyring" in found["secrets"]["detail"]
    assert "pat rotate " in found["secrets"]["fix"]


def test_a_secret_of_a_token_that_was_revoked_elsewhere(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring, home: Path
) -> None:
    make(pat)
    content = state_file(home).read_bytes()
    held = dict(memory_keyring.held)
    assert pat("revoke", "ci", "--yes", "-q", "-o", "none").exit_code == 0
    state_file(home).write_bytes(content)  # as if it had been done on another machine
    memory_keyring.held.update(held)
    assert "is revoked, but its secret is still here" in examined(pat)["secrets"]["detail"]
    assert memory_keyring.held == held
    assert examined(pat, "--fix", exit_code=0)["secrets"]["status"] == "fixed"
    assert memory_keyring.held == {}
    assert names(emulator) == []
    assert examined(pat, exit_code=0)["secrets"]["status"] == "ok"


class TestDamagedState:
    """A state file that is damaged is moved aside, and rebuilt."""

    def test_the_command_goes_on_and_says_so(self, pat: InProcess, home: Path) -> None:
        make(pat)
        state_file(home).write_bytes(b"damaged" * 1000)
        result = pat("list", "-o", "json")
        assert result.exit_code == 0
        assert "the state file was damaged and is now" in result.stderr
        assert "pat doctor --fix" in result.stderr
        assert pat("list", "-o", "none").stderr == ""
        assert pat("get", "ci").exit_code == 0

    def test_it_is_rebuilt_from_the_service_and_the_keyring(
        self, pat: InProcess, emulator: Emulator, home: Path
    ) -> None:
        make(pat)
        make(pat, "twice")
        put(emulator, "twice")
        put(emulator, "elsewhere")
        assert pat("create", "b", "--scope", "code", "--org", "fabrikam", "-q").exit_code == 0
        state_file(home).write_bytes(b"damaged" * 1000)
        assert "was moved aside" in examined(pat)["state file"]["detail"]
        fixed = examined(pat, "--fix", exit_code=0)["state file"]
        assert fixed["status"] == "fixed"
        assert "rebuilt: found 3 stored tokens" in fixed["detail"]
        listed = pat("list", "-o", "json").json
        ids = {each["name"]: each["id"] for each in listed if each["name"] != "twice"}
        assert f"ci: {ids['ci']};" in fixed["detail"]
        twice = ", ".join(each["id"] for each in listed if each["name"] == "twice")
        assert f"twice: {twice}" in fixed["detail"]
        assert "its journal could not be read" in fixed["detail"]
        after = pat("list", "--stored", "-o", "json").json
        assert [(each["name"], each["id"]) for each in after] == [("ci", None), ("twice", None)]
        secret = pat("get", "ci").stdout
        refused = pat("rotate", "ci", "-q", "-o", "none")
        assert (refused.exit_code, pat("get", "ci").stdout) == (6, secret)
        assert "pat get ci | pat import ci --id ID" in refused.stderr
        assert (
            pat("import", "ci", "--id", ids["ci"], "-q", "-o", "none", stdin=secret).exit_code == 0
        )
        assert pat("rotate", "ci", "-q", "-o", "none").exit_code == 0
        assert pat("list", "--stored", "--org", "fabrikam", "-o", "json").json != []
        assert examined(pat, exit_code=0)["state file"]["status"] == "ok"

    def test_rows_that_make_no_sense_and_a_journal_that_does(
        self, pat: InProcess, emulator: Emulator, home: Path
    ) -> None:
        make(pat)
        emulator.fail("DELETE */pats status=503 times=4")
        assert pat("rotate", "ci", "-q").exit_code == 8
        emulator.heal()
        with closing(sqlite3.connect(state_file(home))) as state, state:
            state.execute("UPDATE tokens SET origin = 'nobody'")
        found = examined(pat)["state file"]
        assert "is damaged or not a state file" in found["detail"]
        assert "pat doctor --fix" in found["fix"]
        fixed = examined(pat, "--fix", exit_code=0)
        assert "1 unfinished operations carried over" in fixed["state file"]["detail"]
        assert fixed["leftovers"]["status"] == "fixed"
        assert names(emulator) == ["ci"]
        assert pat("get", "ci").exit_code == 0

    def test_the_first_doctor_that_finds_it_mends_it(self, pat: InProcess, home: Path) -> None:
        """A file that begins as it should is looked at in full before anything is said of it."""
        make(pat)
        file = state_file(home)
        file.write_bytes(file.read_bytes()[:4096])
        fixed = examined(pat, "--fix", exit_code=0)["state file"]
        assert (fixed["status"], "rebuilt: found 1 stored token" in fixed["detail"]) == (
            "fixed",
            True,
        )

    @pytest.mark.parametrize("lost", ["emptied", "deleted"])
    def test_one_that_is_gone_is_found_out_anew(
        self, lost: str, pat: InProcess, home: Path
    ) -> None:
        make(pat)
        if lost == "emptied":
            state_file(home).write_bytes(b"")
        else:
            state_file(home).unlink()
        refused = pat("ensure", "ci", "--scope", "code")
        assert (refused.exit_code, "pat doctor --fix" in refused.stderr) == (6, True)
        fixed = examined(pat, "--fix", exit_code=0)["state file"]
        assert fixed["status"] == "fixed"
        assert "their delivery targets" in fixed["detail"]
        assert pat("ensure", "ci", "--scope", "code").exit_code == 6
        (token,) = pat("list", "-o", "json").json
        secret = pat("get", "ci").stdout
        said = pat("import", "ci", "--id", token["id"], "-q", "-o", "none", stdin=secret)
        assert said.exit_code == 0
        assert pat("ensure", "ci", "--scope", "code", "-o", "json").json["outcome"] == "kept"

    def test_nothing_is_found_where_nothing_is(self, pat: InProcess) -> None:
        found = examined(pat, "--fix", exit_code=0)["state file"]
        assert (found["status"], found["detail"]) == ("ok", "tokens known: 0")

    def test_what_can_be_read_of_it_is_kept(
        self, pat: InProcess, home: Path, tmp_path: Path
    ) -> None:
        make(pat)
        place = tmp_path / "held"
        assert pat("rotate", "ci", "--deliver", f"file:{place}", "-q", "-o", "none").exit_code == 0
        with closing(sqlite3.connect(state_file(home))) as state, state:
            state.execute("UPDATE journal SET operation = 1")
            state.execute(
                "INSERT INTO tokens VALUES ('x', 'x', 'x', 'x', '[', 1, 2, 1, 'x', '{', '', 0)"
            )
        assert examined(pat)["state file"]["status"] == "problem"
        fixed = examined(pat, "--fix", exit_code=0)["state file"]
        assert "their delivery targets" in fixed["detail"]

    def test_whoever_renews_is_told_until_it_is_mended(self, pat: InProcess, home: Path) -> None:
        make(pat)
        state_file(home).write_bytes(b"damaged" * 1000)
        assert pat("list", "-q", "-o", "none").exit_code == 0
        refused = pat("renew")
        assert (refused.exit_code, "pat doctor --fix" in refused.stderr) == (7, True)
        problems = pat("status", "-o", "json").json["problems"]
        assert "a damaged state file was moved aside" in problems[0]
        assert pat("doctor", "--fix", "-q", "-o", "none").exit_code == 0
        assert pat("renew").exit_code == 0


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "Https_Proxy"])
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("http://ada:s3cretpw@proxy:8080", "http://***@proxy:8080"),
        ("ada:s3cretpw@proxy:8080", "***@proxy:8080"),
        ("HTTP://ada:s3cretpw@proxy:8080/", "HTTP://***@proxy:8080"),
        ("socks5h://ada:s3cretpw@[::1]:1080", "socks5h://***@[::1]:1080"),
        (" http://ada:s3cretpw@proxy:8080 ", "http://***@proxy:8080"),
        ("http://ada:a@s3cretpw@proxy:8080", "http://***@proxy:8080"),
        ("http://ada:a/s3cretpw@proxy:8080", "http://***@proxy:8080"),
        ("http://ada:a#?s3cretpw@proxy:8080", "http://***@proxy:8080"),
        ("http://ada:a s3cretpw@proxy:8080", "http://***@proxy:8080"),
        ("http://ada%3As3cretpw%40proxy:8080", "http://***@proxy:8080"),
        ("http:ada:s3cretpw@proxy:8080", "***@proxy:8080"),
        ("proxy:8080:ada:s3cretpw", "***"),
        ("http://proxy:8080/?password=s3cretpw", "***"),
        ("http://proxy:8080", "http://proxy:8080"),
    ],
)
def test_no_password_of_a_proxy_is_shown(name: str, given: str, shown: str, pat: InProcess) -> None:
    for args in (("doctor",), ("doctor", "-o", "json"), ("doctor", "--debug"), ("status", "-v")):
        ran = pat(*args, env={name: given, "NO_PROXY": "ada:s3cretpw@127.0.0.1,127.0.0.1"})
        assert "s3cretpw" not in ran.stdout + ran.stderr
    ran = pat("doctor", "-o", "json", env={name: given, "NO_PROXY": "127.0.0.1"})
    (network,) = [each for each in ran.json if each["check"] == "network"]
    if sys.platform == "win32":
        name = name.upper()  # as all names are there
    assert f"{name}={shown}" in network["detail"].split(", ")
