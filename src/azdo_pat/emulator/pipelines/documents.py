"""JSON documents about variable groups and service connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azdo_pat.emulator import times
from azdo_pat.emulator.library.items import Item, Role
from azdo_pat.emulator.projects import projects_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azdo_pat.emulator.library.connection_types import ConnectionType, Input
    from azdo_pat.emulator.library.service_connections import ServiceConnection
    from azdo_pat.emulator.library.variable_groups import Variable, VariableGroup
    from azdo_pat.emulator.pipelines.access import Visit
    from azdo_pat.emulator.projects import Project
    from azdo_pat.emulator.versions import Version


def group_json(group: VariableGroup, visit: Visit) -> dict[str, Any]:
    """``VariableGroup`` as Microsoft's examples show it; secrets are null."""
    value: dict[str, Any] = {
        "variables": {name: _variable_json(each) for name, each in group.variables.items()},
        "id": int(group.key),
        "type": group.kind,
        "name": group.name,
        "description": group.description,
    }
    if group.provider_data is not None:
        value["providerData"] = dict(group.provider_data)
    return value | {
        "createdBy": _identity(group.created_by, visit),
        "createdOn": times.write(group.created_on),
        "modifiedBy": _identity(group.modified_by, visit),
        "modifiedOn": times.write(group.modified_on),
        "isShared": len(group.references) > 1,
        "variableGroupProjectReferences": _references(group, visit),
    }


def connection_json(
    connection: ServiceConnection, visit: Visit, version: Version, project: Project | None = None
) -> dict[str, Any]:
    """``ServiceEndpoint`` as Microsoft's examples show it; confidential parameters are null.

    In a project, it has the name that it has there. Who is no more than a reader is not told
    type and authorization (terraform-provider-azuredevops pull request 1559).
    """
    reference = connection.in_project(project.project_id) if project else None
    named = reference or connection
    now = visit.service.now()
    value: dict[str, Any] = {
        "data": dict(connection.data),
        "id": connection.key,
        "name": named.name,
        "type": connection.kind,
        **({} if connection.url is None else {"url": connection.url}),
        "createdBy": _identity(connection.created_by, visit),
        "description": named.description or "",
        "authorization": {
            "parameters": {
                name: None if connection.is_confidential(name) else text
                for name, text in connection.parameters.items()
            },
            "scheme": connection.scheme,
        },
        "isShared": len(connection.references) > 1,
        "isReady": connection.is_ready(now),
    }
    operation = connection.operation
    if operation is not None:
        state = operation.state(now)
        message = operation.failure if state == "Failed" else ""
        value["operationStatus"] = {"state": state.value, "statusMessage": message}
    value |= {
        "owner": connection.owner,
        "serviceEndpointProjectReferences": _references(connection, visit),
    }
    if version.tells_changes_of_connections:
        value |= {
            "modifiedBy": _identity(connection.modified_by, visit),
            "creationDate": times.write(connection.created_on),
            "modificationDate": times.write(connection.modified_on),
        }
    if visit.role_in(connection) <= Role.READER:
        for untold in ("data", "type", "url", "authorization", "operationStatus"):
            value.pop(untold, None)
    return value


def without_confidential(value: dict[str, Any], connection: ServiceConnection) -> dict[str, Any]:
    """A connection as lists show it: not even the names of confidential parameters are there.

    Source: Microsoft's examples, ``GetServiceEndpointsByName.json`` and
    ``GET__ServiceEndpoints.json``.
    """
    if "authorization" not in value:
        return value
    told = {
        name: text
        for name, text in connection.parameters.items()
        if not connection.is_confidential(name)
    }
    authorization = ({"parameters": told} if told else {}) | {"scheme": connection.scheme}
    return value | {"authorization": authorization}


def type_json(kind: ConnectionType) -> dict[str, Any]:
    """``ServiceEndpointType`` as Microsoft's examples show it, without icons and data sources."""
    return {
        "inputDescriptors": [_input_json(each) for each in kind.inputs],
        "authenticationSchemes": [
            {
                "inputDescriptors": [_input_json(each) for each in scheme.inputs],
                "scheme": scheme.scheme,
                "displayName": scheme.name,
                "requiresOAuth2Configuration": scheme.scheme == "OAuth2",
                "dataSourceBindings": [],
                "authorizationHeaders": [],
                "clientCertificates": [],
                "properties": {},
            }
            for scheme in kind.schemes
        ],
        "name": kind.name,
        "displayName": kind.label,
        "description": f"Service connection type for {kind.label}",
        "helpMarkDown": "",
    }


def _input_json(each: Input) -> dict[str, Any]:
    return {
        "id": each.input_id,
        "name": each.name,
        "description": each.name,
        "type": None,
        "properties": None,
        "inputMode": "passwordBox" if each.confidential else "textBox",
        "isConfidential": each.confidential,
        "useInDefaultDescription": False,
        "groupName": "AuthenticationParameter",
        "valueHint": None,
        "validation": {"dataType": "string", "isRequired": each.required},
    }


def _variable_json(variable: Variable) -> dict[str, Any]:
    value: dict[str, Any] = dict(variable.vault)
    value["value"] = None if variable.secret else variable.value
    if variable.secret:
        value["isSecret"] = True
    if variable.read_only:
        value["isReadOnly"] = True
    return value


def _references(item: Item, visit: Visit) -> list[dict[str, Any]]:
    names: Mapping[str, str] = {
        each.project_id: each.name for each in projects_of(visit.organization)
    }
    return [
        {
            "projectReference": {"id": each.project_id, "name": names[each.project_id]},
            "name": each.name,
            "description": each.description or "",
        }
        for each in item.references
    ]


def _identity(user_id: str, visit: Visit) -> dict[str, Any]:
    """``IdentityRef`` as Microsoft's examples show it."""
    user = visit.service.people.with_id(user_id)
    if user is None:
        return {"id": user_id}
    root = f"{visit.call.root}/{visit.organization.name}/_apis"
    avatar = f"{root}/GraphProfile/MemberAvatars/{user.descriptor}"
    return {
        "displayName": user.display_name,
        "url": f"{root}/Identities/{user.user_id}",
        "_links": {"avatar": {"href": avatar}},
        "id": user.user_id,
        "uniqueName": user.mail,
        "imageUrl": avatar,
        "descriptor": user.descriptor,
    }
