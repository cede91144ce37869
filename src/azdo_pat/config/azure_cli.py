"""Reads the settings of the Azure CLI that `pat` uses."""

import configparser
from pathlib import Path


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
