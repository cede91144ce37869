"""bun and cargo: TOML files of the user, in which one table is ours."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import UsageError
from azdo_pat.tools.line_editing import appended, end_of_line, no_toml, with_keys
from azdo_pat.tools.tool import feed_name, spellings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azdo_pat.tools.tool import ToolInput

CARGO_ENDING = "/Cargo/index/"

BUN_VARIABLES: Final = (
    "BUN_CONFIG_REGISTRY",
    "BUN_CONFIG_TOKEN",
    "NPM_CONFIG_REGISTRY",
    "NPM_CONFIG_TOKEN",
)
"""Variables that override bun's file, as observed with 1.4."""


def bun_file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the user's settings (bun's documentation, "bunfig.toml").

    If XDG_CONFIG_HOME is set, bun does not read the home folder at all (observed with 1.4).
    """
    given = environment.get("XDG_CONFIG_HOME")
    return (Path(given) if given else home) / ".bunfig.toml"


def bun_edited(text: str, tool_input: ToolInput) -> str:
    """Return it with the feed as the registry, and its unencoded credentials.

    Raises:
        UsageError: it is no TOML, or has a registry in another form.
    """
    values = {
        "url": f"{tool_input.feed}/",
        "username": tool_input.user,
        "password": tool_input.secret,
    }
    return _with_table(text, ("install", "registry"), values, dropped=["token"])


def cargo_file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the user's configuration (The Cargo Book, "Configuration").

    If both names exist cargo uses the older one, with a warning (observed with 1.95).
    """
    given = environment.get("CARGO_HOME")
    folder = Path(given) if given else home / ".cargo"
    older = folder / "config"
    return older if older.exists() else folder / "config.toml"


def cargo_edited(text: str, tool_input: ToolInput) -> str:
    """Return it with the feed as a registry for whose token cargo asks `pat`.

    Source: The Cargo Book, "Registry Authentication", `credential-provider`.

    Raises:
        UsageError: it is no TOML, or has that registry in another form.
    """
    provider = str(Path(tool_input.programs) / "cargo-credential-pat")
    name = cargo_registry(tool_input.feed)
    held = _table(_read(text), ("registries", name)).get("index")
    if held is not None and str(held).rstrip("/").removeprefix("sparse+") not in spellings(
        tool_input.feed
    ):
        raise UsageError(
            f"the registry {name!r} exists, and has another index",
            hint="rename that registry, or delete it",
        )
    values = {"index": f"sparse+{tool_input.feed}/", "credential-provider": [provider]}
    return _with_table(text, ("registries", name), values, dropped=["token"])


def cargo_registry(feed: str) -> str:
    """Return the registry name of a feed: cargo allows letters, digits, `-` and `_`."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", feed_name(feed))
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"


def _with_table(
    text: str,
    path: tuple[str, ...],
    values: Mapping[str, str | Sequence[str]],
    *,
    dropped: Sequence[str] = (),
) -> str:
    """Return a TOML text with these values in a table; its other lines stay.

    Raises:
        UsageError: it is no TOML, or the table is written in another way than as one.
    """
    _read(text)  # it is TOML, at least
    head = f"[{'.'.join(map(_key, path))}]"
    lines = {key: f"{key} = {json.dumps(value)}" for key, value in values.items()}
    found = re.search(rf"(?m)^{re.escape(head)}[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)", text)
    if found is None:
        gap = [""] if text.strip() else []
        changed = appended(text, [*gap, head, *lines.values()])
    else:
        changed = text[: found.end()] + _with_lines(text[found.end() :], lines, dropped, text)
    if not _holds(changed, path, values):
        raise UsageError(
            f"{'.'.join(path)} exists, but not as a table with one key per line",
            hint=f"write it below {head}, or delete it",
        )
    return changed


def _with_lines(rest: str, lines: Mapping[str, str], dropped: Sequence[str], text: str) -> str:
    """Change the lines of the table at the beginning of a text."""
    stop = re.search(r"(?m)^[ \t]*\[", rest)
    body, behind = (rest[: stop.start()], rest[stop.start() :]) if stop else (rest, "")
    end = end_of_line(text)
    kept = body.rstrip()
    gap = body[len(kept) :]
    first = re.match(r"\r?\n", gap)
    content = kept + (first[0] if first else end) if kept else ""
    changed = with_keys(content, lines, _line_key, dropped=dropped, end=end)
    return changed + (gap[first.end() :] if first else gap) + behind


def _line_key(line: str) -> str:
    return "" if line.lstrip().startswith("#") else line.partition("=")[0].strip().strip("\"'")


def _holds(text: str, path: tuple[str, ...], values: Mapping[str, str | Sequence[str]]) -> bool:
    """Return whether a table of a text has these values; False if it is not valid TOML."""
    try:
        found = _table(_read(text), path)
    except UsageError:
        return False
    return all(found.get(key) == values[key] for key in values)


def _table(found: object, path: tuple[str, ...]) -> dict[str, object]:
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _read(text: str) -> object:
    """Parse TOML.

    Raises:
        UsageError: it is none.
    """
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise no_toml(error) from error


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else json.dumps(text)
