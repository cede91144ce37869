"""`pat exec --new`: a token that is made for one command, and revoked after it."""

import json
import os
import socket
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from azdo_pat.cli.runtime import Runtime
from cli.stage import held, moment, names
from drivers import PROGRAM, AzureCli, Emulator, InProcess, Installed, Result, put_program
from fakes import MemoryKeyring

USE = """
import base64, json, os, sys, urllib.error, urllib.request
api, folder, *rest = sys.argv[1:]
names = ("AZURE_DEVOPS_EXT_PAT", "NPM_TOKEN", "MINE", "OTHER")
found = {name: os.environ[name] for name in names if name in os.environ}
for secret in {*found.values()}:
    request = urllib.request.Request(f"{api}/contoso/_apis/connectionData")
    basic = base64.b64encode(f":{secret}".encode()).decode()
    request.add_header("Authorization", f"Basic {basic}")
    found["status"] = urllib.request.urlopen(request).status
with open(os.path.join(folder, "used.json"), "w") as file:
    json.dump(found, file)
sys.exit(int(rest[0]) if rest else 0)
"""
NAME = f"exec: use on {socket.gethostname()}"
CODE = ("--scope", "code")


class Use:
    """A program that notes the variables it was given, and whether the service takes them."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self._url = emulator.url
        self._folder = folder
        self._program = put_program(folder / "use", USE)

    def command(self, *status: str) -> tuple[str, ...]:
        """Return the words that run it, to end with that exit code."""
        return ("--", str(self._program), self._url, str(self._folder), *status)

    @property
    def found(self) -> dict[str, object]:
        """What it noted; nothing if it did not run."""
        file = self._folder / "used.json"
        noted: dict[str, object] = json.loads(file.read_text()) if file.exists() else {}
        return noted


@pytest.fixture
def use(emulator: Emulator, tmp_path: Path) -> Use:
    return Use(emulator, tmp_path)


def new(pat: InProcess, *args: str, env: Mapping[str, str | None] | None = None) -> Result:
    return pat("exec", "--new", *args, env=env)


def test_a_token_for_one_command(
    pat: InProcess, use: Use, emulator: Emulator, memory_keyring: MemoryKeyring
) -> None:
    before = datetime.now(UTC)
    assert new(pat, *CODE, *use.command()) == Result(exit_code=0, stdout="", stderr="")
    assert set(use.found) == {"AZURE_DEVOPS_EXT_PAT", "status"}
    assert use.found["status"] == 200
    (token,) = emulator.tokens
    assert (token["displayName"], token["scope"], token["status"]) == (NAME, "vso.code", "revoked")
    lifetime = moment(token["validTo"]) - before
    assert timedelta(minutes=59) < lifetime < timedelta(minutes=61)
    assert memory_keyring.held == {}
    assert pat("status", "-o", "json").json["pending"] == []


def test_what_is_asked_for(pat: InProcess, use: Use, emulator: Emulator) -> None:
    asked = ("--for", "packages", "--for", "git", "--expires", "12h")
    assert new(pat, *asked, *use.command()).exit_code == 0
    (token,) = emulator.tokens
    assert set(token["scope"].split()) == {"vso.packaging", "vso.code_write"}
    assert moment(token["validTo"]) - datetime.now(UTC) > timedelta(hours=11)


@pytest.mark.parametrize(
    ("args", "names_of_it"),
    [
        (("--var", "MINE"), {"MINE"}),
        (("--var", "MINE", "--var", "NPM_TOKEN"), {"MINE", "NPM_TOKEN"}),
        (("--var", "OTHER=ci"), {"AZURE_DEVOPS_EXT_PAT"}),
    ],
)
def test_the_variables(
    args: tuple[str, ...], names_of_it: set[str], pat: InProcess, use: Use
) -> None:
    assert pat("create", "ci", *CODE).exit_code == 0
    assert new(pat, *CODE, *args, *use.command()).exit_code == 0
    other = pat("get", "ci").stdout.strip()
    found = {name: text for name, text in use.found.items() if name != "status"}
    assert {name for name, text in found.items() if text != other} == names_of_it
    assert set(found) == names_of_it | ({"OTHER"} & {each.partition("=")[0] for each in args})


def test_the_exit_code_is_the_commands(pat: InProcess, use: Use, emulator: Emulator) -> None:
    assert new(pat, *CODE, *use.command("42")) == Result(exit_code=42, stdout="", stderr="")
    assert names(emulator, "revoked") == [NAME]


def test_with_v_it_says_what_it_does(pat: InProcess, use: Use, emulator: Emulator) -> None:
    said = new(pat, "-v", *CODE, *use.command()).stderr
    identifier = held(emulator, NAME)["authorizationId"]
    assert f"created {NAME!r} ({identifier}) for this command\n" in said
    assert f"revoked {NAME!r}\n" in said
    assert str(use.found["AZURE_DEVOPS_EXT_PAT"]) not in said


REFUSED: tuple[tuple[tuple[str, ...], int, str], ...] = (
    ((*CODE,), 2, "no command given"),
    (("--", "PROGRAM"), 2, "no scope given"),
    (("--for", "nothing", "--", "PROGRAM"), 2, "unknown recipe 'nothing'"),
    (("--for", "npm", "--", "PROGRAM"), 2, "'npm' is a program"),
    (("ci", *CODE, "--", "PROGRAM"), 2, "--new creates a token, so 'ci' is not used"),
    ((*CODE, "--expires", "soon", "--", "PROGRAM"), 2, "'soon' is not a valid span"),
    ((*CODE, "--expires", "2020-01-01", "--", "PROGRAM"), 2, "is not in the future"),
    ((*CODE, "--var", "A-B", "--", "PROGRAM"), 2, "'A-B' is not a valid variable name"),
    ((*CODE, "--var", "A=nope", "--", "PROGRAM"), 3, "no secret is stored under 'nope'"),
    ((*CODE, "--feed", "https://evil.example", "--", "dotnet"), 2, "is not a feed of contoso"),
    ((*CODE, "--", "no-such-program"), 127, "program 'no-such-program' not found"),
    ((*CODE, "--", os.curdir), 126, ". cannot be run"),
)


@pytest.mark.parametrize(("args", "code", "message"), REFUSED)
def test_what_is_refused_before_there_is_a_token(
    args: tuple[str, ...], code: int, message: str, pat: InProcess, use: Use, emulator: Emulator
) -> None:
    program = Path(use.command()[1])
    put_program(program.with_name("dotnet"), "")
    path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
    words = [str(program) if each == "PROGRAM" else each for each in args]
    result = new(pat, *words, env={"PATH": path})
    assert (result.exit_code, result.stdout) == (code, ""), result
    assert message in result.stderr
    assert emulator.tokens == []
    assert use.found == {}


@pytest.mark.parametrize("option", [("--scope", "code"), ("--expires", "2h")])
def test_options_of_a_new_token(option: tuple[str, ...], pat: InProcess) -> None:
    result = pat("exec", "ci", *option, "--", "anything")
    assert result.exit_code == 2
    assert "are for a new token" in result.stderr
    assert "to create one for this command, use --new instead of TOKEN" in result.stderr


def test_a_program_that_cannot_be_started(
    pat: InProcess, emulator: Emulator, tmp_path: Path
) -> None:
    program = tmp_path / "broken.exe"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o755)
    result = new(pat, *CODE, "--", str(program))
    assert (result.exit_code, result.stdout) == (126, "")
    assert "; the new token was revoked\n" in result.stderr
    assert names(emulator, "revoked") == [f"exec: broken on {socket.gethostname()}"]


def test_a_token_that_does_not_work_is_not_used(
    pat: InProcess, use: Use, emulator: Emulator
) -> None:
    emulator.fail("GET */connectionData status=401 times=always")
    result = new(pat, *CODE, *use.command())
    assert result.exit_code == 4
    assert "does not accept the secret; the new token was revoked" in result.stderr
    assert use.found == {}
    assert names(emulator, "revoked") == [NAME]


def test_a_shortened_lifetime_is_told(pat: InProcess, use: Use, emulator: Emulator) -> None:
    emulator.set_policies("maximum-lifespan=7")
    result = new(pat, *CODE, "--expires", "30d", *use.command())
    assert result.exit_code == 0
    assert result.stderr.startswith("pat: warning: a policy shortened the lifetime")


@pytest.mark.parametrize("status", [0, 3])
@pytest.mark.parametrize("fault", ["status=403", "status=503", "cut=before"])
def test_a_token_that_cannot_be_revoked(
    fault: str, status: int, pat: InProcess, use: Use, emulator: Emulator
) -> None:
    """The code is that of a command that failed; the next run revokes the token."""
    emulator.fail(f"DELETE * {fault} times=always")
    result = new(pat, *CODE, *use.command(str(status)))
    assert (result.exit_code, result.stdout) == (status or 8, "")
    token = held(emulator, NAME)
    identifier = token["authorizationId"]
    told = f"the command has ended, but its token {identifier} could not be revoked yet: "
    next_steps = (
        "the next command that signs in (for example pat list) will revoke it, and it expires"
        f" {moment(token['validTo']):%Y-%m-%d %H:%M}; to revoke it now, run:"
        f" pat revoke {identifier} --org contoso"
    )
    assert told in result.stderr
    assert next_steps in result.stderr
    left = pat("status", "-o", "json").json["pending"]
    assert [(each["id"], each["kind"]) for each in left] == [(identifier, "unrevoked")]
    emulator.heal()
    said = f"revoked {NAME!r} in contoso ({identifier}), which was made for one command\n"
    assert said in pat("list", "-o", "none").stderr
    assert names(emulator, "revoked") == [NAME]
    assert pat("status", "-o", "json").json["pending"] == []


def test_what_an_earlier_command_has_left_stops_no_other(
    pat: InProcess, use: Use, emulator: Emulator
) -> None:
    emulator.fail("DELETE * status=403 times=2")
    for _ in range(2):
        new(pat, *CODE, *use.command())
    assert (names(emulator), names(emulator, "revoked")) == ([NAME], [f"{NAME} (2)"])


def test_an_expired_token_need_not_be_revoked(
    pat: InProcess, use: Use, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.fail("DELETE * status=403 times=always")
    new(pat, *CODE, *use.command())
    assert "could not" not in pat("list", "-o", "none").stdout
    assert len(pat("status", "-o", "json").json["pending"]) == 1
    emulator.advance(3700)
    monkeypatch.setattr(Runtime, "now", lambda _: datetime.now(UTC) + timedelta(seconds=3700))
    pat.env = {**pat.env, "PAT_ACCESS_TOKEN": emulator.mint("user")}
    assert "completed an interrupted exec --new" in pat("list", "-o", "none").stderr
    assert pat("status", "-o", "json").json["pending"] == []


def put_inner(folder: Path, name: str, environment: Mapping[str, str], body: str) -> str:
    """Write a program that can run `pat`, as another shell of the user can; return its path.

    The command itself is not given the user's access token.
    """
    source = (
        "import json, subprocess, sys\n"
        f"environment = {dict(environment)!r}\n"
        "def pat(*words):\n"
        f"    words = [{str(PROGRAM)!r}, *words]\n"
        "    return subprocess.run(words, env=environment, check=True, stdout=-1).stdout\n"
    )
    return str(put_program(folder / name, source + body))


def test_the_user_may_revoke_it_first(
    pat_process: Installed, emulator: Emulator, tmp_path: Path
) -> None:
    name = f"exec: inner on {socket.gethostname()}"
    body = f"pat('revoke', {name!r}, '--yes', '-q', '-o', 'none')\n"
    program = put_inner(tmp_path, "inner", pat_process.environment(), body)
    result = pat_process("exec", "--new", *CODE, "--", program)
    assert result == Result(exit_code=0, stdout="", stderr="")
    assert names(emulator, "revoked") == [name]


def test_while_it_runs_no_other_run_touches_it(
    pat_process: Installed, use: Use, emulator: Emulator, tmp_path: Path
) -> None:
    """Nor is it told of; and a second command of that name has a token with another name."""
    body = (
        "listed = json.loads(pat('list', '-o', 'json'))\n"
        "pending = json.loads(pat('status', '-o', 'json'))['pending']\n"
        "pat('check', '-q')\n"  # it is not one that expires soon
        f"words = [{str(PROGRAM)!r}, 'doctor', '--dismiss', listed[0]['id']]\n"
        "said = subprocess.run(words, env=environment, stderr=-1).stderr.decode()\n"
        f"pat('exec', '--new', '--scope', 'code', *{use.command()!r})\n"
        "print(json.dumps([[each['name'] for each in listed], pending, said.splitlines()[0]]))\n"
    )
    (tmp_path / "inner").mkdir()
    program = put_inner(tmp_path / "inner", "use", pat_process.environment(), body)
    result = pat_process("exec", "--new", *CODE, "--", program)
    assert (result.exit_code, result.stderr) == (0, "")
    listed, pending, said = result.json
    assert (listed, pending) == ([NAME], [])
    assert said.endswith("a command that is still running uses it, and it is revoked after that")
    assert use.found["status"] == 200
    assert names(emulator, "revoked") == [NAME, f"{NAME} (2)"]


def test_the_sign_in_may_end_before_the_command(
    pat: InProcess, emulator: Emulator, az: AzureCli
) -> None:
    """A command may take longer than an access token is valid."""
    az.sign_in(emulator.mint("user"), emulator.mint("user"))
    emulator.fail("DELETE * status=401 times=1")
    command = ("--", sys.executable, "-c", "")
    result = new(pat, *CODE, *command, env={"PAT_ACCESS_TOKEN": None})
    assert result == Result(exit_code=0, stdout="", stderr="")
    assert [each["status"] for each in emulator.tokens] == ["revoked"]
    assert len(az.calls) == 2


def test_without_a_keyring(pat: InProcess, use: Use) -> None:
    env = {"PAT_KEYRING": "keyring.backends.fail.Keyring"}
    assert new(pat, *CODE, *use.command(), env=env) == Result(exit_code=0, stdout="", stderr="")
