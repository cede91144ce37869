"""What a token may be called, and which texts may be an authorization id."""

import re
import shlex
import unicodedata
from typing import Final

from azdo_pat.errors import UsageError

_LONGEST: Final = 255
_ID: Final = r"[0-9a-f]{8}[0-9a-f-]{0,28}"
_FULL_ID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# Controls, surrogates, line and paragraph separators: nothing that a person can read or type.
_UNREADABLE: Final = {"Cc", "Cs", "Zl", "Zp"}
# What turns the direction of text around, so that a name is read as another.
_TURNING: Final = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def checked_name(name: str) -> str:
    """Return a display name that can be given to a token.

    Raises:
        UsageError: empty, with spaces around it, over-long, or with control characters.
    """
    if not name.strip():
        raise UsageError("the name is empty", hint="give the token a name that says what it is for")
    if name != name.strip():
        raise UsageError(f"the name {name!r} begins or ends with a space", hint="leave it out")
    if len(name) > _LONGEST:
        raise UsageError(
            f"the name has {len(name)} characters; {_LONGEST} is the most", hint="shorten it"
        )
    for character in name:
        if unicodedata.category(character) in _UNREADABLE or character in _TURNING:
            raise UsageError(
                f"the name {name!r} holds the control character U+{ord(character):04X}",
                hint="leave it out",
            )
    return name


def looks_like_id(text: str) -> bool:
    """Tell whether a text may be an authorization id, or eight or more characters of one."""
    return re.fullmatch(_ID, text.lower()) is not None


def is_full_id(text: str) -> bool:
    """Tell whether a text is an authorization id in full."""
    return re.fullmatch(_FULL_ID, text.lower()) is not None


def as_argument(name: str) -> str:
    """Write a name the way a shell takes it behind a command, for the commands in hints."""
    quoted = shlex.quote(name)
    return f"-- {quoted}" if name.startswith("-") else quoted
