"""pip and uv: makes them ask the program `keyring`, which asks `pat`."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from azdo_pat.tools.line_editing import in_section
from azdo_pat.tools.toml import parsed, table_at, with_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azdo_pat.tools.tool import ToolInput

PROVIDER: Final = "subprocess"
_KEY: Final = "keyring-provider"
_UNDERSCORE: Final = re.compile(r"^keyring_provider(?=[ \t]*[=:])", re.IGNORECASE | re.MULTILINE)


def pip_file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the user's configuration (pip's documentation, "Configuration")."""
    if given := environment.get("PIP_CONFIG_FILE"):
        return Path(given)
    if os.name == "nt":
        return Path(environment.get("APPDATA", home)) / "pip" / "pip.ini"
    if sys.platform == "darwin":  # where pip ignores XDG_CONFIG_HOME
        folder = home / "Library" / "Application Support" / "pip"
        folder = folder if folder.is_dir() else home / ".config" / "pip"
    else:
        folder = _config(environment, home) / "pip"
    return folder / "pip.conf"


def pip_edited(text: str, tool_input: ToolInput) -> str:
    """Return it with `keyring-provider = subprocess`; see `Tool.edited`.

    The key is removed from the sections of single commands, which override the global one.
    """
    del tool_input
    text = _UNDERSCORE.sub(_KEY, text)  # pip treats the two as equal
    return in_section(text, "global", {_KEY: f"{_KEY} = {PROVIDER}"}, alone=True)


def uv_file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the user's configuration (uv's documentation, "Configuration files")."""
    if given := environment.get("UV_CONFIG_FILE"):
        return Path(given)
    if os.name == "nt":
        return Path(environment.get("APPDATA", home)) / "uv" / "uv.toml"
    return _config(environment, home) / "uv" / "uv.toml"


def uv_edited(text: str, tool_input: ToolInput) -> str:
    """Return it with `keyring-provider = "subprocess"` above all tables; see `Tool.edited`.

    The key is removed from the table `pip`, which overrides it for `uv pip`.
    """
    del tool_input
    if _KEY in table_at(parsed(text), ["pip"]):
        text = with_values(text, ["pip"], {}, dropped=[_KEY])
    return with_values(text, [], {_KEY: PROVIDER})


def _config(environment: Mapping[str, str], home: Path) -> Path:
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
