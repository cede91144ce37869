"""Shows the changes to a file without secrets, and removes them again."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final

from azdo_pat.redaction import masked
from azdo_pat.tools.line_editing import end_of_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_HEAD: Final = re.compile(r"\[|[A-Za-z_][\w-]*:\s*$")
"""The line that begins a section of INI, TOML and git's format, or a block of YAML."""


def shown(before: str, after: str, path: str, ours: Collection[str]) -> str:
    """Return the diff of a file without secrets; empty if nothing changed.

    The user's own lines, which may contain any secret, are only counted.

    Args:
        before: its old content.
        after: its new content.
        path: its name.
        ours: the lines that may be shown, stripped.
    """
    lines: list[str] = []
    hidden = 0
    for line in difflib.unified_diff(
        before.splitlines(), after.splitlines(), path, path, lineterm="", n=0
    ):
        if line.startswith(("---", "+++", "@@")) or line[1:].strip() in {"", *ours}:
            lines.append(masked(line.expandtabs(4)))
            hidden = 0
            continue
        if hidden and lines[-1].startswith(line[0]):
            lines.pop()
        else:
            hidden = 0
        hidden += 1
        lines.append(f"{line[0]}({hidden} line{'s' * (hidden > 1)} of yours)")
    return "\n".join(lines)


def taken_out(current: str, seen: str, put_in: str, target: str) -> str | None:
    """Return a file's content without the lines that were added, even if the user moved them.

    Args:
        current: the content of the file.
        seen: the same with placeholders for the secrets.
        put_in: the content after setup, with placeholders.
        target: the content without the setup to undo, with placeholders.

    Returns:
        None if the lines to remove are not found unchanged, exactly once.
    """
    lines, places = current.splitlines(keepends=True), seen.splitlines(keepends=True)
    if len(lines) != len(places):
        return None
    if seen != put_in and target:
        # A last line without a line end cannot be distinguished from a changed one.
        target = target if target.endswith(("\n", "\r")) else f"{target}{end_of_line(target)}"
    # From the end, so that earlier positions stay valid.
    for start, end, block, back in reversed(list(_changes(put_in, target))):
        if seen == put_in:
            place = start
        else:
            found = [n for n in range(len(places)) if places[n : n + len(block)] == block]
            if len(found) != 1 or not block:
                return None
            place = found[0]
        stop = place + (end - start)
        new = list(back)
        if new and stop < len(lines) and not new[-1].endswith(("\n", "\r")):
            new[-1] += end_of_line(current)  # it is no longer the end of the file
        if seen != put_in:
            new = [*_heads_of_others(block, places[stop:]), *new]
        lines[place:stop] = places[place:stop] = new
    if seen == put_in and "".join(places) != target:
        return None
    return "".join(lines)


def _heads_of_others(block: Sequence[str], behind: Sequence[str]) -> list[str]:
    """Return the header of a removed section if the user has added lines below it since."""
    heads = [line for line in block if _HEAD.match(line)]
    below = next((line for line in behind if line.strip() and line.lstrip()[0] not in "#;"), "")
    if not heads or not below or below.startswith("["):
        return []
    in_section = heads[-1].startswith("[") or below[0] in " \t"
    return heads[-1:] if in_section else []


def _changes(old: str, new: str) -> Iterator[tuple[int, int, list[str], list[str]]]:
    """Yield what makes the one the other: start, end, the lines there, and those in their place."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, start, end, first, last in matcher.get_opcodes():
        if tag == "equal":
            continue
        if start == end and start:  # a line is restored after its original predecessor
            above = before[start - 1 : start]
            yield start - 1, end, above, [*above, *after[first:last]]
        else:
            yield start, end, before[start:end], after[first:last]
