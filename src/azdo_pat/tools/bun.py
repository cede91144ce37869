"""bun: `.bunfig.toml` of the user, with the feed as the registry, and its credentials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from azdo_pat.tools.toml import with_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azdo_pat.tools.tool import ToolInput

VARIABLES: Final = (
    "BUN_CONFIG_REGISTRY",
    "BUN_CONFIG_TOKEN",
    "NPM_CONFIG_REGISTRY",
    "NPM_CONFIG_TOKEN",
)
"""Variables that override the file, as observed with 1.4."""


def file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the user's settings (bun's documentation, "bunfig.toml").

    If XDG_CONFIG_HOME is set, bun does not read the home folder at all (observed with 1.4).
    """
    return Path(environment.get("XDG_CONFIG_HOME") or home) / ".bunfig.toml"


def edited(text: str, tool_input: ToolInput) -> str:
    """Return it with the feed as the registry, and its unencoded credentials; see `Tool.edited`."""
    values = {
        "url": f"{tool_input.feed}/",
        "username": tool_input.user,
        "password": tool_input.secret,
    }
    return with_values(text, ("install", "registry"), values, dropped=["token"])
