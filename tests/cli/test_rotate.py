"""pat rotate: a new token of the same name and scopes, and the end of the old one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from azdo_pat.models import global_tokens_stop
from cli.stage import failed, moment, names, put
from drivers import Emulator, InProcess
from fakes import MemoryKeyring


def service(emulator: Emulator) -> str:
    return f"azdo-pat:{emulator.url}/contoso"


def by_status(emulator: Emulator, name: str = "ci") -> dict[str, dict[str, str]]:
    """The tokens of a name, by status; at most one of each."""
    found = [each for each in emulator.tokens if each["displayName"] == name]
    assert len({each["status"] for each in found}) == len(found)
    return {each["status"]: each for each in found}


def make_global(emulator: Emulator) -> None:
    """Let the only token be one for all organizations, as its user can on the web page."""
    (token,) = emulator.tokens
    answer = requests.put(
        f"{emulator.url}/contoso/_apis/tokens/pats?api-version=7.1-preview.1",
        json={"authorizationId": token["authorizationId"], "allOrgs": True},
        headers={"Authorization": f"Bearer {emulator.access_token}"},
        timeout=10,
    )
    assert answer.json()["patToken"]["targetAccounts"] is None


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
    assert "does not accept the secret" in result.stderr
    assert "the new token was revoked" in result.stderr
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
    assert (
        "pat: the new token is in use, but the old one could not be revoked yet\n" in result.stderr
    )
    assert names(emulator) == ["ci", "ci"]
    problem = pat("status", "-o", "json", "--query", "problems[0]").json
    assert "the token replaced by 'ci' in contoso has not been revoked" in problem
    emulator.heal()
    again = pat("list", "-o", "none")
    assert again.exit_code == 0
    assert again.stderr.startswith("revoked the old token of 'ci' in contoso (")
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
    assert "will be revoked by the first command that signs in after" in result.stderr
    assert pat("list", "-o", "none").stderr == ""
    assert names(emulator) == ["ci", "ci"]
    assert pat("status", "-o", "json", "--query", "problems").json == []


def test_keep_old(pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring) -> None:
    make(pat)
    result = pat("rotate", "ci", "--keep-old")
    assert (result.exit_code, names(emulator)) == (0, ["ci", "ci"])
    assert result.stderr.endswith(" stays active\n")
    assert list(memory_keyring.held) == [(service(emulator), "ci")]
    assert pat("status", "-o", "json", "--query", "problems").json == []


NOT_HERE = (
    "the secret of 'ci' is not stored here: programs that use the old token will stop working,"
    " but pat cannot ask for confirmation here"
)


@pytest.mark.parametrize("options", [(), ("--grace", "1h"), ("--no-input",)], ids=" ".join)
def test_a_secret_that_is_not_here_is_asked_about(
    options: tuple[str, ...], pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    put(emulator, "ci")
    before = emulator.tokens
    result = pat("rotate", "ci", *options)
    assert result == failed(
        2,
        NOT_HERE,
        "add --yes to confirm, --dry-run to see what would be rotated, or --keep-old to keep the"
        " old token active",
    )
    assert (emulator.tokens, memory_keyring.held) == (before, {})
    assert {each["method"] for each in emulator.requests} == {"GET"}


def test_a_secret_that_is_not_here_with_yes(pat: InProcess, emulator: Emulator) -> None:
    old = put(emulator, "ci")
    result = pat("rotate", "ci", "--yes", "-o", "json")
    assert (result.exit_code, names(emulator)) == (0, ["ci"])
    assert result.json["id"] != old["authorizationId"]
    assert "the old secret was not in this keyring" in result.stderr


def test_a_secret_that_is_not_here_and_an_old_token_that_is_kept(
    pat: InProcess, emulator: Emulator
) -> None:
    put(emulator, "ci")
    result = pat("rotate", "ci", "--keep-old", "-o", "none")
    assert (result.exit_code, names(emulator)) == (0, ["ci", "ci"])
    assert "now needs the new one" not in result.stderr


@pytest.mark.parametrize("command", [("rotate", "ci"), ("renew", "--within", "20d")], ids=" ".join)
def test_a_secret_that_another_program_has_deleted(
    command: tuple[str, ...], pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    make(pat, "--expires", "10d")
    memory_keyring.held.clear()
    before = emulator.tokens
    result = pat(*command)
    assert result.exit_code == (2 if command[0] == "rotate" else 9)
    assert "the secret of 'ci'" in result.stderr
    assert "is not stored" in result.stderr
    assert (emulator.tokens, memory_keyring.held) == (before, {})


def test_a_dead_secret_under_the_name_is_not_the_tokens_own(
    pat: InProcess, emulator: Emulator
) -> None:
    make(pat)
    secret = pat("get", "ci").stdout
    pat("forget", "ci", "-q")
    assert pat("import", "ci", "-q", "-o", "none", stdin=secret).exit_code == 0
    (dead,) = emulator.tokens
    assert pat("revoke", dead["authorizationId"], "--yes", "-q", "-o", "none").exit_code == 0
    assert pat("import", "ci", "-q", "-o", "none", stdin=secret).exit_code == 4
    put(emulator, "ci")
    assert pat("rotate", "ci", "-q").exit_code == 2
    assert names(emulator) == ["ci"]


def test_dry_run_only_shows(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    put(emulator, "theirs")
    make(pat)
    before, held = emulator.tokens, dict(memory_keyring.held)
    result = pat("rotate", "ci", "theirs", "--dry-run", "-o", "json")
    shown = [(each["name"], each["action"], each["outcome"], each["why"]) for each in result.json]
    assert (result.exit_code, sorted(shown)) == (
        0,
        [
            ("ci", "rotate", "planned", None),
            (
                "theirs",
                "rotate",
                "planned",
                "its secret is not stored here: programs that use the old token will stop working",
            ),
        ],
    )
    assert result.stderr == "2 tokens would be rotated (dry run)\n"
    assert (emulator.tokens, memory_keyring.held) == (before, held)


def test_of_several_none_is_touched_until_it_is_confirmed(
    pat: InProcess, emulator: Emulator
) -> None:
    make(pat)
    put(emulator, "theirs")
    before = emulator.tokens
    assert pat("rotate", "ci", "theirs").exit_code == 2
    assert emulator.tokens == before
    assert pat("rotate", "ci", "theirs", "--yes", "-q", "-o", "none").exit_code == 0
    assert names(emulator, "revoked") == ["ci", "theirs"]


def test_an_expired_one(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "ci", hours=-1)
    result = pat("rotate", "ci", "--expires", "2d")
    assert (result.exit_code, names(emulator)) == (0, ["ci"])
    assert "had expired" in result.stderr
    assert [each["method"] for each in emulator.requests if each["method"] == "DELETE"] == []


@pytest.mark.parametrize("options", [(), ("--yes",), ("--dry-run",), ("--keep-old",)], ids=" ".join)
def test_a_global_one_is_refused(
    options: tuple[str, ...], pat: InProcess, emulator: Emulator
) -> None:
    (old,) = emulator.add_tokens(1, name="wide", allOrgs=True)
    before = emulator.tokens
    assert pat("rotate", "wide", *options) == failed(
        6,
        f"'wide' ({old}) is valid in all your organizations: a new token for contoso alone cannot"
        f" replace it, and it {global_tokens_stop(datetime.now(UTC))}",
        "to create a token for each organization that uses it, run: pat migrate wide",
    )
    assert emulator.tokens == before
    make(pat)
    result = pat("rotate", "wide", "ci", "--yes", "-q", "-o", "none")
    assert (result.exit_code, names(emulator)) == (9, ["ci", "wide"])


@pytest.mark.parametrize(
    "command",
    [
        ("ensure", "ci", "--scope", "build"),
        ("apply", "tokens.toml"),
        ("renew", "--within", "30d"),
    ],
    ids=" ".join,
)
def test_one_that_was_made_global_since_is_never_rotated(
    command: tuple[str, ...], pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    make(pat, "--expires", "10d")
    Path("tokens.toml").write_text('[[token]]\nname = "ci"\nscopes = ["build"]\n', "utf-8")
    make_global(emulator)
    before, held = emulator.tokens, dict(memory_keyring.held)
    result = pat(*command)
    assert result.exit_code == (6 if command[0] == "ensure" else 9)
    assert "is valid in all your organizations" in result.stderr
    assert "run: pat migrate ci" in result.stderr
    assert (emulator.tokens, memory_keyring.held) == (before, held)


def test_its_replacement_is_rotated(pat: InProcess, emulator: Emulator) -> None:
    """A global token of the same name does not make the name ambiguous."""
    (old,) = emulator.add_tokens(1, name="ci", allOrgs=True)
    make(pat)
    assert pat("rotate", "ci", "-q", "-o", "none").exit_code == 0
    tokens = {each["authorizationId"]: each["status"] for each in emulator.tokens}
    assert sorted(tokens.values()) == ["active", "active", "revoked"]
    assert tokens[old] == "active"
    assert pat("revoke", "ci", "--yes").exit_code == 6  # it might be meant


def test_ensure_makes_one_beside_a_global_one(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_tokens(1, name="ci", allOrgs=True)
    for outcome in ("created", "kept"):
        result = pat("ensure", "ci", "--scope", "code", "-o", "json")
        assert (result.exit_code, result.json["outcome"]) == (0, outcome)
    assert names(emulator) == ["ci", "ci"]


def test_apply_prunes_none_that_was_made_global_since(pat: InProcess, emulator: Emulator) -> None:
    file = Path("tokens.toml")
    file.write_text('[[token]]\nname = "ci"\nscopes = ["code"]\n', "utf-8")
    assert pat("apply", str(file), "-q", "-o", "none").exit_code == 0
    make_global(emulator)
    file.write_text("", "utf-8")
    result = pat("apply", str(file), "--prune", "--yes")
    assert result.exit_code == 9
    assert "now valid in all your organizations" in result.stderr
    assert names(emulator) == ["ci"]


def test_a_revoked_one(pat: InProcess, emulator: Emulator) -> None:
    make(pat)
    pat("revoke", "ci", "--yes", "-q", "-o", "none")
    result = pat("rotate", "ci")
    assert result.exit_code == 5
    assert "is revoked and cannot be rotated" in result.stderr
    assert names(emulator) == []


def test_a_name_of_several(pat: InProcess, emulator: Emulator) -> None:
    tokens = [put(emulator, "ci"), put(emulator, "ci")]
    result = pat("rotate", "ci")
    assert result.exit_code == 6
    assert all(each["authorizationId"] in result.stderr for each in tokens)
    assert pat("rotate", tokens[0]["authorizationId"], "--yes", "-q", "-o", "none").exit_code == 0
    assert tokens[1]["authorizationId"] in {each["authorizationId"] for each in emulator.tokens}


def test_the_secret_of_another_token_of_that_name(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    make(pat)
    held = dict(memory_keyring.held)
    other = put(emulator, "ci")
    result = pat("rotate", other["authorizationId"])
    assert result.exit_code == 6
    assert "belongs to another token" in result.stderr
    assert (names(emulator), memory_keyring.held) == (["ci", "ci"], held)


def test_several_go_on_past_one_that_fails(pat: InProcess, emulator: Emulator) -> None:
    for name in ("a", "b", "c"):
        put(emulator, name)
    emulator.fail("POST */pats pat-error=accessDenied skip=1 times=1")
    result = pat("rotate", "a", "b", "c", "nosuch", "--yes", "-o", "json")
    assert result.exit_code == 9
    assert [each["name"] for each in result.json] == ["a", "c"]
    assert "no token 'nosuch'" in result.stderr
    assert "2 of 4 tokens could not be rotated" in result.stderr
    assert names(emulator) == ["a", "b", "c"]
    assert names(emulator, "revoked") == ["a", "c"]


def test_a_shortened_life_is_said(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "ci")
    emulator.set_policies("maximum-lifespan=7")
    result = pat("rotate", "ci", "--expires", "30d", "--yes")
    assert result.exit_code == 0
    assert "a policy shortened the lifetime" in result.stderr


def test_the_secret_on_request(pat: InProcess) -> None:
    make(pat)
    result = pat("rotate", "ci", "--as", "token")
    assert result.stdout == pat("get", "ci").stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("ci", "--grace", "1h", "--keep-old"), "--grace revokes the old token later"),
        (("ci", "other", "--as", "token"), "--as is for one token"),
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
