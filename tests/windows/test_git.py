"""Git for Windows, where it is installed, and the file that `pat setup git` changes for it."""

import os
import subprocess
from pathlib import Path

import pytest

from azdo_pat.executables import require_program
from drivers import Installed, need_git

KEY = "credential.https://dev.azure.com.helper"


@pytest.mark.parametrize("home_of_git", ["HOME", "HOMEPATH"])
def test_git_reads_what_the_setup_writes(pat: Installed, tmp_path: Path, home_of_git: str) -> None:
    need_git()
    folder = tmp_path / "not the profile"
    folder.mkdir()
    homes = {"HOME": None, "HOMEDRIVE": folder.drive, "HOMEPATH": str(folder)[len(folder.drive) :]}
    env = {
        **homes,
        "XDG_CONFIG_HOME": None,
        **({"HOME": str(folder)} if home_of_git == "HOME" else {}),
    }
    assert pat("setup", "git", "-q", env=env).exit_code == 0
    assert (folder / ".gitconfig").exists()
    git = require_program("git", os.environ)
    ran = subprocess.run(
        [git, "config", "--global", "--get-all", KEY],
        env=pat.environment(env),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "git-credential-pat" in ran.stdout
