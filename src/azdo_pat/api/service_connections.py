"""The service connections of Azure DevOps (spec: serviceEndpoint 7.2)."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Final, NamedTuple

from azdo_pat.api.addresses import Service, segment, with_query
from azdo_pat.api.call import ApiCall
from azdo_pat.api.http import Http
from azdo_pat.api.json_fields import Record
from azdo_pat.api.refusals import naming_the_right
from azdo_pat.api.response import Response, printable
from azdo_pat.api.service_errors import unreadable
from azdo_pat.errors import NoAnswerError, NotFoundError, RefusedError

_VERSION: Final = {"api-version": "7.2-preview.4"}
_TYPES_VERSION: Final = {"api-version": "7.2-preview.1"}
_CONNECTION: Final = "a service connection"
_LIST: Final = "a list of service connections"
_TYPES: Final = "a list of types of service connections"
_RIGHT: Final = (
    "become Administrator of the connection in every project that shares it; a sign-in of your own"
    " application also needs the scope vso.serviceendpoint_manage"
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
        self._http = http
        self._organization = organization

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
        body, answer = self._read(project, "", query, _LIST)
        for row in Record(body, _LIST, answer).rows("value"):
            found = Record(row, _CONNECTION, answer)
            if found.text("name").casefold() == name.casefold():
                return self.get(project, found.guid("id"))
        raise self._missing(f"service connection {name!r} in project {project!r}")

    def get(self, project: str, guid: str) -> ServiceConnection:
        """Return a connection by its id.

        Raises:
            NotFoundError: there is none.
            RefusedError: the user cannot see how it signs in.
            PatError: it cannot be read.
        """
        body, answer = self._read(project, f"/{guid}", _VERSION, _CONNECTION)
        if not isinstance(body, dict):  # null is the service's answer for an unknown id
            raise self._missing(f"service connection {guid} in project {project!r}")
        record = Record(body, _CONNECTION, answer)
        authorization = record.record("authorization", "an authorization")
        if authorization is None:  # readers are not told
            raise RefusedError("you cannot change the service connection", hint=_RIGHT)
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
        url = f"{self._root}/_apis/serviceendpoint/types"
        with self._naming_the_right():
            body, answer = self._http.json(self._call("GET", url, _TYPES_VERSION), _TYPES)
        return tuple(_confidential(body, answer, kind, scheme))

    def put(self, guid: str, document: Mapping[str, object]) -> None:
        """Replace a whole connection; a single confidential parameter that is null stays.

        The request is not repeated where it may have had an effect: someone else may have changed
        the connection since.

        Raises:
            NotFoundError: there is none.
            RefusedError: the user is no Administrator of it.
            NoAnswerError: it is unknown whether it was replaced.
            PatError: it was not replaced.
        """
        url = f"{self._root}/_apis/serviceendpoint/endpoints/{guid}"
        try:
            with self._naming_the_right():
                call = self._call("PUT", url, _VERSION)
                self._http.send(call._replace(body=document, acts_as="POST"))
        except NoAnswerError as error:
            error.hint = "the service may have carried out the request; delivering again is safe"
            raise
        except NotFoundError as error:
            raise self._missing(f"service connection {guid}") from error

    @property
    def _root(self) -> str:
        base = self._http.addresses.base(Service.ORGANIZATIONS)
        return f"{base}/{segment(self._organization)}"

    @staticmethod
    def _naming_the_right() -> AbstractContextManager[None]:
        return naming_the_right("you cannot read or change the service connection", _RIGHT)

    def _read(
        self, project: str, place: str, query: dict[str, str], what: str
    ) -> tuple[object, Response]:
        url = f"{self._root}/{segment(project)}/_apis/serviceendpoint/endpoints{place}"
        try:
            with self._naming_the_right():
                return self._http.json(self._call("GET", url, query), what)
        except NotFoundError as error:
            raise self._missing(f"project {project!r}") from error

    def _call(self, method: str, url: str, query: dict[str, str]) -> ApiCall:
        return ApiCall(
            method=method,
            url=with_query(url, query),
            organization=self._organization,
            holds_secrets=True,
        )

    def _missing(self, what: str) -> NotFoundError:
        return NotFoundError(
            f"there is no {printable(what)} in {self._organization}, or you cannot see it",
            hint="check the names in the delivery target, and your role",
        )


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
