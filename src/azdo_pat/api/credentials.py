"""The credentials of a request, each sent only to the origins that may see it.

requests replaces an `Authorization` header by what it finds in `~/.netrc`, unless the request has
an `auth` of its own: hence these classes instead of a header set by hand.
"""

import math
import threading
from collections.abc import Callable
from typing import Final

from requests import PreparedRequest
from requests.auth import AuthBase

from azdo_pat.api.addresses import origin
from azdo_pat.errors import PatError, SignInError, UnavailableError
from azdo_pat.models import AccessToken, Secret
from azdo_pat.redaction import remember

_REMEMBERED_SECONDS: Final = 120.0
"""Seconds before a source is asked again; far less than tokens are valid (Azure CLI: 5 minutes)."""

_WORKS_FOR_SECONDS: Final = 600.0
"""Seconds that a renewed token is valid at least; a scan of many users may outlast several."""


class Bearer(AuthBase):
    """Adds the access token, or the personal access token in its place, to requests to the service.

    Args:
        access_token: the source; called rarely, by one thread at a time.
        renewed: returns another token for one that the service rejected, with the claims that it
            asked for; None where the source has no other.
        origins: scheme, host and port of each place that may see the token.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        access_token: Callable[[], AccessToken],
        renewed: Callable[[AccessToken, str], AccessToken | None],
        origins: frozenset[tuple[str, str, int]],
        clock: Callable[[], float],
    ) -> None:
        self._access_token = access_token
        self._renewed = renewed
        self._renewed_at = -math.inf
        self._failure: PatError | None = None
        self._origins = origins
        self._clock = clock
        self._lock = threading.Lock()
        self._held: AccessToken | None = None
        self._asked_at = 0.0

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add the header, if the request's origin is allowed."""
        if origin(r.url or "") in self._origins:
            token = self.current()
            r.headers["Authorization"] = (
                f"Basic {token.secret.basic()}" if token.is_pat else f"Bearer {_header_text(token)}"
            )
        return r

    def current(self) -> AccessToken:
        """Return the access token.

        Raises:
            SignInError: there is none.
        """
        with self._lock:
            now = self._clock()
            if self._held is None or now - self._asked_at > _REMEMBERED_SECONDS:
                self._held = self._access_token()
                remember(self._held.secret.reveal())
                self._asked_at = now
            return self._held

    def renew(self, rejected: AccessToken, claims: str) -> bool:
        """Replace a rejected access token; return False if the source has no other.

        Of the threads whose requests were rejected, one asks the source, and only once in a while:
        if a token is rejected that has just been replaced, the token is not the problem.

        Args:
            rejected: what `current` returned.
            claims: the claims that the service requires of the new token, as JSON; empty for none.

        Raises:
            PatError: the source failed to provide another token.
        """
        with self._lock:
            if self._held != rejected:
                return True
            if self._clock() - self._renewed_at < _WORKS_FOR_SECONDS:
                if self._failure is not None:
                    raise self._failure
                return False
            fresh = self._asked_for_another(rejected, claims)
            if fresh is None:
                return False
            remember(fresh.secret.reveal())
            self._held, self._asked_at = fresh, self._clock()
            return True

    def _asked_for_another(self, rejected: AccessToken, claims: str) -> AccessToken | None:
        self._failure = None
        try:
            fresh = self._renewed(rejected, claims)
        except UnavailableError:
            raise  # it may answer the next thread
        except PatError as error:
            self._failure, self._renewed_at = error, self._clock()
            raise
        self._renewed_at = self._clock()
        return fresh


def _header_text(token: AccessToken) -> str:
    """Return the token's text, after checking that it can be part of a header.

    http.client would quote an invalid one in its own exception.
    """
    text = token.secret.reveal()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise SignInError(
            f"{token.source} did not provide an access token",
            hint="to sign in, run: pat login; or set PAT_ACCESS_TOKEN to the access token and"
            " nothing else",
        )
    return text


class Anonymous(AuthBase):
    """Adds no credential, and keeps requests from adding one from `~/.netrc`."""

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Leave the request as it is."""
        return r


class BearerOfService(AuthBase):
    """Adds an access token for another service than Azure DevOps, for one origin only.

    Args:
        token: for that service.
        url: an address at the origin that may see it.
    """

    def __init__(self, token: AccessToken, url: str) -> None:
        remember(token.secret.reveal())
        self._token = token
        self._origin = origin(url)

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add the header, if the request's origin is allowed."""
        if origin(r.url or "") == self._origin:
            r.headers["Authorization"] = f"Bearer {_header_text(self._token)}"
        return r


class BasicSecret(AuthBase):
    """Adds a personal access token as a Basic password, for one origin only.

    Args:
        secret: the token; the user name stays empty (Microsoft, "Use personal access tokens").
        url: an address at the origin that may see it.
    """

    def __init__(self, secret: Secret, url: str) -> None:
        remember(secret.reveal())
        self._secret = secret
        self._origin = origin(url)

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add the header, if the request's origin is allowed."""
        if origin(r.url or "") == self._origin:
            r.headers["Authorization"] = f"Basic {self._secret.basic()}"
        return r


class VaultToken(AuthBase):
    """Adds the token of a HashiCorp Vault or OpenBao server, for the origin of that server only.

    Args:
        token: of the server.
        url: an address at the origin that may see it.

    Raises:
        SignInError: it cannot be part of a header.
    """

    def __init__(self, token: Secret, url: str) -> None:
        text = token.reveal()
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            raise SignInError(
                "the token of the Vault server is empty, or contains spaces or other"
                " characters that no token has",
                hint="sign in: vault login (or bao login); or set VAULT_TOKEN (or BAO_TOKEN) to the"
                " token and nothing else",
            )
        remember(text)
        self._text = text
        self._origin = origin(url)

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add the header, if the request's origin is allowed."""
        if origin(r.url or "") == self._origin:
            r.headers["X-Vault-Token"] = self._text
        return r
