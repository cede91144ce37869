"""Parse the delivery targets that users write, on the command line or in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.command_lines import split
from azdo_pat.deliveries import service_parsing as services
from azdo_pat.deliveries.template import checked_template
from azdo_pat.delivery_targets import (
    CommandTarget,
    FileTarget,
    GitHubTarget,
    KeyVaultTarget,
    ServiceConnectionTarget,
    VariableGroupTarget,
    VaultTarget,
)
from azdo_pat.errors import UsageError
from azdo_pat.homes import expanded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azdo_pat.delivery_targets import Delivery

_LONGEST: Final = 3600


class WrittenIn(NamedTuple):
    """What a delivery target depends on beside its own text.

    Attributes:
        folder: relative paths are relative to it.
        environment: names the servers of Vault and GitHub.
    """

    folder: Path
    environment: Mapping[str, str]


def from_text(text: str, where: WrittenIn) -> Delivery:
    """Understand `command:…`, `keyvault:…` and so on, as `--deliver` takes it.

    Raises:
        UsageError: it is malformed.
    """
    kind, colon, rest = text.partition(":")
    if not colon or kind not in _KINDS or not rest.strip():
        raise UsageError(f"{text!r} is not a valid delivery target", hint=_FORMS)
    return _KINDS[kind].from_text(rest, where)


def from_table(table: Mapping[str, object], where: WrittenIn) -> Delivery:
    """Understand `{ command = …, timeout = 60 }`, `{ keyvault = …, secret = … }` and so on.

    Raises:
        UsageError: it is malformed.
    """
    keys = [key for key in _BY_KEY if key in table]
    if len(keys) != 1:
        raise UsageError(f"a delivery must be a table with {' or '.join(_BY_KEY)}", hint=_FORMS)
    (key,) = keys
    kind = _BY_KEY[key]
    known = {key, *kind.other_keys}
    if unknown := sorted(set(table) - known):
        raise UsageError(
            f"unknown key {unknown[0]!r} in a delivery with {key}",
            hint=f"valid keys: {', '.join(sorted(known))}",
        )
    return kind.from_table(table, where)


def _command_from_text(text: str, where: WrittenIn) -> CommandTarget:
    return _command(_words(text), where.folder)


def _command_from_table(table: Mapping[str, object], where: WrittenIn) -> CommandTarget:
    words = table["command"]
    if isinstance(words, str):
        words = _words(words)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise UsageError("command must be a string or an array of strings", hint=_FORMS)
    return _command(words, where.folder, table.get("timeout", 60))


def _file_from_text(text: str, where: WrittenIn) -> FileTarget:
    path, bar, template = text.partition("|")
    return _file(path, template if bar else None, where.folder)


def _file_from_table(table: Mapping[str, object], where: WrittenIn) -> FileTarget:
    template = table.get("template")
    if not isinstance(table["file"], str) or not isinstance(template, str | None):
        raise UsageError("file and template must be strings", hint=_FORMS)
    return _file(table["file"], template, where.folder)


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
        other_keys: of its table in a file, beside the kind itself.
        from_text: understands what follows `KIND:`.
        from_table: understands the table, whose keys are known.
    """

    forms: tuple[str, ...]
    other_keys: tuple[str, ...]
    from_text: Callable[[str, WrittenIn], Delivery]
    from_table: Callable[[Mapping[str, object], WrittenIn], Delivery]


def _service(
    forms: tuple[str, ...],
    other_keys: tuple[str, ...],
    from_text: Callable[[str, Mapping[str, str]], Delivery],
    from_table: Callable[[Mapping[str, object], Mapping[str, str]], Delivery],
) -> _Kind:
    """Return how users write a target that is the same in all folders."""
    return _Kind(
        forms,
        other_keys,
        lambda text, where: from_text(text, where.environment),
        lambda table, where: from_table(table, where.environment),
    )


_KINDS: Final = {
    CommandTarget.KIND: _Kind(
        ("command:PROGRAM ARGUMENTS",), ("timeout",), _command_from_text, _command_from_table
    ),
    FileTarget.KIND: _Kind(
        (
            "file:PATH for the secret alone",
            "file:PATH|TEMPLATE for a line such as NAME={token}",
        ),
        ("template",),
        _file_from_text,
        _file_from_table,
    ),
    KeyVaultTarget.KIND: _service(
        (services.KEY_VAULT,),
        ("secret",),
        services.key_vault_from_text,
        services.key_vault_from_table,
    ),
    VaultTarget.KIND: _service(
        (services.VAULT,),
        ("field", "address", "namespace", "whole"),
        services.vault_from_text,
        services.vault_from_table,
    ),
    VariableGroupTarget.KIND: _service(
        (services.VARIABLE_GROUP,),
        ("org", "project", "variable"),
        services.variable_group_from_text,
        services.variable_group_from_table,
    ),
    ServiceConnectionTarget.KIND: _service(
        (services.SERVICE_CONNECTION,),
        ("org", "project", "parameter"),
        services.service_connection_from_text,
        services.service_connection_from_table,
    ),
    GitHubTarget.KIND: _service(
        (services.GITHUB_REPOSITORY, services.GITHUB_ORGANIZATION),
        ("secret", "environment", "app", "host"),
        services.github_from_text,
        services.github_from_table,
    ),
}
_BY_KEY: Final = {kind.replace("-", "_"): row for kind, row in _KINDS.items()}
"""By the key of their table in a file."""

*_OTHERS, _LAST = (form for kind in _KINDS.values() for form in kind.forms)
_FORMS: Final = f"use {', '.join(_OTHERS)}, or {_LAST}"
