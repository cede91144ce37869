"""Claims challenges, among other challenges and in other spellings."""

import base64
import json

import pytest

from azdo_pat.api.challenge import claims_of
from azdo_pat.api.response import RequestSummary, Response

CLAIMS = json.dumps({"access_token": {"nbf": {"essential": True, "value": "1604106651"}}})
ENCODED = base64.b64encode(CLAIMS.encode()).decode()
PLAIN = base64.urlsafe_b64encode(CLAIMS.encode()).decode().rstrip("=")


def claims(header: str) -> str:
    headers = {"WWW-Authenticate": header} if header else {}
    return claims_of(
        Response(status=401, headers=headers, body=b"", asked=RequestSummary("GET", "h"))
    )


@pytest.mark.parametrize(
    "header",
    [
        f'Bearer error="insufficient_claims", claims="{ENCODED}"',
        f'Bearer authorization_uri=https://login.example/x, error="insufficient_claims", claims="{ENCODED}"',  # noqa: E501 - one header
        f'Basic realm="a, b", Bearer realm="", error=insufficient_claims,claims={PLAIN}, TFS-Federated',  # noqa: E501 - one header
        f'TFS-Federated, BEARER Realm="say \\"hi\\", Bearer claims=x" , Claims = "{ENCODED}"',
        f'Bearer error="invalid_token", Bearer error="insufficient_claims", claims="{PLAIN}"',
        f'Negotiate abc==, Bearer error="insufficient_claims", claims="{ENCODED}", Basic realm="z"',
    ],
)
def test_claims_are_found(header: str) -> None:
    assert claims(header) == CLAIMS


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        'Bearer error="insufficient_claims"',
        'Bearer error="insufficient_claims", claims="%%%"',
        'Bearer error="insufficient_claims", claims="W10="',
        'Bearer error="insufficient_claims", claims="' + "A" * 20_000 + '"',
        'Bearer error="insufficient_claims, claims=' + ENCODED,
        f'Bearer error="invalid_token", claims="{ENCODED}"',
        f'Basic error="insufficient_claims", claims="{ENCODED}"',
        '"' * 500 + "=" * 500,
    ],
)
def test_there_are_none(header: str) -> None:
    assert claims(header) == ""
