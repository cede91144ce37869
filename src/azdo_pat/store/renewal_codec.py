"""Converts the renewal settings of a token to JSON, and back."""

import json
from datetime import timedelta
from typing import Any, assert_never

from azdo_pat.renewal import CommandTarget, Delivery, FileTarget, Renewal, ToolTarget, UnknownTarget


def written_renewal(renewal: Renewal) -> str:
    """Serialize the settings; those not set are left out."""
    document: dict[str, object] = {}
    if renewal.deliveries:
        document["deliveries"] = [_written(each) for each in renewal.deliveries]
    if renewal.renew_before is not None:
        document["renew_before"] = renewal.renew_before.total_seconds()
    if renewal.source:
        document["source"] = renewal.source
    if renewal.shortened:
        document["shortened"] = True
    return json.dumps(document)


def read_renewal(text: str) -> Renewal:
    """Parse the settings.

    Raises:
        ValueError: it is none.
        TypeError: the same.
    """
    document = json.loads(text)
    try:
        before = document.get("renew_before")
        return Renewal(
            deliveries=tuple(map(_delivery, document.get("deliveries", ()))),
            renew_before=None if before is None else timedelta(seconds=before),
            source=str(document.get("source", "")),
            shortened=bool(document.get("shortened", False)),
        )
    except (AttributeError, KeyError, OverflowError) as error:
        raise ValueError(str(error)) from error


def _written(delivery: Delivery) -> object:
    """Return the object that stands for a target: its kind, and its own fields."""
    match delivery:
        case CommandTarget(words=words, folder=folder, seconds=seconds):
            return {"kind": "command", "target": words, "folder": folder, "seconds": seconds}
        case FileTarget(path=path, template=template):
            return {"kind": "file", "target": [path], "template": template}
        case ToolTarget():
            return {"kind": "setup", "target": list(delivery)}
        case UnknownTarget(document=document):
            return json.loads(document)
        case _:
            assert_never(delivery)


def _delivery(document: dict[str, Any]) -> Delivery:
    kind, target = str(document["kind"]), tuple(map(str, document["target"]))
    match kind, target:
        case "command", (_, *_):
            return CommandTarget(
                words=target,
                folder=str(document.get("folder", "")),
                seconds=int(document.get("seconds", 60)),
            )
        case "file", (path,):
            return FileTarget(path=path, template=str(document.get("template", "")))
        case "setup", (tool, path, about):
            return ToolTarget(tool=tool, path=path, about=about)
        case (("command" | "file" | "setup"), _):
            raise ValueError(f"no target of the kind {kind}")
        case _:
            return UnknownTarget(kind, json.dumps(document))
