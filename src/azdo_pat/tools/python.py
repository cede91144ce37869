"""pip and uv: makes them ask the program `keyring`, which asks `pat`."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import UsageError
from azdo_pat.tools.line_editing import end_of_line, in_section, no_toml, with_keys

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
        return (folder if folder.is_dir() else home / ".config" / "pip") / "pip.conf"
    return _config(environment, home) / "pip" / "pip.conf"


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

    Raises:
        UsageError: it is not TOML.
    """
    del tool_input
    before = _toml(text)
    end = end_of_line(text)
    lines = text.splitlines(keepends=True)
    first = next((n for n, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    head, rest = "".join(lines[:first]), "".join(lines[first:])
    line = f'{_KEY} = "{PROVIDER}"'
    wanted = {**before, _KEY: PROVIDER}
    table = before.get("pip")
    if isinstance(table, dict) and _KEY in table:
        rest = _without_key(rest, "[pip]")
        wanted["pip"] = {key: value for key, value in table.items() if key != _KEY}
    changed = with_keys(head, {_KEY: line}, _key, end=end) + rest
    try:
        understood = _toml(changed) == wanted
    except UsageError:
        understood = False
    if not understood:
        raise UsageError(
            "pat cannot edit it in the form it is written",
            hint=f"add by hand above all tables, not below [pip]: {line}",
        )
    return changed


def _without_key(text: str, head: str) -> str:
    kept: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith("["):
            inside = line.partition("#")[0].strip() == head
        if not inside or _key(line) != _KEY:
            kept.append(line)
    return "".join(kept)


def _toml(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise no_toml(error) from error


def _key(line: str) -> str:
    return "" if line.lstrip().startswith("#") else line.partition("=")[0].strip().strip("\"'")


def _config(environment: Mapping[str, str], home: Path) -> Path:
    given = environment.get("XDG_CONFIG_HOME")
    return Path(given) if given else home / ".config"
