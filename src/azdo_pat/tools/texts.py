"""Changing lines of a text, and nothing else of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


def end_of_line(text: str) -> str:
    """Return what the lines of a text end with; a line feed where there is none yet."""
    return "\r\n" if "\r\n" in text else "\n"


def with_keys(
    text: str,
    values: Mapping[str, str],
    key_of: Callable[[str], str],
    *,
    dropped: Sequence[str] = (),
) -> str:
    """Return a text of `key=value` lines with these in it.

    A line that has a key already is replaced where it stands; further ones of it are taken out.
    New lines come at the end.

    Args:
        text: the content of the file.
        values: whole lines, without their ends, by their keys.
        key_of: finds the key of a line; empty for lines that have none.
        dropped: keys whose lines are taken out.
    """
    end = end_of_line(text)
    lines: list[str] = []
    left = dict(values)
    for line in text.splitlines(keepends=True):
        key = key_of(line.rstrip("\r\n"))
        if key and key in left:
            lines.append(left.pop(key) + (end if line.endswith(("\n", "\r")) else ""))
        elif not key or (key not in values and key not in dropped):
            lines.append(line)
    return appended("".join(lines), left.values())


def appended(text: str, lines: Iterable[str]) -> str:
    """Return a text with lines behind it, each ended as its own are."""
    end = end_of_line(text)
    added = "".join(f"{line}{end}" for line in lines)
    if added and text and not text.endswith(("\n", "\r")):
        text += end
    return text + added


def in_section(text: str, section: str, values: Mapping[str, str]) -> str:
    """Return an INI text with these keys in a section, which is made at the end where it lacks.

    Args:
        text: the content of the file.
        section: its name.
        values: whole lines, without their ends, by their keys in lower case.
    """
    end = end_of_line(text)
    lines = text.splitlines(keepends=True)
    start = next(
        (n for n, line in enumerate(lines) if line.strip().lower() == f"[{section}]".lower()), None
    )
    if start is None:
        return appended(text, [f"[{section}]", *values.values()])
    stop = next(
        (n for n in range(start + 1, len(lines)) if lines[n].lstrip().startswith("[")), len(lines)
    )
    while stop > start + 1 and not lines[stop - 1].strip():
        stop -= 1  # what parts the sections stays between them
    body = "".join(lines[start + 1 : stop])
    if body and not body.endswith(("\n", "\r")):
        body += end
    head = lines[start] if lines[start].endswith(("\n", "\r")) else lines[start] + end
    changed = with_keys(body, values, _ini_key)
    if "\r\n" not in body:
        changed = changed.replace("\r\n", "\n").replace("\n", end)
    return "".join([*lines[:start], head, changed, *lines[stop:]])


def _ini_key(line: str) -> str:
    if line[:1].isspace() or line.startswith(("#", ";")):
        return ""
    return line.replace(":", "=").partition("=")[0].strip().lower()
