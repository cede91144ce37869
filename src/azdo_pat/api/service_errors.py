"""Maps failed responses to the errors that the user reads."""

import math
from http import HTTPStatus
from typing import Final, NamedTuple

from azdo_pat.api.addresses import is_loopback
from azdo_pat.api.network import REFUSED
from azdo_pat.api.response import Problem, RequestSummary, Response, printable
from azdo_pat.errors import (
    NoAnswerError,
    NoOrganizationError,
    NotFoundError,
    PatError,
    RefusedError,
    SignInError,
    UnavailableError,
)
from azdo_pat.urls import parse

_SIGN_IN: Final = "to sign in again, run: pat login; or set PAT_ACCESS_TOKEN to a new access token"
_STATUS: Final = "try again later; for the status of the service, see https://status.dev.azure.com"


class NoSuchTokenError(NotFoundError):
    """The organization exists, but the token does not."""


class BadRequestError(RefusedError):
    """The service refused the request for a reason that is not known to be a permission."""


class PauseError(UnavailableError):
    """The service asked all requests to wait for longer than the command has patience for."""


class Rule(NamedTuple):
    """The error for one kind of failure.

    Attributes:
        error: the class, and so the exit code.
        message: may contain `{host}`, `{org}`, `{source}`, `{code}` and `{status}`.
        hint: may contain the same, and `{sign_in_hint}`.
    """

    error: type[PatError]
    message: str
    hint: str = ""


_NOT_ACCEPTED: Final = Rule(
    error=SignInError,
    message="{host} did not accept the access token from {source}",
    hint="{sign_in_hint}",
)
_MARKS: Final[dict[str, Rule]] = {
    "insufficient_claims": Rule(
        error=SignInError,
        message="{host} requires a new sign-in: it no longer accepts the access token from"
        " {source}",
        hint="{sign_in_hint}",
    ),
    "TokenCreatedWithOutdatedPolicies": Rule(
        error=SignInError,
        message="the access token from {source} was issued before the sign-in policies changed",
        hint="{sign_in_hint}",
    ),
    "TF400813: Resource not available for anonymous access": _NOT_ACCEPTED,
    "TF400813: The user '' is not authorized": _NOT_ACCEPTED,
    "TF400813": Rule(
        error=SignInError,
        message="{org} does not know the signed-in user: wrong account, tenant or organization",
        hint="check the organization's name; to sign in to its tenant, run: pat login --org {org}",
    ),
    "TF401444": Rule(
        error=SignInError,
        message="{org} requires the user to sign in once in a browser",
        hint="sign in at https://dev.azure.com in a browser, then try again",
    ),
    "VS403463": Rule(
        error=SignInError,
        message="a Conditional Access policy of the tenant does not allow this sign-in",
        hint="on a device and network that the policy allows, run: pat login; to change the policy,"
        " ask an administrator of Microsoft Entra",
    ),
    "ProfileDoesNotExist": Rule(
        error=SignInError,
        message="the signed-in user has no Azure DevOps profile yet",
        hint="sign in at https://dev.azure.com in a browser, then try again",
    ),
    "Service principals are not allowed": Rule(
        error=RefusedError,
        message="service principals and managed identities cannot manage tokens",
        hint="to sign in as a user, run: pat login",
    ),
    "InvalidAccessException": Rule(
        error=RefusedError,
        message="the sign-in was accepted, but the operation is not allowed",
        hint="the tenant's sign-in frequency policy may require a new sign-in: sign in at"
        " https://dev.azure.com in a browser, then run: pat login",
    ),
    "JsonReaderException": Rule(
        error=UnavailableError,
        message="{host} could not read the request",
        hint="a proxy may have changed the request: to see the request, add --debug; if the"
        " problem persists, report it with the activity id",
    ),
    "SessionTokenNotFound": Rule(
        error=NoSuchTokenError,
        message="no such token in {org}",
        hint="to list all tokens, run: pat list --status all",
    ),
    "VssVersionOutOfRange": Rule(
        error=UnavailableError,
        message="{host} does not know this version of the API",
        hint=(
            "Azure DevOps Server has no API for tokens; for Azure DevOps Services, check"
            " PAT_API_URL"
        ),
    ),
    "VssInvalidPreviewVersion": Rule(
        error=UnavailableError,
        message="{host} does not know this version of the API",
        hint="check PAT_API_URL, or upgrade pat",
    ),
}
"""By a part of the service's message, type or sign-in challenge; the first match counts."""

_STATUSES: Final[dict[int, Rule]] = {
    HTTPStatus.UNAUTHORIZED: _NOT_ACCEPTED,
    HTTPStatus.FORBIDDEN: Rule(
        error=RefusedError,
        message="{host} does not allow the operation",
        hint="ask an administrator of {org} for the permission",
    ),
    HTTPStatus.NOT_FOUND: Rule(
        error=NoOrganizationError,
        message="there is no organization {org}, or the signed-in user has no access to it",
        hint="to list your organizations, run: pat status",
    ),
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: Rule(
        error=UnavailableError,
        message="the proxy in front of {host} requires authentication",
        hint="set user and password in HTTPS_PROXY: http://USER:PASSWORD@PROXY:PORT",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: Rule(
        error=UnavailableError,
        message="{host} received too many requests (HTTP 429)",
        hint="wait a few minutes, then try again",
    ),
}

_REFUSED: Final = Rule(
    error=BadRequestError,
    message="{host} refused the request (HTTP {status})",
    hint="try again; if the problem persists, report it with the activity id",
)
_INTERNAL: Final = Rule(
    error=UnavailableError, message="{host} had an internal error (HTTP {status})", hint=_STATUS
)
"""TF400898, "An Internal Error Occurred": not a refusal, though it can come as 400."""

_NO_SUCH_PAGE: Final = Rule(
    error=UnavailableError,
    message="{host} does not know the requested URL (HTTP 404)",
    hint="check PAT_API_URL",
)
_SIGN_IN_PAGE: Final = Rule(
    error=SignInError,
    message="{host} answered with a sign-in page instead of data",
    hint="{sign_in_hint}",
)
_OUTCOME_UNKNOWN: Final = "the service may have carried out the request; to check, run: pat list"


def failure_of(answer: Response) -> PatError | None:
    """Return the error that a response's status, type or body stands for; None for success."""
    if is_sign_in_page(answer):
        return by_rule(_SIGN_IN_PAGE, answer)
    if answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    said, kind, its_own = _error_body(answer)
    rule = _marked(f"{kind} {said} {answer.headers.get('WWW-Authenticate', '')}")
    if rule is None and answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _broken_service(answer, said)
    rule = rule or _by_status(answer, said)
    failure = by_rule(rule, answer, said=said, code=kind)
    final = rule is not _INTERNAL and _is_final(answer.status, its_own=its_own)
    if answer.asked.method == "POST" and not final:
        return _open(failure)
    return failure


def failure_to_answer(trouble: Problem, asked: RequestSummary) -> UnavailableError:
    """Return the error for a request that got no answer."""
    message = f"{asked.host} did not answer: {trouble.reason}"
    if asked.method == "POST" and trouble.sent:
        return NoAnswerError(message, hint=_OUTCOME_UNKNOWN)
    if trouble.reason == REFUSED and is_loopback(parse(f"//{asked.host}").host):
        what = "emulator or proxy" if asked.setting == "PAT_API_URL" else "server"
        hint = f"{asked.setting} points to this machine: is the {what} running?"
        return UnavailableError(message, hint=hint)
    return UnavailableError(message, hint=trouble.hint)


def told_to_wait(seconds: float, asked: RequestSummary) -> PauseError:
    """Return the error for a requested pause that is too long to wait for."""
    return PauseError(
        f"{asked.host} accepts no more requests for {seconds:.0f} s",
        hint=f"try again in {math.ceil(seconds / 60)} min",
    )


def unreadable(answer: Response, detail: str) -> UnavailableError:
    """Return the error for a response that does not match the API.

    The outcome of a POST is then unknown: the service may have acted on it.
    """
    message = f"the response from {answer.asked.host} is not {detail}"
    if answer.asked.method == "POST":
        return NoAnswerError(message, hint=_OUTCOME_UNKNOWN, activity_id=answer.activity_id)
    return UnavailableError(message, hint=_STATUS, activity_id=answer.activity_id)


def by_rule(rule: Rule, answer: Response, *, said: str = "", code: str = "") -> PatError:
    """Return the error that a rule gives for a response.

    Args:
        rule: the class and the messages.
        answer: the response.
        said: the service's own message, unchanged.
        code: the service's name for the failure.
    """
    asked = answer.asked
    words = {
        "host": asked.host,
        "org": printable(asked.organization) or "the organization",
        "source": asked.source or "the source",
        "sign_in_hint": asked.sign_in_hint or _SIGN_IN,
        "code": printable(code),
        "status": answer.status,
    }
    message, hint = rule.message.format(**words), rule.hint.format(**words)
    server_message = printable(said)
    if issubclass(rule.error, RefusedError):
        return rule.error(
            message,
            hint=hint,
            server_message=server_message,
            activity_id=answer.activity_id,
            code=printable(code),
        )
    error = rule.error(
        message, hint=hint, server_message=server_message, activity_id=answer.activity_id
    )
    if isinstance(error, NoOrganizationError):
        error.organization = asked.organization
    return error


def is_sign_in_page(answer: Response) -> bool:
    """Return whether it is a sign-in page: status 203, a redirect, or HTML instead of data."""
    status = answer.status
    if status < HTTPStatus.MULTIPLE_CHOICES:
        is_page = answer.is_html and bool(answer.body)
        return is_page or status == HTTPStatus.NON_AUTHORITATIVE_INFORMATION
    return status < HTTPStatus.BAD_REQUEST


def _marked(text: str) -> Rule | None:
    return next((rule for mark, rule in _MARKS.items() if mark in text), None)


def _by_status(answer: Response, said: str) -> Rule:
    if answer.status == HTTPStatus.BAD_REQUEST and "TF400898" in said:
        return _INTERNAL
    if answer.status == HTTPStatus.NOT_FOUND and not answer.asked.organization:
        return _NO_SUCH_PAGE
    return _STATUSES.get(answer.status, _REFUSED)


def _broken_service(answer: Response, said: str) -> UnavailableError:
    is_open = answer.asked.method == "POST"
    failure = NoAnswerError if is_open else UnavailableError
    return failure(
        f"{answer.asked.host} failed (HTTP {answer.status})",
        hint=_OUTCOME_UNKNOWN if is_open else _STATUS,
        server_message=printable(said),
        activity_id=answer.activity_id,
    )


def _is_final(status: int, *, its_own: bool) -> bool:
    """Return whether a refusal means that nothing was done.

    A gateway can refuse a request that the service has already carried out. Only the
    service itself sends its error object.
    """
    if status in {HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, HTTPStatus.REQUEST_TIMEOUT}:
        return False
    return its_own or status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}


def _open(failure: PatError) -> NoAnswerError:
    return NoAnswerError(
        failure.message,
        hint=_OUTCOME_UNKNOWN,
        server_message=failure.server_message,
        activity_id=failure.activity_id,
    )


def _error_body(answer: Response) -> tuple[str, str, bool]:
    """Return message and type of an error object, and whether it comes from Azure DevOps."""
    try:
        body = answer.json()
    except ValueError:
        return "", "", False
    if not isinstance(body, dict):
        return "", "", False
    said, kind = body.get("message"), body.get("typeKey")
    its_own = isinstance(said, str) and (isinstance(kind, str) or "$id" in body)
    return (
        said if isinstance(said, str) else "",
        kind if isinstance(kind, str) else "",
        its_own,
    )
