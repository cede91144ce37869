"""Converts delivery targets to JSON, and back.

Imported only for a token that has some, because the types cost time (see `delivery_targets`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from azdo_pat.delivery_targets import CommandTarget, FileTarget, ToolTarget, UnknownTarget

if TYPE_CHECKING:
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


def _written_tool(tool: ToolTarget) -> dict[str, object]:
    return {"target": [tool.tool, tool.path, tool.about]}


def _read_tool(target: tuple[str, ...], _: dict[str, Any]) -> ToolTarget:
    tool, path, about = target
    return ToolTarget(tool, path, about)


_CODECS: Final = {
    CommandTarget.KIND: _Codec(_written_command, _read_command),
    FileTarget.KIND: _Codec(_written_file, _read_file),
    ToolTarget.KIND: _Codec(_written_tool, _read_tool),
}


def written_target(delivery: Delivery) -> object:
    """Return a target as a JSON object: its kind, and its own fields."""
    if isinstance(delivery, UnknownTarget):
        return json.loads(delivery.document)
    return {"kind": delivery.KIND, **_CODECS[delivery.KIND].written(delivery)}


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
