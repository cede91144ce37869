"""A disk that is really full, as far as a process can tell: no file may grow beyond a few bytes."""

import json
from pathlib import Path

import pytest

from drivers import Emulator, Installed
from e2e.stage import accepts, active, shell


@pytest.mark.parametrize("blocks", [0, 1, 4, 12])
def test_a_rotation_that_finds_no_room_changes_nothing(
    pat_process: Installed, emulator: Emulator, home: Path, blocks: int
) -> None:
    pat = pat_process
    assert pat("create", "ci", "--scope", "code", "-q", "-o", "none").exit_code == 0
    before, secret = active(emulator, "ci"), pat("get", "ci").stdout.strip()
    # bash counts in blocks of 1024 bytes; Python ignores the signal, so that writing fails.
    result = shell(pat, f"ulimit -f {blocks}; exec pat rotate ci -q -o none")
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
