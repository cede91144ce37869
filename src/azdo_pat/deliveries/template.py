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
_LASTING: Final = frozenset({"name", "org", "url"})
"""Placeholders whose values a rotation does not change, so that they identify a line."""


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
    literals = "".join(literal for literal, _ in _parts(text))
    if not _LASTING & set(names) and not re.search(r"\w", literals):
        raise UsageError(
            f"the template {text!r} has no text that identifies its line",
            hint="write a word or {name} before {token}, or leave out the template",
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
    changed, count = re.subn(
        rf"(?m)^{_pattern(template, values)}(?=\r?$)", lambda _: lines, content
    )
    if count:
        return changed
    gap = end if content and not content.endswith("\n") else ""
    return f"{content}{gap}{lines}{end}"


def _pattern(template: str, values: Mapping[str, str]) -> str:
    """Return the pattern of lines that a template was filled into, perhaps with an older secret.

    Between two changing values, the first place that fits is as good as any other, and the group
    keeps it: trying all of them takes minutes on a long line.
    """
    texts = [""]
    for literal, name in _parts(template):
        texts[-1] += literal + (values[name] if name in _LASTING else "")
        if name is not None and name not in _LASTING:
            texts.append("")
    first, *others = (re.escape(text).replace("\\\n", _EITHER_END) for text in texts)
    if not others:
        return first
    between = "".join(f"(?>{_ANYTHING}?{text})" for text in others[:-1])
    return f"{first}{between}{_ANYTHING}{others[-1]}"


def _parts(template: str) -> Iterator[tuple[str, str | None]]:
    """Split it into literal texts, each with the name of the placeholder behind it.

    Raises:
        ValueError: it is malformed.
    """
    for literal, name, form, conversion in string.Formatter().parse(template):
        if form or conversion:
            raise ValueError(f"{{{name}}} takes neither a format nor a conversion")
        yield literal, name
