"""Converts delivery targets to JSON, and back.

Imported only for a token that has some, because the types cost time (see `delivery_targets`).
"""

from __future__ import annotations

import json
from dataclasses import astuple
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from azdo_pat.delivery_targets import (
    CommandTarget,
    FileTarget,
    GitHubTarget,
    KeyVaultTarget,
    ServiceConnectionTarget,
    ToolTarget,
    UnknownTarget,
    VariableGroupTarget,
    VaultTarget,
)
from azdo_pat.renewal import LastDelivery

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from azdo_pat.delivery_targets import Delivery


class _Codec(NamedTuple):
    """Both directions for one type of target.

    Attributes:
        written: returns `target`, a list of texts, and the other fields.
        read: takes the texts of `target`, and the whole object.
    """

    written: Callable[[Any], dict[str, object]]
    read: Callable[[tuple[str, ...], dict[str, Any]], Delivery]


def _written_command(command: CommandTarget) -> dict[str, object]:
    return {"target": command.words, "folder": command.folder, "seconds": command.seconds}


def _read_command(words: tuple[str, ...], document: dict[str, Any]) -> CommandTarget:
    _, *_ = words
    return CommandTarget(words, str(document.get("folder", "")), int(document.get("seconds", 60)))


def _written_file(file: FileTarget) -> dict[str, object]:
    return {"target": [file.path], "template": file.template}


def _read_file(target: tuple[str, ...], document: dict[str, Any]) -> FileTarget:
    (path,) = target
    return FileTarget(path, str(document.get("template", "")))


def _written_vault(vault: VaultTarget) -> dict[str, object]:
    return {
        "target": [vault.path, vault.field, vault.address, vault.namespace],
        "whole": vault.whole,
    }


def _read_vault(target: tuple[str, ...], document: dict[str, Any]) -> VaultTarget:
    path, field, address, namespace = target
    return VaultTarget(path, field, address, namespace, bool(document.get("whole", False)))


def _texts_alone(kind: Callable[..., Delivery], count: int) -> _Codec:
    """Return the codec of a type whose fields are texts, and how many these are."""

    def read(texts: tuple[str, ...], _: dict[str, Any]) -> Delivery:
        if len(texts) != count:
            raise ValueError("not enough values" if len(texts) < count else "too many values")
        return kind(*texts)

    return _Codec(lambda target: {"target": astuple(target)}, read)


_CODECS: Final = {
    CommandTarget.KIND: _Codec(_written_command, _read_command),
    FileTarget.KIND: _Codec(_written_file, _read_file),
    ToolTarget.KIND: _texts_alone(ToolTarget, 3),
    KeyVaultTarget.KIND: _texts_alone(KeyVaultTarget, 2),
    VaultTarget.KIND: _Codec(_written_vault, _read_vault),
    VariableGroupTarget.KIND: _texts_alone(VariableGroupTarget, 4),
    ServiceConnectionTarget.KIND: _texts_alone(ServiceConnectionTarget, 4),
    GitHubTarget.KIND: _texts_alone(GitHubTarget, 6),
}


def written_target(delivery: Delivery) -> object:
    """Return a target as a JSON object: its kind, and its own fields."""
    if isinstance(delivery, UnknownTarget):
        return json.loads(delivery.document)
    return {"kind": delivery.KIND, **_CODECS[delivery.KIND].written(delivery)}


def target_text(delivery: Delivery) -> str:
    """Return a target as a text that is the same for equal targets."""
    return json.dumps(written_target(delivery), sort_keys=True)


def last_delivery(row: sqlite3.Row) -> LastDelivery:
    """Read the last delivery to a target.

    Raises:
        ValueError, TypeError: the row is invalid.
    """
    try:
        target = read_target(json.loads(row["target"]))
    except (AttributeError, KeyError) as error:
        raise ValueError(str(error)) from error
    at = datetime.fromisoformat(row["at"])
    return LastDelivery(row["org_url"], row["name"], target, at, row["fingerprint"], row["reason"])


def read_target(document: dict[str, Any]) -> Delivery:
    """Read a target; one of a kind that only a newer version knows is an `UnknownTarget`.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: it is not a valid target.
    """
    kind = str(document["kind"])
    codec = _CODECS.get(kind)
    if codec is None:
        return UnknownTarget(kind, json.dumps(document))
    return codec.read(tuple(map(str, document["target"])), document)
