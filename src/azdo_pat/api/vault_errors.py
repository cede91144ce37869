"""The errors of HashiCorp Vault and OpenBao.

Sources: HashiCorp Vault and OpenBao, "HTTP API", on status codes and redirects; the messages are
those of OpenBao 2.7.
"""

from http import HTTPStatus
from typing import Final

from azdo_pat.api.response import Response, printable
from azdo_pat.errors import (
    ConflictError,
    NotFoundError,
    PatError,
    RefusedError,
    SignInError,
    UnavailableError,
)
from azdo_pat.urls import parse

DENIED: Final = "denied"
"""The code of a refusal for want of a right, or for a token that is not accepted: the server
answers both in the same way."""

UNSUPPORTED: Final = "unsupported"
"""The code of a refusal of a method that the server, or a proxy in front of it, does not know."""

_ASK: Final = "ask an operator of the server"
_STALE: Final = 412
_DISASTER_STANDBY: Final = 472
_STANDBY: Final = 473
_BEHIND: Final = {
    _STALE: "its state is behind that of the active server",
    _DISASTER_STANDBY: "it is a standby for disaster recovery",
    _STANDBY: "it is a standby",
}


def failure_of(answer: Response) -> PatError | None:
    """Return the error that a response stands for; None for success.

    A 404 is always an error here, also where it means that a secret does not exist.
    """
    host, status = answer.asked.host, answer.status
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return _redirected(answer)
    if answer.is_html and answer.body:
        return UnavailableError(
            f"{host} answered with a web page instead of data (HTTP {status})",
            hint="check VAULT_ADDR (or BAO_ADDR), and the proxy settings",
        )
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    said = messages(answer)
    failure = _by_status(answer, said or "")
    failure.server_message = printable(said or "")
    return failure


def token_rejection_of(answer: Response) -> PatError | None:
    """Return the error that the answer to a question about a mount stands for.

    Any accepted token may ask it, so a plain denial means that the token is not accepted.
    """
    failure = failure_of(answer)
    if not isinstance(failure, RefusedError) or failure.code != DENIED:
        return failure
    if "preflight" in failure.server_message:
        return RefusedError(
            "there is no secrets engine at the path, or the token has no right there",
            hint="check the path and the namespace (VAULT_NAMESPACE); the path begins with that of"
            " the mount",
            server_message=failure.server_message,
            code=DENIED,
        )
    return SignInError(
        f"{answer.asked.host} did not accept the token",
        hint="sign in again: vault login (or bao login); or set VAULT_TOKEN (or BAO_TOKEN)",
        server_message=failure.server_message,
    )


def messages(answer: Response) -> str | None:
    """Return the messages of an error of the server; None if it is not one of the server."""
    try:
        document = answer.json()
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    errors = document.get("errors")
    if isinstance(errors, list):
        return "; ".join(each for each in errors if isinstance(each, str))
    return "" if isinstance(document.get("data"), dict) else None


def _redirected(answer: Response) -> UnavailableError:
    to = parse(answer.headers.get("Location", ""))
    other = printable(to.netloc.rpartition("@")[2])
    if other and other.lower() != answer.asked.host.lower():
        return UnavailableError(
            f"{answer.asked.host} redirects to {other}, which does not get the token",
            hint=f"set VAULT_ADDR (or BAO_ADDR) to the address of {other} if it is right, and add"
            " the delivery target again",
        )
    return UnavailableError(
        f"{answer.asked.host} redirects to another path (HTTP {answer.status})",
        hint="check VAULT_ADDR (or BAO_ADDR), and the path of the secret",
    )


def _by_status(answer: Response, said: str) -> PatError:  # noqa: PLR0911 - one return per status
    host, status = answer.asked.host, answer.status
    if status in _BEHIND:
        return UnavailableError(
            f"{host} cannot answer (HTTP {status}): {_BEHIND[status]}",
            hint="try again; or set VAULT_ADDR to the address of the active server",
        )
    match status:
        case HTTPStatus.BAD_REQUEST if "did not match" in said:
            return ConflictError("someone else has changed the secret at the same time")
        case HTTPStatus.BAD_REQUEST if "check-and-set parameter required" in said:
            return RefusedError(
                f"{host} accepts changes only from tokens that can read the secret",
                hint=f"{_ASK} for the right to read it",
            )
        case HTTPStatus.FORBIDDEN:
            return RefusedError(
                f"{host} denied permission, or no longer accepts the token",
                hint=f"check the token: vault token lookup; for the right, {_ASK}",
                code=DENIED,
            )
        case HTTPStatus.NOT_FOUND:
            return _not_found(answer, said)
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return RefusedError(
                f"{host} does not support the request (HTTP 405)", hint=_ASK, code=UNSUPPORTED
            )
        case HTTPStatus.TOO_MANY_REQUESTS:
            return UnavailableError(
                f"{host} received more requests than its rate limit allows (HTTP 429)",
                hint=f"try again later; to change the limit, {_ASK}",
            )
        case HTTPStatus.SERVICE_UNAVAILABLE if "sealed" in said:
            return UnavailableError(f"{host} is sealed", hint=f"{_ASK} to unseal it")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnavailableError(f"{host} failed (HTTP {status})", hint=f"try again; or {_ASK}")
    return RefusedError(f"{host} refused the request (HTTP {status})", hint=_ASK)


def _not_found(answer: Response, said: str) -> PatError:
    if "namespace" in said:
        return NotFoundError("the namespace does not exist", hint="check VAULT_NAMESPACE")
    if said:
        return NotFoundError(
            f"{answer.asked.host} has no secrets engine at the path",
            hint="check the path and the namespace (VAULT_NAMESPACE)",
        )
    return UnavailableError(
        f"{answer.asked.host} does not answer like Vault or OpenBao (HTTP 404)",
        hint="check VAULT_ADDR (or BAO_ADDR), and the proxy settings",
    )
