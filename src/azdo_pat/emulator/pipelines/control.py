"""How tests set up variable groups and service connections, read them, and change them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from azdo_pat.emulator import times
from azdo_pat.emulator.control_body import fields_of, is_number, organization_of, user_of
from azdo_pat.emulator.errors import EmulatorError
from azdo_pat.emulator.library.items import Item, Reference, Role, later
from azdo_pat.emulator.library.library import Library, Moment, Readiness, Shelf
from azdo_pat.emulator.library.service_connections import ServiceConnection
from azdo_pat.emulator.library.variable_groups import Variable, VariableGroup
from azdo_pat.emulator.projects import Project, find_project, projects_of

if TYPE_CHECKING:
    from azdo_pat.emulator.directory import User
    from azdo_pat.emulator.service import Service

_Kept = TypeVar("_Kept", bound=Item)
_LONGEST: Final = 86_400
_WHERE: Final = {"organization", "project", "name"}
_MADE: Final = _WHERE | {"projects", "description", "type", "user", "roles"}
_CHANGED: Final = _MADE - {"projects", "type"} | {"when", "modifiedOn", "removed", "without"}


class PipelinesControl:
    """The control requests about groups and connections."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @property
    def _library(self) -> Library:
        return self._service.library

    def actions(self) -> dict[tuple[str, str], Callable[[object], object]]:
        """What is done for each method and name."""
        groups, connections = "variable-groups", "service-connections"
        library = self._library
        return {
            ("GET", groups): lambda _: {
                "variableGroups": [self._group_json(each) for each in library.groups.all()]
            },
            ("POST", groups): self._add_group,
            ("PUT", groups): self._change_group,
            ("DELETE", groups): lambda _: {"removed": library.groups.clear()},
            ("GET", connections): lambda _: {
                "serviceConnections": [
                    self._connection_json(each) for each in library.connections.all()
                ]
            },
            ("POST", connections): self._add_connection,
            ("PUT", connections): self._change_connection,
            ("DELETE", connections): lambda _: {"removed": library.connections.clear()},
            ("PUT", "readiness"): self._set_readiness,
        }

    def _add_group(self, value: object) -> object:
        fields = fields_of(value, _MADE | {"variables", "providerData"})
        group = VariableGroup(
            key=self._library.next_group(),
            kind=str(fields.get("type", "Vsts")),
            variables=_variables(fields.get("variables", {})),
            provider_data=fields.get("providerData"),
            **self._common(fields),
        )
        self._library.groups.keep(group)
        return {"id": int(group.key)}

    def _add_connection(self, value: object) -> object:
        fields = fields_of(value, _MADE | {"url", "scheme", "parameters", "data", "owner"})
        connection = ServiceConnection(
            key=str(uuid.uuid4()),
            kind=str(fields.get("type", "externaltfs")),
            url=fields.get("url", "https://dev.azure.com/fabrikam"),
            scheme=str(fields.get("scheme", "Token")),
            parameters=_texts(fields.get("parameters", {"apitoken": "old"}), "parameters"),
            data=_present(fields.get("data", {}), "data"),
            owner=str(fields.get("owner", "Library")),
            **self._common(fields),
        )
        self._library.connections.keep(connection)
        return {"id": connection.key}

    def _change_group(self, value: object) -> object:
        fields = fields_of(value, _CHANGED | {"variables"})
        added = _variables(fields.get("variables", {}))
        gone = {str(name).casefold() for name in fields.get("without", [])}

        def changed(group: VariableGroup) -> VariableGroup:
            kept = {
                name: each for name, each in group.variables.items() if name.casefold() not in gone
            }
            return replace(group, variables={**kept, **added})

        return self._change(self._library.groups, fields, changed)

    def _change_connection(self, value: object) -> object:
        fields = fields_of(value, _CHANGED | {"parameters", "data", "url"})
        parameters = _texts(fields.get("parameters", {}), "parameters")
        data = _present(fields.get("data", {}), "data")
        gone = {str(name).casefold() for name in fields.get("without", [])}

        def changed(connection: ServiceConnection) -> ServiceConnection:
            kept = {
                name: text
                for name, text in connection.parameters.items()
                if name.casefold() not in gone
            }
            return replace(
                connection,
                parameters={**kept, **parameters},
                data={**connection.data, **data},
                url=fields.get("url", connection.url),
            )

        return self._change(self._library.connections, fields, changed)

    def _change(
        self, shelf: Shelf[_Kept], fields: dict[str, Any], changed: Callable[[_Kept], _Kept]
    ) -> object:
        """Change an item as a user does, who is Grace unless the order says otherwise."""
        item = self._named(shelf, fields)
        user = user_of(fields, self._service.people, usual="grace")
        roles = self._roles(fields)
        moved = None if "modifiedOn" not in fields else times.read(str(fields["modifiedOn"]))
        when = fields.get("when", "now")
        moment = None if when == "now" else Moment(when)
        quiet = not set(fields) - _WHERE - {"roles", "user", "when"}

        def change(before: _Kept) -> _Kept | None:
            if fields.get("removed"):
                return None
            after = replace(changed(before), roles={**before.roles, **roles})
            if quiet:
                return after
            return replace(
                after,
                description=fields.get("description", before.description),
                modified_by=user.user_id,
                modified_on=moved or later(self._service.now(), before.modified_on),
            )

        shelf.change(item.key, change, moment)
        return {}

    def _set_readiness(self, value: object) -> object:
        fields = fields_of(value, {"delaySeconds", "failure"})
        seconds, failure = fields.get("delaySeconds", 0), fields.get("failure")
        if not is_number(seconds) or not 0 <= seconds <= _LONGEST:
            raise EmulatorError(f"delaySeconds lies between 0 and {_LONGEST}")
        if failure is not None and not isinstance(failure, str):
            raise EmulatorError("failure is a text or null")
        self._library.readiness = Readiness(delay=timedelta(seconds=seconds), failure=failure)
        return {"delaySeconds": seconds, "failure": failure}

    def _common(self, fields: dict[str, Any]) -> dict[str, Any]:
        organization = organization_of(fields)
        user: User = user_of(fields, self._service.people)
        name, description = fields.get("name"), fields.get("description")
        if not isinstance(name, str) or not name:
            raise EmulatorError("name is a text")
        words = fields.get("projects", [fields.get("project", "fabric")])
        if not isinstance(words, list) or not words:
            raise EmulatorError("projects is a list of projects")
        references = tuple(
            Reference(
                project_id=_project({**fields, "project": word}).project_id,
                name=name,
                description=description,
            )
            for word in words
        )
        now = times.quantise(self._service.now())
        return {
            "organization_id": organization.organization_id,
            "name": name,
            "description": description,
            "references": references,
            "created_by": user.user_id,
            "created_on": now,
            "modified_by": user.user_id,
            "modified_on": now,
            "roles": self._roles(fields),
        }

    def _roles(self, fields: dict[str, Any]) -> dict[str, Role]:
        roles = fields.get("roles", {})
        if not isinstance(roles, dict):
            raise EmulatorError("roles is an object of users and their roles")
        return {
            user_of({"user": name}, self._service.people).user_id: Role.named(role)
            for name, role in roles.items()
        }

    def _named(self, shelf: Shelf[_Kept], fields: dict[str, Any]) -> _Kept:
        project, name = _project(fields), str(fields.get("name"))
        for item in shelf.all():
            there = item.in_project(project.project_id)
            if there is not None and there.name.casefold() == name.casefold():
                return item
        raise EmulatorError(f"nothing is named {name!r} in {project.name}")

    def _group_json(self, group: VariableGroup) -> dict[str, Any]:
        return {
            "id": int(group.key),
            **self._item_json(group),
            "variables": {
                name: {
                    "value": each.value,
                    "isSecret": each.secret,
                    "isReadOnly": each.read_only,
                    **each.vault,
                }
                for name, each in group.variables.items()
            },
            "providerData": group.provider_data,
        }

    def _connection_json(self, connection: ServiceConnection) -> dict[str, Any]:
        return {
            "id": connection.key,
            **self._item_json(connection),
            "url": connection.url,
            "scheme": connection.scheme,
            "parameters": dict(connection.parameters),
            "data": dict(connection.data),
            "owner": connection.owner,
            "isReady": connection.is_ready(self._service.now()),
        }

    def _item_json(self, item: Item) -> dict[str, Any]:
        people = self._service.people

        def key(user_id: str) -> str:
            user = people.with_id(user_id)
            return user.key if user else user_id

        organization = organization_of({"organization": item.organization_id})
        names = {each.project_id: each.name for each in projects_of(organization)}
        return {
            "organization": organization.name,
            "projects": [names[each.project_id] for each in item.references],
            "type": item.kind,
            "name": item.name,
            "description": item.description,
            "modifiedBy": key(item.modified_by),
            "modifiedOn": times.write(item.modified_on),
            "roles": {key(user_id): role.name.lower() for user_id, role in item.roles.items()},
        }


def _project(fields: dict[str, Any]) -> Project:
    word = str(fields.get("project", "fabric"))
    project = find_project(organization_of(fields), word)
    if project is None:
        raise EmulatorError(f"no project {word!r}")
    return project


def _variables(value: object) -> dict[str, Variable]:
    """Variables from an object of texts, or of objects as the API has them."""
    if not isinstance(value, dict):
        raise EmulatorError("variables is an object")
    return {name: _variable(each) for name, each in value.items()}


def _variable(value: object) -> Variable:
    if isinstance(value, str):
        return Variable(value=value)
    known = {"value", "isSecret", "isReadOnly", "contentType", "enabled", "expires"}
    fields = fields_of(value, known)
    return Variable(
        value=fields.get("value"),
        secret=bool(fields.get("isSecret")),
        read_only=bool(fields.get("isReadOnly")),
        vault={
            name: fields[name] for name in ("contentType", "enabled", "expires") if name in fields
        },
    )


def _present(value: object, name: str) -> dict[str, str]:
    return {key: text for key, text in _texts(value, name).items() if text is not None}


def _texts(value: object, name: str) -> dict[str, str | None]:
    if not isinstance(value, Mapping) or not all(
        text is None or isinstance(text, str) for text in value.values()
    ):
        raise EmulatorError(f"{name} is an object of texts")
    return dict(value)
