"""The endpoints of the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azdo_pat.emulator import answers, audit, locations, sign_in
from azdo_pat.emulator.directory import ANONYMOUS, Organization, User
from azdo_pat.emulator.errors import ACCESS_CHECK, INVALID_ACCESS, ServiceError
from azdo_pat.emulator.versions import read_version

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from azdo_pat.emulator.call import Call
    from azdo_pat.emulator.service import Service

_MAY_READ: Final = frozenset({"user_impersonation", "app_token", "vso.auditlog"})


def log(call: Call, service: Service, organization: Organization) -> Response:
    """A page of the log; that it was read is an event itself."""
    reader = _reader(call, service, organization)
    version = read_version(call, locations.AUDIT)
    query = audit.read_query(call.arguments)
    page = audit.page_of(service.events(), organization, query, service.now())
    if not query.after:
        event = audit.event(call, (reader, organization), audit.READ, service.now())
        service.record([event], organization)
    value = {
        "decoratedAuditLogEntries": [
            answers.audit_json(
                each, organization, service.people.with_id(each.user_id) or ANONYMOUS
            )
            for each in page.events
        ],
        # On the last page, too: only `hasMore` says that there is another one.
        "continuationToken": page.events[-1].event_id if page.events else query.after,
        "hasMore": page.has_more,
    }
    return answers.json_answer(value, version=version.text)


def actions(call: Call, service: Service, organization: Organization) -> Response:
    """The kinds of events, of all areas or of one."""
    _reader(call, service, organization)
    version = read_version(call, locations.AUDIT)
    area = call.arguments.get("areaname", "").casefold()
    found = [
        {"actionId": each.action_id, "area": each.area, "category": each.category}
        for each in audit.ACTIONS
        if area in {"", each.area.casefold()}
    ]
    return answers.json_answer(answers.collection(found), version=version.text)


def _reader(call: Call, service: Service, organization: Organization) -> User:
    """The member that calls and may read the log.

    Raises:
        SignInNeededError: the credentials are missing or no good.
        ServiceError: no member, a scope or the permission is missing.
    """
    user, scopes = sign_in.user_and_scopes(call.headers, service, organization)
    sign_in.require_member(user, organization)
    if scopes.isdisjoint(_MAY_READ):
        raise ServiceError(INVALID_ACCESS, sign_in.NOT_ALLOWED)
    forbidden = service.policies_of(organization).audit_log_forbidden
    if forbidden or not service.administers(user, organization):
        raise ServiceError(
            ACCESS_CHECK,
            f"Access Denied: {user.display_name} needs the following permission(s) to perform this"
            " action: View audit log",
        )
    return user
