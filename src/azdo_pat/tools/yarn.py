"""Yarn 2 and later ("berry"): `.yarnrc.yml` of the user.

Source: Yarn's documentation, "Settings": `npmRegistries`, `npmAlwaysAuth`, `npmAuthIdent`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import UsageError
from azdo_pat.models import Secret
from azdo_pat.tools.line_editing import appended, end_of_line
from azdo_pat.tools.tool import spellings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from azdo_pat.tools.tool import ToolInput

_SECTION: Final = "npmRegistries:"
_TOP: Final = re.compile(r"[ \t].*|#.*||-(?: .*)?|(?:[A-Za-z_][\w.-]*|\"[^\"]*\"|'[^']*'):(?: .*)?")
"""A line at the margin, or one that belongs to such a line."""


def file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the user's settings."""
    return home / (environment.get("YARN_RC_FILENAME") or ".yarnrc.yml")


def edited(text: str, tool_input: ToolInput) -> str:
    """Return it with the credentials of the feed; see `Tool.edited`.

    Raises:
        UsageError: it is written in a form that pat cannot read.
    """
    for feed in reversed(spellings(tool_input.feed)):  # Yarn compares them literally
        text = _edited(text, tool_input._replace(feed=feed))
    return text


def _edited(text: str, tool_input: ToolInput) -> str:
    lines = text.splitlines(keepends=True)
    _check(lines)
    start = next((n for n, line in enumerate(lines) if line.startswith(_SECTION)), None)
    if start is None:
        return appended(text, [_SECTION, *_block(tool_input, "  ")])
    if lines[start].partition("#")[0].strip() != _SECTION:
        raise UsageError(
            f"line {start + 1} does not begin a block",
            hint=(f"write {_SECTION} on a line of its own"),
        )
    stop = next(
        (n for n in range(start + 1, len(lines)) if lines[n].strip() and lines[n][0] not in " \t#"),
        len(lines),
    )
    first = next(
        (line for line in lines[start + 1 : stop] if line.lstrip()[:1] not in {"", "#"}), ""
    )
    indent = first[: len(first) - len(first.lstrip(" "))] or "  "
    if "\t" in "".join(lines[start:stop]):
        raise UsageError(f"there is a tab below line {start + 1}", hint="YAML requires spaces")
    end = end_of_line(text)
    block = [f"{line}{end}" for line in _block(tool_input, indent)]
    mine = _mine(lines, start + 1, stop, indent, tool_input)
    if mine is not None:
        lines[mine[0] : mine[1]] = block
    else:
        if not lines[start].endswith(("\n", "\r")):
            lines[start] += end
        lines[start + 1 : start + 1] = block
    return "".join(lines)


def _check(lines: list[str]) -> None:
    """Check that it is simple YAML: one mapping, one key per line.

    Raises:
        UsageError: it is more complex, or not YAML.
    """
    for number, line in enumerate(lines):
        plain = _TOP.fullmatch(line.rstrip("\r\n")) is not None
        if number == 0 and line.startswith("---"):
            plain = not line[3:].strip()
        other = re.match(rf"[\"']?{_SECTION[:-1]}[\"']?\s*:", line)
        if not plain or (other and not line.startswith(_SECTION)):
            raise UsageError(
                f"line {number + 1} is written in a form that pat cannot read",
                hint="write one key per line, for example: nodeLinker: pnp",
            )


def _mine(
    lines: list[str], start: int, stop: int, indent: str, tool_input: ToolInput
) -> tuple[int, int] | None:
    """Find the block of the feed, which ends after the last line indented deeper than its key."""
    address = re.escape(tool_input.feed.partition(":")[2])
    key = re.compile(rf"{indent}([\"']?)(https:)?{address}/?\1\s*:\s*")
    for number in range(start, stop):
        if begins := key.match(lines[number]):
            end = number + 1
            while end < stop and lines[end].startswith(f"{indent} ") and lines[end].strip():
                end += 1
            value = lines[number][begins.end() :]
            rest = "".join(lines[end:stop]).lstrip("\r\n")
            deeper = re.match(rf"(?:[ \t]*#[^\n]*\n|[ \t]*\r?\n)*{indent} +[^\s#]", rest)
            if value.count("{") != value.count("}") or deeper:
                raise UsageError(
                    f"the value for the feed on line {number + 1} is written in a way that pat"
                    " does not read",
                    hint="delete it",
                )
            return number, end
    return None


def _block(tool_input: ToolInput, indent: str) -> list[str]:
    ident = Secret(tool_input.secret).basic(tool_input.user)
    return [
        f'{indent}"{tool_input.feed.partition(":")[2]}":',
        f"{indent}{indent}npmAlwaysAuth: true",
        f'{indent}{indent}npmAuthIdent: "{ident}"',
    ]
