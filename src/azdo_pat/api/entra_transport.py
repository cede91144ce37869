"""The network side of signing in: MSAL's requests, and finding an organization's tenant."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import monotonic
from typing import Final

import requests

from azdo_pat.api.addresses import Service, no_proxy, origin, segment
from azdo_pat.api.call import ApiCall
from azdo_pat.api.credentials import Anonymous
from azdo_pat.api.http import Http
from azdo_pat.api.network import NETWORK_ERRORS, trouble_of
from azdo_pat.api.request_headers import UnledSession
from azdo_pat.api.response import printable
from azdo_pat.api.time_limit import PatientAdapter
from azdo_pat.api.trace import Exchange, received_message, sent_message
from azdo_pat.errors import SignInError, UnavailableError
from azdo_pat.redaction import remember_fields
from azdo_pat.urls import parse
from azdo_pat.waiting import Waits, interruptible, unheard

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NO_TENANT: Final = "00000000-0000-0000-0000-000000000000"
"""The tenant of organizations of personal accounts (as in Git Credential Manager)."""


class EntraHttp:
    """An HTTP client for MSAL that only connects to one Entra authority.

    It follows no redirect, because bodies hold codes and refresh tokens.

    Args:
        authority: its root; https.
        timeout: seconds to connect, and seconds without a byte while reading.
        ca_bundle: a file of certificates to trust instead of the usual ones.
        trace: called for each request.
        clock: monotonic seconds.
        waits: is told of the wait for each answer.
    """

    def __init__(
        self,
        authority: str,
        *,
        timeout: tuple[float, float],
        ca_bundle: str | None,
        trace: Callable[[Exchange], None],
        clock: Callable[[], float] = monotonic,
        waits: Waits = unheard,
    ) -> None:
        self._origin = origin(authority)
        self._timeout = timeout
        self._ca_bundle = ca_bundle
        self._trace = trace
        self._clock = clock
        self._waits = waits
        self._session = UnledSession()
        self._session.mount("https://", PatientAdapter(timeout, clock))

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> requests.Response:
        """Make a GET request; see `msal.ClientApplication`."""
        return self._request("GET", url, params, None, headers)

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> requests.Response:
        """Make a POST request; see `msal.ClientApplication`."""
        return self._request("POST", url, params, data, headers)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _request(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        data: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> requests.Response:
        if origin(url) != self._origin:
            raise SignInError(
                f"sign-in data would be sent to {parse(url).netloc}, which is not the authority",
                hint="check PAT_AUTHORITY",
            )
        started = self._clock()
        remember_fields(data)
        try:
            with self._waits(f"waiting for {parse(url).netloc}"):
                response = interruptible(
                    lambda: self._session.request(
                        method,
                        url,
                        params=params,
                        data=data,
                        headers=headers,
                        auth=Anonymous(),
                        timeout=self._timeout,
                        allow_redirects=False,
                        verify=self._ca_bundle,
                        proxies=no_proxy(url),
                    )
                )
        except NETWORK_ERRORS as error:
            trouble = trouble_of(error)
            failure = UnavailableError(
                f"{parse(url).netloc} could not be reached: {trouble.reason}", hint=trouble.hint
            )
        else:
            with suppress(ValueError, RecursionError):
                remember_fields(response.json())
            self._trace(
                Exchange(
                    method=method,
                    url=url.partition("?")[0],
                    status=response.status_code,
                    seconds=self._clock() - started,
                    activity_id=printable(response.headers.get("x-ms-request-id", "")),
                    sent=sent_message(response.request),
                    received=received_message(response, response.content),
                )
            )
            return response
        raise failure


def tenant_of(http: Http, organization: str) -> str:
    """Return the id of the tenant that an organization belongs to; empty if it does not say.

    An unauthenticated answer has it in `X-VSS-ResourceTenant` and `WWW-Authenticate`.
    """
    base = f"{http.addresses.base(Service.TOKENS)}/{segment(organization)}"
    answer = http.probe(
        ApiCall(method="GET", url=f"{base}/_apis/connectionData", credential=Anonymous())
    )
    if answer is None:
        return ""
    said = answer.headers.get("X-VSS-ResourceTenant", "")
    if not said:
        challenge = answer.headers.get("WWW-Authenticate", "")
        found = re.search(r"authorization_uri=\"?https://[^/\s]+/([^/\"\s,]+)", challenge)
        said = found[1] if found else ""
    return said.lower() if _GUID.fullmatch(said) and said != _NO_TENANT else ""
