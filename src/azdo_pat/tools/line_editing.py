"""Changes single lines of a text, and preserves the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


def end_of_line(text: str) -> str:
    """Return the line end of a text; a line feed if it has none yet."""
    return "\r\n" if "\r\n" in text else "\n"


def with_keys(
    text: str,
    values: Mapping[str, str],
    key_of: Callable[[str], str],
    *,
    dropped: Sequence[str] = (),
    end: str = "",
) -> str:
    """Return a text of `key=value` lines with these set.

    An existing line of a key is replaced in its position; further ones are removed.
    New lines are appended.

    Args:
        text: the content of the file.
        values: whole lines, without their ends, by their keys.
        key_of: finds the key of a line; empty for lines that have none.
        dropped: keys whose lines are removed.
        end: the line end of new lines; empty for that of the text.
    """
    end = end or end_of_line(text)
    lines: list[str] = []
    left = dict(values)
    for line in text.splitlines(keepends=True):
        key = key_of(line.rstrip("\r\n"))
        if key and key in left:
            lines.append(left.pop(key) + (end if line.endswith(("\n", "\r")) else ""))
        elif not key or (key not in values and key not in dropped):
            lines.append(line)
    return appended("".join(lines), left.values(), end=end)


def appended(text: str, lines: Iterable[str], *, end: str = "") -> str:
    """Return a text with lines appended, with its own line end unless another is given."""
    end = end or end_of_line(text)
    added = "".join(f"{line}{end}" for line in lines)
    if added and text and not text.endswith(("\n", "\r")):
        text += end
    return text + added


def in_section(text: str, section: str, values: Mapping[str, str], *, alone: bool = False) -> str:
    """Return an INI text with these keys in a section, which is appended if missing.

    Args:
        text: the content of the file.
        section: its name.
        values: whole lines, without their ends, by their keys in lower case.
        alone: remove the keys from all other sections.

    Raises:
        UsageError: it is not a valid INI file, or the new lines would mean something else in it.
    """
    before = _ini(text)
    changed = _in_section(text, section, values)
    others = [name for name in before if name != section and alone and before[name].keys() & values]
    for other in others:
        changed = _in_section(changed, other, {}, dropped=tuple(values))
        before[other] = {key: each for key, each in before[other].items() if key not in values}
    wanted = {key: line.partition("=")[2].strip() for key, line in values.items()}
    before.setdefault(section, {}).update(wanted)
    try:
        understood = _ini(changed) == before
    except UsageError:
        understood = False
    if not understood:
        raise UsageError(
            f"pat cannot edit [{section}] as it is written",
            hint=f"add by hand: {'; '.join(values.values())}",
        )
    return changed


def _ini(text: str) -> dict[str, dict[str, str | None]]:
    """Parse an INI text with Python's module, as pip does.

    Raises:
        UsageError: it is none.
    """
    import configparser  # noqa: PLC0415 - for two tools of many

    reader = configparser.RawConfigParser(default_section="", allow_no_value=True, strict=False)
    try:
        reader.read_string(text)
    except (configparser.Error, AttributeError) as error:
        # Only the line number, as the message may contain a part of the file.
        line = getattr(error, "lineno", None)
        where = f", by line {line}" if line else ""
        raise UsageError(
            f"it is not a valid INI file{where}", hint=("correct the file, or move it aside")
        ) from error
    return {name: dict(reader.items(name)) for name in reader.sections()}


def _in_section(
    text: str, section: str, values: Mapping[str, str], *, dropped: Sequence[str] = ()
) -> str:
    end = end_of_line(text)
    lines = text.splitlines(keepends=True)
    head = re.compile(rf"\[{re.escape(section)}\][ \t]*(?:[;#].*)?[\r\n]*")
    start = next((n for n, line in enumerate(lines) if head.fullmatch(line)), None)
    if start is None:
        return appended(text, [f"[{section}]", *values.values()])
    stop = next((n for n in range(start + 1, len(lines)) if lines[n].startswith("[")), len(lines))
    while stop > start + 1 and not lines[stop - 1].strip():
        stop -= 1  # blank lines between the sections stay there
    if not lines[stop - 1].endswith(("\n", "\r")):
        lines[stop - 1] += end
    body = "".join(lines[start + 1 : stop])
    changed = with_keys(body, values, _ini_key, dropped=dropped, end=end)
    return "".join([*lines[: start + 1], changed, *lines[stop:]])


def _ini_key(line: str) -> str:
    if line[:1].isspace() or line.startswith(("#", ";")):
        return ""
    return line.replace(":", "=").partition("=")[0].strip().lower()
