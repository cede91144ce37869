"""pat check: what needs attention, and that each command it shows makes it go away."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from keyring.errors import KeyringLocked

from azdo_pat.cli.runtime import Runtime
from azdo_pat.command_lines import split
from azdo_pat.findings import Kind
from azdo_pat.scopes import RECIPES, Recipe
from cli.stage import at, hence
from drivers import Emulator, InProcess, Result, put_writer
from fakes import MemoryKeyring

CONTRACT = Path(__file__).parents[2] / "docs" / "reference" / "contract.md"
Document = dict[str, Any]


@pytest.fixture(autouse=True)
def _nothing_there(emulator: Emulator) -> None:
    emulator.remove_tokens()


@pytest.fixture
def pat(pat: InProcess, emulator: Emulator) -> InProcess:
    """Run `pat` signed in for years, as the clocks are moved here."""
    return InProcess(pat.root, {**pat.env, "PAT_ACCESS_TOKEN": emulator.long_access_token()})


def make(pat: InProcess, name: str, *options: str) -> Document:
    """Create a token; return it."""
    scope = () if "--scope" in options else ("--scope", "packaging")
    made = pat("create", name, *scope, *options, "-o", "json")
    assert made.exit_code == 0, made.stderr
    document: Document = made.json
    return document


def check(pat: InProcess, *args: str) -> dict[str, Document]:
    """Run it; return the findings by kind, of which there is one each."""
    ran = pat("check", *args, "-o", "json")
    assert ran.exit_code in {0, 10}, ran.stderr
    assert ran.exit_code == (10 if any(each["severity"] != "note" for each in ran.json) else 0)
    kinds = [each["kind"] for each in ran.json]
    assert len(set(kinds)) == len(kinds), kinds
    return dict(zip(kinds, ran.json, strict=True))


def fix(pat: InProcess, finding: Document, *more: str) -> Result:
    """Run the command that a finding shows, with more options."""
    program, verb, *words = split(finding["fix"])
    assert program == "pat"
    ran = pat(verb, *more, *words)
    assert ran.exit_code == 0, (finding["fix"], ran.stderr)
    return ran


def import_global(pat: InProcess, emulator: Emulator, name: str) -> None:
    """Store the secret of a token for all organizations."""
    secret = emulator.add_with_secret(name, scope="vso.packaging", allOrgs=True)
    (listed,) = pat("list", "--global", "-o", "json").json
    ran = pat("import", name, "--id", listed["id"], stdin=f"{secret}\n")
    assert ran.exit_code == 0, ran.stderr


def pass_time(monkeypatch: pytest.MonkeyPatch, **span: float) -> None:
    """Let this machine's clock be ahead by a span."""
    monkeypatch.setattr(Runtime, "now", lambda _: datetime.now(UTC) + timedelta(**span))


def test_nothing_needs_attention(pat: InProcess) -> None:
    make(pat, "ci")
    ran = pat("check")
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert ran.stderr == "nothing needs attention; checked 1 token\n"
    assert pat("check", "-o", "json").stdout == "[]\n"


def test_what_is_stored_needs_neither_network_nor_sign_in(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    make(pat, "ci", "--expires", "200d")
    before = len(emulator.requests)
    memory_keyring.held.clear()  # it is not read, either
    ran = pat("check", "--stored", "-o", "json", env={"PAT_ACCESS_TOKEN": None})
    assert [each["kind"] for each in ran.json] == ["long-lived"]
    assert len(emulator.requests) == before


def test_a_finding_as_json(pat: InProcess, emulator: Emulator) -> None:
    (identifier,) = emulator.add_tokens(name="feed", scope="vso.packaging", validTo=hence(50))
    (found,) = pat("check", "--max-life", "1y", "-o", "json").json
    assert found == {
        "kind": "expiring",
        "severity": "warning",
        "org": "contoso",
        "name": "feed",
        "id": identifier,
        "owner": None,
        "scopes": ["vso.packaging"],
        "expires": found["expires"],
        "expires_in_days": 2,
        "until": found["expires"],
        "message": "it expires in 2 days",
        "fix": f"pat update {identifier[:8]} --expires 30d --org contoso",
        "file": None,
        "line": None,
    }


def test_a_finding_as_a_table(pat: InProcess, emulator: Emulator) -> None:
    (identifier,) = emulator.add_tokens(name="feed", scope="vso.packaging", validTo=hence(50))
    ran = pat("check", "--max-life", "1y", env={"COLUMNS": "80"})
    header, row, command = ran.stdout.splitlines()
    assert header.split() == ["NAME", "WHAT", "UNTIL"]
    assert row.startswith("warning  feed  it expires in 2 days  ")
    assert command == f"         fix: pat update {identifier[:8]} --expires 30d --org contoso"


def test_one_that_expires_elsewhere(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_tokens(name="feed", scope="vso.packaging", validTo=hence(50))
    fix(pat, check(pat, "--max-life", "1y")["expiring"])
    assert check(pat, "--max-life", "1y") == {}


@pytest.mark.parametrize("stored", [[], ["--stored"]], ids=["listed", "stored"])
def test_one_that_is_due(
    pat: InProcess, monkeypatch: pytest.MonkeyPatch, stored: list[str]
) -> None:
    make(pat, "ci", "--expires", "30d")
    pass_time(monkeypatch, days=25)
    finding = check(pat, *stored)["expiring"]
    assert (finding["severity"], finding["fix"]) == ("warning", "pat renew")
    fix(pat, finding)
    assert "expiring" not in check(pat, *stored)


@pytest.mark.parametrize("stored", [[], ["--stored"]], ids=["listed", "stored"])
def test_one_that_has_expired(
    pat: InProcess, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, stored: list[str]
) -> None:
    make(pat, "ci", "--expires", "30d")
    pass_time(monkeypatch, days=31)
    emulator.advance(31 * 24 * 3600)
    finding = check(pat, *stored)["expired"]
    assert finding["severity"] == "error"
    fix(pat, finding)
    assert check(pat, *stored) == {}


def test_one_of_all_organizations(pat: InProcess, emulator: Emulator) -> None:
    (old,) = emulator.add_tokens(name="everywhere", scope="vso.packaging", allOrgs=True)
    replaced = fix(pat, check(pat)["global"], "--yes", "-o", "json")
    assert {each["outcome"] for each in replaced.json} == {"created"}
    # Another machine may use it: the user looks first.
    assert old in {each["authorizationId"] for each in emulator.tokens}
    for selection in ((), ("--all-orgs",)):
        finding = check(pat, *selection)["global"]
        assert "when nothing uses the global one, revoke it" in finding["message"]
    fix(pat, finding, "--yes")
    assert check(pat, "--all-orgs") == {}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_token_for_a_purpose_has_the_scopes_that_it_needs(pat: InProcess, recipe: Recipe) -> None:
    assert pat("create", "ci", "--for", recipe.name, "-q", "-o", "none").exit_code == 0
    assert check(pat) == {}


@pytest.mark.parametrize("stored", [[], ["--stored"]], ids=["listed", "stored"])
def test_a_stored_one_of_all_organizations(
    pat: InProcess, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, stored: list[str]
) -> None:
    at("2026-11-20", emulator, pat, monkeypatch)
    import_global(pat, emulator, "everywhere")
    finding = check(pat, *stored)["global"]
    assert (finding["org"], finding["severity"]) == (None, "error")
    fix(pat, finding, "--yes")
    assert check(pat, *stored) == {}


def test_full_access(pat: InProcess) -> None:
    make(pat, "git push", "--scope", "full")
    finding = check(pat)["full-access"]
    fix(pat, finding)
    assert "full-access" not in check(pat)


@pytest.mark.parametrize(
    ("policy", "options"),
    [
        ("maximum-lifespan=10", ["--expires", "30d"]),
        ("full-scope-forbidden", ["--scope", "full", "--expires", "10d"]),
    ],
    ids=["lifespan", "full access"],
)
def test_a_policy_that_forbids_its_renewal(
    pat: InProcess, emulator: Emulator, policy: str, options: list[str]
) -> None:
    make(pat, "git push", *options)
    assert "policy" not in check(pat)
    emulator.set_policies(policy)
    finding = check(pat)["policy"]
    assert finding["severity"] == "warning"
    assert "policy" not in check(pat, "--stored")
    fix(pat, finding)
    assert "policy" not in check(pat)


def test_one_that_a_policy_does_not_let_live_longer(pat: InProcess, emulator: Emulator) -> None:
    (old,) = emulator.add_tokens(name="feed", scope="vso.packaging", validTo=hence(50))
    emulator.set_policies("maximum-lifespan=10")
    finding = check(pat, "--max-life", "1y")["expiring"]
    assert "a policy allows 10 days, so it cannot be extended" in finding["message"]
    ran = pat("update", old, "--expires", "30d")
    assert (ran.exit_code, "nothing was changed" in ran.stderr) == (5, True)
    fix(pat, finding, "--yes")
    assert "expiring" not in check(pat, "--within", "5d")


def test_policies_that_cannot_be_read(pat: InProcess, emulator: Emulator) -> None:
    make(pat, "ci")
    emulator.set_policies("maximum-lifespan=10", "policies-forbidden")
    assert check(pat) == {}


def test_policies_are_asked_for_only_where_something_is_renewed(
    pat: InProcess, emulator: Emulator
) -> None:
    def asked() -> int:
        return sum("TenantPolicy" in each["path"] for each in emulator.requests)

    emulator.add_tokens(name="elsewhere", scope="vso.packaging", validTo=hence(24 * 50))
    check(pat)
    assert asked() == 0
    make(pat, "ci")
    check(pat)
    assert asked() == 1


def test_broad_scopes(pat: InProcess) -> None:
    make(pat, "a", "--scope", "work", "--scope", "work_write")
    fix(pat, check(pat)["broad"])
    assert check(pat) == {}
    make(pat, "b", "--scope", "code_manage")
    fix(pat, check(pat)["broad"])
    assert check(pat) == {}


def test_a_long_life(pat: InProcess, emulator: Emulator) -> None:
    make(pat, "ci", "--expires", "200d")
    fix(pat, check(pat)["long-lived"])
    assert check(pat) == {}
    emulator.add_tokens(name="elsewhere", scope="vso.packaging", validTo=hence(24 * 100))
    fix(pat, check(pat)["long-lived"])
    assert check(pat) == {}


def test_made_by_another_program(pat: InProcess, emulator: Emulator) -> None:
    name = "git: https://dev.azure.com/contoso on laptop"
    emulator.add_tokens(count=3, name=name, scope="vso.code_write")
    ran = pat("check", "-o", "json")
    findings = [each for each in ran.json if each["kind"] == "made-by-tool"]
    assert [each["severity"] for each in findings] == ["warning"] * 3
    for each in findings:
        fix(pat, each, "--yes")
    assert check(pat) == {}


def test_a_secret_that_is_lost(pat: InProcess, memory_keyring: MemoryKeyring) -> None:
    make(pat, "ci")
    memory_keyring.held.clear()
    fix(pat, check(pat)["secret-lost"], "--yes")
    assert check(pat) == {}


def test_a_secret_that_was_overwritten(pat: InProcess, memory_keyring: MemoryKeyring) -> None:
    make(pat, "ci")
    (key,) = (each for each in memory_keyring.held if each[1] == "ci")
    memory_keyring.held[key] = "another program's"
    fix(pat, check(pat)["secret-lost"])
    assert check(pat) == {}


def test_a_secret_that_was_revoked(pat: InProcess, emulator: Emulator) -> None:
    made = make(pat, "ci")
    assert check(pat, "--verify") == {}
    revoke_elsewhere(emulator, pat, made["id"])
    finding = check(pat)["refused"]
    assert "was revoked" in finding["message"]
    fix(pat, finding)
    assert check(pat) == {}


def revoke_elsewhere(emulator: Emulator, pat: InProcess, identifier: str) -> None:
    """Revoke a token as another machine would."""
    other = {"PAT_STATE_DIR": str(Path.cwd() / "other")}
    assert pat("revoke", identifier, "--yes", env=other).exit_code == 0
    assert [
        each["status"] for each in emulator.tokens if each["authorizationId"] == identifier
    ] == ["revoked"]


@pytest.mark.parametrize("stored", [[], ["--stored"]], ids=["listed", "stored"])
def test_a_secret_that_does_not_work(pat: InProcess, emulator: Emulator, stored: list[str]) -> None:
    made = make(pat, "ci")
    revoke_elsewhere(emulator, pat, made["id"])
    found = pat("check", "--verify", *stored, "--ignore", "none-such", "-o", "json")
    assert found.exit_code == 2
    kinds = {each["kind"]: each for each in pat("check", "--verify", *stored, "-o", "json").json}
    assert kinds["refused"]["severity"] == "error"


def test_a_shortened_life(pat: InProcess, emulator: Emulator) -> None:
    emulator.set_policies("maximum-lifespan=20")
    make(pat, "ci", "--expires", "60d")
    fix(pat, check(pat)["shortened"])
    assert check(pat) == {}


def test_a_grace_period(pat: InProcess) -> None:
    make(pat, "ci")
    assert pat("rotate", "ci", "--grace", "2d").exit_code == 0
    for stored in ([], ["--stored"]):
        finding = check(pat, *stored)["pending"]
        assert (finding["severity"], finding["until"] is None) == ("note", False)
    fix(pat, finding, "--yes")
    assert check(pat) == {}


def test_a_delivery_that_failed(pat: InProcess, tmp_path: Path) -> None:
    make(pat, "ci")
    target = tmp_path / "folder" / "file"
    command = put_writer(tmp_path, target)
    assert pat("rotate", "ci", "--deliver", command).exit_code == 8
    finding = check(pat, "--stored")["pending"]
    assert finding["severity"] == "warning"
    target.parent.mkdir()
    fix(pat, finding)
    assert check(pat) == {}


def test_nobody_is_signed_in(pat: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    make(pat, "ci", "--expires", "30d")
    pass_time(monkeypatch, days=25)
    nobody = {"PAT_ACCESS_TOKEN": None}
    ran = pat("check", "--stored", "-o", "json", env=nobody)
    findings = {each["kind"]: each for each in ran.json}
    assert (findings["no-sign-in"]["severity"], findings["no-sign-in"]["fix"]) == (
        "error",
        "pat login",
    )
    assert "no-sign-in" not in check(pat, "--stored")  # with the access token


def test_a_secret_that_the_service_refuses_is_replaced(pat: InProcess, emulator: Emulator) -> None:
    made = make(pat, "ci")
    revoke_elsewhere(emulator, pat, made["id"])
    found = pat("check", "--stored", "--verify", "-o", "json").json
    fix(pat, next(each for each in found if each["kind"] == "refused"))
    assert check(pat, "--stored", "--verify") == {}


def test_only_what_is_named_is_said_to_be_revoked(pat: InProcess, emulator: Emulator) -> None:
    made = make(pat, "other")
    make(pat, "ci")
    revoke_elsewhere(emulator, pat, made["id"])
    assert check(pat, "ci") == {}


def test_the_list_of_revoked_tokens_cannot_be_read(pat: InProcess, emulator: Emulator) -> None:
    made = make(pat, "ci")
    make(pat, "old", "--expires", "200d")
    revoke_elsewhere(emulator, pat, made["id"])
    emulator.fail("GET */tokens/pats status=403 skip=1 times=always")
    ran = pat("check", "-o", "json")
    assert (ran.exit_code, [each["kind"] for each in ran.json]) == (9, ["long-lived"])


def test_what_is_pending_is_found_without_a_stored_token(
    pat: InProcess, emulator: Emulator
) -> None:
    emulator.fail("POST */tokens/pats cut=before times=always")
    assert pat("create", "lost", "--scope", "packaging").exit_code == 11
    for args in ([], ["lost"]):
        assert list(check(pat, "--stored", *args)) == ["pending"]


def test_one_in_its_grace_period_is_not_judged_itself(pat: InProcess) -> None:
    made = make(pat, "ci", "--expires", "200d")
    assert pat("rotate", "ci", "--grace", "2d", "--expires", "30d").exit_code == 0
    for stored in ([], ["--stored"]):
        assert list(check(pat, made["id"], *stored)) == ["pending"]


def test_nobody_is_signed_in_for_what_is_named(
    pat: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(pat, "ci", "--expires", "30d")
    make(pat, "later", "--expires", "80d")
    pass_time(monkeypatch, days=25)
    nobody = {"PAT_ACCESS_TOKEN": None}
    assert pat("check", "later", "--stored", "-o", "json", env=nobody).json == []
    pass_time(monkeypatch, days=65)  # `pat renew` leaves the first one alone
    assert pat("check", "--stored", "--fail-on", "no-sign-in", env=nobody).exit_code == 0


def test_an_imported_secret_without_an_id(pat: InProcess, emulator: Emulator) -> None:
    secret = emulator.add_with_secret("another name")
    ran = pat("import", "laptop", "--expires", "2d", stdin=secret)
    assert ran.exit_code == 0, ran.stderr
    for stored in ([], ["--stored"]):
        assert check(pat, "laptop", *stored)["expiring"]["fix"].startswith("pat import laptop ")


def test_an_imported_secret_without_its_expiry(pat: InProcess, emulator: Emulator) -> None:
    secret = emulator.add_with_secret("elsewhere", scope="vso.packaging")
    pat("import", "ci", stdin=secret)
    finding = check(pat, "--stored")["unreadable"]
    assert finding["severity"] == "note"
    assert finding["fix"] == "pat import ci --replace --expires DATE --org contoso"
    words = split(finding["fix"].replace("DATE", "60d"))[1:]
    assert pat(*words, stdin=secret).exit_code == 0
    assert check(pat, "--stored") == {}


def test_of_a_secret_that_does_not_work_nothing_else_is_said(
    pat: InProcess, emulator: Emulator
) -> None:
    secret = emulator.add_with_secret("gone", scope="vso.packaging")
    pat("import", "ci", "--expires", "5d", stdin=secret)
    emulator.remove_tokens()
    assert list(check(pat, "--stored", "--verify")) == ["refused"]


def test_an_empty_access_token_is_none(pat: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    make(pat, "ci", "--expires", "30d")
    pass_time(monkeypatch, days=25)
    ran = pat("check", "--stored", "-o", "json", env={"PAT_ACCESS_TOKEN": " "})
    assert "no-sign-in" in [each["kind"] for each in ran.json]


@pytest.mark.parametrize(
    ("life", "said"), [("100d", "100 days, over 90 days"), ("91d", ""), ("1y", "365 days")]
)
def test_a_lifetime_in_words(pat: InProcess, life: str, said: str) -> None:
    make(pat, "ci", "--expires", life)
    found = check(pat, "--stored")
    assert said in found["long-lived"]["message"] if said else "long-lived" not in found


def test_stdout_as_the_file_to_write(pat: InProcess) -> None:
    make(pat, "ci")
    ran = pat("check", "--stored", "--as", "junit", "--to", "-")
    assert ran.stdout.startswith("<?xml")
    assert not Path("-").exists()


def test_two_of_one_name(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_tokens(count=2, name="ci", scope="vso.packaging", validTo=hence(24 * 20))
    fix(pat, check(pat)["same-name"])
    assert check(pat) == {}


def test_a_third_of_one_name_gets_a_free_one(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_tokens(count=3, name="x\ty" + "z" * 252, scope="vso.packaging")
    for _ in range(2):
        found = [each for each in pat("check", "-o", "json").json if each["kind"] == "same-name"]
        fix(pat, found[0])
    left = {each["displayName"] for each in emulator.tokens}
    assert len(left) == 3
    assert "same-name" not in check(pat, "--ignore", "made-by-tool")


@pytest.mark.parametrize("within", ["365d", "1y"])
def test_a_far_horizon(pat: InProcess, emulator: Emulator, within: str) -> None:
    emulator.add_tokens(name="feed", scope="vso.packaging", validTo=hence(50))
    fix(pat, check(pat, "--within", within, "--max-life", "1y")["expiring"])


def test_scopes_that_pat_does_not_know(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_tokens(name="t", scope="vso.foo vso.code_manage")
    options = "--scope vso.foo --scope code --allow-unknown-scope"
    assert options in check(pat)["broad"]["fix"]  # the service decides


def test_a_secret_that_was_refused_gets_the_same_lifetime(
    pat: InProcess, emulator: Emulator
) -> None:
    made = make(pat, "ci", "--expires", "12h")
    revoke_elsewhere(emulator, pat, made["id"])
    (refused,) = pat("check", "ci", "--stored", "--verify", "-o", "json").json
    fix(pat, refused)
    assert pat("show", "ci", "-o", "json").json["expires_in_days"] == 0


def test_a_name_where_an_organization_cannot_be_read(pat: InProcess, emulator: Emulator) -> None:
    make(pat, "ci", "--org", "fabrikam")
    emulator.fail("GET /fabrikam/* status=403 times=always")
    ran = pat("check", "ci", "--all-orgs")
    assert (ran.exit_code, "fabrikam" in ran.stderr) == (9, True)


def test_a_state_file_that_was_lost(pat: InProcess, home: Path, tmp_path: Path) -> None:
    make(pat, "ci")
    (home / "pat/state/state.db").write_bytes(b"damaged" * 1000)
    file = tmp_path / "pat.prom"
    for _ in range(2):
        ran = pat("check", "--stored", "--as", "prometheus", "--to", str(file))
        assert (ran.exit_code, file.exists()) == (7, False)
        assert "pat doctor --fix" in ran.stderr
    ran = pat("check")
    assert (ran.exit_code, "this machine: the state file was damaged" in ran.stderr) == (9, True)
    assert pat("doctor", "--fix", "-q", "-o", "none").exit_code == 0
    assert list(check(pat)) == ["unreadable"]  # it is not known which token the secret belongs to


def test_a_date_that_cannot_be_read(pat: InProcess, emulator: Emulator) -> None:
    make(pat, "ci")
    emulator.spoil("ci", fields={"validTo": "next week"})
    assert "validTo" in check(pat)["unreadable"]["message"]


def test_all_organizations(pat: InProcess, emulator: Emulator) -> None:
    for organization in ("contoso", "fabrikam"):
        emulator.add_tokens(
            name="feed", scope="vso.packaging", organization=organization, validTo=hence(50)
        )
    emulator.add_tokens(name="everywhere", scope="vso.packaging", allOrgs=True)
    ran = pat("check", "--all-orgs", "--max-life", "1y", "-o", "json")
    assert [(each["kind"], each["org"]) for each in ran.json] == [
        ("global", None),
        ("expiring", "contoso"),
        ("expiring", "fabrikam"),
    ]


def test_one_organization_that_cannot_be_read(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_tokens(name="feed", scope="vso.packaging", validTo=hence(50))
    emulator.fail("GET /fabrikam/* status=403 times=always")
    ran = pat("check", "--all-orgs", "--max-life", "1y", "-o", "json")
    assert ran.exit_code == 9
    assert [each["kind"] for each in ran.json] == ["expiring"]
    assert "fabrikam: " in ran.stderr


def test_a_keyring_that_is_locked(
    pat: InProcess, memory_keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(pat, "ci", "--expires", "200d")

    def locked(*_: str) -> str:
        raise KeyringLocked

    monkeypatch.setattr(memory_keyring, "get_password", locked)
    ran = pat("check", "-o", "json")
    assert ran.exit_code == 9
    assert [each["kind"] for each in ran.json] == ["long-lived"]


def test_where_a_file_declares_it(pat: InProcess, tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    file.write_text('# ours\n\n[[token]]\nname = "ci"\nscopes = ["packaging"]\nexpires = "200d"\n')
    assert pat("apply", str(file)).exit_code == 0
    finding = check(pat)["long-lived"]
    assert (finding["file"], finding["line"]) == (str(file.resolve()), 3)
    with file.open("a") as more:
        more.write('\n[[token]]\nname = "ci"\norg = "fabrikam"\nscopes = ["packaging"]\n')
    assert pat("apply", str(file)).exit_code == 0
    assert check(pat)["long-lived"]["line"] == 3
    file.write_text("broken [")
    assert check(pat, "--stored")["long-lived"]["line"] is None


def test_only_those_that_are_named(pat: InProcess) -> None:
    made = make(pat, "a", "--expires", "200d")
    make(pat, "b", "--expires", "200d")
    for text in ("a", made["id"][:8]):
        for stored in ([], ["--stored"]):
            (found,) = pat("check", text, *stored, "-o", "json").json
            assert found["name"] == "a"
    missing = pat("check", "a", "c")
    assert (missing.exit_code, missing.stdout) == (3, "")
    assert "'c'" in missing.stderr


@pytest.mark.parametrize(
    ("option", "code"),
    [
        ("error", 0),
        ("warning", 10),
        ("note", 10),
        ("none", 0),
        ("long-lived", 10),
        ("expired", 0),
        ("error,long-lived", 10),
    ],
)
def test_what_fails_it(pat: InProcess, option: str, code: int) -> None:
    make(pat, "ci", "--expires", "200d")
    assert pat("check", "--fail-on", option).exit_code == code


def test_a_note_alone_does_not_fail_it(pat: InProcess) -> None:
    make(pat, "ci", "--scope", "code_manage")
    assert pat("check").exit_code == 0
    assert pat("check", "--fail-on", "note").exit_code == 10


def test_kinds_that_are_ignored(pat: InProcess) -> None:
    make(pat, "ci", "--expires", "200d", "--scope", "code_manage")
    assert pat("check", "--ignore", "long-lived,broad", "--fail-on", "note").exit_code == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--ignore", "expirin"], "did you mean expiring?"),
        (["--fail-on", "erorr"], "did you mean error?"),
        (["--fail-on", "none", "--fail-on", "error"], "leave the others out"),
        (["--fail-on", ""], "--fail-on is empty"),
        (["--within", "soon"], "'soon'"),
        (["--within", "2020-01-01"], "'2020-01-01'"),
        (["--max-life", "0d"], "'0d'"),
    ],
)
def test_bad_input(pat: InProcess, args: list[str], said: str) -> None:
    ran = pat("check", *args)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert said in ran.stderr


def test_not_signed_in(pat: InProcess) -> None:
    assert pat("check", env={"PAT_ACCESS_TOKEN": None}).exit_code == 4


@pytest.mark.parametrize(
    "name", ["##vso[task.setvariable variable=x]y", "::error::x", "=cmd|' /C calc'!A0", "a\u202eb"]
)
def test_hostile_names(pat: InProcess, emulator: Emulator, name: str) -> None:
    emulator.add_tokens(name=name, scope="vso.packaging", validTo=hence(50))
    for form in ("table", "json", "jsonl", "csv", "tsv"):
        ran = pat("check", "--max-life", "1y", "-o", form, env={"TF_BUILD": "True"})
        assert ran.exit_code == 10
        assert "##vso[" not in ran.stdout
        assert "\u202e" not in ran.stdout
        assert not any(line.startswith("::") for line in ran.stdout.splitlines())
    (row,) = csv.DictReader(io.StringIO(pat("check", "--max-life", "1y", "-o", "csv").stdout))
    assert not row["name"].startswith("=")
    (finding,) = pat("check", "--max-life", "1y", "-o", "json").json
    assert finding["name"] == name


def test_the_contract_lists_each_kind() -> None:
    section = CONTRACT.read_text("utf-8").partition("\n## check\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([a-z-]+)` \| (?:error|warning|note)", section, re.MULTILINE) == list(
        Kind
    )
