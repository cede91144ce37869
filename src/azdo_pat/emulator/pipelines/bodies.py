"""Request bodies about variable groups and service connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azdo_pat.emulator import body
from azdo_pat.emulator.library.variable_groups import Variable

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class ReferenceRequest:
    """A reference to a project; None is what was left out."""

    project_id: str | None
    project_name: str | None
    name: str | None
    description: str | None


@dataclass(frozen=True, kw_only=True)
class GroupRequest:
    """``VariableGroupParameters``; None is what was left out."""

    name: str | None
    description: str | None
    kind: str | None
    variables: Mapping[str, Variable]
    provider_data: Mapping[str, Any] | None
    references: tuple[ReferenceRequest, ...] | None


@dataclass(frozen=True, kw_only=True)
class ConnectionRequest:
    """``ServiceEndpoint``, as far as a client may say anything; None is what was left out."""

    key: str | None
    name: str | None
    description: str | None
    kind: str | None
    url: str | None
    owner: str | None
    data: Mapping[str, str]
    scheme: str | None
    parameters: Mapping[str, str | None]
    references: tuple[ReferenceRequest, ...] | None


def read_group(data: bytes) -> GroupRequest:
    """The group of a request.

    Raises:
        ServiceError: 400; there is none, or it is malformed.
    """
    fields = body.fields_of(body.document(data, "variableGroupParameters"))
    variables = {name: _variable(value) for name, value in _object(fields.get("variables")).items()}
    provider_data = fields.get("providerdata")
    return GroupRequest(
        name=body.text_of(fields.get("name")),
        description=body.text_of(fields.get("description")),
        kind=body.text_of(fields.get("type")),
        variables=variables,
        provider_data=None if provider_data is None else _object(provider_data),
        references=_references(fields.get("variablegroupprojectreferences")),
    )


def read_connection(data: bytes) -> ConnectionRequest:
    """The connection of a request.

    Raises:
        ServiceError: 400; there is none, or it is malformed.
    """
    fields = body.fields_of(body.document(data, "endpoint"))
    authorization = fields.get("authorization")
    signing_in = {} if authorization is None else body.fields_of(authorization)
    return ConnectionRequest(
        key=body.text_of(fields.get("id")),
        name=body.text_of(fields.get("name")),
        description=body.text_of(fields.get("description")),
        kind=body.text_of(fields.get("type")),
        url=body.text_of(fields.get("url")),
        owner=body.text_of(fields.get("owner")),
        data={n: text for n, text in _texts(fields.get("data")).items() if text is not None},
        scheme=body.text_of(signing_in.get("scheme")),
        parameters=_texts(signing_in.get("parameters")),
        references=_references(fields.get("serviceendpointprojectreferences")),
    )


def _variable(value: object) -> Variable:
    fields = body.fields_of(value)
    vault = {
        name: content
        for name, content in _object(value).items()
        if name.casefold() in {"contenttype", "enabled", "expires"}
    }
    return Variable(
        value=body.text_of(fields.get("value")),
        secret=bool(body.switch_of(fields.get("issecret"))),
        read_only=bool(body.switch_of(fields.get("isreadonly"))),
        vault=vault,
    )


def _references(value: object) -> tuple[ReferenceRequest, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise body.malformed()
    return tuple(_reference(each) for each in value)


def _reference(value: object) -> ReferenceRequest:
    fields = body.fields_of(value)
    project = fields.get("projectreference")
    of_project = {} if project is None else body.fields_of(project)
    return ReferenceRequest(
        project_id=body.text_of(of_project.get("id")),
        project_name=body.text_of(of_project.get("name")),
        name=body.text_of(fields.get("name")),
        description=body.text_of(fields.get("description")),
    )


def _texts(value: object) -> dict[str, str | None]:
    return {name: body.text_of(content) for name, content in _object(value).items()}


def _object(value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise body.malformed()
    return value
