"""In a sandbox of a bundle, `pat` is the bundle, wherever that is."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from azdo_pat.cli.sandbox import Sandbox
from drivers import in_wine


@pytest.mark.parametrize("name", ["100%PATH% & co", "Ada's ćλ日", "a ^ b! (c)"])
def test_a_bundle_below_any_path_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if "%" in name and in_wine():
        pytest.skip("Wine's cmd.exe expands a value again, which Windows' does not")
    folder = tmp_path / name
    folder.mkdir()
    if sys.platform == "win32":
        program = Path(shutil.copy(os.environ["COMSPEC"], folder / "program.exe"))
        arguments = ["/d", "/c", "exit 7"]
    else:
        program = folder / "program"
        program.write_text('#!/bin/sh\nexit "$1"\n')
        program.chmod(0o755)
        arguments = ["7"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(program))
    warnings: list[str] = []
    with Sandbox({}, dict(os.environ), warnings.append) as sandbox:
        assert sandbox.run(["pat", *arguments]) == 7
    assert warnings == []
