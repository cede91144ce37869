"""cargo: a registry in `config.toml` of the user, for whose token cargo asks `pat`.

Source: The Cargo Book, "Configuration"; "Registry Authentication", `credential-provider`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from azdo_pat.errors import UsageError
from azdo_pat.tools.toml import parsed, table_at, with_values
from azdo_pat.tools.tool import feed_name, spellings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azdo_pat.tools.tool import ToolInput

ENDING = "/Cargo/index/"


def file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the user's configuration.

    If both names exist cargo uses the older one, with a warning (observed with 1.95).
    """
    folder = Path(environment.get("CARGO_HOME") or home / ".cargo")
    older = folder / "config"
    return older if older.exists() else folder / "config.toml"


def edited(text: str, tool_input: ToolInput) -> str:
    """Return it with the feed as a registry; see `Tool.edited`.

    Raises:
        UsageError: it cannot be edited, or has a registry of that name with another index.
    """
    path = ("registries", registry(tool_input.feed))
    held = table_at(parsed(text), path).get("index")
    if held is not None and str(held).rstrip("/").removeprefix("sparse+") not in spellings(
        tool_input.feed
    ):
        raise UsageError(
            f"the registry {path[1]!r} exists, and has another index",
            hint="rename that registry, or delete it",
        )
    values = {
        "index": f"sparse+{tool_input.feed}/",
        "credential-provider": tool_input.helper("cargo-credential"),
    }
    return with_values(text, path, values, dropped=["token"])


def registry(feed: str) -> str:
    """Return the registry name of a feed: cargo allows letters, digits, `-` and `_`."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", feed_name(feed))
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"
