"""Commands in messages, for a token whose name looks like an option: they can be run as shown."""

import re

import pytest

from azdo_pat.command_lines import split
from drivers import Emulator, InProcess
from fakes import MemoryKeyring

NAME = "-n it"


def commands(text: str) -> list[list[str]]:
    """Return the commands of `pat` in a message, as a shell reads them, without `pat`."""
    plain = " ".join(text.split())
    found = re.findall(r"pat (?:get|forget|rotate|create|revoke|import)[^;|()]*", plain)
    return [split(each.removesuffix(" or ").rstrip(" ,"))[1:] for each in found]


@pytest.fixture
def made(pat: InProcess) -> str:
    """Make the token; return its id."""
    return str(pat("create", "--scope", "code", "-q", "-o", "json", "--", NAME).json["id"])


def test_after_it_was_made(pat: InProcess) -> None:
    said = pat("create", "--scope", "code", "--", NAME).stderr
    assert commands(said) == [["get", "--", NAME]]
    assert pat(*commands(said)[0]).exit_code == 0


@pytest.mark.usefixtures("made")
def test_of_one_that_is_there(pat: InProcess) -> None:
    said = pat("create", "--scope", "code", "--", NAME)
    assert said.exit_code == 6
    assert commands(said.stderr) == [["get", "--", NAME]]


def test_of_doctor(pat: InProcess, made: str, memory_keyring: MemoryKeyring) -> None:
    memory_keyring.held.clear()
    query = "[?check=='secrets'].[status, fix]"
    ((status, fix),) = pat("doctor", "-o", "json", "--query", query).json
    (rotate,) = commands(fix)
    assert (status, rotate) == ("problem", ["rotate", made[:8], "--org", "contoso"])
    assert pat(*rotate, "--yes").exit_code == 0
    assert pat("doctor", "-o", "json", "--query", query).json == [["ok", None]]


def test_of_renew(
    pat: InProcess, emulator: Emulator, made: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = {"PAT_STATE_DIR": str(tmp_path_factory.mktemp("other"))}
    assert pat("revoke", made, "--yes", "-q", env=elsewhere).exit_code == 0
    said = pat("renew", "--within", "31d")
    assert said.exit_code == 9
    (forget,) = commands(said.stderr.splitlines()[0])
    assert forget == ["forget", "--org", "contoso", "--", NAME]
    requests = len(emulator.requests)
    assert pat(*forget).exit_code == 0
    assert (pat("renew").stderr, len(emulator.requests)) == ("", requests)


def test_of_rotate(pat: InProcess, made: str) -> None:
    assert pat("revoke", made, "--yes", "-q").exit_code == 0
    said = pat("rotate", made)
    assert said.exit_code == 5
    (create,) = commands(said.stderr)
    assert create == ["create", "--scope", "…", "--", NAME]
    assert pat(*["code" if each == "…" else each for each in create]).exit_code == 0
