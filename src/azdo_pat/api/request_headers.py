"""The session for requests to the service: its headers, and how its connections are made."""

from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Final

import requests

from azdo_pat.api.body import ACCEPTED_ENCODING
from azdo_pat.api.time_limit import PatientAdapter


class UnledSession(requests.Session):
    """A session that never follows a redirect.

    `allow_redirects=False` is not enough: requests then still parses the target, fails with a
    ValueError if it is malformed, and reads the whole body, however large.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return no redirect target; see requests."""
        del resp


AZURE_DEVOPS: Final = {
    # A bad sign-in is then a 401, not a redirect (docs: "Authentication").
    "X-TFS-FedAuthRedirect": "Suppress",
    # Users with a personal Microsoft account need it.
    "X-VSS-ForceMsaPassThrough": "true",
}


def session(version: str, adapter: PatientAdapter, headers: Mapping[str, str]) -> requests.Session:
    """Return a new session.

    Args:
        version: of this program, for the service's log.
        adapter: makes the connections.
        headers: what the service wants to be told with every request.
    """
    made = UnledSession()
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    # A cookie of one sign-in must not vouch for another secret.
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.headers.update(
        {
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED_ENCODING,
            "User-Agent": f"azdo-pat/{version}",
            **headers,
        }
    )
    return made
