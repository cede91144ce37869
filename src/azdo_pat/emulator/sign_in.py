"""Who calls: access tokens and personal access tokens, and what a stranger gets."""

from __future__ import annotations

import base64
import binascii
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from azdo_pat.emulator import access_tokens, answers
from azdo_pat.emulator.access_tokens import BadAccessTokenError, Caller, Verdict
from azdo_pat.emulator.directory import ANONYMOUS, Organization, User, tenant_of
from azdo_pat.emulator.errors import INVALID_ACCESS, UNAUTHORIZED, ServiceError

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers
    from werkzeug.wrappers import Response

    from azdo_pat.emulator.call import Call
    from azdo_pat.emulator.service import Service

NOT_ALLOWED: Final = "The requested operation is not allowed."
_REDIRECTED: Final = frozenset({"GET", "POST"})
_ANONYMOUS_REFUSED: Final = (
    "TF400813: Resource not available for anonymous access. Client authentication required."
)


class Stranger(Enum):
    """What someone gets who is not signed in and does not ask for a plain 401."""

    PAGE = auto()
    REDIRECT = auto()
    REFUSAL = auto()
    CHALLENGE = auto()


# Seen of the real service: 203 with a page, 302, and a plain 401
# (MicrosoftDocs/azure-devops-docs issue 13661, vsts-rest-api-specs issue 574).
_ANSWERS: Final = {
    Verdict.UNREADABLE: Stranger.PAGE,
    Verdict.FORGED: Stranger.REDIRECT,
    Verdict.EXPIRED: Stranger.REDIRECT,
    Verdict.WRONG_AUDIENCE: Stranger.REFUSAL,
    Verdict.REVOKED: Stranger.CHALLENGE,
}


class SignInNeededError(Exception):
    """The credentials of a request are missing or no good."""

    def __init__(self, stranger: Stranger) -> None:
        super().__init__(stranger.name)
        self.stranger = stranger


def entra_user(headers: Headers, service: Service) -> tuple[User, frozenset[str]]:
    """The user behind an Entra access token, and the token's scopes.

    Raises:
        SignInNeededError: there is none, or a bad one.
        ServiceError: 403 for a personal access token and for a service principal.
    """
    caller = _caller(headers, service)
    if caller.user is None:
        raise ServiceError(
            INVALID_ACCESS, "Service principals are not allowed to perform this action."
        )
    return caller.user, caller.scopes


def check_credentials(
    headers: Headers, service: Service, organization: Organization | None
) -> None:
    """Check the credentials of a request that may also do without any.

    Args:
        headers: of the request.
        service: what knows the tokens.
        organization: of which a personal access token must be; None where any will do.

    Raises:
        SignInNeededError: the credentials are no good.
    """
    if "Authorization" not in headers or service.policies_of(organization).public_projects:
        return
    secret = _basic_secret(headers)
    if secret is None:
        _caller(headers, service)
    elif not (
        service.authenticate(secret, organization) if organization else service.knows(secret)
    ):
        raise SignInNeededError(Stranger.PAGE)


def any_user(headers: Headers, service: Service, organization: Organization) -> User:
    """The user behind an access token or a personal access token of the organization.

    Raises:
        SignInNeededError: neither is there, or a bad one.
        ServiceError: 403 for a service principal.
    """
    try:
        return _known_user(headers, service, organization)
    except SignInNeededError:
        if service.policies_of(organization).public_projects:
            return ANONYMOUS
        raise


def require_member(user: User, organization: Organization) -> None:
    """Raises ServiceError: 401, where the user is not a member of the organization."""
    if not organization.has(user):
        raise ServiceError(
            UNAUTHORIZED,
            f"TF400813: The user '{user.user_id}' is not authorized to access this resource.",
        )


def user_and_scopes(
    headers: Headers, service: Service, organization: Organization
) -> tuple[User, frozenset[str]]:
    """The user behind an access token or a personal access token, and what it may be used for.

    Raises:
        SignInNeededError: neither is there, or a bad one.
        ServiceError: 403 for a service principal.
    """
    secret = _basic_secret(headers)
    if secret is None:
        return entra_user(headers, service)
    token = service.token_of(secret, organization)
    user = service.authenticate(secret, organization)
    if token is None or user is None:
        raise SignInNeededError(Stranger.PAGE)
    return user, frozenset(token.scope.split())


def refuse_revoked(headers: Headers, service: Service, organization: Organization) -> None:
    """Raises SignInNeededError for an access token that a revocation rule has ended there."""
    rules = service.rules_of(organization)
    if not rules or not headers.get("Authorization", "").casefold().startswith("bearer "):
        return
    caller = _caller(headers, service)
    if any(rule.matches(caller.scopes, caller.made) for rule in rules):
        raise SignInNeededError(Stranger.REFUSAL)


def stranger_answer(stranger: Stranger, call: Call, service: Service) -> Response:
    """The answer to a request that is not signed in."""
    tenant = tenant_of(call.path)
    if stranger is Stranger.CHALLENGE:
        refused = answers.error_answer(UNAUTHORIZED, _ANONYMOUS_REFUSED)
        return answers.challenge(refused, call.root, tenant, not_before=service.not_before)
    suppressed = call.headers.get("X-TFS-FedAuthRedirect", "").casefold() == "suppress"
    if suppressed or call.method not in _REDIRECTED or stranger is Stranger.REFUSAL:
        refused = answers.error_answer(UNAUTHORIZED, _ANONYMOUS_REFUSED)
        return answers.challenge(refused, call.root, tenant)
    if stranger is Stranger.REDIRECT:
        answer = answers.sign_in_page(302)
        answer.headers["Location"] = f"{call.root}/_signin?realm=dev.azure.com"
        return answer
    return answers.sign_in_page(203)


def _known_user(headers: Headers, service: Service, organization: Organization) -> User:
    secret = _basic_secret(headers)
    if secret is None:
        return entra_user(headers, service)[0]
    owner = service.authenticate(secret, organization)
    if owner is None:
        raise SignInNeededError(Stranger.PAGE)
    return owner


def _caller(headers: Headers, service: Service) -> Caller:
    secret = _basic_secret(headers)
    if secret is not None:
        if service.knows(secret):
            raise ServiceError(INVALID_ACCESS, NOT_ALLOWED)
        raise SignInNeededError(Stranger.PAGE)
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.casefold() != "bearer":
        raise SignInNeededError(Stranger.PAGE)
    try:
        return access_tokens.verify(
            token.strip(),
            key=service.signing_key,
            now=service.now(),
            not_before=service.not_before,
        )
    except BadAccessTokenError as error:
        raise SignInNeededError(_ANSWERS[error.verdict]) from error


def _basic_secret(headers: Headers) -> str | None:
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    if scheme.casefold() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip().encode(), validate=True).decode()
    except (ValueError, binascii.Error):
        return ""
    return text.partition(":")[2]
