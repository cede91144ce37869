"""Folders of the program's own that it may not read, or not write."""

import shutil
from pathlib import Path

import pytest

from drivers import PROGRAM, Installed, need
from e2e.guides import UNPRIVILEGED, run


@pytest.mark.parametrize(
    ("mode", "codes"),
    [
        (0o000, {"get": 0, "list": 7, "ensure": 7, "create": 7, "rotate": 7, "doctor": 10}),
        (0o500, {"get": 0, "list": 0, "ensure": 0, "create": 7, "rotate": 7, "doctor": 10}),
    ],
    ids=["unreadable", "read-only"],
)
def test_a_state_folder_that_cannot_be_used(
    mode: int, codes: dict[str, int], pat: Installed, home: Path, request: pytest.FixtureRequest
) -> None:
    need(request.config, [] if shutil.which("setpriv") else ["setpriv"])
    assert pat("create", "ci", "--scope", "code", "-q", "-o", "none").exit_code == 0
    folder = home / "pat/state"
    folder.chmod(mode)
    commands = {
        "get": ("get", "ci"),
        "list": ("list",),
        "ensure": ("ensure", "ci", "--scope", "code"),
        "create": ("create", "other", "--scope", "code"),
        "rotate": ("rotate", "ci"),
        "doctor": ("doctor", "-o", "json"),
    }
    try:
        for name, words in commands.items():
            result = run(pat, home, *UNPRIVILEGED, str(PROGRAM), *words)
            assert result.exit_code == codes[name], (name, result)
            assert "internal error" not in result.stderr
    finally:
        folder.chmod(0o700)
