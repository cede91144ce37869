"""The headers that every request to the service has, and how its connections are made."""

from http.cookiejar import DefaultCookiePolicy

import requests

from azdo_pat.api.body import ACCEPTED_ENCODING
from azdo_pat.api.time_limit import PatientAdapter


class UnledSession(requests.Session):
    """A session that goes where it is told, and nowhere else.

    `allow_redirects=False` is not enough: requests then still takes the target apart, fails with a
    ValueError where it is none, and reads the whole body, however large.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Find no target in any answer; see requests."""
        del resp


def session(version: str, adapter: PatientAdapter) -> requests.Session:
    """Return a new session.

    Args:
        version: of this program, for the service's log.
        adapter: makes the connections.
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
            # A bad sign-in is then a 401, not a redirect (docs: "Authentication").
            "X-TFS-FedAuthRedirect": "Suppress",
            # Users with a personal Microsoft account need it.
            "X-VSS-ForceMsaPassThrough": "true",
        }
    )
    return made
