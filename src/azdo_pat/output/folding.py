"""Fold a text into lines that fit, cut where a reader would cut it."""

import re
from typing import Final

from rich.cells import cell_len, chop_cells

SEAMS: Final = (" ", " /", " /@-", " /@.-")
"""After which characters a text may be broken, the best first; as in the class of a pattern."""


def fold(text: str, width: int) -> list[str]:
    """Return `text` in slices of at most `width` columns, not counting spaces at their ends.

    The slices make up the text again. It is cut between words; where a word is too long for a line
    of its own, after a slash in it; where that is not enough, after a hyphen or an @, then after
    a dot; and inside such a piece only where it alone is too long.
    """
    lines = []
    rest = text
    while rest:
        cut = _cut(rest, width)
        lines.append(rest[:cut])
        rest = rest[cut:]
    return lines


def longest_part(text: str, seams: str) -> int:
    """Return the width of the longest part that is not to be broken.

    Letters of two columns, as in Chinese, may be cut anywhere.
    """
    if not text.isascii():
        text = "".join(f"{letter} " if cell_len(letter) > 1 else letter for letter in text)
    return max(cell_len(part.rstrip(" ")) for part in _split(text, seams))


def _cut(text: str, width: int) -> int:
    """Return where the first line of `text` ends."""
    # A letter may carry many marks that take no room; what lies far beyond cannot fit in any case.
    window = text[: 8 * width + 64]
    chunks = chop_cells(window, width)
    end = len(chunks[0]) if chunks else len(window)  # marks alone take no room, and are no chunk
    if end < len(text):
        end = _seam(text[: len(window) + 1], end, width)
    while text[end : end + 1] == " ":
        end += 1
    return end


def _seam(text: str, end: int, width: int) -> int:
    """Return the best place to cut `text` at or before `end`."""
    opened = text.rfind(" (", 0, end) + 1
    closed = text.find(")", end) + 1
    if opened and closed and cell_len(text[opened:closed]) <= width:
        return opened
    if text[end] == " ":
        return end
    start = 0
    for seams in SEAMS:
        start = max(start, *(_last(mark, text, end) for mark in seams))
        if start and cell_len(_split(text[start:], seams)[0].rstrip(" ")) <= width:
            return start
    return end


def _last(mark: str, text: str, end: int) -> int:
    """Return where the last `mark` before `end` ends; `//` and the like are one."""
    place = text.rfind(mark, 0, end) + 1
    while place and text[place] == mark != " ":
        place = text.rfind(mark, 0, place - 1) + 1
    return place


def _split(text: str, seams: str) -> list[str]:
    """Return the parts of a text that end with one of some characters."""
    return re.findall(f"[^{seams}]*[{seams}]+|[^{seams}]+", text) or [""]
