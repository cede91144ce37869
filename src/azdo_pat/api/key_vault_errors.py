"""Maps failed responses of Azure Key Vault to the errors that the user reads.

Source: Azure Key Vault, "REST API error codes"; the codes are those of its `innererror`, else of
its `error`.
"""

from http import HTTPStatus
from typing import Final, NamedTuple

from azdo_pat.api.response import Response, printable
from azdo_pat.api.service_errors import BadRequestError, Rule
from azdo_pat.errors import (
    ConflictError,
    NotFoundError,
    PatError,
    RefusedError,
    SignInError,
    UnavailableError,
)

_SECRET: Final = "--vault-name {vault} --name {secret}"  # noqa: S105 - options of az
_RECOVER: Final = f"to recover it, run: az keyvault secret recover {_SECRET}"
_FIREWALL: Final = (
    "run pat in a network that the vault allows, or ask the vault's administrator to allow this"
    " machine"
)
_RULES: Final[dict[str, Rule]] = {
    "ForbiddenByRbac": Rule(
        error=RefusedError,
        message="{user} has no role that allows this in the key vault {vault}",
        hint="ask for the role Key Vault Secrets Officer on the vault; it takes up to ten minutes"
        " until a new role works",
    ),
    "AccessDenied": Rule(
        error=RefusedError,
        message="no access policy of the key vault {vault} allows this to {user}",
        hint="ask for the secret permissions get and set in an access policy of the vault",
    ),
    "ForbiddenByPolicy": Rule(
        error=RefusedError,
        message="a policy of the key vault {vault} refuses the application that {user} signed in"
        " with",
        hint="use a sign-in that the vault accepts: set PAT_KEYVAULT_ACCESS_TOKEN to its access"
        " token",
    ),
    "ForbiddenByFirewall": Rule(
        error=RefusedError,
        message="the firewall of the key vault {vault} refuses this machine",
        hint=_FIREWALL,
    ),
    "ForbiddenByConnection": Rule(
        error=RefusedError,
        message="the key vault {vault} can be reached from private networks only",
        hint=_FIREWALL,
    ),
    "SecretDisabled": Rule(
        error=ConflictError,
        message="the secret is disabled",
        hint=f"to enable it, run: az keyvault secret set-attributes {_SECRET} --enabled true",
    ),
    "SecretNotFound": Rule(error=NotFoundError, message="the secret does not exist"),
    "ObjectIsDeletedButRecoverable": Rule(
        error=ConflictError,
        message="a deleted secret has this name, and can still be recovered",
        hint=_RECOVER,
    ),
    "ObjectIsBeingDeleted": Rule(
        error=ConflictError,
        message="the secret is just being deleted",
        hint=f"wait a minute; then, {_RECOVER}",
    ),
    "ObjectIsBeingRecovered": Rule(
        error=ConflictError,
        message="the secret is just being recovered",
        hint="try again in a minute",
    ),
}
_STATUSES: Final[dict[int, Rule]] = {
    HTTPStatus.UNAUTHORIZED: Rule(
        error=SignInError,
        message="{host} did not accept the access token from {source}",
        hint="to sign in again, run: pat login; or set PAT_KEYVAULT_ACCESS_TOKEN to a new access"
        " token",
    ),
    HTTPStatus.FORBIDDEN: Rule(
        error=RefusedError,
        message="the key vault {vault} refused the request of {user} (HTTP 403)",
        hint="ask an administrator of the vault",
    ),
    HTTPStatus.NOT_FOUND: Rule(
        error=NotFoundError, message="{host} does not know the secret (HTTP 404)"
    ),
    HTTPStatus.CONFLICT: Rule(
        error=ConflictError,
        message="the secret cannot be set right now (HTTP 409)",
        hint="try again in a minute",
    ),
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: Rule(
        error=UnavailableError,
        message="the proxy requires a user name and password (HTTP 407)",
        hint="set HTTPS_PROXY to http://USER:PASSWORD@PROXY:PORT",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: Rule(
        error=UnavailableError,
        message="{host} received too many requests (HTTP 429)",
        hint="wait a minute, then try again",
    ),
}
_REFUSED: Final = Rule(error=BadRequestError, message="{host} refused the request (HTTP {status})")
_BROKEN: Final = Rule(
    error=UnavailableError,
    message="{host} failed (HTTP {status})",
    hint="try again later; for the status of the service, see https://status.azure.com",
)
_WEB_PAGE: Final = Rule(
    error=UnavailableError,
    message="{host} answered with a web page instead of data (HTTP {status})",
    hint="check the proxy settings: it may be the page of a proxy",
)


class Asked(NamedTuple):
    """What a request is about, for messages.

    Attributes:
        vault: the name of the vault.
        secret: the name of the secret.
        source: where the access token came from.
        user: the sign-in name; empty if the token has none.
    """

    vault: str
    secret: str
    source: str = ""
    user: str = ""

    def failure_of(self, answer: Response) -> PatError | None:
        """Return the error that a response stands for; None for success."""
        if answer.is_html or HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
            return self._by(_WEB_PAGE, answer)
        if answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return None
        code, said = _told(answer)
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return self._by(_BROKEN, answer, code, said)
        rule = _RULES.get(code) or _STATUSES.get(answer.status, _REFUSED)
        return self._by(rule, answer, code, said)

    def _by(self, rule: Rule, answer: Response, code: str = "", said: str = "") -> PatError:
        words = {
            **self._asdict(),
            "user": self.user or "the sign-in",
            "host": answer.asked.host,
            "status": answer.status,
        }
        message, hint = rule.message.format(**words), rule.hint.format(**words)
        request_id = printable(answer.headers.get("x-ms-request-id", ""))
        failure = rule.error(
            message, hint=hint, server_message=printable(said), activity_id=request_id
        )
        if isinstance(failure, RefusedError):
            failure.code = printable(code)
        return failure


def _told(answer: Response) -> tuple[str, str]:
    """Return the most specific code of an error, and its message; empty if there is none."""
    try:
        document = answer.json()
    except ValueError:
        return "", ""
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return "", ""
    said, code = error.get("message"), error.get("code")
    inner = error.get("innererror")
    if isinstance(inner, dict) and isinstance(inner.get("code"), str):
        code = inner["code"]
    return code if isinstance(code, str) else "", said if isinstance(said, str) else ""
