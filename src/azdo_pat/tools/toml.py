"""Sets keys in TOML files of the user, and preserves the rest."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, TypeAlias

from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence

    Values: TypeAlias = Mapping[str, str | Sequence[str]]
    Table: TypeAlias = MutableMapping[str, Any]


def parsed(text: str) -> dict[str, Any]:
    """Parse a document; floating-point numbers stay text, so that `nan` equals itself.

    Raises:
        UsageError: it is not valid TOML. The message has the position, but none of the text.
    """
    try:
        return tomllib.loads(text, parse_float=str)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = re.search(r"\(at [^()]*\)$", str(error))
        raise UsageError(
            f"it is not valid TOML{f' {place[0]}' if place else ''}",
            hint="correct the file, or move it aside",
        ) from error


def table_at(content: object, path: Sequence[str]) -> dict[str, Any]:
    """Return a table of a document; empty if there is none."""
    for step in path:
        content = content.get(step) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def with_values(
    text: str, path: Sequence[str], values: Values, *, dropped: Collection[str] = ()
) -> str:
    """Return a document with these values in a table, which is added if missing.

    Args:
        text: the document.
        path: the keys that lead to the table; none for the top of the document.
        values: by their keys.
        dropped: keys that are removed from the table.

    Raises:
        UsageError: it is not valid TOML, or the edited document would not be the previous one
            with these changes alone.
    """
    wanted = parsed(text)
    _change(wanted, path, values, dropped, dict)
    # A document with Windows line ends gets no others.
    windows = 0 < text.count("\r\n") == text.count("\n")
    before = text.replace("\r\n", "\n") if windows else text
    import tomlkit  # noqa: PLC0415 - few commands need it
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415 - as above

    def apart(values: Values) -> object:
        table = tomlkit.table()
        table.update(values)
        return table.add(tomlkit.nl())

    def inline(values: Values) -> object:
        table = tomlkit.inline_table()
        table.update(values)
        return table

    for new in (apart, inline):  # beside dotted keys only the latter is possible
        try:
            document = tomlkit.parse(before)
            is_read = tomlkit.dumps(document) == before
            _change(document, path, values, dropped, new)
            after = tomlkit.dumps(document)
            if not before.endswith("\n\n"):
                after = re.sub(r"\n\n+\Z", "\n", after)
            if is_read and _keeps(before, after, {*values, *dropped}) and parsed(after) == wanted:
                return after.replace("\n", "\r\n") if windows else after
        except (TOMLKitError, UsageError, ValueError, RecursionError):
            continue
    keys = [".".join((*path, key)) for key in (*values, *dropped)]
    raise UsageError(
        "pat cannot edit the file as it is written",
        hint=f"change {', '.join(keys)} by hand",
    )


def _change(
    table: Table,
    path: Sequence[str],
    values: Values,
    dropped: Collection[str],
    new: Callable[[Values], object],
) -> None:
    for place, step in enumerate(path, 1):
        if step not in table:
            added = new(values)
            for outer in reversed(path[place:]):
                added = {outer: added}
            table[step] = added
            return
        table = table[step]
        if not isinstance(table, dict):
            raise UsageError(
                f"{'.'.join(path[:place])} exists, but not as a table", hint="rename or delete it"
            )
    for key, value in values.items():
        if table.get(key) != value:
            table[key] = value
    for key in dropped:
        table.pop(key, None)


def _keeps(before: str, after: str, keys: Collection[str]) -> bool:
    """Return whether all lines stay in their order, but those that have one of these keys."""
    left = iter(after.splitlines())
    return all(
        line in left
        for line in before.splitlines()
        if line.lstrip().startswith("#") or not any(key in line for key in keys)
    )
