"""pat ensure: one token of that name, with these scopes and some life left, however often."""

import pytest

from cli.stage import at, done, names, put
from drivers import Emulator, InProcess
from fakes import MemoryKeyring

ENSURE = ("ensure", "ci", "--scope", "code")


def outcome(pat: InProcess, *args: str) -> str:
    result = pat(*(args or ENSURE), "-o", "json", "-q")
    assert result.exit_code == 0, result.stderr
    return str(result.json["outcome"])


def age(emulator: Emulator, pat: InProcess, expires: str) -> None:
    """Make the token `ci` with so short a life."""
    assert pat("create", "ci", "--scope", "code", "--expires", expires, "-q").exit_code == 0
    assert names(emulator) == ["ci"]


def test_it_is_made_once(pat: InProcess, emulator: Emulator) -> None:
    assert outcome(pat) == "created"
    before = len(emulator.requests)
    result = pat(*ENSURE, env={"PAT_ACCESS_TOKEN": None})
    assert (result.exit_code, result.stderr) == (0, "kept 'ci' in contoso\n")
    assert (names(emulator), len(emulator.requests)) == (["ci"], before)


def test_the_token_object_tells_the_outcome(pat: InProcess) -> None:
    created = pat(*ENSURE, "-o", "json")
    assert created.stderr.startswith("created 'ci' in contoso; its secret is in the keyring")
    kept = pat(*ENSURE, "-o", "json").json
    assert list(kept)[-1] == "outcome"
    expected = created.json | {"outcome": "kept", "status": "unknown"}
    assert kept == expected | {"expires_in_days": kept["expires_in_days"]}


def test_the_organization_of_the_only_one_needs_no_network(
    pat: InProcess, emulator: Emulator
) -> None:
    outcome(pat)
    before = len(emulator.requests)
    result = pat(*ENSURE, env={"PAT_ORG": None, "PAT_ACCESS_TOKEN": None})
    assert result.stderr == "kept 'ci' in contoso\n"
    assert len(emulator.requests) == before


def test_the_only_one_is_rotated_in_its_organization(pat: InProcess) -> None:
    """The user has several organizations, and none is set."""
    outcome(pat)
    result = pat("ensure", "ci", "--scope", "packaging", env={"PAT_ORG": None})
    assert result.exit_code == 0
    assert result.stderr.startswith("rotated 'ci' in contoso: ")


@pytest.mark.parametrize(
    ("life", "options", "expected"),
    [
        ("9d", (), "kept"),
        ("9d", ("--renew-before", "8d"), "kept"),
        ("9d", ("--renew-before", "9d"), "rotated"),
        ("2h", ("--renew-before", "1d"), "rotated"),
    ],
)
def test_near_its_end(
    life: str, options: tuple[str, ...], expected: str, pat: InProcess, emulator: Emulator
) -> None:
    age(emulator, pat, life)
    secret = pat("get", "ci").stdout
    assert outcome(pat, *ENSURE, "--expires", "20d", *options) == expected
    assert names(emulator) == ["ci"]
    assert (pat("get", "ci").stdout == secret) == (expected == "kept")
    assert outcome(pat, *ENSURE, "--expires", "20d", *options) == "kept"


def test_other_scopes_rotate_it(pat: InProcess, emulator: Emulator) -> None:
    outcome(pat)
    other = ("ensure", "ci", "--scope", "packaging", "--scope", "code")
    assert (outcome(pat, *other), outcome(pat, *other)) == ("rotated", "kept")
    (token,) = [each for each in emulator.tokens if each["status"] == "active"]
    assert set(token["scope"].split()) == {"vso.packaging", "vso.code"}


def test_a_secret_that_is_lost(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    outcome(pat)
    memory_keyring.held.clear()
    assert outcome(pat) == "rotated"
    assert (names(emulator), len(memory_keyring.held)) == (["ci"], 1)


def test_one_that_was_revoked_elsewhere_is_found_by_asking(
    pat: InProcess, emulator: Emulator
) -> None:
    outcome(pat)
    (token,) = emulator.tokens
    emulator.remove_tokens()
    assert outcome(pat) == "kept"
    assert outcome(pat, *ENSURE, "--verify") == "created"
    assert names(emulator) == ["ci"]
    assert emulator.tokens[0]["authorizationId"] != token["authorizationId"]
    assert outcome(pat, *ENSURE, "--verify") == "kept"


def test_another_machines_token_is_left_alone(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "ci")
    assert outcome(pat) == "created"
    assert names(emulator) == ["ci", "ci"]


def test_an_imported_secret_is_not_overwritten(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    outcome(pat, "ensure", "other", "--scope", "code")
    secret = pat("get", "other").stdout
    assert pat("import", "ci", "-q", "-o", "none", stdin=secret).exit_code == 0
    held = dict(memory_keyring.held)
    result = pat(*ENSURE)
    assert (result.exit_code, names(emulator)) == (6, ["other"])
    assert memory_keyring.held == held


def test_one_of_all_organizations_is_refused(
    pat: InProcess, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    at("2026-11-20", emulator, pat, monkeypatch)
    secret = emulator.add_with_secret("ci", scope="vso.packaging", allOrgs=True)
    (listed,) = [each for each in emulator.tokens if each["displayName"] == "ci"]
    pat("import", "ci", "--id", listed["authorizationId"], stdin=secret)
    ran = pat("ensure", "ci", "--scope", "packaging")
    assert ran.exit_code == 6
    assert ran.stderr.splitlines()[-1].endswith("run: pat migrate ci")
    assert pat("get", "ci").stdout == f"{secret}\n"
    assert names(emulator) == ["ci"]


@pytest.mark.parametrize("form", ["token", "basic", "header"])
def test_the_secret_on_request(form: str, pat: InProcess) -> None:
    first = pat(*ENSURE, "--as", form)
    assert first.stdout == pat("get", "ci", "--as", form).stdout
    assert pat(*ENSURE, "--as", form) == done(first.stdout, "kept 'ci' in contoso")


def test_an_old_one_that_cannot_be_revoked_yet(pat: InProcess, emulator: Emulator) -> None:
    age(emulator, pat, "2h")
    emulator.fail("DELETE */pats status=503 times=4")
    result = pat(*ENSURE, "--expires", "20d", "--renew-before", "1d", "--as", "token")
    assert (result.exit_code, result.stdout) == (8, pat("get", "ci").stdout)
    emulator.heal()
    pat("list", "-q", "-o", "none")
    assert names(emulator) == ["ci"]


def test_what_is_left_to_do_is_done_though_nothing_is_due(
    pat: InProcess, emulator: Emulator
) -> None:
    outcome(pat)
    emulator.fail("DELETE */pats status=503 times=4")
    assert pat("rotate", "ci", "-q").exit_code == 8
    emulator.heal()
    nobody = pat(*ENSURE, "-q", env={"PAT_ACCESS_TOKEN": None})
    assert nobody.exit_code == 0
    assert (
        "unfinished operations of earlier runs could not be recovered: not signed in"
        in nobody.stderr
    )
    assert names(emulator) == ["ci", "ci"]
    result = pat(*ENSURE)
    assert result.stderr.startswith("revoked the old token of 'ci' in contoso (")
    assert result.stderr.endswith("kept 'ci' in contoso\n")
    assert names(emulator) == ["ci"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("ci",), "scope"),
        (("ci", "--scope", "code", "--expires", "2d", "--renew-before", "2d"), "would be due as"),
        (("", "--scope", "code"), "name"),
    ],
)
def test_usage(args: tuple[str, ...], message: str, pat: InProcess, emulator: Emulator) -> None:
    result = pat("ensure", *args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert emulator.requests == []


def test_a_service_that_writes_scopes_in_its_own_way_has_none_made_again(
    pat: InProcess, emulator: Emulator
) -> None:
    emulator.spoil("ci", fields={"scope": "vso.code_write vso.profile"})
    scopes = ("--scope", "code", "--scope", "code_write")
    made = pat("ensure", "ci", *scopes, "-o", "json")
    assert made.json["scopes"] == ["vso.code_write", "vso.profile"]
    for _ in range(2):
        assert "kept" in pat("ensure", "ci", *scopes).stderr
    assert "rotated" in pat("ensure", "ci", "--scope", "build").stderr
    assert "kept" in pat("ensure", "ci", "--scope", "build").stderr
