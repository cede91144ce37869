"""An example of each exit code of the contract, and of each that a help text names."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from azdo_pat import errors
from azdo_pat.errors import ExitCode, PatError
from drivers import PROGRAM, TIME_LIMIT, Emulator, InProcess, Installed, Result, full_device

ROOT = Path(__file__).parent.parent
CONTRACT = ROOT / "docs/reference/contract.md"
ROW = re.compile(r"^\| (\d{1,3}) \| ([^|]+) \|(?: (?:`(\w+)` )?\|)?$", re.MULTILINE)
IN_HELP = re.compile(r"\b(?:exit code(?: is)?|[Ee]xits with|signed in, and with) (\d{1,3})\b")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where a code is provoked."""

    pat: InProcess
    process: Installed
    emulator: Emulator
    folder: Path

    def make(self, *names: str, process: bool = False) -> None:
        for name in names:
            run = self.process if process else self.pat
            assert run("create", name, "--scope", "code", "-q").exit_code == 0

    def apply(self, *entries: str) -> Result:
        file = self.folder / "tokens.toml"
        file.write_text("\n".join(f"[[token]]\n{entry}" for entry in entries), "utf-8")
        return self.pat("apply", str(file), "--yes")

    def unwritten(self, *args: str) -> Result:
        with full_device().open("w", encoding="utf-8") as full:
            ran = subprocess.run(
                [PROGRAM, *args],
                env=self.process.environment(),
                stdout=full,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                timeout=TIME_LIMIT,
                check=False,
            )
        return Result(exit_code=ran.returncode, stdout="", stderr=ran.stderr)


NO_KEYRING = {"PAT_KEYRING": "keyring.backends.fail.Keyring"}
NOBODY = {"PAT_ACCESS_TOKEN": None}


def done(scene: Scene) -> Result:
    return scene.pat("list")


def unwritten(scene: Scene) -> Result:
    return scene.unwritten("list", "-o", "json")


def wrong_usage(scene: Scene) -> Result:
    return scene.pat("create", "x", "--scope", "no_such_scope", "-o", "json")


def not_found(scene: Scene) -> Result:
    return scene.pat("show", "nope", "-o", "json")


def unexplained(scene: Scene) -> Result:
    return scene.pat("explain", "nope")


def unset(scene: Scene) -> Result:
    return scene.pat("config", "get", "tenant")


def not_signed_in(scene: Scene) -> Result:
    return scene.pat("list", "-o", "json", env=NOBODY)


def status_signed_out(scene: Scene) -> Result:
    return scene.pat("status", env=NOBODY)


def renew_signed_out(scene: Scene) -> Result:
    scene.make("x")
    return scene.pat("renew", "--within", "1y", env=NOBODY)


def refused(scene: Scene) -> Result:
    scene.emulator.set_policies("creation-disabled")
    return scene.pat("create", "x", "--scope", "code", "-o", "json")


def ambiguous(scene: Scene) -> Result:
    scene.emulator.add_tokens(2, name="x")
    return scene.pat("show", "x", "-o", "json")


def no_keyring(scene: Scene) -> Result:
    return scene.process("create", "x", "--scope", "code", "-o", "json", env=NO_KEYRING)


def not_revoked(scene: Scene) -> Result:
    scene.make("x")
    scene.emulator.fail("DELETE * status=501 times=always")
    return scene.pat("rotate", "x", "-o", "json")


def renew_not_revoked(scene: Scene) -> Result:
    scene.make("x")
    scene.emulator.fail("DELETE * status=501 times=always")
    return scene.pat("renew", "--within", "1y")


def renew_nothing(scene: Scene) -> Result:
    scene.make("x")
    return scene.pat("renew", "--within", "1d")


def renew_failed(scene: Scene) -> Result:
    scene.make("x")
    scene.emulator.set_policies("creation-disabled")
    return scene.pat("renew", "--within", "1y")


def apply_failed(scene: Scene) -> Result:
    scene.emulator.set_policies("full-scope-forbidden")
    return scene.apply('name = "x"\nscopes = ["full"]', 'name = "y"\nfor = "git"')


def revoke_several(scene: Scene) -> Result:
    scene.make("x")
    return scene.pat("revoke", "x", "nope", "--yes", "-o", "json")


def doctor(scene: Scene) -> Result:
    scene.emulator.fail("GET * status=501 times=always")
    return scene.pat("doctor")


def unavailable(scene: Scene) -> Result:
    scene.emulator.fail("GET * status=501 times=always")
    return scene.pat("list", "-o", "json")


def status_unavailable(scene: Scene) -> Result:
    scene.emulator.fail("GET * status=501 times=always")
    return scene.pat("status")


def not_executable(scene: Scene) -> Result:
    scene.make("x", process=True)
    program = scene.folder / "program"
    program.write_text("no program", "utf-8")
    return scene.process("-o", "json", "exec", "x", "--", str(program))


def no_command(scene: Scene) -> Result:
    scene.make("x", process=True)
    return scene.process("-o", "json", "exec", "x", "--", str(scene.folder / "nothing"))


def interrupted(scene: Scene) -> Result:
    return asked(scene, "\x03")


def asked(scene: Scene, answer: str) -> Result:
    scene.make("x", process=True)
    terminal = scene.process.on_terminal("revoke", "x", "-o", "json")
    terminal.expect(r"\[y/N\]")
    terminal.send(answer)
    said = terminal.read()
    terminal.close()
    assert terminal.exitstatus is not None, said
    return Result(exit_code=terminal.exitstatus, stdout="", stderr=said)


Provoke = Callable[[Scene], Result]
CODES: dict[int, Provoke] = {
    0: done,
    1: unwritten,
    2: wrong_usage,
    3: not_found,
    4: not_signed_in,
    5: refused,
    6: ambiguous,
    7: no_keyring,
    8: not_revoked,
    9: revoke_several,
    10: doctor,
    11: unavailable,
    126: not_executable,
    127: no_command,
    130: interrupted,
}
"""One example of each code of the table."""
STATED: dict[tuple[str, int], tuple[Provoke, ...]] = {
    ("docs/guides/renew.md", 0): (renew_nothing,),
    ("docs/guides/renew.md", 4): (renew_signed_out,),
    ("docs/guides/renew.md", 8): (renew_not_revoked,),
    ("docs/guides/renew.md", 9): (renew_failed,),
    ("docs/reference/commands.md", 3): (unset, unexplained),
    ("docs/reference/commands.md", 4): (status_signed_out,),
    ("docs/reference/commands.md", 8): (not_revoked,),
    ("docs/reference/commands.md", 9): (renew_failed, apply_failed),
    ("docs/reference/commands.md", 10): (doctor,),
    ("docs/reference/commands.md", 11): (status_unavailable,),
}


def documented() -> dict[int, str]:
    """Return each code of the contract's table, and its word in JSON."""
    rows = ROW.findall(CONTRACT.read_text("utf-8"))
    return {int(code): word for code, _, word in rows}


def stated() -> set[tuple[str, int]]:
    """Return the codes that help texts name, and those of the table of `pat renew`."""
    help_texts = " ".join((ROOT / "docs/reference/commands.md").read_text("utf-8").split())
    table = (ROOT / "docs/guides/renew.md").read_text("utf-8")
    return {("docs/reference/commands.md", int(code)) for code in IN_HELP.findall(help_texts)} | {
        ("docs/guides/renew.md", int(code)) for code, *_ in ROW.findall(table)
    }


def test_the_table_is_that_of_the_program() -> None:
    words = {code.value: "" for code in ExitCode}
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, PatError):
            words[kind.exit_code.value] = kind.error
    assert documented() == words


def test_a_shorter_table_says_what_the_table_says() -> None:
    text = (ROOT / "docs/guides/scripts.md").read_text("utf-8")
    assert {int(code) for code, *_ in ROW.findall(text)} <= set(documented())


def test_every_statement_is_provoked() -> None:
    assert stated() == set(STATED)


@pytest.fixture
def scene(pat: InProcess, pat_process: Installed, emulator: Emulator, tmp_path: Path) -> Scene:
    return Scene(pat=pat, process=pat_process, emulator=emulator, folder=tmp_path)


@pytest.mark.parametrize("code", CODES)
def test_an_example_of_each_code(code: int, scene: Scene) -> None:
    ran = CODES[code](scene)
    assert ran.exit_code == code, ran.stderr
    if word := documented()[code]:
        assert f'"error": "{word}"' in ran.stderr
        assert f'"exit_code": {code}' in ran.stderr


@pytest.mark.parametrize(
    ("page", "code", "provoke"),
    [
        pytest.param(page, code, provoke, id=f"{page} {code} {provoke.__name__}")
        for (page, code), provokes in STATED.items()
        for provoke in provokes
    ],
)
def test_what_a_page_says(page: str, code: int, provoke: Provoke, scene: Scene) -> None:
    ran = provoke(scene)
    assert ran.exit_code == code, (page, ran.stderr)
