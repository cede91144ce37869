"""Request bodies, read with the leniency of the service's own JSON reader (Newtonsoft)."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NoReturn

from azdo_pat.emulator import times
from azdo_pat.emulator.errors import ARGUMENT, ARGUMENT_NULL, JSON_READER, ServiceError

# What .NET makes of a date that was not sent.
NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)
_NO_ID: Final = str(uuid.UUID(int=0))


@dataclass(frozen=True, kw_only=True)
class TokenRequest:
    """What a POST or PUT asked for; None is a field that was left out or sent as null."""

    authorization_id: str | None = None
    display_name: str | None = None
    scope: str | None = None
    valid_to: datetime | None = None
    all_orgs: bool | None = None


def read_token_request(data: bytes, *, parameter: str) -> TokenRequest:
    """The fields of a create or update request, whatever the case of their names.

    Raises:
        ServiceError: 400; malformed JSON is a ``JsonReaderException`` with a TF400898 message
            (vsts-rest-api-specs issue 636), an empty body a missing argument.
    """
    fields = fields_of(document(data, parameter))
    return TokenRequest(
        authorization_id=text_of(fields.get("authorizationid")),
        display_name=text_of(fields.get("displayname")),
        scope=text_of(fields.get("scope")),
        valid_to=_moment(fields.get("validto")),
        all_orgs=switch_of(fields.get("allorgs")),
    )


@dataclass(frozen=True, kw_only=True)
class SubjectQuery:
    """What a search asks for; ``users`` says whether users are wanted at all."""

    text: str
    users: bool


def read_subject_query(data: bytes) -> SubjectQuery:
    """The search of a request; without kinds it is for subjects of all kinds.

    Raises:
        ServiceError: 400; the JSON is malformed, or there is nothing to search for.
    """
    fields = fields_of(document(data, "subjectQuery"))
    text = text_of(fields.get("query"))
    if not text:
        raise _missing("subjectQuery.Query")
    kinds = fields.get("subjectkind") or []
    if not isinstance(kinds, list):
        raise malformed()
    wanted = {(text_of(kind) or "").casefold() for kind in kinds}
    return SubjectQuery(text=text, users=not wanted or "user" in wanted)


def read_revocations(data: bytes) -> list[str]:
    """The authorization ids of a request to revoke.

    Raises:
        ServiceError: 400; the JSON is malformed, or an id is missing or none.
    """
    value = document(data, "revocations")
    if not isinstance(value, list):
        raise malformed()
    ids = [read_guid(text_of(fields_of(each).get("authorizationid")) or "") for each in value]
    found = [each for each in ids if each is not None and each != _NO_ID]
    if len(found) != len(ids):
        raise ServiceError(ARGUMENT, "Each revocation needs a valid authorizationId.")
    return found


def read_rule(data: bytes) -> tuple[tuple[str, ...], datetime | None]:
    """The scopes of a revocation rule, and before when tokens were made; None is now.

    Raises:
        ServiceError: 400; the JSON is malformed, or there are no scopes.
    """
    fields = fields_of(document(data, "revocationRule"))
    scopes = tuple((text_of(fields.get("scopes")) or "").split())
    if not scopes:
        raise ServiceError(ARGUMENT, "A revocation rule needs scopes.")
    return scopes, _moment(fields.get("createdbefore"))


def read_guid(text: str) -> str | None:
    """A GUID in its canonical form, from any that .NET takes; None if it is none."""
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError:
        return None


def document(data: bytes, parameter: str) -> object:
    """The JSON document of a body.

    Raises:
        ServiceError: 400; it is malformed, or missing: then ``parameter`` is named.
    """
    if not data.strip():
        raise _missing(parameter)
    try:
        value: object = json.loads(data.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise malformed() from error
    if value is None:
        raise _missing(parameter)
    return value


def fields_of(value: object) -> dict[str, object]:
    """The fields of an object, their names in lower case.

    Raises:
        ServiceError: 400; it is not an object.
    """
    if not isinstance(value, dict):
        raise malformed()
    return {name.casefold(): content for name, content in value.items()}


def text_of(value: object) -> str | None:
    """A text, or what stands for one.

    Raises:
        ServiceError: 400; it is neither.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return json.dumps(value)
    raise malformed()


def switch_of(value: object) -> bool | None:
    """True or false, or what stands for it.

    Raises:
        ServiceError: 400; it is neither.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.casefold() in {"true", "false"}:
        return value.casefold() == "true"
    raise malformed()


def _moment(value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise malformed()
    try:
        return times.read(value)
    except OverflowError:
        return NEVER
    except ValueError as error:
        raise malformed() from error


def _no_number(text: str) -> NoReturn:
    # Python's reader would take NaN and Infinity.
    raise ValueError(text)


def _missing(parameter: str) -> ServiceError:
    return ServiceError(ARGUMENT_NULL, f"Value cannot be null.\r\nParameter name: {parameter}")


def malformed() -> ServiceError:
    """The error for JSON that cannot be read."""
    # The server puts the request's activity id in place of the braces.
    message = "TF400898: An Internal Error Occurred. Activity Id: {activity_id}."
    return ServiceError(JSON_READER, message)
