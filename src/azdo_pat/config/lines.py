"""Where in a TOML document something stands: the standard library's parser does not tell."""

import tomllib
from collections.abc import Callable
from typing import Any, Final

_MOST_LINES: Final = 5000
"""Of a longer document it is not looked for: each line is parsed with all before it."""


def line_of(text: str, there: Callable[[dict[str, Any]], bool]) -> int:
    """Return the number of the line at which something begins, from 1.

    Args:
        text: a valid document.
        there: tells whether the document of the lines so far holds it.

    Returns:
        0 where it cannot be told.
    """
    lines = text.splitlines(keepends=True)
    if len(lines) > _MOST_LINES:
        return 0
    whole = 0  # the lines that are complete: what spans several begins behind them
    for number in range(1, len(lines) + 1):
        try:
            document = tomllib.loads("".join(lines[:number]))
        except ValueError:
            continue
        if there(document):
            return _first_written(lines, whole)
        whole = number
    return 0


def _first_written(lines: list[str], whole: int) -> int:
    """Return the number of the first line behind the complete ones that is not empty."""
    for number in range(whole, len(lines)):
        if lines[number].strip() and not lines[number].lstrip().startswith("#"):
            return number + 1
    return whole + 1
