r"""Fit a message to the width of a terminal, and find the commands in it that users can copy.

A command is what follows `run: `, up to a semicolon or the end. While a line is laid out, three
controls mark it, as the text has none of its own any more (see `output.escape`).
"""

import re
from typing import Final

from azdo_pat.commands import NAMES
from azdo_pat.output.palette import Paint

_BLANK, _BEGIN, _END = "\x00", "\x01", "\x02"

_COMMAND: Final = re.compile(
    rf"""
    # `: pat` is followed by other words, too: so only names of commands count there.
    # Quoted names may hold anything, also what looks like a command: they are skipped.
    (?<!\w)'(?:\\.|[^'\\])*'(?!\w) | (?<!\w)"(?:\\.|[^"\\])*"(?!\w)
    | (?: (?<=^run:[ ])
        | (?<=[ ]run:[ ])(?<!be[ ]run:[ ])
        | (?<=[ ]then:[ ])
        | (?<=,[ ]then[ ])(?=(?:az|pat)[ ])
        | (?: (?<=:[ ]) | (?<=\() | (?<=^→[ ]) | (?<=^->[ ]) )(?=pat[ ](?:{"|".join(NAMES)})\b)
      )
      (?P<command>(?: '[^']*' | "[^"]*" | \([^()]*\) | ,(?![ ]) | [^;,()] )+)
    """,
    re.VERBOSE,
)


def wrapped(text: str, columns: int, *, first: str = "", color: bool = False) -> list[str]:
    """Return a message as lines that fit, with a hanging indent below its first two columns.

    Nothing is cut: words and commands that are too long stand alone on a line. Cells are counted
    as a terminal does: a letter of Chinese takes two.

    Args:
        text: of one line, without controls. Spaces that it begins with indent each line.
        columns: the width of the terminal.
        first: what the first line begins with: two columns, or nothing.
        color: highlight the commands.
    """
    words = re.split("( +)", _COMMAND.sub(_marked, text))
    indent = "  "
    if not words[0] and words[1:]:  # it begins with spaces
        indent, words = words[1], words[2:]
        first = indent
    lines, line, used = [], first, _cells(first)
    is_empty = True
    for gap, word in zip(["", *words[1::2]], words[::2], strict=True):
        width = _cells(word)
        if not is_empty and used + len(gap) + width > columns:
            lines.append(line)
            line, used, is_empty = indent, len(indent), True
        line += word if is_empty else gap + word
        used += width + len(gap) * (not is_empty)
        is_empty = False
    return [_finished(each, color=color) for each in [*lines, line]]


def highlighted(text: str) -> str:
    """Return a text of one line, without controls, with its commands in their color."""
    return _finished(_COMMAND.sub(_marked, text), color=True)


def _marked(match: re.Match[str]) -> str:
    command = match["command"]
    if command is None:
        return match[0]
    bare = command.rstrip()
    return _BEGIN + bare.replace(" ", _BLANK) + _END + command[len(bare) :]


def _finished(line: str, *, color: bool) -> str:
    before, after = Paint.COMMAND.on(_BLANK).split(_BLANK) if color else ("", "")
    return line.replace(_BEGIN, before).replace(_END, after).replace(_BLANK, " ")


def _cells(text: str) -> int:
    bare = text.replace(_BEGIN, "").replace(_END, "")
    if bare.isascii():
        return len(bare)
    from rich.cells import cell_len  # noqa: PLC0415 - most messages are ASCII

    return cell_len(bare)
