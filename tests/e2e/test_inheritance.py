"""The access token acts for the user, as does an administrator's: no program inherits them."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from drivers import Emulator, Installed

pytestmark = pytest.mark.e2e

PROGRAM = f"""\
#!{sys.executable}
import json, os, pathlib, sys
name = os.path.basename(sys.argv[0])
record = pathlib.Path({{folder!r}}, f"{{{{name}}}}-{{{{os.getpid()}}}}.json")
record.write_text(json.dumps(dict(os.environ)))
sys.stdin.read() if name in ("deploy", "xclip") else None
"""
ADMIN_SECRET = "the-secret-of-an-administrator"
PROGRAMS = ("git", "deploy", "xclip", "keyring")


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put programs first on PATH that record the environment they get; return where."""
    records = tmp_path / "records"
    records.mkdir()
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        program = programs / name
        program.write_text(PROGRAM.format(folder=str(records)))
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return records


CASES: Sequence[tuple[str, Sequence[str]]] = (
    ("deploy", ("exec", "ci", "--", "deploy")),
    ("deploy", ("exec", "--var", "A=ci", "--", "deploy")),
    ("deploy", ("rotate", "ci", "--deliver", "command:deploy")),
    ("git", ("setup", "git", "--dry-run")),
    ("git", ("list",)),
    ("keyring", ("setup", "pip", "--feed", "https://pkgs.dev.azure.com/contoso/_packaging/f")),
    ("xclip", ("get", "ci", "--copy")),
)


@pytest.mark.parametrize(("program", "args"), CASES, ids=[" ".join(args) for _, args in CASES])
def test_it_is_inherited_by_no_program(
    program: str, args: Sequence[str], pat_process: Installed, emulator: Emulator, started: Path
) -> None:
    env = {"DISPLAY": ":0", "PAT_ADMIN_TOKEN": ADMIN_SECRET}
    assert pat_process("create", "ci", "--scope", "vso.packaging").exit_code == 0
    if args == ("list",):
        (Path.cwd() / ".git").mkdir()
        env["PAT_ORG"] = ""
    pat_process(*args, stdin="x", env=env)
    got = [json.loads(each.read_text()) for each in started.glob(f"{program}-*.json")]
    assert got != []
    secrets = (emulator.access_token, ADMIN_SECRET)
    assert [each for each in got if any(secret in str(each) for secret in secrets)] == []


def test_a_sandbox_has_the_one_of_its_emulator_alone(
    pat_process: Installed, emulator: Emulator
) -> None:
    ran = pat_process("sandbox", "--", sys.executable, "-c", "import os; print(dict(os.environ))")
    assert ran.exit_code == 0
    assert "PAT_ACCESS_TOKEN" in ran.stdout
    assert emulator.access_token not in ran.stdout


def test_a_killed_setup_leaves_no_copy_where_others_look(
    pat_process: Installed, home: Path, tmp_path: Path
) -> None:
    programs, shared = tmp_path / "bin", tmp_path / "tmp"
    programs.mkdir()
    shared.mkdir()
    (programs / "git").write_text("#!/bin/sh\nkill -9 $PPID\n")
    (programs / "git").chmod(0o755)
    (home / ".gitconfig").write_text("[x]\n\tpassword = mine\n")
    env = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(shared)}
    assert pat_process("setup", "git", env=env).exit_code == -9
    assert list(shared.iterdir()) == []
    (left,) = (home / "pat/state/scratch").iterdir()
    assert left.parent.stat().st_mode & 0o777 == 0o700
    os.utime(left, (0, 0))
    assert pat_process("setup", "git").exit_code == 0
    assert list((home / "pat/state/scratch").iterdir()) == []
