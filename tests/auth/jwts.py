"""Access tokens to try: unsigned, as the claims are all that is looked at."""

import base64
import json
import sys
from datetime import UTC, datetime

from azdo_pat.auth.claims import RESOURCE

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
USER: dict[str, object] = {
    "aud": RESOURCE,
    "exp": int(NOW.timestamp()) + 3600,
    "scp": "user_impersonation",
    "tid": "7f0b9c1e-5d43-4f6a-9a51-2c8e6f1d0b37",
    "upn": "ada@contoso.example",
}
HOW_TO = f"az account get-access-token --resource {RESOURCE} --query accessToken -o tsv"
HOW_TO = (
    f"$env:PAT_ACCESS_TOKEN = {HOW_TO}"
    if sys.platform == "win32"
    else f"export PAT_ACCESS_TOKEN=$({HOW_TO})"
)
"""The line that hints give, as the user's shell takes it."""


def jwt(payload: object) -> str:
    return raw_jwt(json.dumps(payload).encode())


def raw_jwt(payload: bytes) -> str:
    parts = (b'{"alg":"none"}', payload, b"signature")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
