"""Finds the lines of the items of a TOML document, which the standard library does not report."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

Path = tuple[str | int, ...]
"""The keys, and places in arrays, that lead to something: `("token", 2, "name")`."""

_TOKEN: Final = re.compile(
    r'"""(?:\\.|(?!""").)*""""{0,2}'  # up to two quotes may stand before the three that end it
    r"|'''(?:(?!''').)*''''{0,2}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[\]{}\n]",
    re.DOTALL,
)
"""What can hold, or end, a statement (https://toml.io/en/v1.0.0)."""


def lines_of(text: str) -> dict[Path, int]:
    """Return the line at which each item of a valid document begins, from 1.

    The document is read once: each statement by itself, and what it is part of is known from the
    table header before it.
    """
    found: dict[Path, int] = {}
    lengths: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text):
        content = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            table = _header(content, lengths)
            for end in range(1, len(table) + 1):
                found.setdefault(table[:end], line)
        else:
            for path in _paths(content, table):
                found.setdefault(path, line)
    return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield each key with its value, each header and each line without either, and its line."""
    start, first, line, depth = 0, 1, 1, 0
    for token in _TOKEN.finditer(text):
        piece = token[0]
        depth += (piece in {"[", "{"}) - (piece in {"]", "}"})
        line += piece.count("\n")
        if piece == "\n" and depth == 0:
            yield first, text[start : token.end()]
            start, first = token.end(), line
    yield first, text[start:]


def _header(content: dict[str, Any], lengths: dict[Path, int]) -> Path:
    """Return the table that a header opens; the arrays that it leads through have a last one."""
    path: Path = ()
    inner: object = content
    while isinstance(inner, dict) and inner:
        ((key, inner),) = inner.items()
        path = (*path, key)
        if isinstance(inner, list):  # one more of an array of tables
            lengths[path] = lengths.get(path, 0) + 1
            inner = inner[0]
        if path in lengths:
            path = (*path, lengths[path] - 1)
    return path


def _paths(value: object, path: Path) -> Iterator[Path]:
    """Yield the way to all that a value holds."""
    inside: Iterator[tuple[str | int, object]] = iter(())
    if isinstance(value, dict):
        inside = iter(value.items())
    elif isinstance(value, list):
        inside = iter(enumerate(value))
    for key, each in inside:
        yield (*path, key)
        yield from _paths(each, (*path, key))
