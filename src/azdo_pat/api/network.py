"""Maps what requests raises to the reason why no answer came."""

import ssl
from http.client import HTTPException, IncompleteRead
from typing import Final, TypeAlias

from requests import exceptions
from urllib3 import exceptions as wire

from azdo_pat.api.response import Problem, printable
from azdo_pat.api.time_limit import TooSlowError

NETWORK_ERRORS: Final = (OSError, wire.HTTPError)
"""Every exception that a request can raise. `requests.RequestException` is an OSError, and so is
the error for an unusable certificate file. For an invalid host name, urllib3's errors escape."""

_CHECK_NETWORK: Final = "check the network, VPN and proxy settings (HTTPS_PROXY, NO_PROXY)"
TRY_AGAIN: Final = f"try again; if the problem persists, {_CHECK_NETWORK}"
_CHECK_PROXY: Final = "check HTTPS_PROXY and NO_PROXY"
_CHECK_CERTIFICATES: Final = (
    "if a proxy inspects TLS, trust its certificate: pat config set ca-bundle FILE,"
    " or REQUESTS_CA_BUNDLE"
)
REFUSED: Final = "connection refused"
_NO_TIMELY_ANSWER: Final = Problem(reason="no response in time", hint=TRY_AGAIN)
_NOT_SECURE: Final = Problem(
    reason="no secure connection could be made", hint=_CHECK_CERTIFICATES, passing=False
)
_CUT: Final = Problem(reason="the connection was cut", hint=TRY_AGAIN)

_NOT_TRUSTED: Final = Problem(
    reason="its certificate is not trusted", hint=_CHECK_CERTIFICATES, sent=False, passing=False
)
_CLOCK: Final = (
    "check this machine's clock; if it is right, the server's certificate must be renewed"
)
_OTHER_NAME: Final = (
    "check the address (PAT_API_URL, PAT_AUTHORITY) and the proxy: another server answered"
)
_CERTIFICATE_TROUBLES: Final = {
    9: _NOT_TRUSTED._replace(reason="its certificate is not valid yet", hint=_CLOCK),
    10: _NOT_TRUSTED._replace(reason="its certificate has expired", hint=_CLOCK),
    **dict.fromkeys(
        (2, 18, 19, 20, 21, 27),
        _NOT_TRUSTED._replace(
            reason="its certificate is from an issuer that this machine does not trust"
        ),
    ),
    **dict.fromkeys(
        (62, 64),
        _NOT_TRUSTED._replace(reason="its certificate is for another host name", hint=_OTHER_NAME),
    ),
}
"""By OpenSSL's number (`x509_vfy.h`, X509_V_ERR_…)."""

_Kinds: TypeAlias = type[BaseException] | tuple[type[BaseException], ...]

_TROUBLES: Final[tuple[tuple[_Kinds, Problem], ...]] = (
    (
        TooSlowError,
        Problem(
            reason="its response took too long",
            hint=TRY_AGAIN,
            passing=False,
        ),
    ),
    (
        ssl.SSLCertVerificationError,
        _NOT_TRUSTED,
    ),
    (
        exceptions.ProxyError,
        Problem(reason="the proxy cannot be used", hint=_CHECK_PROXY, sent=False),
    ),
    (exceptions.SSLError, _NOT_SECURE),
    (wire.SSLError, _NOT_SECURE),
    (
        wire.NameResolutionError,
        Problem(reason="its host name cannot be resolved", hint=_CHECK_NETWORK, sent=False),
    ),
    (
        ConnectionRefusedError,
        Problem(reason=REFUSED, hint=_CHECK_NETWORK, sent=False),
    ),
    (
        wire.NewConnectionError,
        Problem(reason="it cannot be reached", hint=_CHECK_NETWORK, sent=False),
    ),
    (
        exceptions.ConnectTimeout,
        Problem(reason="connecting took too long", hint=_CHECK_NETWORK, sent=False),
    ),
    (exceptions.Timeout, _NO_TIMELY_ANSWER),
    (wire.ReadTimeoutError, _NO_TIMELY_ANSWER),
    ((ConnectionResetError, IncompleteRead), _CUT),  # kinds of HTTPException, some of them
    (
        HTTPException,
        Problem(
            reason="its response is not valid HTTP",
            hint="check the address (PAT_API_URL, PAT_AUTHORITY) and the proxy",
        ),
    ),
    (exceptions.ConnectionError, _CUT),
    (wire.ProtocolError, _CUT),
    (
        exceptions.InvalidProxyURL,
        Problem(
            reason="the proxy's address is malformed", hint=_CHECK_PROXY, sent=False, passing=False
        ),
    ),
    (
        exceptions.InvalidSchema,
        Problem(
            reason="a SOCKS proxy needs PySocks: install it in the Python environment of pat",
            hint=_CHECK_PROXY,
            sent=False,
            passing=False,
        ),
    ),
    (
        exceptions.RequestException,
        Problem(reason="the request failed", hint=TRY_AGAIN, passing=False),
    ),
    (
        wire.LocationValueError,
        Problem(reason="its name is not a valid host name", sent=False, passing=False),
    ),
    (
        OSError,
        Problem(
            reason="the file of trusted certificates cannot be read",
            hint="check ca-bundle (pat config list), REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE",
            sent=False,
            passing=False,
        ),
    ),
)
"""By the type of the exception or of one that it wraps; the first match counts."""

_EXPLAINED: Final = (
    exceptions.ProxyError,
    exceptions.SSLError,
    wire.SSLError,
    wire.NameResolutionError,
    wire.NewConnectionError,
)

_UNKNOWN: Final = Problem(reason="the request failed", hint=TRY_AGAIN, passing=False)


def trouble_of(error: Exception) -> Problem:
    """Return why no answer came.

    The exception itself is not kept: it references the request with its headers.

    Args:
        error: one of `NETWORK_ERRORS`.
    """
    causes = _causes(error)
    for kind, trouble in _TROUBLES:
        for cause in causes:
            if isinstance(cause, kind):
                found = trouble
                if isinstance(cause, ssl.SSLCertVerificationError):
                    found = _CERTIFICATE_TROUBLES.get(cause.verify_code, trouble)
                elif kind is OSError and getattr(cause, "errno", None) is not None:
                    found = _UNKNOWN  # requests gives the one for the certificates no number
                return found._replace(reason=f"{found.reason}{_detail(cause, causes)}")
    return _UNKNOWN


def _detail(cause: BaseException, causes: list[BaseException]) -> str:
    """Return, in brackets, what TLS, the proxy or the system reported; empty for other problems."""
    said = ""
    if isinstance(cause, ssl.SSLCertVerificationError):
        said = cause.verify_message.rstrip(".")
    elif isinstance(cause, _EXPLAINED):
        # What the proxy answered to CONNECT, or the system or TLS to connecting.
        systems = [each for each in causes if isinstance(each, OSError)]
        plain = (each for each in systems if not isinstance(each, exceptions.RequestException))
        said = next((_words(each) for each in plain), "")
    return f" ({printable(said)})" if said else ""


def _words(error: OSError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return error.strerror or str(error)


def _causes(error: BaseException) -> list[BaseException]:
    """Return the exception and all that it wraps as an argument, a reason or a cause."""
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        item = todo.pop()
        if isinstance(item, BaseException) and item not in found:
            found.append(item)
            todo += [*item.args, getattr(item, "reason", None), item.__cause__]
    return found
