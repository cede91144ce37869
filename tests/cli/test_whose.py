"""Whose a secret, and an unfinished operation, is: neither a name nor another sign-in says so."""

from pathlib import Path

import pytest

from cli.stage import failed, held, names, service
from drivers import FAILING, Emulator, InProcess, put_writer
from fakes import MemoryKeyring

MAKE = ("create", "ci", "--scope", "code", "-q", "-o", "none")


@pytest.fixture
def foreign(pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring) -> str:
    """Let another program store a secret in the place of the one of `ci`; return it."""
    secret = live(pat)
    assert pat(*MAKE).exit_code == 0
    memory_keyring.held[service(emulator), "ci"] = secret
    return secret


def live(pat: InProcess) -> str:
    options = ("--scope", "code", "--no-store", "--as", "token", "-q")
    return pat("create", "elsewhere", *options).stdout.strip()


def test_an_id_never_deletes_the_secret_of_another(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring, foreign: str
) -> None:
    identifier = held(emulator, "ci")["authorizationId"]
    assert pat("forget", identifier) == failed(
        3,
        f"the secret of the token {identifier} is no longer stored: another program has stored a"
        " different secret under 'ci' for contoso",
        "to print that secret, run: pat get ci",
    )
    assert memory_keyring.held == {(service(emulator), "ci"): foreign}
    assert pat("forget", "ci").exit_code == 0  # by its name it is meant
    assert memory_keyring.held == {}


def test_a_rename_leaves_the_secret_of_another(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring, foreign: str
) -> None:
    result = pat("update", "ci", "--name", "cd", "-o", "json")
    assert (result.exit_code, result.json["stored"]) == (0, False)
    assert "kept the secret stored under 'ci'" in result.stderr
    assert memory_keyring.held == {(service(emulator), "ci"): foreign}
    shown = pat("list", "-o", "json", "--query", "[].[name, stored]").json
    assert shown == [["cd", False], ["elsewhere", False]]


def test_a_rename_that_is_finished_later_leaves_the_secret_of_another(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    secret = live(pat)
    assert pat(*MAKE).exit_code == 0
    emulator.fail("PUT */pats cut=after times=9")
    assert pat("update", "ci", "--name", "cd").exit_code == 11
    emulator.heal()
    assert pat("import", "ci", "--replace", "-q", "-o", "none", stdin=secret).exit_code == 0
    assert pat("list", "-q", "-o", "none").exit_code == 0
    assert memory_keyring.held == {(service(emulator), "ci"): secret}


def test_doctor_tells_of_the_secret_of_another(
    pat: InProcess, emulator: Emulator, foreign: str
) -> None:
    _ = foreign
    result = pat("doctor", "-o", "json", "--query", "[?check=='secrets']|[0]")
    identifier = held(emulator, "ci")["authorizationId"]
    assert result.exit_code == 10
    assert result.json["detail"] == (
        "'ci' in contoso: another program has overwritten its secret; to replace the token after"
        f" the fix: pat rotate {identifier[:8]} --org contoso"
    )
    assert result.json["fix"] == "pat forget ci --org contoso"


def test_the_secret_of_another_is_not_delivered(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring, tmp_path: Path
) -> None:
    """Or the token that is still in use there would be revoked for it."""
    secret, file = live(pat), tmp_path / "folder/secret"
    assert pat(*MAKE).exit_code == 0
    deliver = ("--deliver", put_writer(tmp_path, file))
    assert pat("rotate", "ci", *deliver, "-q", "-o", "none").exit_code == 8
    file.parent.mkdir()
    memory_keyring.held[service(emulator), "ci"] = secret
    result = pat("renew")
    assert (result.exit_code, file.exists()) == (8, False)
    assert "another program has stored a different secret under 'ci'" in result.stderr
    assert names(emulator) == ["ci", "ci", "elsewhere"]


def test_a_secret_that_is_gone_is_not_delivered(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    assert pat(*MAKE).exit_code == 0
    assert pat("rotate", "ci", "--deliver", FAILING, "-q").exit_code == 8
    memory_keyring.held.clear()
    result = pat("renew")
    assert result.exit_code == 8
    assert "the secret of 'ci' is no longer in the keyring" in result.stderr
    assert names(emulator) == ["ci", "ci"]


def test_what_is_forgotten_undelivered_leaves_the_old_token_active(
    pat: InProcess, emulator: Emulator
) -> None:
    assert pat(*MAKE).exit_code == 0
    old = held(emulator, "ci")["authorizationId"]
    assert pat("rotate", "ci", "--deliver", FAILING, "-q").exit_code == 8
    forgotten = " ".join(pat("forget", "ci").stderr.split())
    assert f"its old token stays active; to revoke it, run: pat revoke {old}" in forgotten
    assert pat("list", "-o", "none").stderr == ""
    assert names(emulator) == ["ci", "ci"]


def test_what_goes_nowhere_any_more_is_not_called_delivered(
    pat: InProcess, emulator: Emulator
) -> None:
    secret = live(pat)
    assert pat(*MAKE).exit_code == 0
    old = held(emulator, "ci")["authorizationId"]
    assert pat("rotate", "ci", "--deliver", FAILING, "-q").exit_code == 8
    replacing = ("import", "ci", "--replace", "-q", "-o", "none")
    assert pat(*replacing, stdin=secret).exit_code == 0
    assert pat("list", "-o", "none").stderr == (
        "the new secret of 'ci' in contoso no longer has a delivery target, and its old token"
        f" ({old}) is no longer needed\n"
    )
    assert names(emulator) == ["ci", "elsewhere"]


def test_an_id_that_is_not_the_one_of_a_token_made_here(
    pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    """A slip of the hand, and to revoke that id would delete the secret of another token."""
    live(pat)
    assert pat(*MAKE).exit_code == 0
    secret = pat("get", "ci").stdout
    own, theirs = (held(emulator, each)["authorizationId"] for each in ("ci", "elsewhere"))
    for name in ("ci", "another"):
        assert pat("import", name, "--id", theirs, stdin=secret) == failed(
            6,
            f"the secret belongs to the token {own}, which pat created, and not to {theirs}",
            "to list the ids of your tokens, run: pat list",
        )
    assert memory_keyring.held == {(service(emulator), "ci"): secret.strip()}


@pytest.mark.parametrize("options", [(), ("--replace",)])
def test_another_user_finishes_nothing_under_the_name(
    options: tuple[str, ...], pat: InProcess, emulator: Emulator
) -> None:
    assert pat(*MAKE).exit_code == 0
    emulator.fail("DELETE */pats status=503 times=4")
    assert pat("rotate", "ci", "-q").exit_code == 8
    grace = {"PAT_ACCESS_TOKEN": emulator.mint("user", user="grace")}
    assert pat(*MAKE, *options, env=grace).exit_code == (0 if options else 6)
    (problem,) = pat("status", "-o", "json", "--query", "problems", env=grace).json
    assert problem.endswith("; to finish it, sign in as ada@contoso.example")
    fix = pat("doctor", "--fix", "-o", "json", "--query", "[?check=='leftovers'].fix", env=grace)
    assert fix.json == ["sign in as ada@contoso.example, and run the command again"]
    assert "revoked the old token of 'ci' in contoso" in pat("list").stderr


@pytest.mark.parametrize("same", [False, True])
def test_an_import_says_whose_only_secret_it_overwrites(
    pat: InProcess, emulator: Emulator, *, same: bool
) -> None:
    secret = live(pat)
    assert pat(*MAKE).exit_code == 0
    secret = pat("get", "ci").stdout if same else secret
    identifier = held(emulator, "ci")["authorizationId"]
    result = pat("import", "ci", "--replace", "-o", "none", stdin=secret)
    warning = (
        "pat: warning: the token whose secret was overwritten is not revoked; to revoke it, run:"
        " pat revoke"
        f" {identifier}\n"
    )
    assert (result.exit_code, warning in result.stderr) == (0, not same)


def test_a_token_that_is_in_no_doubt_cannot_be_dismissed(
    pat: InProcess, emulator: Emulator
) -> None:
    """It would be said to be left alone, and be revoked all the same."""
    assert pat(*MAKE).exit_code == 0
    old = held(emulator, "ci")["authorizationId"]
    assert pat("rotate", "ci", "--grace", "1h", "-q", "-o", "none").exit_code == 0
    assert pat("doctor", "--dismiss", old.upper()) == failed(
        2,
        f"the token {old} cannot be dismissed: an interrupted command for 'ci' in contoso left it"
        " to be revoked",
        "--dismiss is for tokens that an interrupted command may have created",
    )
