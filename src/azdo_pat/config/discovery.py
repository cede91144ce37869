"""Discovers the organization: from the remotes of the git repository, or the settings of `az`."""

import configparser
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from azdo_pat.executables import captured, find_program
from azdo_pat.redaction import without_credentials

_SECONDS: Final = 3.0


def remote_urls(folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Return the URLs of the remotes, `origin` first; none outside a repository.

    git is asked, and only where there is a repository: it knows of work trees and of
    configuration that includes other files.
    """
    if "GIT_DIR" not in environment and not any(
        (each / ".git").exists() for each in (folder, *folder.parents)
    ):
        return []
    git = find_program("git", environment)
    if git is None:
        return []
    command = [git, "config", "--get-regexp", r"^remote\..*\.url$"]
    try:
        done = captured(command, without_credentials(environment), folder=folder, seconds=_SECONDS)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []
    remotes = [
        line.split(" ", 1)
        for line in done.stdout.decode("utf-8", "replace").splitlines()
        if " " in line
    ]
    remotes.sort(key=lambda remote: remote[0] != "remote.origin.url")
    return [url for _, url in remotes]


def default_organization(folder: Path) -> str | None:
    """Return the default organization of `az devops`, or None.

    Args:
        folder: the Azure CLI's configuration folder, `AZURE_CONFIG_DIR` or `~/.azure`.

    Source: documentation of `az devops configure`; it writes `[defaults] organization` into
    `azuredevops/config`. A file that cannot be read is another program's: it counts as absent.
    """
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(folder / "azuredevops" / "config", encoding="utf-8")
        return parser.get("defaults", "organization", fallback=None) or None
    except (configparser.Error, OSError, UnicodeDecodeError):
        return None
