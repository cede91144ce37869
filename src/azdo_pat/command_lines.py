"""Command lines as text: read into words, and written so that the user can type them."""

import re
import shlex
import sys
from collections.abc import Sequence
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:\\+-][A-Za-z0-9_./:\\+@-]*")
"""Words that neither PowerShell nor cmd.exe changes; `@` means something at the beginning only."""
_SPECIAL_IN_POWERSHELL: Final = re.compile("[$`\u201c\u201d\u201e]")
"""What PowerShell reads within double quotes; the last three are quotes to it, too."""
_SINGLE_QUOTES: Final = re.compile("(['\u2018\u2019\u201a\u201b])")


def split(text: str) -> list[str]:
    """Return the words of a command line: as sh reads it, or on Windows as its programs do.

    Raises:
        ValueError: a quote is not closed.
    """
    return split_as_windows(text) if sys.platform == "win32" else shlex.split(text)


def quoted(word: str) -> str:
    """Return a word as the user types it in a shell; on Windows in PowerShell or cmd.exe."""
    return quoted_as_windows(word) if sys.platform == "win32" else shlex.quote(word)


def pat_command(verb: str, *names: str, options: Sequence[str] = ()) -> str:
    """Return a command line of `pat`, for the user to type.

    A name that begins with a hyphen stands behind `--`, where no option would be read as one.

    Args:
        verb: the command.
        names: its arguments.
        options: its options and their values, in order; `…` is left for the user to fill in.
    """
    given = [each if each == "…" else quoted(each) for each in options]
    shown = [*map(quoted, names)]
    behind = any(each.startswith("-") for each in names)
    return " ".join(["pat", verb, *([*given, "--", *shown] if behind else [*shown, *given])])


def variable_from(command: str, name: str) -> str:
    """Return the line that sets a variable to what a command prints; on Windows in PowerShell."""
    return f"$env:{name} = {command}" if sys.platform == "win32" else f"export {name}=$({command})"


def split_as_windows(text: str) -> list[str]:
    """Split as `CommandLineToArgvW` does: a backslash is literal, except before a double quote.

    Two quotes within quotes are one. A single quote is a character like others.

    Raises:
        ValueError: a quote is not closed.
    """
    words: list[str] = []
    word: str | None = None
    quotes = 0  # the number of open quotes; the third in a row is a character
    for blank, backslashes, run, other in re.findall(r'([ \t]+)|(\\*)("+)|(\\+|[^\\" \t]+)', text):
        if blank and not quotes:
            if word is not None:
                words.append(word)
            word = None
        elif run:
            escaped = len(backslashes) % 2
            word = (word or "") + backslashes[: len(backslashes) // 2] + '"' * escaped
            total = quotes + len(run) - escaped
            if len(run) > escaped:
                word += '"' * (total // 3)
                quotes = total % 3 % 2
        else:
            word = (word or "") + (blank or other)
    if quotes:
        raise ValueError("No closing quotation")
    return words if word is None else [*words, word]


def _ends_doubled(word: str) -> str:
    """Double the backslashes at the end of a word, where a quote follows."""
    return word + "\\" * (len(word) - len(word.rstrip("\\")))


def quoted_as_windows(word: str) -> str:
    """Quote a word for PowerShell and cmd.exe; where they differ, for PowerShell."""
    if _PLAIN.fullmatch(word):
        return word
    if _SPECIAL_IN_POWERSHELL.search(word):
        doubled = _SINGLE_QUOTES.sub(r"\1\1", word)
        return f"'{doubled}'"
    doubled = _ends_doubled(word.replace('"', '""'))
    return f'"{doubled}"'
