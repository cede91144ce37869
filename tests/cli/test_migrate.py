"""pat migrate: a token for each organization instead of one for all of them."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from azdo_pat.command_lines import quoted, split
from cli.stage import at, failed, names, seconds_only
from drivers import Emulator, InProcess, Result, put_writer
from e2e.stage import accepts, posts
from fakes import MemoryKeyring

WIDE: dict[str, str | bool] = {
    "scope": "vso.code_write",
    "allOrgs": True,
    "validTo": "2027-06-01T00:00:00Z",
}
BOTH = ("--to", "contoso", "--to", "fabrikam")


@pytest.fixture(autouse=True)
def _before_the_day(pat: InProcess, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let global tokens still work, whenever the tests are run."""
    emulator.remove_tokens()
    at("2026-11-20", emulator, pat, monkeypatch)


def wide(emulator: Emulator, name: str = "wide", **fields: str | bool) -> str:
    """Add a global token; return its id."""
    (identifier,) = emulator.add_tokens(1, name=name, **{**WIDE, **fields})
    return identifier


def ensure_earlier(pat: InProcess, home: Path, *options: str) -> None:
    """Ensure an imported token as by a version that did not record that it is global."""
    with closing(sqlite3.connect(home / "pat/state/state.db")) as connection, connection:
        connection.execute("UPDATE tokens SET is_global = 0")
    words = ("--scope", "code_write", "--renew-before", "1h", *options, "-q", "-o", "none")
    ran = pat("ensure", "wide", *words)
    assert ran.exit_code == 0, ran.stderr


def held(emulator: Emulator, status: str = "active") -> dict[str, str]:
    """The tokens of a status: ids by their organizations; `all` is that of a global one."""
    accounts = {
        "38aaa865-2c70-4bf7-a308-0c6539c38c1a": "contoso",
        "6affcbef-fe5d-44c6-8a29-439b79aaa118": "fabrikam",
    }
    return {
        accounts[each["targetAccounts"][0]] if each["targetAccounts"] else "all": each[
            "authorizationId"
        ]
        for each in emulator.tokens
        if each["status"] == status
    }


def outcomes(result: Result) -> dict[str, str]:
    return {each["org"]: each["outcome"] for each in result.json}


def test_each_organization_gets_its_own(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    old = wide(emulator)
    result = pat("migrate", "wide", *BOTH, "--yes", "-o", "json")
    tokens = held(emulator)
    expires = {each["authorizationId"]: each["validTo"] for each in emulator.tokens}
    assert (result.exit_code, result.json) == (
        0,
        [
            {
                "name": "wide",
                "from_id": old,
                "org": org,
                "outcome": "created",
                "id": tokens[org],
                "expires": seconds_only(expires[tokens[org]]),
                "reason": None,
                "fix": None,
            }
            for org in ("contoso", "fabrikam")
        ],
    )
    assert result.stderr == (
        "created 2\n"
        f"the global token 'wide' ({old}) is not revoked, and stops working on 2026-12-01; when"
        f" nothing uses it any more, run: pat revoke {old}\n"
    )
    assert sorted(tokens) == ["all", "contoso", "fabrikam"]
    for org in ("contoso", "fabrikam"):
        secret = memory_keyring.held[f"azdo-pat:{emulator.url}/{org}", "wide"]
        others = {"contoso", "fabrikam"} - {org}
        assert accepts(emulator, secret, org=org)
        assert not any(accepts(emulator, secret, org=other) for other in others)
    bodies = [each["body"] for each in emulator.requests if each["method"] == "POST"]
    assert [body["allOrgs"] for body in bodies] == [False, False]
    assert {body["scope"] for body in bodies} == {"vso.code_write"}


def test_a_second_run_makes_no_second_token(pat: InProcess, emulator: Emulator) -> None:
    wide(emulator)
    assert pat("migrate", "wide", "--to", "contoso", "--yes", "-q").exit_code == 0
    before = posts(emulator)
    result = pat("migrate", "wide", *BOTH, "--yes", "-o", "json")
    assert outcomes(result) == {"contoso": "kept", "fabrikam": "created"}
    assert posts(emulator) == before + 1
    result = pat("migrate", "wide", *BOTH, "-o", "json")  # nothing to do, so nothing to ask
    assert (result.exit_code, set(outcomes(result).values())) == (0, {"kept"})
    assert posts(emulator) == before + 1


def test_one_whose_secret_is_lost_is_made_anew(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    wide(emulator)
    pat("migrate", "wide", "--to", "contoso", "--yes", "-q")
    memory_keyring.held.clear()
    result = pat("migrate", "wide", "--to", "contoso", "--yes", "-o", "json")
    assert outcomes(result) == {"contoso": "created"}
    assert memory_keyring.held


def test_the_old_one_is_revoked_on_request(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    secret = emulator.add_with_secret("wide", **WIDE)
    (old,) = held(emulator).values()
    for name in ("wide", "its copy"):
        imported = pat("import", name, "--id", old, "--org", "fabrikam", stdin=secret)
        if name == "wide":
            assert imported.exit_code == 0, imported.stderr
    result = pat("migrate", "wide", "--to", "contoso", "--revoke-old", "--yes", "-o", "json")
    assert (result.exit_code, outcomes(result)) == (0, {"contoso": "created"})
    assert f"the global token 'wide' ({old}) is revoked" in result.stderr
    assert held(emulator, "revoked") == {"all": old}
    # The secret that was stored for another organization is dead, and gone.
    assert list(memory_keyring.held) == [(f"azdo-pat:{emulator.url}/contoso", "wide")]
    again = pat("migrate", "wide", "--to", "contoso", "--revoke-old", "--yes", "-o", "json")
    assert (again.exit_code, outcomes(again)) == (0, {"contoso": "kept"})


def test_its_own_stored_secret_is_overwritten(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    secret = emulator.add_with_secret("wide", **WIDE)
    old = held(emulator)["all"]
    assert pat("import", "wide", "--id", old, stdin=secret).exit_code == 0
    assert pat("migrate", "wide", *BOTH, "--yes", "-q").exit_code == 0
    assert secret not in memory_keyring.held.values()
    assert pat("get", "wide").stdout.strip() != secret
    assert pat("show", held(emulator)["contoso"], "-o", "json").json["stored"] is True


def test_another_tokens_secret_is_left_alone(pat: InProcess, emulator: Emulator) -> None:
    wide(emulator)
    assert pat("create", "wide", "--scope", "build", "-q", "-o", "none").exit_code == 0
    before = pat("get", "wide").stdout
    result = pat("migrate", "wide", "--to", "contoso", "--yes", "-o", "json")
    (row,) = result.json
    assert (result.exit_code, row["outcome"], row["id"]) == (6, "refused", None)
    assert "belongs to another token" in row["reason"]
    other_name = quoted("{name} ({org})")
    assert row["fix"] == f"to give the new token another name, add --name {other_name}"
    assert pat("get", "wide").stdout == before
    renamed = pat("migrate", "wide", *BOTH, "--name", "{name} ({org})", "--yes", "-o", "json")
    assert [each["name"] for each in renamed.json] == ["wide (contoso)", "wide (fabrikam)"]
    assert renamed.exit_code == 0


def test_one_organization_refuses_and_the_others_go_on(pat: InProcess, emulator: Emulator) -> None:
    old = wide(emulator)
    emulator.set_policies("contoso:creation-packaging-only")
    command = ("migrate", "wide", *BOTH, "--revoke-old", "--yes", "-o", "json")
    result = pat(*command)
    assert (result.exit_code, outcomes(result)) == (
        9,
        {"contoso": "refused", "fabrikam": "created"},
    )
    assert result.json[0]["reason"]
    assert result.json[0]["fix"]
    assert held(emulator) == {"all": old, "fabrikam": result.json[1]["id"]}
    emulator.set_policies()
    result = pat(*command)
    assert (result.exit_code, outcomes(result)) == (0, {"contoso": "created", "fabrikam": "kept"})
    assert held(emulator, "revoked") == {"all": old}


@pytest.mark.parametrize(
    ("policy", "options", "code"),
    [
        ("contoso:creation-disabled", (), 5),
        ("contoso:maximum-lifespan=7 mode=refuse", ("--expires", "30d"), 5),
        ("", ("--to", "tailspin"), 4),
        ("", ("--to", "nowhere"), 3),
    ],
)
def test_a_single_refusal_has_its_own_code(
    policy: str, options: tuple[str, ...], code: int, pat: InProcess, emulator: Emulator
) -> None:
    wide(emulator)
    emulator.set_policies(*([policy] if policy else []))
    words = options if "--to" in options else ("--to", "contoso", *options)
    result = pat("migrate", "wide", *words, "--yes", "-o", "json")
    assert (result.exit_code, list(outcomes(result).values())) == (code, ["refused"])
    assert names(emulator) == ["wide"]


def test_an_organization_of_another_tenant(pat: InProcess, emulator: Emulator) -> None:
    wide(emulator)
    result = pat("migrate", "wide", "--to", "contoso", "--to", "tailspin", "--yes", "-o", "json")
    assert (result.exit_code, outcomes(result)) == (
        9,
        {"contoso": "created", "tailspin": "refused"},
    )
    assert "pat login --org tailspin" in result.json[1]["fix"]


def test_a_grace(pat: InProcess, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = emulator.add_with_secret("wide", **WIDE)
    old = held(emulator)["all"]
    assert pat("import", "wide", "--id", old, "--org", "fabrikam", stdin=secret).exit_code == 0
    command = ("migrate", "wide", "--to", "contoso", "--revoke-old", "--grace", "2d", "--yes")
    for _ in range(2):
        result = pat(*command)
        assert result.exit_code == 0, result.stderr
        assert "will be revoked by the first command that signs in after 2026-11-22" in (
            result.stderr
        )
    assert sorted(held(emulator)) == ["all", "contoso"]
    assert pat("show", "wide", "-o", "json").json["org"] == "contoso"  # the old one is leaving
    at("2026-11-23", emulator, pat, monkeypatch)
    assert "revoked the old token" in pat("list", "-o", "none").stderr
    assert held(emulator, "revoked") == {"all": old}
    assert pat("get", "wide", "--org", "fabrikam").exit_code == 3


def test_a_grace_that_outlasts_the_token(
    pat: InProcess, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = wide(emulator)
    at("2026-11-30", emulator, pat, monkeypatch)
    words = ("wide", "--to", "contoso", "--revoke-old", "--grace", "30d")
    planned = pat("migrate", *words, "--dry-run", "-o", "none")
    assert planned.stderr == (
        "1 token would be created, and 1 token would be revoked (after 30 days) (dry run)\n"
    )
    assert "revoke 1 token (wide) in all your organizations (after 30 days)" in (
        pat("migrate", *words).stderr
    )
    said = pat("migrate", *words, "--yes", "-o", "none").stderr
    assert "signs in after 2026-12-30 12:00, but stops working on 2026-12-01\n" in said
    kept = pat("migrate", *words, "--dry-run", "-o", "none")
    assert kept.stderr.startswith("0 tokens would be created, and 1 token would be revoked")
    again = pat("migrate", "wide", "--to", "fabrikam", "--yes", "-o", "none").stderr
    assert f"the global token 'wide' ({old}) will be revoked by the first command" in again
    assert "stops working on 2026-12-01, and will be revoked after 2026-12-30" in (
        pat("show", old).stdout
    )
    assert "replaced, active until 2026-12-01 00:00" in pat("list").stdout


def test_the_remembered_grace_is_planned(pat: InProcess, emulator: Emulator, home: Path) -> None:
    secret = emulator.add_with_secret("wide", **WIDE)
    pat("import", "wide", "--id", held(emulator)["all"], stdin=secret)
    ensure_earlier(pat, home, "--grace", "2d")
    planned = pat("migrate", "wide", *BOTH, "--revoke-old", "--dry-run", "-o", "none")
    assert "2 tokens would be created, and 1 token would be revoked (after 2 days)" in (
        planned.stderr
    )


def test_what_is_refused_keeps_the_old_one_in_the_plan(pat: InProcess, emulator: Emulator) -> None:
    wide(emulator)
    words = ("wide", "--to", "contoso", "--to", "nowhere", "--revoke-old", "--dry-run")
    assert "1 token would be created (dry run)\n" in pat("migrate", *words, "-o", "none").stderr


def test_the_remembered_grace(pat: InProcess, emulator: Emulator, home: Path) -> None:
    secret = emulator.add_with_secret("wide", **WIDE)
    old = held(emulator)["all"]
    pat("import", "wide", "--id", old, stdin=secret)
    ensure_earlier(pat, home, "--grace", "2d")
    command = ("migrate", "wide", *BOTH, "--revoke-old", "--yes")
    assert "after 2026-11-22" in pat(*command).stderr
    assert "is revoked" in pat(*command, "--grace", "none").stderr
    assert held(emulator, "revoked") == {"all": old}


def test_deliveries_go_where_they_belong(pat: InProcess, emulator: Emulator, home: Path) -> None:
    secret = emulator.add_with_secret("wide", **WIDE)
    old = held(emulator)["all"]
    assert pat("import", "wide", "--id", old, stdin=secret).exit_code == 0
    ensure_earlier(pat, home, "--deliver", "file:.env|PAT={token}")
    assert Path(".env").read_text() == f"PAT={secret}\n"
    result = pat("migrate", "wide", *BOTH, "--yes", "-o", "json")
    assert result.exit_code == 0, result.stderr
    assert Path(".env").read_text() == f"PAT={pat('get', 'wide').stdout}"


def test_what_is_not_delivered_keeps_the_old_one(
    pat: InProcess, emulator: Emulator, home: Path
) -> None:
    secret = emulator.add_with_secret("wide", **WIDE)
    old = held(emulator)["all"]
    pat("import", "wide", "--id", old, stdin=secret)
    out = Path("out")
    out.mkdir()
    ensure_earlier(pat, home, "--deliver", put_writer(Path.cwd(), out.absolute() / ".env"))
    shutil.rmtree(out)
    command = ("migrate", "wide", *BOTH, "--revoke-old", "--yes", "-o", "json")
    result = pat(*command)
    assert (result.exit_code, set(outcomes(result).values())) == (8, {"created"})
    assert result.json[0]["fix"] == "fix the cause, then run: pat renew"
    assert held(emulator)["all"] == old
    out.mkdir()
    result = pat(*command)
    assert (result.exit_code, set(outcomes(result).values())) == (0, {"kept"}), result.stderr
    assert held(emulator, "revoked") == {"all": old}
    assert Path("out/.env").read_text() == f"PAT={pat('get', 'wide').stdout}"


def test_all_of_them_to_all(pat: InProcess, emulator: Emulator) -> None:
    wide(emulator, "a")
    wide(emulator, "b", scope="vso.build")
    wide(emulator, "gone", validTo="2026-11-01T00:00:00Z")
    emulator.add_tokens(1, name="own")
    planned = pat("migrate", "--all", "--to-all", "--dry-run", "-o", "json")
    assert [(each["name"], each["org"], each["outcome"]) for each in planned.json] == [
        ("a", "contoso", "planned"),
        ("a", "fabrikam", "planned"),
        ("b", "contoso", "planned"),
        ("b", "fabrikam", "planned"),
    ]
    assert planned.stderr == "4 tokens would be created (dry run)\n"
    assert posts(emulator) == 0
    result = pat("migrate", "--all", "--to-all", "--yes", "-o", "json")
    assert (result.exit_code, len(result.json)) == (0, 4)


def test_nothing_to_migrate(pat: InProcess) -> None:
    result = pat("migrate", "--all", "--to-all", "-o", "json")
    assert (result.exit_code, result.json) == (0, [])
    assert result.stderr == "you have no global tokens: nothing to migrate\n"


def test_two_of_a_name(pat: InProcess, emulator: Emulator) -> None:
    one, other = wide(emulator), wide(emulator)
    result = pat("migrate", "wide", "--to", "contoso", "--yes")
    assert result.exit_code == 6
    assert one in result.stderr
    assert other in result.stderr
    result = pat("migrate", one[:8], "--to", "contoso", "--yes", "-o", "json")
    assert (result.exit_code, result.json[0]["from_id"]) == (0, one)
    # Their scopes are the same, so the new one replaces both.
    result = pat("migrate", "--all", "--to", "contoso", "--revoke-old", "--yes", "-o", "json")
    assert (result.exit_code, list(outcomes(result).values())) == (0, ["kept"])
    assert list(held(emulator)) == ["contoso"]


def test_two_that_differ_get_no_common_replacement(pat: InProcess, emulator: Emulator) -> None:
    wide(emulator, "a")
    wide(emulator, "b")
    result = pat("migrate", "--all", "--to", "contoso", "--name", "fixed", "--revoke-old", "--yes")
    assert (result.exit_code, "replaced by 'fixed' in contoso" in result.stderr) == (2, True)
    assert names(emulator) == ["a", "b"]


def test_a_name_that_no_new_token_can_have(pat: InProcess, emulator: Emulator) -> None:
    old = wide(emulator, "tab\there")
    planned = pat("migrate", old, "--to", "contoso", "--dry-run", "-o", "json")
    assert [each["outcome"] for each in planned.json] == ["refused"]
    assert planned.json[0]["fix"] == "to give the new token another name, add: --name tabhere"
    (finding,) = [each for each in pat("check", "-o", "json").json if each["kind"] == "global"]
    assert pat(*split(finding["fix"])[1:], "--yes", "-q").exit_code == 0
    assert names(emulator) == ["tab\there", "tabhere", "tabhere"]


def test_a_name_of_which_nothing_is_left(pat: InProcess, emulator: Emulator) -> None:
    old = wide(emulator, "{\x01}")
    planned = pat("migrate", old, "--to", "contoso", "--dry-run", "-o", "json")
    assert planned.json[0]["fix"].endswith("add: --name token")
    (finding,) = [each for each in pat("check", "-o", "json").json if each["kind"] == "global"]
    assert pat(*split(finding["fix"])[1:], "--yes", "-q").exit_code == 0


def test_a_plan_tells_when_an_earlier_run_has_planned_the_revocation(
    pat: InProcess, emulator: Emulator
) -> None:
    old = wide(emulator)
    words = ("migrate", old, "--to", "contoso", "--revoke-old")
    assert pat(*words, "--grace", "5d", "--yes", "-q").exit_code == 0
    planned = pat(*words, "--grace", "2d", "--dry-run")
    assert "after 5 days" in planned.stderr


def test_scopes_only_get_narrower(pat: InProcess, emulator: Emulator) -> None:
    wide(emulator)
    result = pat("migrate", "wide", "--to", "contoso", "--scope", "code_full", "--yes")
    assert (result.exit_code, names(emulator)) == (2, ["wide"])
    assert "does not have the scope vso.code_full" in result.stderr
    result = pat("migrate", "wide", "--to", "contoso", "--scope", "code", "--yes")
    assert result.exit_code == 0
    assert {each["scope"] for each in emulator.tokens} == {"vso.code_write", "vso.code"}


def test_a_narrower_one_is_kept(pat: InProcess, emulator: Emulator) -> None:
    old = wide(emulator)
    assert pat("migrate", "wide", "--to", "contoso", "--scope", "code", "--yes").exit_code == 0
    exact = ("--scope", "code_write")
    assert pat("migrate", "wide", "--to", "contoso", *exact, "--yes").exit_code == 6
    result = pat("migrate", old, "--to-all", "--revoke-old", "--yes", "-o", "json")
    assert (result.exit_code, outcomes(result)) == (0, {"contoso": "kept", "fabrikam": "created"})
    assert held(emulator, "revoked") == {"all": old}


def test_a_similar_organization_is_proposed(pat: InProcess, emulator: Emulator) -> None:
    wide(emulator)
    result = pat("migrate", "wide", "--to", "fabricam", "--yes")
    assert result.exit_code == 3
    assert "did you mean fabrikam?" in result.stderr


def test_the_current_organization_is_no_target(pat: InProcess, emulator: Emulator) -> None:
    wide(emulator)
    result = pat("migrate", "wide", "--org", "contoso")
    assert result == failed(
        2,
        "it is not known which organizations use 'wide', and pat cannot ask here",
        "name them with --to ORG, or add --to-all; --org does not select them",
    )


def test_full_access_is_warned_of(pat: InProcess, emulator: Emulator) -> None:
    wide(emulator, scope="app_token")
    result = pat("migrate", "wide", "--to", "contoso", "--dry-run")
    assert "'wide' has full access, and so would each new token" in result.stderr
    assert "--scope" in result.stderr
    narrowed = pat("migrate", "wide", "--to", "contoso", "--scope", "code", "--dry-run")
    assert "full access" not in narrowed.stderr
    wide(emulator, "narrow")
    refused = pat("migrate", "narrow", "--to", "contoso", "--scope", "full", "--dry-run")
    assert (refused.exit_code, "has full access" in refused.stderr) == (2, False)
    emulator.set_policies("full-scope-forbidden")
    assert pat("migrate", "wide", "--to", "contoso", "--yes").exit_code == 5


class TestAfterTheDay:
    """Global tokens have stopped working; the service may list them or not."""

    @pytest.fixture(autouse=True)
    def _imported_before(
        self, pat: InProcess, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        secret = emulator.add_with_secret("wide", **WIDE)
        self.old = held(emulator)["all"]
        assert pat("import", "wide", "--id", self.old, stdin=secret).exit_code == 0
        at("2026-12-05", emulator, pat, monkeypatch)

    def test_it_is_still_listed(self, pat: InProcess, emulator: Emulator) -> None:
        result = pat("migrate", "--all", *BOTH, "--revoke-old", "--yes", "-o", "json")
        assert (result.exit_code, set(outcomes(result).values())) == (0, {"created"})
        assert held(emulator, "revoked") == {"all": self.old}

    def test_it_has_stopped(self, pat: InProcess) -> None:
        result = pat("migrate", "wide", "--to", "contoso", "--yes", "-o", "none")
        assert "is not revoked, and stopped working on 2026-12-01;" in result.stderr
        assert "it stopped working on 2026-12-01" in pat("rotate", self.old).stderr

    def test_it_is_known_from_the_state_file(self, pat: InProcess, emulator: Emulator) -> None:
        emulator.set_policies("global-hidden")
        planned = pat("migrate", "--all", *BOTH, "--dry-run", "-o", "json").json
        assert {each["from_id"] for each in planned} == {self.old}
        for outcome, from_id in (("created", self.old), ("kept", None)):
            result = pat("migrate", "wide", *BOTH, "--yes", "-o", "json")
            assert (result.exit_code, set(outcomes(result).values())) == (0, {outcome})
            assert {each["from_id"] for each in result.json} == {from_id}
        assert sorted(held(emulator)) == ["all", "contoso", "fabrikam"]

    def test_a_replacement_is_never_taken_for_it(self, pat: InProcess, emulator: Emulator) -> None:
        emulator.set_policies("global-hidden")
        assert pat("migrate", "wide", *BOTH, "--yes", "-q").exit_code == 0
        result = pat("migrate", "wide", *BOTH, "--revoke-old", "--yes", "-o", "json")
        assert (result.exit_code, set(outcomes(result).values())) == (0, {"kept"})
        assert held(emulator, "revoked") == {}

    def test_its_scopes_are_given_by_hand(self, pat: InProcess, emulator: Emulator) -> None:
        emulator.set_policies("global-hidden")
        missing = pat("migrate", "unheard of", "--to", "contoso", "--yes")
        assert missing.exit_code == 3
        assert "name its scopes with --scope" in missing.stderr
        words = ("unheard of", "--to", "contoso", "--scope", "code", "--yes", "-o", "json")
        result = pat("migrate", *words)
        (row,) = result.json
        assert (result.exit_code, row["outcome"], row["from_id"]) == (0, "created", None)
        assert result.stderr == (
            "pat: warning: the service lists no global token 'unheard of': pat could not check that"
            " there is one, and cannot revoke it\n"
            "created 1\n"
        )

    @pytest.mark.parametrize("text", ["4c81c0e6", "4C81C0E6", "4c81c0e6-b5cb-5da4-8805"])
    def test_an_id_is_no_name(self, text: str, pat: InProcess, emulator: Emulator) -> None:
        emulator.set_policies("global-hidden")
        result = pat("migrate", text, "--to", "contoso", "--scope", "code_write", "--yes")
        assert (result.exit_code, names(emulator)) == (3, ["wide"])
        assert "name it by its name, and its scopes with --scope" in result.stderr

    def test_one_that_is_recorded_goes_before_others_of_its_name(
        self, pat: InProcess, emulator: Emulator
    ) -> None:
        words = ("create", "wide", "--org", "fabrikam", "--scope", "build", "-q", "-o", "none")
        assert pat(*words).exit_code == 0
        emulator.remove_tokens()
        emulator.set_policies("global-hidden")
        (row,) = pat("migrate", "wide", "--to", "contoso", "--yes", "-o", "json").json
        assert (row["outcome"], row["from_id"]) == ("created", self.old)
        assert {each["scope"] for each in emulator.tokens} == {"vso.code_write"}

    @pytest.mark.parametrize(("scopes", "code"), [(("--scope", "code"), 0), ((), 3)])
    def test_tokens_of_single_organizations_are_no_candidates(
        self, scopes: tuple[str, ...], code: int, pat: InProcess, emulator: Emulator
    ) -> None:
        for org in ("contoso", "fabrikam"):
            made = pat("create", "deploy", "--org", org, "--scope", "code", "-q", "-o", "none")
            assert made.exit_code == 0, made.stderr
        emulator.remove_tokens()
        emulator.set_policies("global-hidden")
        result = pat("migrate", "deploy", *BOTH, *scopes, "--yes", "-o", "json")
        assert result.exit_code == code, result.stderr


def test_before_the_day_scopes_are_not_enough(pat: InProcess, emulator: Emulator) -> None:
    wide(emulator, "old laptop")
    result = pat("migrate", "old lapto", "--to", "contoso", "--scope", "code", "--yes")
    assert result.exit_code == 3
    assert f"did you mean {quoted('old laptop')}?" in result.stderr
    assert names(emulator) == ["old laptop"]


def test_several_of_which_one_is_unknown(pat: InProcess, emulator: Emulator) -> None:
    wide(emulator)
    result = pat("migrate", "wide", "nosuch", "--to", "contoso", "--yes", "-o", "json")
    assert (result.exit_code, outcomes(result)) == (9, {"contoso": "created"})
    assert "nosuch" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no token given"),
        (("wide", "--all"), "TOKEN cannot be combined with --all"),
        (("wide",), "name them with --to ORG, or add --to-all"),
        (("wide", "--to", "contoso"), "add --yes to confirm"),
        (("wide", "--to", "contoso", "--to-all"), "--to cannot be combined with --to-all"),
        (("wide", "--to", "con toso"), "con toso"),
        (
            ("wide", "--to", "contoso,fabrikam"),
            "give --to once for each organization: --to contoso --to fabrikam",
        ),
        (("wide", "--to", ""), "pat:"),
        (("wide", "--to", "contoso", "--grace", "1h"), "--grace needs --revoke-old"),
        (("wide", "--to", "contoso", "--revoke-old", "--grace", "soon"), "'soon'"),
        (("wide", "--to", "contoso", "--expires", "yesterday"), "yesterday"),
        (("wide", "--to", "contoso", "--name", "{user}"), "unknown placeholder {user}"),
        (("wide", "--to", "contoso", "--name", ""), "the name is empty"),
        (("wide", "--to", "contoso", "--name", "a\u202eb"), "U+202E"),
        (("wide", "--to", "contoso", "--scope", "cod"), "cod"),
        (("wide", "--to", "contoso", "--query", "["), "["),
    ],
    ids=" ".join,
)
def test_wrong_usage(words: tuple[str, ...], said: str, pat: InProcess, emulator: Emulator) -> None:
    wide(emulator)
    result = pat("migrate", *words)
    assert (result.exit_code, result.stdout, names(emulator)) == (2, "", ["wide"])
    assert said in result.stderr


def test_a_server_has_no_such_tokens(pat: InProcess, emulator: Emulator) -> None:
    wide(emulator)
    result = pat("migrate", "wide", "--to", "https://tfs.example/tfs/Default", "--yes")
    assert (result.exit_code, names(emulator)) == (5, ["wide"])


@pytest.mark.parametrize(
    "name", ["\x1b[31mred", "=1+1", "##vso[task.complete]", "a{org}{name}b", " edge ", "-rf"]
)
def test_hostile_names(name: str, pat: InProcess, emulator: Emulator) -> None:
    if "\x1b" in name:
        emulator.spoil("wide", fields={"displayName": name})
        name = "wide"
    identifier = wide(emulator, name)
    for form in ("table", "json", "csv", "tsv"):
        words = ("migrate", identifier, "--to", "contoso", "--yes", "-o", form)
        result = pat(*words, env={"TF_BUILD": "True"})
        # The service accepts no new name with a control character.
        assert result.exit_code == (2 if name == "wide" else 0), result.stderr
        for text in (result.stdout, result.stderr):
            assert "\x1b" not in text
            assert "##vso[" not in text
    if name != "wide":
        assert names(emulator) == [name, name]


@pytest.mark.parametrize(
    ("field", "options"),
    [("displayName", ("--name", "ci")), ("scope", ("--scope", "code"))],
)
def test_what_cannot_be_read_is_not_guessed(
    field: str, options: tuple[str, ...], pat: InProcess, emulator: Emulator
) -> None:
    identifier = wide(emulator)
    emulator.spoil(identifier, fields={field: None})
    command = ("migrate", identifier, "--to", "contoso", "--yes", "-o", "none")
    result = pat(*command)
    assert (result.exit_code, names(emulator)) == (11, ["wide"])
    assert f"cannot be read ({field})" in result.stderr
    assert pat(*command, *options).exit_code == 0
    assert len(names(emulator)) == 2


def test_no_organization_is_set(pat: InProcess, emulator: Emulator) -> None:
    wide(emulator)
    emulator.fail("GET /contoso/* status=403 times=2")
    words = ("migrate", "wide", "--to", "fabrikam", "--yes", "-o", "json")
    result = pat(*words, env={"PAT_ORG": None})
    assert (result.exit_code, outcomes(result)) == (0, {"fabrikam": "created"}), result.stderr


def test_the_question_tells_that_another_machine_may_use_the_token(
    pat: InProcess, emulator: Emulator
) -> None:
    secret = emulator.add_with_secret("wide", scope="vso.code_write", allOrgs=True)
    (old,) = pat("list", "--global", "-o", "json").json
    command = ("migrate", "wide", "--to", "contoso", "--revoke-old")
    loss = "the secret of 'wide' is not stored here: programs that use it will stop"
    unseen = pat(*command)
    assert (unseen.exit_code, loss in unseen.stderr) == (2, True)
    imported = pat("import", "wide", "--id", old["id"], "--org", "fabrikam", stdin=f"{secret}\n")
    assert imported.exit_code == 0
    assert "not stored here" not in pat(*command).stderr
