"""Two tokens that two processes deliver to one item of a service at the same time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from azdo_pat.cli.main import pat as root
from azdo_pat.emulator.run import Options
from azdo_pat.emulator.run import start as start_emulator
from drivers import Emulator, InProcess, Installed, Pat
from e2e.stage import finish, start, until

VAULT = "contoso-ci"
GROUP = "variable-group:fabric/ci-secrets#"
SECRET = f"keyvault:{VAULT}/pat"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Start an emulator with key vaults."""
    with start_emulator(Options(vaults=True)) as running:
        yield Emulator(running)


@pytest.fixture
def pat(pat_process: Installed, emulator: Emulator) -> Installed:
    """Run the installed `pat` with an access token for vaults, too."""
    token = emulator.mint("user", resource="https://vault.azure.net")
    return Installed({**pat_process.env, "PAT_KEYVAULT_ACCESS_TOKEN": token})


@pytest.fixture
def other(pat: Installed, tmp_path: Path) -> Installed:
    """Run it on another machine, which shares no lock with the first."""
    keyring = str(tmp_path / "keyring.json")
    own = {"PAT_STATE_DIR": str(tmp_path / "state"), "PAT_THROWAWAY_KEYRING": keyring}
    return Installed({**pat.env, **own})


def ensure(pat: Installed, name: str, target: str) -> Pat:
    """Make a token and deliver it; return what runs `pat` quickly on that machine."""
    here = InProcess(root, pat.env)
    command = ("ensure", name, "--scope", "code", "--deliver", target, "-q", "-o", "none")
    made = here(*command)
    assert made.exit_code == 0, made.stderr
    return here


def secret(here: Pat, name: str) -> str:
    return here("get", name).stdout.strip()


def puts(emulator: Emulator) -> int:
    """Count the requests so far that would change an item, also those that are held up."""
    return len([each for each in emulator.requests if each["method"] == "PUT"])


def overtake(
    emulator: Emulator, first: Installed, second: Installed, *command: str
) -> list[tuple[int, list[str]]]:
    """Deliver `one` and then, before it is written, `two`, whose process is not held up.

    Returns:
        The exit codes, and what is said of the only target of each.
    """
    before = puts(emulator)
    emulator.fail("PUT /* delay=2500ms times=1")
    one = start(first, *command, "one", "-o", "json")
    until(lambda: puts(emulator) > before, "the first one writes")
    two = start(second, *command, "two", "-o", "json")
    ended = [finish(each) for each in (one, two)]
    return [(each.exit_code, [row["error"] or "" for row in each.json]) for each in ended]


def test_two_variables_of_one_group(pat: Installed, emulator: Emulator) -> None:
    """A group is written as a whole: the second process of one machine waits for the first."""
    before = emulator.variables("ci-secrets")
    here, _ = (ensure(pat, name, GROUP + name) for name in ("one", "two"))
    emulator.change_variable_group("ci-secrets", without=["one", "two"])
    assert overtake(emulator, pat, pat, "deliver") == [(0, [""]), (0, [""])]
    delivered = {name: secret(here, name) for name in ("one", "two")}
    assert emulator.variables("ci-secrets") == {**before, **delivered}


def test_two_variables_of_one_group_from_two_machines(
    pat: Installed, other: Installed, emulator: Emulator
) -> None:
    """Whose variable is gone right after it was set is told so, and sets it again."""
    before = emulator.variables("ci-secrets")
    here, there = ensure(pat, "one", f"{GROUP}one"), ensure(other, "two", f"{GROUP}two")
    emulator.change_variable_group("ci-secrets", without=["one", "two"])
    # Both read the group; the second one compares when the first one has written, too.
    emulator.fail("GET /*/variablegroups/* delay=4s skip=2 times=1")
    (one, _), (two, [reason]) = overtake(emulator, pat, other, "deliver")
    assert (one, two) == (0, 8)
    assert "someone else has changed the variable group at the same time" in reason
    assert "two" not in emulator.variables("ci-secrets")
    assert there("deliver", "two", "-q").exit_code == 0
    delivered = {"one": secret(here, "one"), "two": secret(there, "two")}
    assert emulator.variables("ci-secrets") == {**before, **delivered}


def test_secret_variables_that_are_there_stay(
    pat: Installed, other: Installed, emulator: Emulator
) -> None:
    """Nobody sends the secrets of others, so nobody puts back old ones."""
    before = emulator.variables("ci-secrets")
    here, there = ensure(pat, "one", f"{GROUP}one"), ensure(other, "two", f"{GROUP}two")
    former = {name: {"value": "former", "isSecret": True} for name in ("one", "two")}
    emulator.change_variable_group("ci-secrets", variables=former)
    assert overtake(emulator, pat, other, "deliver") == [(0, [""]), (0, [""])]
    delivered = {"one": secret(here, "one"), "two": secret(there, "two")}
    assert emulator.variables("ci-secrets") == {**before, **delivered}


def test_two_versions_of_one_secret(pat: Installed, other: Installed, emulator: Emulator) -> None:
    """Whoever sets a version after one that they have not read is told so; no version is lost."""
    here = ensure(pat, "one", SECRET)
    emulator.set_secret(VAULT, "pat", "former")
    there = ensure(other, "two", SECRET)
    emulator.set_secret(VAULT, "pat", "former")
    (one, [reason]), two = overtake(emulator, pat, other, "deliver", "--overwrite")
    assert (one, two) == (8, (0, [""]))
    first, second = secret(here, "one"), secret(there, "two")
    versions = emulator.vault_secrets(VAULT)["pat"]
    assert [each["value"] for each in versions] == [
        first,
        "former",
        second,
        "former",
        second,
        first,
    ]
    their = versions[-2]["version"]
    assert f"someone else has set the secret at the same time; their version is {their}" in reason
    assert here("deliver", "one", "-q").exit_code == 0
    assert len(emulator.vault_secrets(VAULT)["pat"]) == 6
    overtaken = there("deliver", "two", "-o", "json")
    assert overtaken.exit_code == 8
    assert (
        "the vault holds a secret that this machine has not delivered" in overtaken.json[0]["error"]
    )
