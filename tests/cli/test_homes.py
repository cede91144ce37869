"""Homes that are not there, not known, or another user's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from drivers import PROGRAM, Installed, need, posix_only

posix_only("user ids")
assert sys.platform != "win32"  # mypy reads no further

FOLDERS = ("PAT_CONFIG_DIR", "PAT_STATE_DIR", *(f"XDG_{n}_HOME" for n in ("CONFIG", "STATE")))
NONE = dict.fromkeys(("HOME", *FOLDERS, "XDG_DATA_HOME", "XDG_CACHE_HOME"))
NOBODY = 65534
ADA = 54321
"""A user id without an entry in the user database."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@as_root
@pytest.mark.parametrize("args", ["list", "create ci --scope code", "doctor", "setup git", "get x"])
def test_a_user_id_alone(
    args: str, pat_process: Installed, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    need(request.config, [] if shutil.which("setpriv") else ["setpriv"])
    as_ada = ["setpriv", f"--reuid={ADA}", f"--regid={ADA}", "--clear-groups"]
    # Python itself may lie in the home of root.
    as_ada += [f"--{kind}-caps=+dac_override,+dac_read_search" for kind in ("inh", "ambient")]
    ran = subprocess.run(
        [*as_ada, PROGRAM, *args.split()],
        env=pat_process.environment(NONE),
        capture_output=True,
        encoding="utf-8",
        cwd="/",
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        f"pat: the home folder is unknown: HOME is not set, and user id {ADA} has no entry in"
        " the user database\n     set HOME to a folder of your own, or PAT_CONFIG_DIR and"
        " PAT_STATE_DIR\n"
    )
    assert not Path("/~").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_nobody_has(pat_process: Installed) -> None:
    result = pat_process("list", env={"PAT_STATE_DIR": "~no-such-user/state"})
    assert result.exit_code == 2
    assert "the home folder is unknown: there is no user 'no-such-user'" in result.stderr


def test_a_home_that_is_elsewhere_in_each_folder(
    pat_process: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    planted = tmp_path / "here/.config/pat"
    planted.mkdir(parents=True)
    (planted / "config.toml").write_text("git-token = 'evil'\n", "utf-8")
    result = pat_process("config", "list", env={**NONE, "HOME": "here"})
    # Newer versions of platformdirs look in the user database.
    assert result.exit_code == 0 or "HOME is 'here', which is not an absolute path" in result.stderr
    assert "evil" not in result.stdout


@as_root
def test_sudo_that_lends_the_home_of_a_user(pat_process: Installed, tmp_path: Path) -> None:
    lent = {**NONE, "HOME": str(tmp_path), "SUDO_UID": str(NOBODY)}
    os.chown(tmp_path, NOBODY, NOBODY)
    for args in (("list",), ("create", "ci", "--scope", "code"), ("config", "set", "org", "x")):
        result = pat_process(*args, env=lent)
        assert result.exit_code == 7
        assert "sudo runs pat as root with the home of nobody" in result.stderr
        assert "sudo -H" in result.stderr
    assert list(tmp_path.iterdir()) == []
    chosen = {**lent, "PAT_STATE_DIR": str(tmp_path / "s"), "PAT_CONFIG_DIR": str(tmp_path / "c")}
    assert pat_process("list", env=chosen).exit_code == 0


@as_root
def test_root_in_the_home_of_a_user(pat_process: Installed, tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    result = pat_process("list", "-o", "none", env={**NONE, "HOME": str(tmp_path)})
    assert result.exit_code == 0
    assert "belongs to nobody: nobody will not be able to use them" in result.stderr


@as_root
def test_a_mounted_home_is_root_s_to_use(pat_process: Installed, tmp_path: Path) -> None:
    os.chown(tmp_path, ADA, ADA)
    result = pat_process("list", "-q", "-o", "none", env={**NONE, "HOME": str(tmp_path)})
    assert (result.exit_code, result.stderr) == (0, "")
