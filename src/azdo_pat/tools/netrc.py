"""netrc: read by curl, pip, uv and many other programs.

Source: the GNU inetutils manual, "The .netrc file"; curl, "netrc".
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.errors import UsageError
from azdo_pat.organizations import hosts_of
from azdo_pat.tools.line_editing import end_of_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from azdo_pat.tools.tool import ToolInput

_WORD: Final = re.compile(r'\s*("(?:\\.|[^"\\\n])*"|\S+)')
_EMPTY_LINE: Final = re.compile(r"\n[ \t]*\r?\n")
_WITH_VALUE: Final = {"machine", "login", "password", "account"}
_STARTS: Final = {"machine", "default", "macdef"}


class _Entry(NamedTuple):
    """One entry, from its first word to the end of its last one."""

    kind: str
    host: str
    start: int
    end: int


def file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the user's netrc file."""
    return Path(environment.get("NETRC") or home / ("_netrc" if os.name == "nt" else ".netrc"))


def edited(text: str, tool_input: ToolInput) -> str:
    """Return it with an entry for each host of the organization; see `Tool.edited`.

    Raises:
        UsageError: the last entry is not complete.
    """
    for host in hosts_of(tool_input.org_url):
        line = f"machine {host} login {tool_input.user} password {tool_input.secret}"
        entries = list(_entries(text))
        mine = [each for each in entries if each.kind == "machine" and each.host.lower() == host]
        for extra in reversed(mine[1:]):
            text = text[: extra.start] + text[extra.end :].lstrip(" \t\r\n")
        if mine:
            text = text[: mine[0].start] + line + text[mine[0].end :]
            continue
        default = next((each for each in entries if each.kind == "default"), None)
        if default is not None:
            text = _inserted(text, line, default.start)
            continue
        if entries and entries[-1].kind == "macdef" and entries[-1].end == len(text):
            text = _with_empty_line(text)  # which ends a macro
        text = _inserted(text, line, len(text))
    return text


def _with_empty_line(text: str) -> str:
    end = end_of_line(text)
    if not text.endswith(("\n", "\r")):
        text += end
    return text if text.endswith(end * 2) else text + end


def _inserted(text: str, line: str, place: int) -> str:
    """Insert a line at that position; `default` must stay the last."""
    end = end_of_line(text)
    before, after = text[:place], text[place:]
    gap = end if before and not before.endswith(("\n", "\r")) else ""
    return f"{before}{gap}{line}{end}{after}"


def _entries(text: str) -> Iterator[_Entry]:
    """Yield the entries of a file, in order."""
    current: _Entry | None = None
    for word, value, start, end in _statements(text):
        if word in _STARTS:
            if current is not None:
                yield current
            current = _Entry(word, value, start, end)
        elif current is not None and current.kind != "macdef":
            current = current._replace(end=end)
    if current is not None:
        yield current


def _statements(text: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield each keyword with its value and their position."""
    place = 0
    while found := _WORD.match(text, place):
        word, value, place = found[1], "", found.end()
        if word.startswith("#"):
            newline = text.find("\n", found.start(1))
            place = len(text) if newline < 0 else newline
            continue
        if word == "macdef":  # a script: all to the next empty line
            blank = _EMPTY_LINE.search(text, place)
            place = len(text) if blank is None else blank.end()
        elif word in _WITH_VALUE:
            following = _WORD.match(text, place)
            if following is None:
                raise UsageError(f"the last {word!r} has no value", hint="correct the file")
            # Any text, even `machine` or `#`.
            value, place = following[1].strip('"'), following.end()
        elif word not in _STARTS:
            number = text.count("\n", 0, found.start(1)) + 1
            raise UsageError(
                f"line {number} is not valid", hint="correct the file, or move it aside"
            )
        yield word, value, found.start(1), place
