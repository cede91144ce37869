"""The endpoints for administrators of tokens: everyone's tokens, and their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Response

from azdo_pat.emulator import answers, audit, locations, sign_in
from azdo_pat.emulator.body import read_guid, read_revocations, read_rule
from azdo_pat.emulator.errors import ARGUMENT, ARGUMENT_RANGE, UNAUTHORIZED, ServiceError
from azdo_pat.emulator.graph_routes import require_subject
from azdo_pat.emulator.rules import Rule
from azdo_pat.emulator.versions import read_version

if TYPE_CHECKING:
    from azdo_pat.emulator.call import Call
    from azdo_pat.emulator.directory import Organization, User
    from azdo_pat.emulator.service import Service
    from azdo_pat.emulator.tokens import Token

_MAY_ADMINISTER: Final = frozenset({"user_impersonation", "app_token", "vso.tokenadministration"})
_DEFAULT_PAGE: Final = 20
_LARGEST_PAGE: Final = 100
_MOST_REVOCATIONS: Final = 1000
"""In one request. Microsoft's own script sends 990."""


def tokens(call: Call, service: Service, organization: Organization, descriptor: str) -> Response:
    """A page of a member's tokens, or of the SSH keys."""
    _require_administrator(call, service, organization)
    version = read_version(call, locations.TOKEN_ADMINISTRATION)
    size = _page_size(call.arguments.get("pagesize"))
    ssh = _is_public(call)
    owner = require_subject(service, organization, descriptor)
    found = [
        token
        for token in service.tokens_of(owner)
        if token.ssh is ssh and token.belongs_to(organization.organization_id)
    ]
    start = _start_of_page(found, call.arguments.get("continuationtoken", ""))
    end = start + size
    following = start if call.repeat else end
    now, spoilers = service.now(), service.spoilers
    value = {
        "value": [
            spoilers.applied(answers.session_token_json(token, now, version))
            for token in found[start:end]
        ],
        "continuationToken": (
            found[following].authorization_id if following < len(found) else None
        ),
    }
    return answers.json_answer(value, version=version.text)


def revoke(call: Call, service: Service, organization: Organization) -> Response:
    """End tokens; the answer does not tell which of them there were."""
    administrator = _require_administrator(call, service, organization)
    read_version(call, locations.TOKEN_ADMINISTRATION)
    ssh = _is_public(call)
    ids = read_revocations(call.body)
    if len(ids) > _MOST_REVOCATIONS:
        raise ServiceError(ARGUMENT_RANGE, f"There are more than {_MOST_REVOCATIONS} revocations.")
    action = audit.SSH_REVOKED if ssh else audit.REVOKED
    events = [
        audit.event(call, (administrator, organization), action, service.now(), token.display_name)
        for token in service.revoke_all(ids, organization, ssh=ssh)
    ]
    service.record(events, organization)
    return Response(status=204)


def add_rule(call: Call, service: Service, organization: Organization) -> Response:
    """Refuse the self-describing tokens that were made before and have one of the scopes."""
    _require_administrator(call, service, organization)
    read_version(call, locations.TOKEN_ADMINISTRATION)
    scopes, before = read_rule(call.body)
    rule = Rule(
        organization_id=organization.organization_id,
        scopes=scopes,
        created_before=before or service.now(),
    )
    service.add_rule(rule)
    return Response(status=201)


def _require_administrator(call: Call, service: Service, organization: Organization) -> User:
    """The caller, who may administrate tokens.

    Raises:
        SignInNeededError: the credentials are missing or no good.
        ServiceError: 401, as tokenAdmin-7.2 says, for everyone else.
    """
    user, scopes = sign_in.user_and_scopes(call.headers, service, organization)
    if scopes.isdisjoint(_MAY_ADMINISTER) or not service.administers(user, organization):
        raise ServiceError(
            UNAUTHORIZED,
            f"TF400813: The user '{user.user_id}' is not authorized to access this resource.",
        )
    return user


def _is_public(call: Call) -> bool:
    text = call.arguments.get("ispublic", "false").casefold()
    if text not in {"true", "false"}:
        raise ServiceError(ARGUMENT, "isPublic is true or false.")
    return text == "true"


def _page_size(text: str | None) -> int:
    if text is None:
        return _DEFAULT_PAGE
    try:
        size = int(text)
    except ValueError as error:
        raise ServiceError(ARGUMENT, f"The value '{text}' is not valid for pageSize.") from error
    if not 1 <= size <= _LARGEST_PAGE:
        raise ServiceError(ARGUMENT_RANGE, f"pageSize lies between 1 and {_LARGEST_PAGE}.")
    return size


def _start_of_page(found: list[Token], continuation: str) -> int:
    """Where the page begins whose first token has this id; the empty one is the first page's."""
    if not continuation:
        return 0
    wanted = read_guid(continuation)
    for position, token in enumerate(found):
        if token.authorization_id == wanted:
            return position
    raise ServiceError(ARGUMENT, "The continuation token is not valid.")
