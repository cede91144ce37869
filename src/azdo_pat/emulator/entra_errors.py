"""What Microsoft Entra refuses, by its AADSTS codes.

Source: Microsoft identity platform, "Authentication and authorization error codes" (AADSTS).
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from datetime import datetime

_MESSAGES: Final[dict[int, tuple[str, str]]] = {
    50011: ("invalid_request", "The redirect URI specified in the request does not match."),
    50020: (
        "invalid_grant",
        "The user account does not exist in the tenant. It needs to be added as an external user.",
    ),
    50058: ("login_required", "A silent sign-in request was sent but no user is signed in."),
    50076: (
        "interaction_required",
        "Due to a change made by your administrator, you must use multi-factor authentication.",
    ),
    50078: ("invalid_grant", "Presented multi-factor authentication has expired."),
    50173: (
        "invalid_grant",
        "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
    ),
    53000: ("invalid_grant", "Device is not in required device state: compliant."),
    53003: (
        "invalid_grant",
        "Access has been blocked by Conditional Access policies.",
    ),
    65001: (
        "invalid_grant",
        "The user or administrator has not consented to use the application.",
    ),
    65004: ("access_denied", "User declined to consent to access the app."),
    70000: ("invalid_grant", "The provided grant is invalid or malformed."),
    70008: (
        "invalid_grant",
        "The provided authorization code or refresh token has expired due to inactivity.",
    ),
    70011: ("invalid_scope", "The provided value for the input parameter 'scope' is not valid."),
    70016: (
        "authorization_pending",
        "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
    ),
    70018: ("bad_verification_code", "Invalid verification code."),
    70020: ("expired_token", "The provided value for the input parameter 'device_code' expired."),
    90002: ("invalid_tenant", "Tenant not found. Check that you have the correct tenant."),
    90100: ("invalid_request", "A parameter of the request is missing or not valid."),
    700016: (
        "unauthorized_client",
        "Application was not found in the directory: no administrator has installed it.",
    ),
    501481: ("invalid_grant", "The Code_Verifier does not match the code_challenge."),
}
"""What Entra says by its AADSTS code: the OAuth error, and its words (shortened)."""

_CLAIMS_CHALLENGED: Final = frozenset({50076, 50078, 53000})
_CLAIMS: Final = '{"access_token":{"capolids":{"essential":true,"values":["c-mfa"]}}}'


class EntraError(Exception):
    """A refusal by its AADSTS code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"AADSTS{code}")
        self.code = code


def refusal(code: int, now: datetime) -> dict[str, Any]:
    """The OAuth error document for an AADSTS code; an unknown one is an ``invalid_request``."""
    error, words = _MESSAGES.get(code, ("invalid_request", "The request was refused."))
    trace = str(uuid.uuid4())
    document: dict[str, Any] = {
        "error": error,
        "error_description": f"AADSTS{code}: {words} Trace ID: {trace} Correlation ID: {trace}"
        f" Timestamp: {now:%Y-%m-%d %H:%M:%SZ}",
        "error_codes": [code],
        "timestamp": f"{now:%Y-%m-%d %H:%M:%SZ}",
        "trace_id": trace,
        "correlation_id": trace,
        "error_uri": f"https://login.microsoftonline.com/error?code={code}",
    }
    if code in _CLAIMS_CHALLENGED:
        document |= {"suberror": "basic_action", "claims": _CLAIMS}
    return document
