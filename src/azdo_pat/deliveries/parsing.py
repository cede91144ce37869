"""Parse the delivery targets that users write, on the command line or in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.command_lines import split
from azdo_pat.deliveries.template import checked_template
from azdo_pat.delivery_targets import CommandTarget, FileTarget
from azdo_pat.errors import UsageError
from azdo_pat.homes import expanded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azdo_pat.delivery_targets import Delivery

_LONGEST: Final = 3600


def from_text(text: str, folder: Path) -> Delivery:
    """Understand `command:…` or `file:…`, as `--deliver` takes it.

    Args:
        text: what the user typed.
        folder: where the user stands: relative paths are meant from there.

    Raises:
        UsageError: it is malformed.
    """
    kind, colon, rest = text.partition(":")
    if not colon or kind not in _KINDS or not rest.strip():
        raise UsageError(f"{text!r} is not a valid delivery target", hint=_FORMS)
    return _KINDS[kind].from_text(rest, folder)


def from_table(table: Mapping[str, object], folder: Path) -> Delivery:
    """Understand `{ command = …, timeout = 60 }` or `{ file = …, template = … }`.

    Raises:
        UsageError: it is malformed.
    """
    kinds = [kind for kind in _KINDS if kind in table]
    if len(kinds) != 1:
        raise UsageError(f"a delivery must be a table with {' or '.join(_KINDS)}", hint=_FORMS)
    (kind,) = kinds
    keys = {kind, _KINDS[kind].other_key}
    if unknown := sorted(set(table) - keys):
        raise UsageError(
            f"unknown key {unknown[0]!r} in a delivery with {kind}",
            hint=f"valid keys: {', '.join(sorted(keys))}",
        )
    return _KINDS[kind].from_table(table, folder)


def _command_from_text(text: str, folder: Path) -> CommandTarget:
    return _command(_words(text), folder)


def _command_from_table(table: Mapping[str, object], folder: Path) -> CommandTarget:
    words = table["command"]
    if isinstance(words, str):
        words = _words(words)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise UsageError("command must be a string or an array of strings", hint=_FORMS)
    return _command(words, folder, table.get("timeout", 60))


def _file_from_text(text: str, folder: Path) -> FileTarget:
    path, bar, template = text.partition("|")
    return _file(path, template if bar else None, folder)


def _file_from_table(table: Mapping[str, object], folder: Path) -> FileTarget:
    template = table.get("template")
    if not isinstance(table["file"], str) or not isinstance(template, str | None):
        raise UsageError("file and template must be strings", hint=_FORMS)
    return _file(table["file"], template, folder)


def _words(text: str) -> list[str]:
    try:
        return split(text)
    except ValueError as error:
        raise UsageError(f"the command {text!r}: {error}", hint="close the quotes") from error


def _command(words: list[str], folder: Path, seconds: object = 60) -> CommandTarget:
    if not words or not words[0] or any("\0" in word for word in words):
        raise UsageError("the command is empty", hint=_FORMS)
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds <= _LONGEST:
        raise UsageError(
            f"timeout = {seconds!r} is not a valid number of seconds", hint=f"give 1 to {_LONGEST}"
        )
    first, *others = words
    program = str(expanded(Path(first))) if first.startswith("~") else first
    return CommandTarget((program, *others), str(folder.absolute()), seconds)


def _file(path: str, template: str | None, folder: Path) -> FileTarget:
    if not path.strip() or "\0" in path:
        raise UsageError("the delivery names no file", hint=_FORMS)
    return FileTarget(
        path=str((folder / expanded(Path(path))).absolute()),
        template="" if template is None else checked_template(template),
    )


class _Kind(NamedTuple):
    """How users write targets of one kind.

    Attributes:
        forms: what `--deliver` takes, for hints.
        other_key: of its table in a file, beside the kind itself.
        from_text: understands what follows `KIND:`.
        from_table: understands the table, whose keys are known.
    """

    forms: tuple[str, ...]
    other_key: str
    from_text: Callable[[str, Path], Delivery]
    from_table: Callable[[Mapping[str, object], Path], Delivery]


_KINDS: Final = {
    CommandTarget.KIND: _Kind(
        ("command:PROGRAM ARGUMENTS",), "timeout", _command_from_text, _command_from_table
    ),
    FileTarget.KIND: _Kind(
        (
            "file:PATH for the secret alone",
            "file:PATH|TEMPLATE for a line such as NAME={token}",
        ),
        "template",
        _file_from_text,
        _file_from_table,
    ),
}
*_OTHERS, _LAST = (form for kind in _KINDS.values() for form in kind.forms)
_FORMS: Final = f"use {', '.join(_OTHERS)}, or {_LAST}"
