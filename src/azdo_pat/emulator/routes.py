"""The endpoints: tokens, profile, accounts, connection data, projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Response

from azdo_pat.emulator import (
    admin_routes,
    answers,
    audit,
    audit_routes,
    graph_routes,
    locations,
    policy_routes,
    sign_in,
)
from azdo_pat.emulator.body import read_guid, read_token_request
from azdo_pat.emulator.directory import (
    ANONYMOUS,
    ORGANIZATIONS,
    Organization,
    User,
    find_organization,
    tenant_of,
)
from azdo_pat.emulator.errors import (
    ARGUMENT,
    BEFORE_7_2,
    HOST_NOT_FOUND,
    INVALID_ACCESS,
    MESSAGES,
    NO_CONTROLLER,
    PROFILE_NOT_FOUND,
    UNAUTHORIZED,
    ServiceError,
    TokenRefusedError,
)
from azdo_pat.emulator.paging import Filter, first_page_again, read_query
from azdo_pat.emulator.pipelines import routes as pipelines
from azdo_pat.emulator.projects import projects_of
from azdo_pat.emulator.service import Service, viewer_of
from azdo_pat.emulator.versions import Version, read_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from azdo_pat.emulator.call import Call
    from azdo_pat.emulator.tokens import Token

_TOKEN_METHODS: Final = ("GET", "POST", "PUT", "DELETE")
_MAY_READ: Final = frozenset({"user_impersonation", "vso.pats", "vso.pats_manage"})
_MAY_MANAGE: Final = frozenset({"user_impersonation", "vso.pats_manage"})


def answer(call: Call, service: Service) -> Response:
    """What the service says to a request, failures included."""
    try:
        return _route(call, service)
    except sign_in.SignInNeededError as needed:
        return sign_in.stranger_answer(needed.stranger, call, service)
    except ServiceError as error:
        refusal = answers.error_answer(error.kind, error.message)
        if error.kind is HOST_NOT_FOUND and "application/json" not in call.headers.get(
            "Accept", ""
        ):
            return answers.not_found_page()
        if error.kind is not UNAUTHORIZED:
            return refusal
        return answers.challenge(refusal, call.root, tenant_of(call.path))


def _route(call: Call, service: Service) -> Response:
    found = None
    match [part.casefold() for part in call.path.strip("/").split("/")]:
        case ["_signin"]:
            return answers.sign_in_page(200)
        case ["_apis", *rest]:
            found = locations.where(call, service, None, rest) or _outside(call, service, rest)
        case [name, *rest]:
            organization = find_organization(name)
            if organization is None:
                raise ServiceError(HOST_NOT_FOUND, f"The organization '{name}' could not be found.")
            if rest[:1] == ["_apis"]:
                sign_in.refuse_revoked(call.headers, service, organization)
                found = locations.where(call, service, organization, rest[1:])
                found = found or _below(call, service, organization, rest[1:])
                found = found or pipelines.answer(call, service, organization, rest[1:])
            elif rest[1:2] == ["_apis"]:
                sign_in.refuse_revoked(call.headers, service, organization)
                found = pipelines.answer(call, service, organization, rest[2:], rest[0])
    if found is None:
        raise ServiceError(
            NO_CONTROLLER,
            f"The controller for path '{call.path}' was not found or does not implement"
            " IController.",
        )
    return found


def _outside(call: Call, service: Service, rest: list[str]) -> Response | None:
    match rest:
        case ["profile", "profiles", who]:
            return _only("GET", call, lambda: _profile(call, service, who))
        case ["accounts"]:
            return _only("GET", call, lambda: _accounts(call, service))
    return None


def _below(  # noqa: PLR0911 - one answer for each path
    call: Call, service: Service, organization: Organization, rest: list[str]
) -> Response | None:
    match rest:
        case ["tokens", "pats"]:
            return _tokens(call, service, organization)
        case ["audit", "auditlog"]:
            return _only("GET", call, lambda: audit_routes.log(call, service, organization))
        case ["audit", "actions"]:
            return _only("GET", call, lambda: audit_routes.actions(call, service, organization))
        case ["graph", *below]:
            return _graph(call, service, organization, below)
        case ["tokenadmin", *below]:
            return _administration(call, service, organization, below)
        case ["tenantpolicy", "policies", name]:
            return _only(
                "GET", call, lambda: policy_routes.policy(call, service, organization, name)
            )
        case ["connectiondata"]:
            return _only("GET", call, lambda: _connection(call, service, organization))
        case ["projects"]:
            return _only("GET", call, lambda: _projects(call, service, organization))
    return None


def _graph(
    call: Call, service: Service, organization: Organization, rest: list[str]
) -> Response | None:
    last = call.path.strip("/").rpartition("/")[2]  # a descriptor's case counts
    match rest:
        case ["users"]:
            return _only("GET", call, lambda: graph_routes.users(call, service, organization))
        case ["users", _]:
            return _only("GET", call, lambda: graph_routes.user(call, service, organization, last))
        case ["descriptors", _]:
            return _only(
                "GET", call, lambda: graph_routes.descriptor_of(call, service, organization, last)
            )
        case ["subjectquery"]:
            return _only("POST", call, lambda: graph_routes.search(call, service, organization))
    return None


def _administration(
    call: Call, service: Service, organization: Organization, rest: list[str]
) -> Response | None:
    match rest:
        case ["personalaccesstokens", _]:
            last = call.path.strip("/").rpartition("/")[2]
            return _only(
                "GET", call, lambda: admin_routes.tokens(call, service, organization, last)
            )
        case ["revocations"]:
            return _only("POST", call, lambda: admin_routes.revoke(call, service, organization))
        case ["revocationrules"]:
            return _only("POST", call, lambda: admin_routes.add_rule(call, service, organization))
    return None


def _tokens(  # noqa: PLR0911 - one answer for each method
    call: Call, service: Service, organization: Organization
) -> Response:
    if call.method not in _TOKEN_METHODS:
        return answers.wrong_method(call.method, ", ".join(_TOKEN_METHODS))
    user, scopes = sign_in.entra_user(call.headers, service)
    sign_in.require_member(user, organization)
    if scopes.isdisjoint(_MAY_READ if call.method == "GET" else _MAY_MANAGE):
        raise ServiceError(INVALID_ACCESS, sign_in.NOT_ALLOWED)
    version = read_version(call, locations.PATS)
    try:
        match call.method:
            case "GET" if "authorizationid" in call.arguments:
                token = service.get(user, _authorization_id(call))
                return _result(service, token, version)
            case "GET":
                return _list(call, service, (user, organization), version)
            case "POST":
                request = read_token_request(call.body, parameter="patTokenCreateRequest")
                token, secret = service.create(user, organization, request)
                _record(call, service, (user, organization), audit.CREATED, token)
                return _result(service, token, version, secret)
            case "PUT":
                request = read_token_request(call.body, parameter="patTokenUpdateRequest")
                token = service.update(user, organization, request)
                _record(call, service, (user, organization), audit.UPDATED, token)
                return _result(service, token, version)
            case _:
                token = service.revoke(user, organization, _authorization_id(call))
                _record(call, service, (user, organization), audit.REVOKED, token)
                return Response(status=204)
    except TokenRefusedError as refused:
        return _refusal(refused, version)


def _record(
    call: Call,
    service: Service,
    who: tuple[User, Organization],
    action: audit.Action,
    token: Token,
) -> None:
    event = audit.event(call, who, action, service.now(), token.display_name)
    service.record([event], who[1])


def _list(
    call: Call, service: Service, who: tuple[User, Organization], version: Version
) -> Response:
    query = read_query(call.arguments)
    page = service.list_page(*who, query)
    continuation = page.continuation
    if call.repeat:
        continuation = first_page_again(query, viewer=viewer_of(*who))
    spoilers = service.spoilers
    tokens = [spoilers.applied(answers.token_json(token)) for token in page.tokens]
    if not query.continuation and query.display_filter in {Filter.ACTIVE, Filter.ALL}:
        tokens += spoilers.rows
    value = {"continuationToken": continuation, "patTokens": tokens}
    return answers.json_answer(value, version=version.text)


def _profile(call: Call, service: Service, who: str) -> Response:
    user, _ = sign_in.entra_user(call.headers, service)
    version = read_version(call, locations.PROFILES)
    if who == "me":
        return answers.json_answer(answers.profile_json(user), version=version.text)
    other = service.people.with_id(read_guid(who) or "")
    if other is not None and any(each.has(user) and each.has(other) for each in ORGANIZATIONS):
        return answers.json_answer(answers.profile_json(other), version=version.text)
    raise ServiceError(PROFILE_NOT_FOUND, f"TF50620: The profile '{who}' does not exist.")


def _accounts(call: Call, service: Service) -> Response:
    user, _ = sign_in.entra_user(call.headers, service)
    version = read_version(call, locations.ACCOUNTS)
    name = next((name for name in ("memberid", "ownerid") if name in call.arguments), None)
    if name is None:
        raise ServiceError(ARGUMENT, "One of these is required: memberId, ownerId.")
    wanted = read_guid(call.arguments[name])
    if wanted is None:
        raise ServiceError(ARGUMENT, f"The value '{call.arguments[name]}' is not a GUID.")
    # Another user's organizations are not for this one to see.
    found = [
        answers.account_json(organization, call.root)
        for organization in ORGANIZATIONS
        if wanted == user.user_id
        and wanted in (organization.member_ids if name == "memberid" else {organization.owner_id})
    ]
    return answers.json_answer(answers.collection(found), version=version.text)


def _projects(call: Call, service: Service, organization: Organization) -> Response:
    user = _visitor(call, service, organization)
    version = read_version(call, locations.PROJECTS)
    # The projects of an organization are private: who is not signed in sees none.
    found = [
        answers.project_json(each, organization, call.root)
        for each in projects_of(organization)
        if user is not ANONYMOUS
    ]
    return answers.json_answer(answers.collection(found), version=version.text)


def _connection(call: Call, service: Service, organization: Organization) -> Response:
    user = _visitor(call, service, organization)
    version = read_version(call, locations.CONNECTION)
    value = answers.connection_json(user, organization)
    return answers.json_answer(value, version=version.text)


def _result(
    service: Service, token: Token, version: Version, secret: str | None = None
) -> Response:
    answer = service.spoilers.applied(answers.token_json(token, secret))
    value = {"patToken": answer, "patTokenError": "none"}
    return answers.json_answer(value, version=version.text)


def _refusal(refused: TokenRefusedError, version: Version) -> Response:
    error = refused.error
    value: dict[str, str | None] = {"patToken": None}
    if version.has_newest_errors:
        value |= {"patTokenError": error.value, "patTokenErrorMessage": MESSAGES[error]}
    else:
        value["patTokenError"] = BEFORE_7_2.get(error, error).value
    return answers.json_answer(value, version=version.text)


def _only(method: str, call: Call, action: Callable[[], Response]) -> Response:
    return action() if call.method == method else answers.wrong_method(call.method, method)


def _authorization_id(call: Call) -> str:
    text = call.arguments.get("authorizationid", "")
    found = read_guid(text)
    if found is None:
        raise ServiceError(ARGUMENT, f"The value '{text}' is not valid for authorizationId.")
    return found


def _visitor(call: Call, service: Service, organization: Organization) -> User:
    """The member of the organization that calls, or the anonymous user of its public projects."""
    user = sign_in.any_user(call.headers, service, organization)
    if user is not ANONYMOUS:
        sign_in.require_member(user, organization)
    return user
