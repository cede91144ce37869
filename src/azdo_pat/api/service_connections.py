"""The service connections of Azure DevOps (spec: serviceEndpoint 7.2)."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from azdo_pat.api.http import Http
from azdo_pat.api.json_fields import Record
from azdo_pat.api.project_items import Kind, ProjectItems
from azdo_pat.api.response import Response
from azdo_pat.api.service_errors import unreadable
from azdo_pat.errors import RefusedError

_VERSION: Final = {"api-version": "7.2-preview.4"}
_TYPES_VERSION: Final = {"api-version": "7.2-preview.1"}
_CONNECTION: Final = "a service connection"
_LIST: Final = "a list of service connections"
_TYPES: Final = "a list of types of service connections"
_KIND: Final = Kind(
    noun="service connection",
    place="serviceendpoint/endpoints",
    right="become Administrator of the connection in every project that shares it; a sign-in of"
    " your own application also needs the scope vso.serviceendpoint_manage",
)


class ServiceConnection(NamedTuple):
    """A service connection.

    Attributes:
        id: its GUID.
        document: all of it as the service sent it; confidential parameters in it are null.
        kind: its type.
        scheme: how it signs in.
        is_ready: whether it can be used.
        failure: why it failed; empty if it did not.
    """

    id: str
    document: Mapping[str, object]
    kind: str
    scheme: str
    is_ready: bool
    failure: str


class ServiceConnections:
    """Reads and replaces the service connections of an organization.

    Args:
        http: the connection to the service.
        organization: its name.
    """

    def __init__(self, http: Http, organization: str) -> None:
        self._items = ProjectItems(http, organization, _KIND)

    def find(self, project: str, name: str) -> ServiceConnection:
        """Return the connection of a project with a name, in any case.

        Raises:
            NotFoundError: there is none, or no such project.
            RefusedError: the user cannot see how it signs in.
            PatError: it cannot be read.
        """
        query = {"includeFailed": "true", **_VERSION}
        if "," not in name:  # which separates names
            query["endpointNames"] = name
        body, answer = self._items.read(project, "", query, _LIST)
        for row in Record(body, _LIST, answer).rows("value"):
            found = Record(row, _CONNECTION, answer)
            if found.text("name").casefold() == name.casefold():
                return self.get(project, found.guid("id"))
        raise self._items.missing(f"service connection {name!r} in project {project!r}")

    def get(self, project: str, guid: str) -> ServiceConnection:
        """Return a connection by its id.

        Raises:
            NotFoundError: there is none.
            RefusedError: the user cannot see how it signs in.
            PatError: it cannot be read.
        """
        body, answer = self._items.read(project, guid, _VERSION, _CONNECTION)
        if not isinstance(body, dict):  # null is the service's answer for an unknown id
            raise self._items.missing(f"service connection {guid} in project {project!r}")
        record = Record(body, _CONNECTION, answer)
        authorization = record.record("authorization", "an authorization")
        if authorization is None:  # readers are not told
            raise RefusedError("you cannot change the service connection", hint=_KIND.right)
        if not isinstance(authorization.value("parameters"), dict):
            raise unreadable(answer, f"{_CONNECTION} with parameters")
        status = body.get("operationStatus")
        operation = Record(status or {}, "a status", answer)
        state = operation.shown_text("state")
        failed = state == "Failed"
        return ServiceConnection(
            id=record.guid("id"),
            document=body,
            kind=record.text("type"),
            scheme=authorization.text("scheme"),
            is_ready=body.get("isReady") is not False and state != "InProgress" and not failed,
            failure=(operation.shown_text("statusMessage") or "no reason given") if failed else "",
        )

    def confidential(self, kind: str, scheme: str) -> tuple[str, ...]:
        """Return the confidential inputs of a type and one of its schemes.

        Raises:
            PatError: the types cannot be read.
        """
        below = "_apis/serviceendpoint/types"
        body, answer = self._items.json(below, _TYPES_VERSION, _TYPES)
        return tuple(_confidential(body, answer, kind, scheme))

    def put(self, guid: str, document: Mapping[str, object]) -> None:
        """Replace a whole connection; a single confidential parameter that is null stays.

        Raises as `ProjectItems.replace`.
        """
        self._items.replace(guid, document, _VERSION)


def _confidential(body: object, answer: Response, kind: str, scheme: str) -> Iterator[str]:
    for row in Record(body, _TYPES, answer).rows("value"):
        found = Record(row, "a type of service connections", answer)
        if found.shown_text("name").casefold() != kind.casefold():
            continue
        yield from _inputs(found, answer)
        for each in found.rows("authenticationSchemes"):
            way = Record(each, "an authentication scheme", answer)
            if way.shown_text("scheme").casefold() == scheme.casefold():
                yield from _inputs(way, answer)


def _inputs(record: Record, answer: Response) -> Iterator[str]:
    for row in record.rows("inputDescriptors"):
        each = Record(row, "an input", answer)
        if each.value("isConfidential") is True:
            yield each.shown_text("id")
