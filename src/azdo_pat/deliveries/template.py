"""Templates: lines that hold a secret, and how they are found again in a file.

A template's lines are found by the text around the placeholders, so that the file needs no marks of
ours (many formats have no comments), and what is delivered twice is there once.
"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Final

from azdo_pat.deliveries.placeholders import FACTS, SECRETS
from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ANYTHING: Final = "[^\r\n]*"
_EITHER_END: Final = "\r?\n"


def checked_template(text: str) -> str:
    """Return a template without the line end behind it.

    Raises:
        UsageError: an unknown placeholder, a single brace, or no placeholder for the secret.
    """
    text = text.replace("\r\n", "\n").removesuffix("\n")
    if "\r" in text:
        raise UsageError(f"the template {text!r} contains a carriage return", hint="leave it out")
    known = f"placeholders are {', '.join(f'{{{name}}}' for name in (*SECRETS, *FACTS))}"
    try:
        names = [name for _, name in _parts(text) if name is not None]
    except ValueError as error:
        raise UsageError(
            f"the template {text!r} is not valid: {error}",
            hint=f"{known}; to write a brace itself, double it",
        ) from error
    for name in names:
        if name not in (*SECRETS, *FACTS):
            raise UsageError(
                f"the template {text!r} contains the unknown placeholder {{{name}}}", hint=known
            )
    if not set(names) & set(SECRETS):
        raise UsageError(f"the template {text!r} does not contain the secret", hint="add {token}")
    if not "".join(literal for literal, _ in _parts(text)).strip():
        raise UsageError(
            f"the template {text!r} has no text that identifies its line",
            hint="write some text before {token}, or leave out the template",
        )
    return text


def filled(template: str, values: Mapping[str, str]) -> str:
    """Put the values in."""
    return "".join(
        literal + ("" if name is None else values[name]) for literal, name in _parts(template)
    )


def placed(content: str, template: str, values: Mapping[str, str]) -> str:
    """Return a file's content with the template's lines in it; all else is as it was.

    Lines that look like the template are replaced, wherever they are; where there are none, the
    lines are added at the end. The file's own line ends are kept.
    """
    end = "\r\n" if "\r\n" in content else "\n"
    lines = filled(template, values).replace("\n", end)
    pattern = "".join(
        re.escape(literal).replace("\\\n", _EITHER_END) + ("" if name is None else _ANYTHING)
        for literal, name in _parts(template)
    )
    changed, count = re.subn(rf"(?m)^{pattern}(?=\r?$)", lambda _: lines, content)
    if count:
        return changed
    gap = end if content and not content.endswith("\n") else ""
    return f"{content}{gap}{lines}{end}"


def _parts(template: str) -> Iterator[tuple[str, str | None]]:
    """Split it into literal texts, each with the name of the placeholder behind it.

    Raises:
        ValueError: it is malformed.
    """
    for literal, name, form, conversion in string.Formatter().parse(template):
        if form or conversion:
            raise ValueError(f"{{{name}}} takes neither a format nor a conversion")
        yield literal, name
