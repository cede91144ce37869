"""Escape characters that could act on a terminal."""

import re
from typing import Final

_INVISIBLE: Final = (
    "\x7f-\x9f"  # DEL and the C1 controls (0x9b is CSI, as good as ESC [)
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls: Unicode UAX #9, section 2
    "\u2028\u2029"  # line and paragraph separator
    "\u200b\ufeff\u206a-\u206f\ufff9-\ufffb"  # no width, no use in a name but to deceive
    "\ufffe\uffff"  # never characters: XML cannot hold them
    "\ud800-\udfff"  # half of a pair: no encoding can write it
)
# re compiles them on first use and remembers; most runs need one or none (0.5 ms each).
_UNSAFE: Final = f"[\x00-\x1f{_INVISIBLE}]"
_UNSAFE_IN_JSON: Final = f"[{_INVISIBLE}]|#(?=[^\x20-\x7e]*#)|(?<=#)#"
_SHORT: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def visible(text: str) -> str:
    r"""Return `text` with every character that could act on a terminal shown as an escape.

    Controls (C0, DEL, C1), bidi controls, separators of lines and paragraphs, lone surrogates and
    zero-width characters become `\n`, `\x1b` or `\u202e`. A backslash stays as it is: names that
    hold one can still be copied. Joiners (U+200C, U+200D) stay: scripts and emoji need them.
    """
    return re.sub(_UNSAFE, _escaped, text)


def _escaped(match: re.Match[str]) -> str:
    char = match.group()
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    return rf"\x{code:02x}" if code <= 0xFF else rf"\u{code:04x}"  # noqa: PLR2004 - one byte


def visible_json(document: str) -> str:
    r"""Return a JSON text with the same characters as `\uXXXX`, which any parser reads back.

    C0 controls are not touched: the JSON encoder has escaped those in strings, and those between
    values are the document's own line ends. So does each `#` beside another one: wherever the
    document is printed later, no pipeline takes a name for a command (see `output.sanitize`).
    """
    if document.isascii() and "\x7f" not in document and "##" not in document:
        return document
    return re.sub(_UNSAFE_IN_JSON, lambda match: rf"\u{ord(match.group()):04x}", document)
