"""What Entra refuses."""

import pytest

from azdo_pat.auth.entra_errors import refusal
from azdo_pat.errors import RefusedError, SignInError, UnavailableError


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        ({"error": "access_denied"}, SignInError, "the sign-in was declined"),
        ({"error": "authorization_pending"}, SignInError, "the code was not entered in time"),
        ({"error": "expired_token"}, SignInError, "the code was not entered in time"),
        (
            {"error": "invalid_grant", "error_description": "AADSTS50057: disabled"},
            SignInError,
            "the user's account is disabled",
        ),
        (
            {"error": "consent_required", "error_codes": [90094]},
            RefusedError,
            "no one has consented to this application in the tenant",
        ),
        (
            {"error": "temporarily_unavailable"},
            UnavailableError,
            "Microsoft Entra cannot sign users in right now",
        ),
        ({"error": "odd"}, SignInError, "Microsoft Entra refused the sign-in (odd)"),
        ({}, UnavailableError, "Microsoft Entra cannot sign users in right now"),
        (
            {"error": 1, "error_description": 2, "error_codes": ["x"], "correlation_id": []},
            UnavailableError,
            "Microsoft Entra cannot sign users in right now",
        ),
    ],
)
def test_each_is_told(answer: dict[str, object], kind: type[Exception], message: str) -> None:
    error = refusal(answer)
    assert (type(error), error.message) == (kind, message)
    assert error.hint


def test_the_servers_words_without_its_ids() -> None:
    said = "AADSTS50173: The grant is revoked. Trace ID: 1 Correlation ID: 2"
    error = refusal({"error": "invalid_grant", "error_description": said, "correlation_id": "2"})
    assert error.server_message == "AADSTS50173: The grant is revoked."
    assert error.activity_id == "2"
