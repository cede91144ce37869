"""Neutralize logging commands of CI runners in text that is written to a stream.

The agent of Azure Pipelines obeys `##vso[…]` and `##[…]` wherever they stand in a line that it
reads, and the runner of GitHub Actions obeys `##[…]` likewise and `::…::` at the start of a line,
behind white space (source: their own parsers, `Command.TryParse` and `ActionCommand.TryParseV2`).
A token's name, or what a service says, may be just that.
"""

import re
from collections.abc import Iterable
from io import StringIO
from typing import Any, Final, TextIO

from azdo_pat.output.escape import visible
from azdo_pat.redaction import masked

_IGNORED: Final = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff"
)
"""What .NET, in which both are written, does not see when it compares texts: Unicode's
Default_Ignorable_Code_Point."""

_ANY: Final = f"[{_IGNORED}]*"
_COMMAND: Final = re.compile(
    # `##`, where `vso[` or `[` follows
    rf"#{_ANY}#(?={_ANY}(?:v{_ANY}s{_ANY}o{_ANY})?\[)"
    # `:`, first in a line, where another one follows
    rf"|(?:^|(?<=[\r\n]))[^\S\r\n{_IGNORED}]*(?:[{_IGNORED}]+[^\S\r\n{_IGNORED}]*)*:(?={_ANY}:)",
    re.IGNORECASE,
)
_LONGEST: Final = 5
"""Characters of a command that can stand there without acting: `##vso`."""


class SanitizedText:
    """A text stream that writes `##_vso[`, `##_[` and `:_:` where a command would begin.

    It recognizes a command that is written in pieces.

    Attributes:
        verbatim: the stream below, for real logging commands and output for programs.
    """

    buffer: Final = None
    """Absent, so that no bytes bypass this stream."""

    def __init__(self, stream: TextIO) -> None:
        self.verbatim = stream
        self._line = ""  # stands for what the line holds so far

    def write(self, text: str) -> int:
        """Write a text; see `TextIO`."""
        known = len(self._line)
        whole = self._line + text
        parts = []
        done = known
        for found in _COMMAND.finditer(whole):
            cut = max(found.end(), known)  # what is written already cannot be changed
            parts.append(whole[done:cut])
            done = cut
        parts.append(whole[done:])
        harmless = "_".join(parts)
        self._line = _remembered(self._line + harmless)
        self.verbatim.write(harmless)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts; see `TextIO`."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the stream has
        return getattr(self.verbatim, name)


def harmless(text: str) -> str:
    """Return a text for another program to print, with secrets masked and commands neutralized."""
    return without_commands(masked(text))


def without_commands(text: str, *, broken: bool = False) -> str:
    """Return a text that acts on no terminal and no runner, wherever it is printed.

    Args:
        text: one line.
        broken: it will be broken into several lines, so anything in it may begin one.
    """
    if text.isascii() and text.isprintable() and not {"#", ":"} & set(text):
        return text  # as most texts, and there may be thousands
    if broken:
        text = re.sub(f":(?={_ANY}:)", ":_", text)
    below = StringIO()
    SanitizedText(below).write(visible(text))
    return below.getvalue()


def _remembered(written: str) -> str:
    """Return the part of a line needed to recognize a command that continues in it."""
    line = re.split("[\r\n]", written)[-1]
    seen = re.sub(f"[{_IGNORED}]", "", line)
    if seen.strip() in {"", ":"}:
        return seen.strip()
    return f"x{seen[-_LONGEST:]}"
