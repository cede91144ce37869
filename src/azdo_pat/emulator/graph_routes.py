"""The endpoints of the graph: the users of an organization."""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Final

from azdo_pat.emulator import answers, locations, sign_in
from azdo_pat.emulator.body import read_guid, read_subject_query
from azdo_pat.emulator.errors import (
    ARGUMENT,
    INVALID_ACCESS,
    SUBJECT_NOT_FOUND,
    ServiceError,
)
from azdo_pat.emulator.paging import continuation_to, offset_of, seal_of
from azdo_pat.emulator.people import decoded
from azdo_pat.emulator.versions import read_version

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from azdo_pat.emulator.call import Call
    from azdo_pat.emulator.directory import Organization, User
    from azdo_pat.emulator.service import Service

CONTINUATION: Final = "X-MS-ContinuationToken"
MOST_FOUND: Final = 100
"""Of one search. Source: the description of ``subjectquery`` in graph-7.2."""

_MAY_READ: Final = frozenset({"user_impersonation", "app_token", "vso.graph", "vso.graph_manage"})
# Seen in the field: 495 and then 33 (vsts-rest-api-specs issue 155).
_STRETCHES: Final = (500, 495, 500, 33)


def users(call: Call, service: Service, organization: Organization) -> Response:
    """A page of the users; the next page's token is in a header alone.

    A page is a stretch of all users without those of other types, so it may be short or empty
    and have a successor.
    """
    _require_reader(call, service, organization)
    version = read_version(call, locations.GRAPH)
    wanted = _subject_types(call.arguments.get("subjecttypes", ""))
    seal = seal_of("users", organization.organization_id, *sorted(wanted))
    start = offset_of(call.arguments.get("continuationtoken", ""), seal)
    end = _end_of_page(start)
    found = [
        answers.graph_user_json(user, organization, call.root)
        for user in service.people.members(organization, start, end)
        if not wanted or user.kind in wanted
    ]
    answer = answers.json_answer(answers.collection(found), version=version.text)
    if call.repeat:
        answer.headers[CONTINUATION] = continuation_to(start, seal)
    elif end < service.people.count(organization):
        answer.headers[CONTINUATION] = continuation_to(end, seal)
    return answer


def user(call: Call, service: Service, organization: Organization, descriptor: str) -> Response:
    """One user."""
    _require_reader(call, service, organization)
    version = read_version(call, locations.GRAPH)
    found = require_subject(service, organization, descriptor)
    value = answers.graph_user_json(found, organization, call.root)
    return answers.json_answer(value, version=version.text)


def descriptor_of(
    call: Call, service: Service, organization: Organization, storage_key: str
) -> Response:
    """The descriptor of the subject with a storage key, which is a user's member id."""
    _require_reader(call, service, organization)
    version = read_version(call, locations.GRAPH)
    key = read_guid(storage_key)
    if key is None:
        raise ServiceError(ARGUMENT, f"The value '{storage_key}' is not a GUID.")
    found = service.people.with_id(key)
    if found is None or not organization.has(found):
        raise ServiceError(SUBJECT_NOT_FOUND, f"There is no subject with the storage key {key}.")
    value = answers.descriptor_json(found, organization, call.root)
    return answers.json_answer(value, version=version.text)


def search(call: Call, service: Service, organization: Organization) -> Response:
    """The users whose name or address begins with a text, 100 at most and no more pages."""
    _require_reader(call, service, organization)
    version = read_version(call, locations.GRAPH)
    query = read_subject_query(call.body)
    matching = (
        answers.graph_user_json(user, organization, call.root)
        for user in service.people.members(organization)
        if query.users and _begins(user, query.text.casefold())
    )
    value = answers.collection(islice(matching, MOST_FOUND))
    return answers.json_answer(value, version=version.text)


def require_subject(service: Service, organization: Organization, descriptor: str) -> User:
    """The member of an organization that a descriptor names.

    Raises:
        ServiceError: 400 for what is no descriptor, 404 where there is no such member.
    """
    if decoded(descriptor) is None:
        raise ServiceError(ARGUMENT, f"The subject descriptor '{descriptor}' is not valid.")
    found = service.people.with_descriptor(descriptor)
    if found is None or not organization.has(found):
        message = f"The user with the subject descriptor '{descriptor}' could not be found."
        raise ServiceError(SUBJECT_NOT_FOUND, message)
    return found


def _require_reader(call: Call, service: Service, organization: Organization) -> None:
    """Raises ServiceError where the caller is no member or a scope is missing."""
    reader, scopes = sign_in.user_and_scopes(call.headers, service, organization)
    sign_in.require_member(reader, organization)
    if scopes.isdisjoint(_MAY_READ):
        raise ServiceError(INVALID_ACCESS, sign_in.NOT_ALLOWED)


def _subject_types(text: str) -> frozenset[str]:
    return frozenset(word.strip().casefold() for word in text.split(",")) - {""}


def _end_of_page(start: int) -> int:
    end = 0
    for length in cycle(_STRETCHES):
        end += length
        if end > start:
            return end
    raise AssertionError("a cycle has no end")


def _begins(user: User, text: str) -> bool:
    names: tuple[Any, ...] = (user.display_name, user.mail)
    return any(name.casefold().startswith(text) for name in names)
