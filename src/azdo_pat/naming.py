"""Rules for token names, and how to recognize an authorization id."""

import re
import unicodedata
from typing import Final

from azdo_pat.errors import UsageError

LONGEST_NAME: Final = 255
_FOR_COMMAND: Final = "exec: "
_ID: Final = r"[0-9a-f]{8}[0-9a-f-]{0,28}"
_FULL_ID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# Controls, surrogates, line and paragraph separators: no one can read or type them.
_UNREADABLE: Final = {"Cc", "Cs", "Zl", "Zp"}
# Changes of text direction, which can make a name look like another.
_TURNING: Final = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SECRET: Final = re.compile(r"[A-Za-z0-9]{84}|[a-z2-7]{52}|[a-z0-9]{52}")
"""With the checksum, or without it as until July 2024 (documentation: "Use personal access
tokens")."""


def natural_key(name: str) -> tuple[str, ...]:
    """Return what sorts names as people do: numbers by their value, and letters in either case.

    `token 8` comes before `token 79`.
    """
    parts = re.split(r"([0-9]+)", name.casefold())
    digits = (each.lstrip("0") for each in parts[1::2])
    parts[1::2] = [f"{len(each):06}{each}" for each in digits]
    return tuple(parts)


def checked_name(name: str) -> str:
    """Return a display name after checking that a token can have it.

    Raises:
        UsageError: it is empty or too long, or has spaces around it or control characters.
    """
    if not name.strip():
        raise UsageError("the name is empty", hint="give the token a name that describes its use")
    if name != name.strip():
        raise UsageError(f"the name {name!r} begins or ends with a space", hint="leave it out")
    if len(name) > LONGEST_NAME:
        raise UsageError(
            f"the name has {len(name)} characters; {LONGEST_NAME} is the maximum", hint="shorten it"
        )
    for character in name:
        if unicodedata.category(character) in _UNREADABLE or character in _TURNING:
            raise UsageError(
                f"the name {name!r} contains the control character U+{ord(character):04X}",
                hint="leave it out",
            )
    return name


def has_controls(name: str) -> bool:
    """Return whether a name has characters that the service accepts in no new name."""
    return any(unicodedata.category(each) in _UNREADABLE for each in name)


def valid_part(name: str) -> str:
    """Return the part of a name that `checked_name` accepts; `token` if nothing is left of it."""
    kept = [
        each
        for each in name
        if unicodedata.category(each) not in _UNREADABLE and each not in _TURNING
    ]
    return "".join(kept).strip()[:LONGEST_NAME].strip() or "token"


def name_instead(name: str) -> str:
    """Return a name for a new token in place of one that it cannot have.

    It has no braces, which stand for placeholders in `pat migrate --name`.
    """
    return valid_part(re.sub(r"[{}]", "", name))


def name_for_command(program: str, machine: str) -> str:
    """Return the name of a token that is made for one command, and revoked when that has ended.

    Args:
        program: the first word of the command; its arguments may hold secrets.
        machine: where it runs; empty if unknown.
    """
    # Windows' endings are left out, so that `npm` and `npm.cmd` are one name.
    file = re.sub(r"(?i)(?<=.)\.(?:bat|cmd|com|exe)$", "", re.split(r"[/\\\\]", program)[-1])
    base = valid_part(file)[:100].strip()
    where = f" on {valid_part(machine)[:100].strip()}" if machine else ""
    return f"{_FOR_COMMAND}{base}{where}"


def is_for_command(name: str) -> bool:
    """Return whether a token was made for one command, by its name."""
    return name.startswith(_FOR_COMMAND)


def looks_like_id(text: str) -> bool:
    """Return whether a text may be an authorization id, or its first eight or more characters."""
    return re.fullmatch(_ID, text.lower()) is not None


def begins_id(text: str, authorization_id: str | None) -> bool:
    """Return whether a text is an authorization id, or its first eight or more characters.

    Args:
        text: what the user typed, in any case.
        authorization_id: in lower case, as everywhere in the program; None if it is unknown.
    """
    return looks_like_id(text) and (authorization_id or "").startswith(text.lower())


def is_full_id(text: str) -> bool:
    """Return whether a text is a complete authorization id."""
    return re.fullmatch(_FULL_ID, text.lower()) is not None


def looks_like_secret(text: str) -> bool:
    """Return whether a text has the form of a token's secret, the current or the former one."""
    return _SECRET.fullmatch(text) is not None
