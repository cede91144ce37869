"""pat rotate: a new token of the same name and scopes, and the end of the old one."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from cli.stage import done, failed, hence, moment, names, put
from drivers import Emulator, InProcess
from fakes import MemoryKeyring


def service(emulator: Emulator) -> str:
    return f"azdo-pat:{emulator.url}/contoso"


def by_status(emulator: Emulator, name: str = "ci") -> dict[str, dict[str, str]]:
    """The tokens of a name, by status; at most one of each."""
    found = [each for each in emulator.tokens if each["displayName"] == name]
    assert len({each["status"] for each in found}) == len(found)
    return {each["status"]: each for each in found}


def make(pat: InProcess, *args: str) -> None:
    assert pat("create", "ci", "--scope", "code", *args, "-q", "-o", "none").exit_code == 0


def test_the_secret_is_new_and_the_old_token_is_revoked(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    make(pat, "--expires", "20d")
    before = pat("get", "ci").stdout
    result = pat("rotate", "ci", "-o", "json")
    tokens = by_status(emulator)
    new, old = tokens["active"], tokens["revoked"]
    assert result.exit_code == 0
    assert (result.json["id"], result.json["name"]) == (new["authorizationId"], "ci")
    assert result.json["scopes"] == ["vso.code"]
    assert result.json["stored"] is True
    assert result.stderr == (
        "rotated 'ci' in contoso: its new secret is in the keyring (pat get ci); the old token"
        f" {old['authorizationId']} is revoked\n"
    )
    after = pat("get", "ci").stdout
    assert after != before
    assert memory_keyring.held == {(service(emulator), "ci"): after.strip()}
    life = moment(new["validTo"]) - moment(new["validFrom"])
    assert abs(life - timedelta(days=20)) < timedelta(minutes=1)
    assert pat("status", "-o", "json", "--query", "problems").json == []


def test_the_new_secret_is_tried_before_the_old_token_goes(
    pat: InProcess, emulator: Emulator
) -> None:
    make(pat)
    before = len(emulator.requests)
    assert pat("rotate", "ci", "-q", "-o", "none").exit_code == 0
    asked = [
        f"{each['method']} {each['path'].rpartition('/')[2]}"
        for each in emulator.requests[before:]
        if each["method"] != "GET" or "connectionData" in each["path"]
    ]
    assert asked == ["POST pats", "GET connectionData", "DELETE pats"]


def test_a_secret_that_does_not_work_changes_nothing(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    make(pat)
    held = dict(memory_keyring.held)
    emulator.fail("GET */connectionData status=401")
    result = pat("rotate", "ci")
    assert result.exit_code == 4
    assert "the secret does not work at" in result.stderr
    assert "the new token was revoked again" in result.stderr
    assert (names(emulator), memory_keyring.held) == (["ci"], held)
    # The stored secret is that of the one active token: the service takes it.
    secret = pat("get", "ci").stdout
    assert pat("import", "again", "-q", "-o", "none", stdin=secret).exit_code == 0


@pytest.mark.parametrize("fault", ["status=503 times=4", "cut=before times=4"])
def test_an_old_token_that_cannot_be_revoked_is_revoked_by_the_next_run(
    fault: str, pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    make(pat)
    emulator.fail(f"DELETE */pats {fault}")
    result = pat("rotate", "ci")
    assert result.exit_code == 8
    assert "pat: the new token is in use, the old one could not be revoked yet\n" in result.stderr
    assert names(emulator) == ["ci", "ci"]
    problem = pat("status", "-o", "json", "--query", "problems[0]").json
    assert "the token that 'ci' in contoso has replaced is not revoked" in problem
    emulator.heal()
    again = pat("list", "-o", "none")
    assert again.exit_code == 0
    assert again.stderr.startswith("revoked the token that 'ci' in contoso has replaced (")
    assert names(emulator) == ["ci"]
    assert list(memory_keyring.held) == [(service(emulator), "ci")]
    assert pat("list", "-o", "none").stderr == ""


def test_another_user_does_not_finish_it(pat: InProcess, emulator: Emulator) -> None:
    make(pat)
    emulator.fail("DELETE */pats status=503 times=4")
    assert pat("rotate", "ci", "-q").exit_code == 8
    grace = {"PAT_ACCESS_TOKEN": emulator.mint("user", user="grace")}
    assert "revoked" not in pat("list", "-o", "none", env=grace).stderr
    assert names(emulator) == ["ci", "ci"]
    assert "revoked" in pat("list", "-o", "none").stderr


def test_a_grace_lets_the_old_one_live_for_a_while(pat: InProcess, emulator: Emulator) -> None:
    make(pat)
    result = pat("rotate", "ci", "--grace", "1h")
    assert result.exit_code == 0
    assert "is revoked by the first pat that signs in after" in result.stderr
    assert pat("list", "-o", "none").stderr == ""
    assert names(emulator) == ["ci", "ci"]
    assert pat("status", "-o", "json", "--query", "problems").json == []


def test_keep_old(pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring) -> None:
    make(pat)
    result = pat("rotate", "ci", "--keep-old")
    assert (result.exit_code, names(emulator)) == (0, ["ci", "ci"])
    assert result.stderr.endswith(" lives on\n")
    assert list(memory_keyring.held) == [(service(emulator), "ci")]
    assert pat("status", "-o", "json", "--query", "problems").json == []


def test_a_secret_that_is_not_here(pat: InProcess, emulator: Emulator) -> None:
    """Something else uses it: that is asked about before anything is done."""
    old = put(emulator, "ci")
    assert pat("rotate", "ci") == failed(
        2,
        "the secret of ci is not stored here: what uses it would stop working, and no one is here"
        " to confirm it",
        "--yes confirms, --keep-old lets the old token stay active, --dry-run only shows",
    )
    assert pat("rotate", "ci", "--dry-run", "-o", "none") == done(
        "",
        f"would rotate 'ci' ({old['authorizationId']}): its secret is not stored here, and what"
        " uses it would stop working",
        "nothing was rotated (dry run)",
    )
    assert [each["method"] for each in emulator.requests if each["method"] != "GET"] == []
    result = pat("rotate", "ci", "--yes", "-o", "json")
    assert (result.exit_code, names(emulator)) == (0, ["ci"])
    assert result.json["id"] != old["authorizationId"]
    assert "the old secret was not in this keyring" in result.stderr


def test_an_expired_one(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "ci", hours=-1)
    result = pat("rotate", "ci", "--expires", "2d")
    assert (result.exit_code, names(emulator)) == (0, ["ci"])
    assert "had expired" in result.stderr
    assert [each["method"] for each in emulator.requests if each["method"] == "DELETE"] == []


@pytest.mark.parametrize("options", [(), ("--yes",), ("--dry-run",), ("--keep-old",)])
def test_a_global_one(options: tuple[str, ...], pat: InProcess, emulator: Emulator) -> None:
    """It would end in all organizations, for a new one in this organization alone."""
    (old,) = emulator.add_tokens(1, name="ci", allOrgs=True)
    result = pat("rotate", "ci", *options)
    assert result.exit_code == 6
    assert f"'ci' ({old}) is valid in all your organizations" in result.stderr
    assert f"pat revoke {old}" in result.stderr
    assert [each["method"] for each in emulator.requests if each["method"] != "GET"] == []


def test_a_global_one_that_is_looked_after(pat: InProcess, emulator: Emulator, home: Path) -> None:
    """Neither ensure, renew nor apply replaces it."""
    make(pat, "--expires", "2d")
    with closing(sqlite3.connect(home / "pat/state/state.db")) as state, state:
        (wide,) = emulator.add_tokens(1, name="ci", allOrgs=True, validTo=hence(9))
        state.execute("UPDATE tokens SET id = ?", (wide,))
    file = home / "tokens.toml"
    file.write_text('[[token]]\nname = "ci"\nscopes = "build"\n', "utf-8")
    for command, code in (
        (("ensure", "ci", "--scope", "build"), 6),
        (("renew", "--within", "30d"), 9),
        (("apply", str(file)), 9),
    ):
        result = pat(*command, "-o", "none")
        assert (command, result.exit_code) == (command, code)
        assert "is valid in all your organizations" in result.stderr
    assert wide in [
        each["authorizationId"] for each in emulator.tokens if each["status"] == "active"
    ]


def test_a_revoked_one(pat: InProcess, emulator: Emulator) -> None:
    make(pat)
    pat("revoke", "ci", "--yes", "-q", "-o", "none")
    result = pat("rotate", "ci")
    assert result.exit_code == 5
    assert "is revoked: there is nothing to rotate" in result.stderr
    assert names(emulator) == []


def test_a_name_of_several(pat: InProcess, emulator: Emulator) -> None:
    tokens = [put(emulator, "ci"), put(emulator, "ci")]
    result = pat("rotate", "ci")
    assert result.exit_code == 6
    assert all(each["authorizationId"] in result.stderr for each in tokens)
    first = tokens[0]["authorizationId"]
    assert pat("rotate", first, "--yes", "-q", "-o", "none").exit_code == 0
    assert tokens[1]["authorizationId"] in {each["authorizationId"] for each in emulator.tokens}


def test_the_secret_of_another_token_of_that_name(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    make(pat)
    held = dict(memory_keyring.held)
    other = put(emulator, "ci")
    result = pat("rotate", other["authorizationId"], "--yes")
    assert result.exit_code == 6
    assert "is that of another token" in result.stderr
    assert (names(emulator), memory_keyring.held) == (["ci", "ci"], held)


def test_several_go_on_past_one_that_fails(pat: InProcess, emulator: Emulator) -> None:
    for name in ("a", "b", "c"):
        put(emulator, name)
    emulator.fail("POST */pats pat-error=accessDenied skip=1 times=1")
    result = pat("rotate", "a", "b", "c", "nosuch", "--yes", "-o", "json")
    assert result.exit_code == 9
    assert [each["name"] for each in result.json] == ["a", "c"]
    assert "there is no token 'nosuch'" in result.stderr
    assert "2 of 4 tokens could not be rotated" in result.stderr
    assert names(emulator) == ["a", "b", "c"]
    assert names(emulator, "revoked") == ["a", "c"]


def test_a_shortened_life_is_said(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "ci")
    emulator.set_policies("maximum-lifespan=7")
    result = pat("rotate", "ci", "--expires", "30d", "--yes")
    assert result.exit_code == 0
    assert "a policy shortened its life" in result.stderr


def test_the_secret_on_request(pat: InProcess) -> None:
    make(pat)
    result = pat("rotate", "ci", "--as", "token")
    assert result.stdout == pat("get", "ci").stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("ci", "--grace", "1h", "--keep-old"), "--grace revokes the old token later"),
        (("ci", "other", "--as", "token"), "--as prints one secret"),
        (("ci", "--grace", "soon"), "'soon'"),
        ((), "Missing argument"),
    ],
)
def test_usage(args: tuple[str, ...], message: str, pat: InProcess, emulator: Emulator) -> None:
    result = pat("rotate", *args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert emulator.requests == []


@pytest.mark.parametrize(
    "fault", ["cut=before", "cut=after", "status=500 commit=yes", "status=500"]
)
def test_an_answer_that_is_lost(
    fault: str, pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    make(pat)
    held = dict(memory_keyring.held)
    emulator.fail(f"POST */pats {fault} times=1")
    result = pat("rotate", "ci")
    assert result.exit_code == 11
    assert (names(emulator), memory_keyring.held) == (["ci"], held)
    assert pat("rotate", "ci", "-q", "-o", "none").exit_code == 0
    assert names(emulator) == ["ci"]
