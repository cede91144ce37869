"""The groups and the connections in the state file; their secrets are there as they are."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from azdo_pat.emulator.library.items import Item, Reference, Role
from azdo_pat.emulator.library.library import Holdings
from azdo_pat.emulator.library.service_connections import Operation, ServiceConnection
from azdo_pat.emulator.library.variable_groups import Variable, VariableGroup


def to_json(holdings: Holdings) -> dict[str, Any]:
    """The part of the state file that ``from_json`` reads."""
    return {
        "variableGroups": [_item_json(group) for group in holdings.groups],
        "serviceConnections": [_connection_json(each) for each in holdings.connections],
    }


def from_json(value: dict[str, Any]) -> Holdings:
    """The opposite of ``to_json``.

    Raises:
        KeyError: or ValueError, TypeError, AttributeError; it is something else.
    """
    return Holdings(
        groups=tuple(_group(each) for each in value["variableGroups"]),
        connections=tuple(_connection(each) for each in value["serviceConnections"]),
    )


def _item_json(item: Item) -> dict[str, Any]:
    return asdict(item) | {
        "created_on": item.created_on.isoformat(),
        "modified_on": item.modified_on.isoformat(),
    }


def _connection_json(connection: ServiceConnection) -> dict[str, Any]:
    value = _item_json(connection)
    if connection.operation is not None:
        value["operation"]["ends"] = connection.operation.ends.isoformat()
    return value


def _group(value: dict[str, Any]) -> VariableGroup:
    variables = {name: Variable(**each) for name, each in value["variables"].items()}
    return VariableGroup(**value | _common(value) | {"variables": variables})


def _connection(value: dict[str, Any]) -> ServiceConnection:
    found = value["operation"]
    operation = (
        Operation(ends=datetime.fromisoformat(found["ends"]), failure=found["failure"])
        if found
        else None
    )
    return ServiceConnection(**value | _common(value) | {"operation": operation})


def _common(value: dict[str, Any]) -> dict[str, Any]:
    return {
        "references": tuple(Reference(**each) for each in value["references"]),
        "created_on": datetime.fromisoformat(value["created_on"]),
        "modified_on": datetime.fromisoformat(value["modified_on"]),
        "roles": {user_id: Role(role) for user_id, role in value["roles"].items()},
    }
