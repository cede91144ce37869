"""A disk that is really full, as far as a process can tell: no file may grow beyond a few bytes."""

import json
import subprocess
from pathlib import Path

import pytest

from drivers import PROGRAM, Emulator, Installed
from e2e.stage import accepts, active, shell


@pytest.mark.parametrize("blocks", [0, 1, 4, 12])
def test_a_rotation_that_finds_no_room_changes_nothing(
    pat_process: Installed, emulator: Emulator, home: Path, blocks: int
) -> None:
    pat = pat_process
    assert pat("create", "ci", "--scope", "code", "-q", "-o", "none").exit_code == 0
    before, secret = active(emulator, "ci"), pat("get", "ci").stdout.strip()
    # bash counts in blocks of 1024 bytes; Python ignores the signal, so that writing fails. Of a
    # compiled module Python would keep what fits, and no later run could import it.
    result = shell(
        pat,
        f"ulimit -f {blocks}; exec pat rotate ci -q -o none",
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert result.exit_code in {0, 7}, result
    assert result.exit_code == 7 or blocks > 4
    assert pat("list", "-q", "-o", "none").exit_code == 0
    now = pat("get", "ci").stdout.strip()
    assert (active(emulator, "ci") == before) == (result.exit_code == 7)
    assert (now == secret) == (result.exit_code == 7)
    assert len(active(emulator, "ci")) == 1
    assert accepts(emulator, now)
    held = json.loads((home / "keyring.json").read_text("utf-8"))
    services = [held[name] for name in held if name != "azdo-pat:check"]
    assert [text for service in services for text in service.values()] == [now]
    assert pat("rotate", "ci", "-q", "-o", "none").exit_code == 0


@pytest.mark.parametrize("blocks", [0, 1, 4, 12])
def test_a_migration_that_finds_no_room_loses_nothing(
    pat_process: Installed, emulator: Emulator, home: Path, blocks: int
) -> None:
    pat = pat_process
    emulator.remove_tokens()
    (old,) = emulator.add_tokens(name="wide", scope="vso.code", allOrgs=True)
    migrate = "pat migrate wide --to contoso --to fabrikam --revoke-old --yes -q -o none"
    result = shell(pat, f"ulimit -f {blocks}; exec {migrate}", env={"PYTHONDONTWRITEBYTECODE": "1"})
    assert result.exit_code in {0, 7, 9}, result
    assert result.exit_code != 0 or blocks > 4
    assert pat("list", "-q", "-o", "none").exit_code == 0  # which finishes what was begun
    if result.exit_code:
        assert old in active(emulator, "wide")
    keyring = home / "keyring.json"
    held = json.loads(keyring.read_text("utf-8")) if keyring.exists() else {}
    for org in ("contoso", "fabrikam"):
        secrets = held.get(f"azdo-pat:{emulator.url}/{org}", {}).values()
        assert all(accepts(emulator, each, org=org) for each in secrets)
    assert shell(pat, migrate).exit_code == 0
    assert old not in active(emulator, "wide")
    assert len(active(emulator, "wide")) == 2


def test_a_damaged_module_is_no_interruption(pat_process: Installed, tmp_path: Path) -> None:
    """Python raises EOFError for one that was cut short, and click calls that the user's wish."""
    env = {"PYTHONPYCACHEPREFIX": str(tmp_path)}
    assert pat_process("list", env=env).exit_code == 0
    [compiled] = tmp_path.rglob("azdo_pat/cli/list_show.*.pyc")
    compiled.write_bytes(compiled.read_bytes()[:200])
    result = subprocess.run(
        [PROGRAM, "list"],
        env=pat_process.environment(env),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert "pat: internal error: EOFError\n" in result.stderr
