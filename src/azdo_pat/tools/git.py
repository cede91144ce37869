"""git: `pat` as the helper for our hosts only; `git config` changes the file.

An empty helper before ours resets those for all hosts, for these hosts only: otherwise one that
stores would get the token, and store it (gitcredentials(7), "credential.helper").
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import NotFoundError, UsageError
from azdo_pat.executables import command_line, find_program
from azdo_pat.redaction import without_credentials
from azdo_pat.urls import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azdo_pat.tools.tool import ToolInput

_URLS: Final = ("https://dev.azure.com", "https://*.visualstudio.com")
_TIMEOUT: Final = 30
_AT_WORK: Final = 120
"""Seconds after which no process is still editing a copy."""


def file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the user's configuration, as git finds it (git-config(1), "FILES")."""
    if given := environment.get("GIT_CONFIG_GLOBAL"):
        return Path(given)
    if sys.platform == "win32":
        found = file_on_windows(environment, home)
    else:
        found = _changed_by_git(home, _xdg_file(environment, home))
    return found


def file_on_windows(environment: Mapping[str, str], profile: Path) -> Path:
    """Return the user's configuration, as Git for Windows finds it.

    Source: its `compat/mingw.c`, `setup_windows_environment`; `path.c`, `xdg_config_home_for`.
    """
    home = _home_on_windows(environment, profile)
    other = _xdg_file(environment, home)
    if not environment.get("XDG_CONFIG_HOME") and (roaming := environment.get("APPDATA")):
        shared = Path(roaming, "Git", "config")
        other = shared if shared.exists() else other
    return _changed_by_git(home, other)


def _home_on_windows(environment: Mapping[str, str], profile: Path) -> Path:
    """Return what git takes for HOME: on machines of a domain it may be a network drive."""
    if given := environment.get("HOME"):
        return Path(given)
    share = Path(environment.get("HOMEDRIVE", "") + environment.get("HOMEPATH", ""))
    system = Path(environment.get("SYSTEMROOT", r"C:\Windows"), "System32")  # of services
    return share if share.is_absolute() and share.is_dir() and share != system else profile


def _xdg_file(environment: Mapping[str, str], home: Path) -> Path:
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config", "git", "config")


def _changed_by_git(home: Path, other: Path) -> Path:
    """Return the file that `git config --global` changes: `~/.gitconfig`, or else the other."""
    usual = home / ".gitconfig"
    return other if other.exists() and not usual.exists() else usual


def git_program(environment: Mapping[str, str]) -> str:
    """Return the path of git.

    Raises:
        NotFoundError: it is not installed.
    """
    program = find_program("git", environment)
    if program is None:
        raise NotFoundError(
            "git was not found", hint="install git, and check that it is on the PATH"
        )
    return program


def edited(text: str, tool_input: ToolInput) -> str:
    """Return it with `pat` as the helper of our hosts; see `Tool.edited`."""
    words = tool_input.helper("git-credential")
    helper = shlex.join(words)
    if helper != words[0]:  # git's shell runs it
        helper = f"!{helper}"
    with _scratch(tool_input.scratch) as folder:
        copy = Path(folder) / "config"
        copy.write_bytes(text.encode("utf-8", "surrogateescape"))
        servers = map(parse, tool_input.servers)
        for url in (*_URLS, *(f"{each.scheme}://{each.netloc}" for each in servers)):
            if _git(copy, "--get-all", f"credential.{url}.helper").splitlines() != ["", helper]:
                _git(copy, "--replace-all", f"credential.{url}.helper", "")
                _git(copy, "--add", f"credential.{url}.helper", helper)
            if _git(copy, "--get-all", f"credential.{url}.useHttpPath").split() != ["true"]:
                _git(copy, "--replace-all", f"credential.{url}.useHttpPath", "true")
        return copy.read_bytes().decode("utf-8", "surrogateescape")


def _scratch(parent: str) -> tempfile.TemporaryDirectory[str]:
    """Create a folder for a copy, after removing those of killed runs."""
    if not parent:
        return tempfile.TemporaryDirectory()
    Path(parent).mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in Path(parent).iterdir():
        if time.time() - left.stat().st_mtime > _AT_WORK:
            shutil.rmtree(left, ignore_errors=True)
    return tempfile.TemporaryDirectory(dir=parent)


def _git(file_: Path, *args: str) -> str:
    """Read or change a file with git; a missing key is not a failure.

    Raises:
        NotFoundError: git is not installed.
        UsageError: git cannot read the file.
    """
    ran = subprocess.run(  # noqa: S603  # git, with nothing of the user's but a path of ours
        command_line([git_program(os.environ), "config", "--file", str(file_), *args], os.environ),
        cwd=file_.parent,  # git fails if the user's current folder has been deleted
        env=without_credentials(os.environ),
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=_TIMEOUT,
        check=False,
    )
    if ran.returncode not in {0, 1}:
        said = ran.stderr.strip().replace(str(file_), "the file").removeprefix("fatal: ")
        raise UsageError(f"git cannot read it: {said}", hint="correct the file, or move it aside")
    return ran.stdout
