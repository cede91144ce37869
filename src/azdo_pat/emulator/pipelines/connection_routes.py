"""The API of service connections, which it calls endpoints."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Response

from azdo_pat.emulator import answers, locations, times
from azdo_pat.emulator.body import read_guid
from azdo_pat.emulator.errors import (
    ACCESS_CHECK,
    ARGUMENT,
    CONNECTION_EXISTS,
    CONNECTION_NOT_FOUND,
    CONNECTION_REFUSED,
    ServiceError,
)
from azdo_pat.emulator.library.connection_types import CONNECTION_TYPES
from azdo_pat.emulator.library.items import Reference, Role, later
from azdo_pat.emulator.library.service_connections import ServiceConnection
from azdo_pat.emulator.pipelines import queries
from azdo_pat.emulator.pipelines.access import Scopes, Visit
from azdo_pat.emulator.pipelines.bodies import ConnectionRequest, read_connection
from azdo_pat.emulator.pipelines.documents import (
    connection_json,
    type_json,
    without_confidential,
)
from azdo_pat.emulator.versions import read_version

if TYPE_CHECKING:
    from azdo_pat.emulator.projects import Project

SCOPES: Final = Scopes(
    read=frozenset({"vso.serviceendpoint", "vso.serviceendpoint_query"}),
    manage="vso.serviceendpoint_manage",
)


def types(visit: Visit) -> Response:
    """The types of connections, with the inputs of each scheme."""
    version = read_version(visit.call, locations.ENDPOINT_TYPES)
    name = visit.call.arguments.get("type", "").casefold()
    scheme = visit.call.arguments.get("scheme", "").casefold()
    found = [
        type_json(kind)
        for kind in CONNECTION_TYPES
        if name in {"", kind.name.casefold()}
        and (not scheme or scheme in {each.scheme.casefold() for each in kind.schemes})
    ]
    return answers.json_answer(answers.collection(found), version=version.text)


def find(visit: Visit, project: Project) -> Response:
    """The connections of a project that a user may see.

    Those that are not ready are there only with ``includeFailed`` (azure-devops-cli-extension
    issue 1027).
    """
    version = read_version(visit.call, locations.ENDPOINTS)
    found = [
        without_confidential(connection_json(each, visit, version, project), each)
        for each in visit.service.library.connections.all()
        if each.organization_id == visit.organization.organization_id
        and _matches(visit, each, each.in_project(project.project_id))
    ]
    return answers.json_answer(answers.collection(found), version=version.text)


def get(visit: Visit, project: Project, key: str) -> Response:
    """One connection of a project; null where there is none, as Terraform's provider expects."""
    version = read_version(visit.call, locations.ENDPOINTS)
    found = visit.service.library.connections.find(_guid(key), visit.organization.organization_id)
    seen = (
        found is not None
        and found.in_project(project.project_id) is not None
        and visit.role_in(found) >= queries.least_role(visit)
    )
    value = connection_json(found, visit, version, project) if found is not None and seen else None
    return answers.json_answer(value, version=version.text)


def add(visit: Visit, project: Project | None = None) -> Response:
    """Make a connection; ``project`` is that of the older API, which has one in the path."""
    version = read_version(visit.call, locations.ENDPOINTS)
    request = read_connection(visit.call.body)
    name, kind, scheme = _checked(request)
    references = _references(visit, request, project)
    library, now = visit.service.library, times.quantise(visit.service.now())
    _require_unique(visit, references)
    connection = ServiceConnection(
        key=str(uuid.uuid4()),
        organization_id=visit.organization.organization_id,
        kind=kind,
        name=name,
        description=request.description,
        url=request.url,
        scheme=scheme,
        parameters=dict(request.parameters),
        data=dict(request.data),
        owner=request.owner or "Library",
        references=references,
        created_by=visit.user.user_id,
        created_on=now,
        modified_by=visit.user.user_id,
        modified_on=now,
        roles={visit.user.user_id: Role.ADMINISTRATOR},
        operation=library.readiness.operation(now),
    )
    library.connections.keep(connection)
    value = connection_json(connection, visit, version)
    return answers.json_answer(value, version=version.text)


def update(visit: Visit, key: str, project: Project | None = None) -> Response:
    """Put a whole connection in place of the one that there is; what is left out is gone."""
    version = read_version(visit.call, locations.ENDPOINTS)
    request = read_connection(visit.call.body)
    library, key = visit.service.library, _guid(key)
    with library.connections.writing(key, visit.organization.organization_id) as before:
        connection = _administered(visit, before, key)
        name, kind, scheme = _checked(request)
        if request.key is not None and read_guid(request.key) != key:
            raise ServiceError(ARGUMENT, "The id of the service endpoint is not that of the URL.")
        references = _references(visit, request, project, connection)
        _require_unique(visit, references, but=key)
        now = visit.service.now()
        connection = replace(
            connection,
            kind=kind,
            name=name,
            description=request.description,
            url=request.url,
            scheme=scheme,
            parameters=connection.written(scheme, request.parameters),
            data=dict(request.data),
            owner=request.owner or connection.owner,
            references=references,
            modified_by=visit.user.user_id,
            modified_on=later(now, connection.modified_on),
            operation=library.readiness.operation(now),
        )
        library.connections.keep(connection)
        value = connection_json(connection, visit, version, project)
    return answers.json_answer(value, version=version.text)


def remove(visit: Visit, key: str, project: Project | None = None) -> Response:
    """Delete a connection from projects; once it is in none, it is gone."""
    read_version(visit.call, locations.ENDPOINTS)
    shelf, key = visit.service.library.connections, _guid(key)
    with shelf.writing(key, visit.organization.organization_id) as before:
        connection = _administered(visit, before, key)
        left = (
            queries.leaving(visit, connection)
            if project is None
            else tuple(
                each for each in connection.references if each.project_id != project.project_id
            )
        )
        if left:
            shelf.keep(replace(connection, references=left))
        else:
            shelf.remove(key)
    return Response(status=204)


def _matches(visit: Visit, connection: ServiceConnection, there: Reference | None) -> bool:
    arguments = visit.call.arguments
    failed = arguments.get("includefailed", "").casefold() == "true"
    return (
        there is not None
        and visit.role_in(connection) >= queries.least_role(visit)
        and (failed or connection.is_ready(visit.service.now()))
        and all(
            not wanted or text.casefold() in wanted
            for wanted, text in (
                (queries.words(visit, "endpointnames"), there.name),
                (queries.words(visit, "endpointids"), connection.key),
                (queries.words(visit, "type"), connection.kind),
                (queries.words(visit, "authschemes"), connection.scheme),
                (queries.words(visit, "owner"), connection.owner),
            )
        )
    )


def _administered(
    visit: Visit, connection: ServiceConnection | None, key: str
) -> ServiceConnection:
    """The connection, which the user administers.

    Raises:
        ServiceError: 404; there is none. 403; the user has another role.
    """
    if connection is None or visit.role_in(connection) is Role.NONE:
        raise ServiceError(CONNECTION_NOT_FOUND, f"Service connection with id {key} is not found.")
    if visit.role_in(connection) < Role.ADMINISTRATOR:
        raise ServiceError(
            ACCESS_CHECK,
            "You need to be an organisation/collection level Administrator of the service endpoint"
            " to perform this operation.",
        )
    return connection


def _checked(request: ConnectionRequest) -> tuple[str, str, str]:
    """The name, type and scheme of a request.

    Raises:
        ServiceError: 400; one of them is missing.
    """
    if not request.scheme:
        raise ServiceError(CONNECTION_REFUSED, "Service Connection Authorization cannot be null.")
    if not request.name or not request.kind:
        raise ServiceError(CONNECTION_REFUSED, "A service connection needs a name and a type.")
    return request.name, request.kind, request.scheme


def _references(
    visit: Visit,
    request: ConnectionRequest,
    project: Project | None,
    connection: ServiceConnection | None = None,
) -> tuple[Reference, ...]:
    """The projects of a connection after a write.

    With a project in the path, the older API needs no references.

    Raises:
        ServiceError: 400; there are none, or a reference is not good. 404; no such project.
    """
    if request.references:
        return queries.references(visit, request.references)
    if project is None:
        raise ServiceError(CONNECTION_REFUSED, "At least one project reference is required.")
    if connection is not None:
        return connection.references
    return (
        Reference(
            project_id=project.project_id,
            name=request.name or "",
            description=request.description,
        ),
    )


def _require_unique(visit: Visit, references: tuple[Reference, ...], *, but: str = "") -> None:
    """Raises ServiceError where a project has another connection of that name."""
    for connection in visit.service.library.connections.all():
        for each in references:
            there = connection.in_project(each.project_id)
            if connection.key != but and there and there.name.casefold() == each.name.casefold():
                raise ServiceError(
                    CONNECTION_EXISTS,
                    f"Service connection with name {each.name} already exists. Only a user having"
                    f" Administrator/User role permissions on service connection {each.name} can"
                    " see it.",
                )


def _guid(text: str) -> str:
    """The id of a path.

    Raises:
        ServiceError: 400; it is no GUID.
    """
    found = read_guid(text)
    if found is None:
        raise ServiceError(ARGUMENT, f"The value '{text}' is not valid for endpointId.")
    return found
