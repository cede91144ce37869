"""What proves who is asking, tied to the place that may see it.

requests replaces an `Authorization` header by what it finds in `~/.netrc`, unless the request has
an `auth` of its own: hence these, and no header set by hand.
"""

import base64
import threading
from collections.abc import Callable
from typing import Final

from requests import PreparedRequest
from requests.auth import AuthBase

from azdo_pat.api.addresses import origin
from azdo_pat.errors import SignInError
from azdo_pat.models import AccessToken, Secret
from azdo_pat.redaction import remember

_REMEMBERED_SECONDS: Final = 120.0
"""How long a source is not asked again; far less than what it grants (Azure CLI: 5 minutes)."""


class Bearer(AuthBase):
    """Adds the access token to requests for the service, and to no others.

    Args:
        access_token: the source; asked by one thread at a time and seldom.
        renewed: gives another in place of one that the service rejected, with the claims that it
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
        self._was_renewed = False
        self._origins = origins
        self._clock = clock
        self._lock = threading.Lock()
        self._held: AccessToken | None = None
        self._asked_at = 0.0

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add the header, if the request goes where it may go."""
        if origin(r.url or "") in self._origins:
            r.headers["Authorization"] = f"Bearer {_header_text(self.current())}"
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
        """Get another in place of one that was rejected; False where there is none.

        Of the threads whose requests were rejected one asks the source, and it asks once: a
        second token that is rejected says that the token is not what is wrong.

        Args:
            rejected: what `current` returned.
            claims: what the service wants of another, as JSON; empty for nothing.

        Raises:
            PatError: there is a source, and it cannot give another one.
        """
        with self._lock:
            if self._held is not rejected:
                return True
            if self._was_renewed:
                return False
            self._was_renewed = True
            fresh = self._renewed(rejected, claims)
            if fresh is None:
                return False
            remember(fresh.secret.reveal())
            self._held, self._asked_at = fresh, self._clock()
            return True


def _header_text(token: AccessToken) -> str:
    """Return the token's text, if it can be part of a header.

    http.client would quote a bad one in its own exception.
    """
    text = token.secret.reveal()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise SignInError(
            f"what came from {token.source} is not an access token",
            hint="sign in with: pat login, or set PAT_ACCESS_TOKEN to an access token alone",
        )
    return text


class Anonymous(AuthBase):
    """Adds nothing, and keeps requests from adding what `~/.netrc` has."""

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Leave the request as it is."""
        return r


class BasicSecret(AuthBase):
    """Adds a personal access token as a Basic password, for one place only.

    Args:
        secret: the token; the user name stays empty (Microsoft, "Use personal access tokens").
        url: an address at the place that may see it.
    """

    def __init__(self, secret: Secret, url: str) -> None:
        remember(secret.reveal())
        self._secret = secret
        self._origin = origin(url)

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add the header, if the request goes where it may go."""
        if origin(r.url or "") == self._origin:
            pair = f":{self._secret.reveal()}".encode()
            r.headers["Authorization"] = f"Basic {base64.b64encode(pair).decode('ascii')}"
        return r
