"""Maps failed responses of GitHub to the errors that the user reads.

Sources: GitHub, "Troubleshooting the REST API", "Rate limits for the REST API", "Permissions
required for fine-grained personal access tokens".
"""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, NamedTuple

from azdo_pat.api.rate_limit import retry_after
from azdo_pat.api.response import Response, printable
from azdo_pat.api.service_errors import BadRequestError
from azdo_pat.delivery_targets import GitHubTarget
from azdo_pat.errors import (
    ConflictError,
    NotFoundError,
    PatError,
    RefusedError,
    SignInError,
    UnavailableError,
)

INVALID: Final = "invalid"
"""The code of a refusal of what was sent, as is a secret that was encrypted for a former key."""

_PERMISSIONS: Final = {
    "actions": "Secrets",
    "codespaces": "Codespaces secrets",
    "dependabot": "Dependabot secrets",
}
_PROXY: Final = "check the proxy settings: it may be the page of a proxy"


class Asked(NamedTuple):
    """What a request is about, for messages.

    Attributes:
        target: whose secret it is.
        source: where the token of GitHub came from.
        is_hosted: GitHub runs the host itself.
    """

    target: GitHubTarget
    source: str
    is_hosted: bool

    def failure_of(self, answer: Response) -> PatError | None:
        """Return the error that a response stands for; None for success."""
        failure = self._failure_of(answer)
        if failure is not None:
            failure.server_message = failure.server_message or printable(_told(answer))
            failure.activity_id = printable(answer.headers.get("X-GitHub-Request-Id", ""))
        return failure

    def _failure_of(self, answer: Response) -> PatError | None:
        host, status = self.target.host, answer.status
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST and not answer.is_html:
            return NotFoundError(
                f"{self.place} has been renamed or moved",
                hint="deliver to its new name instead, with --deliver",
            )
        if answer.is_html and answer.body:
            return UnavailableError(
                f"{host} answered with a web page instead of data (HTTP {status})",
                hint=_PROXY if self.is_hosted else f"check GH_HOST; {_PROXY}",
            )
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return None
        if _is_throttled(answer):
            return UnavailableError(
                f"{host} accepts no more requests for now (HTTP {status})", hint=_later(answer)
            )
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return UnavailableError(f"{host} failed (HTTP {status})", hint=self._when_broken)
        return self._refusal(answer)

    def _refusal(self, answer: Response) -> PatError:  # noqa: PLR0911 - one return per status
        host, status = self.target.host, answer.status
        match status:
            case HTTPStatus.UNAUTHORIZED:
                return SignInError(
                    f"{host} did not accept the token from {self.source}",
                    hint=sign_in_hint(host, is_hosted=self.is_hosted),
                )
            case HTTPStatus.FORBIDDEN:
                return self._forbidden(answer)
            case HTTPStatus.NOT_FOUND:
                return NotFoundError(
                    f"there is no {self.place} on {host}, or the token from {self.source}"
                    " cannot see its secrets",
                    hint=f"check the name; {self._rights(answer)}",
                )
            case HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
                return UnavailableError(
                    "the proxy requires a user name and password (HTTP 407)",
                    hint="set HTTPS_PROXY to http://USER:PASSWORD@PROXY:PORT",
                )
            case HTTPStatus.CONFLICT:
                return ConflictError(
                    f"{host} cannot change the secret right now (HTTP 409)",
                    hint="try again in a minute",
                )
            case HTTPStatus.UNPROCESSABLE_ENTITY:
                return RefusedError(
                    f"{host} did not accept what was sent (HTTP 422)",
                    hint="check the name of the secret, and how many secrets there are already",
                    code=INVALID,
                )
        return BadRequestError(f"{host} refused the request (HTTP {status})")

    def _forbidden(self, answer: Response) -> PatError:
        host = self.target.host
        if answer.headers.get("X-GitHub-SSO"):
            return RefusedError(
                f"the token from {self.source} is not authorized for the single sign-on of"
                f" {self.target.owner}",
                hint=f"authorize it: https://{host}/settings/tokens > Configure SSO",
            )
        if "archived" in _told(answer).lower():
            return archived(self.target)
        return RefusedError(
            f"the token from {self.source} cannot read or change the secrets of {self.place}",
            hint=self._rights(answer),
        )

    @property
    def place(self) -> str:
        """What has the secret, in words."""
        target = self.target
        if not target.repository:
            return f"organization {target.owner}"
        environment = f"environment {target.environment!r} in " if target.environment else ""
        return f"{environment or 'repository '}{target.owner}/{target.repository}"

    def _rights(self, answer: Response) -> str:
        """Return which right is needed, and what the service says about the token's own."""
        target = self.target
        permission = "Environments" if target.environment else _PERMISSIONS[target.app]
        of = "repository" if target.repository else "organization"
        scope = "repo" if target.repository else "admin:org"
        needed = (
            f"a fine-grained token needs the {of} permission {permission} (read and write), a"
            f" classic one the scope {scope}"
        )
        wanted = printable(answer.headers.get("X-Accepted-GitHub-Permissions", ""))
        scopes = answer.headers.get("X-OAuth-Scopes")
        if scopes is not None:
            return f"{needed}; this one has: {printable(scopes) or 'none'}"
        return f"{needed}; {target.host} asks for: {wanted}" if wanted else needed

    @property
    def _when_broken(self) -> str:
        if self.is_hosted:
            return "try again later; for the status of GitHub, see https://www.githubstatus.com"
        return f"try again later, or ask an administrator of {self.target.host}"


def archived(target: GitHubTarget) -> RefusedError:
    """Return the error for a repository that cannot be changed any more."""
    return RefusedError(
        f"the repository {target.owner}/{target.repository} is archived, so its secrets cannot be"
        " changed",
        hint="unarchive it in its settings, or deliver elsewhere",
    )


def sign_in_hint(host: str, *, is_hosted: bool) -> str:
    """Return how the user gets a token of a GitHub."""
    variable = "GH_TOKEN" if is_hosted else "GH_ENTERPRISE_TOKEN"
    return f"run: gh auth login --hostname {host}; or set {variable} to a token of {host}"


def service_time(headers: Mapping[str, str]) -> float | None:
    """Return the time of the service's own clock in seconds since 1970; None if it does not say."""
    try:
        return parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _told(answer: Response) -> str:
    """Return the message of an error; empty if there is none."""
    try:
        document = answer.json()
    except ValueError:
        return ""
    said = document.get("message") if isinstance(document, dict) else None
    return said if isinstance(said, str) else ""


def _is_throttled(answer: Response) -> bool:
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    headers = answer.headers
    return answer.status == HTTPStatus.FORBIDDEN and (
        retry_after(headers) is not None
        or headers.get("X-RateLimit-Remaining") == "0"
        or "rate limit" in _told(answer).lower()
    )


def _later(answer: Response) -> str:
    pause = retry_after(answer.headers)
    reset, now = answer.headers.get("X-RateLimit-Reset", ""), service_time(answer.headers)
    if pause is None and reset.isascii() and reset.isdigit() and now is not None:
        pause = float(reset[:12]) - now
    return f"try again in {max(1, math.ceil((pause or 60) / 60))} min"
