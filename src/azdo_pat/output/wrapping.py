r"""Fit a message to the width of a terminal, and find the commands in it that users can copy.

A command is what follows `run: `, up to a semicolon or the end. While a line is laid out, controls
mark it, and where a clause ends, as the text has none of its own any more (see `output.escape`).
"""

import re
from typing import Final

from azdo_pat.commands import NAMES
from azdo_pat.output.palette import Paint

_BLANK, _BEGIN, _END, _SEMICOLON, _QUESTION = "\x00", "\x01", "\x02", "\x03", "\x04"

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
    | (?P<clause>[;?])[ ](?![^()]*\))
    """,
    re.VERBOSE,
)

_CLAUSE: Final = re.compile(f"{_SEMICOLON}|(?<={_QUESTION})")
_ITEM: Final = re.compile(r" +(?:\d+\. )?")


def wrapped(text: str, columns: int, *, first: str = "", color: bool = False) -> list[str]:
    """Return a message as lines that fit, with a hanging indent below its first two columns.

    If it needs several lines and has commands, each of its clauses begins a new one, so that each
    way to go on stands apart. Nothing is cut: words and commands that are too long stand alone on
    a line. Cells are counted as a terminal does: a letter of Chinese takes two.

    Args:
        text: of one line, without controls. Spaces that it begins with, and the number of an item
            of a list, indent the lines that follow.
        columns: the width of the terminal.
        first: what the first line begins with: two columns, or nothing.
        color: highlight the commands.
    """
    indent = "  "
    if begin := _ITEM.match(text):
        first, text = begin[0], text[begin.end() :]
        indent = " " * len(first)
    marked = _COMMAND.sub(_marked, text)
    whole = _joined(marked)
    is_split = _BEGIN in marked and _cells(first) + _cells(whole) > columns
    lines: list[str] = []
    for part in _CLAUSE.split(marked) if is_split else [whole]:
        lines += _filled(_joined(part).rstrip(" "), columns, indent if lines else first, indent)
    return [_finished(line, color=color) for line in lines]


def _filled(text: str, columns: int, first: str, indent: str) -> list[str]:
    """Return a marked text as lines that fit: `first` begins the first one, `indent` the others."""
    words = re.split("( +)", text)
    lines, line, used = [], first + words[0], _cells(first + words[0])
    for gap, word in zip(words[1::2], words[2::2], strict=True):
        width = _cells(word)
        if used + len(gap) + width > columns:
            lines.append(line)
            line, used = indent + word, len(indent) + width
        else:
            line += gap + word
            used += len(gap) + width
    return [*lines, line]


def highlighted(text: str) -> str:
    """Return a text of one line, without controls, with its commands in their color."""
    return _finished(_joined(_COMMAND.sub(_marked, text)), color=True)


def _joined(marked: str) -> str:
    """Return a marked text with its clauses in one line."""
    return marked.replace(_SEMICOLON, "; ").replace(_QUESTION, "? ")


def _marked(match: re.Match[str]) -> str:
    if match["clause"]:
        return _SEMICOLON if match["clause"] == ";" else _QUESTION
    command = match["command"]
    if command is None:
        return match[0]
    bare = command.rstrip()
    return _BEGIN + bare.replace(" ", _BLANK) + _END + command[len(bare) :]


def _finished(line: str, *, color: bool) -> str:
    before, after = Paint.COMMAND.on(_BLANK).split(_BLANK) if color else ("", "")
    return line.replace(_BEGIN, before).replace(_END, after).replace(_BLANK, " ")


def _cells(text: str) -> int:
    bare = _finished(text, color=False)
    if bare.isascii():
        return len(bare)
    from rich.cells import cell_len  # noqa: PLC0415 - most messages are ASCII

    return cell_len(bare)
