"""Microsoft Entra access tokens as the emulator mints and judges them.

They look like the real thing (claims of a v1.0 token for the Azure DevOps resource) but are
signed with a random key of this emulator alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from azdo_pat.emulator.directory import User, find_user

AZURE_DEVOPS: Final = "499b84ac-1321-427f-aa17-267ca6975798"
AZURE_CLI: Final = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
AZURE_RESOURCE_MANAGER: Final = "https://management.core.windows.net/"
KEY_VAULTS: Final = frozenset(
    f"https://vault.{domain}" for domain in ("azure.net", "azure.cn", "usgovcloudapi.net")
)
"""Key Vault as the audience of an access token, in each cloud."""

_APPLICATION_ID: Final = "b5d0f1c2-3e4a-4b6c-8d7e-9f0a1b2c3d4e"


class Kind(StrEnum):
    """What sort of access token to mint."""

    USER = "user"
    APP = "app"
    EXPIRED = "expired"
    WRONG_AUDIENCE = "wrong-audience"


class Verdict(StrEnum):
    """Why a bearer is no good."""

    UNREADABLE = "unreadable"
    FORGED = "forged"
    EXPIRED = "expired"
    WRONG_AUDIENCE = "wrong audience"
    REVOKED = "revoked"


class BadAccessTokenError(Exception):
    """A bearer that does not sign anyone in."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.value)
        self.verdict = verdict


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whom an access token stands for; ``user`` is None for a service principal.

    ``identity`` names the caller as Azure does in its errors.
    """

    user: User | None
    scopes: frozenset[str]
    made: datetime
    tenant_id: str
    identity: str


@dataclass(frozen=True, kw_only=True)
class Order:
    """An access token to be made; ``lifetime`` from now, ``scopes`` space-separated.

    ``not_before`` None is now.
    """

    kind: Kind
    user: User
    lifetime: timedelta = timedelta(hours=1)
    scopes: str = "user_impersonation"
    client_id: str = AZURE_CLI
    not_before: datetime | None = None
    audience: str = AZURE_DEVOPS


def mint(order: Order, *, key: bytes, now: datetime) -> str:
    """A signed JWT (HS256) as ordered."""
    made = now - order.lifetime - timedelta(hours=1) if order.kind is Kind.EXPIRED else now
    claims = _claims(order, made)
    head = encoded({"typ": "JWT", "alg": "HS256", "kid": hashlib.sha256(key).hexdigest()[:27]})
    text = f"{head}.{encoded(claims)}"
    return f"{text}.{_sign(text, key)}"


def verify(
    token: str, *, key: bytes, now: datetime, not_before: int = 0, audience: str = AZURE_DEVOPS
) -> Caller:
    """Whom the token signs in; ``not_before`` is the earliest ``nbf`` that is good.

    Raises:
        BadAccessTokenError: it is unreadable, not ours, too old or for another service.
    """
    text, _, signature = token.rpartition(".")
    claims = _decode(text)
    if not hmac.compare_digest(signature.encode(), _sign(text, key).encode()):
        raise BadAccessTokenError(Verdict.FORGED)
    if claims.get("aud") != audience:
        raise BadAccessTokenError(Verdict.WRONG_AUDIENCE)
    if now.timestamp() >= claims["exp"]:
        raise BadAccessTokenError(Verdict.EXPIRED)
    if claims["nbf"] < not_before:
        raise BadAccessTokenError(Verdict.REVOKED)
    is_app = claims.get("idtyp") == "app"
    return Caller(
        user=None if is_app else find_user(claims["oid"]),
        scopes=frozenset(claims.get("scp", "").split()),
        made=datetime.fromtimestamp(claims["iat"], UTC),
        tenant_id=claims["tid"],
        identity=";".join(f"{name}={claims[name]}" for name in ("appid", "oid", "iss")),
    )


def _claims(order: Order, made: datetime) -> dict[str, Any]:
    seconds = int(made.timestamp())
    audience = AZURE_RESOURCE_MANAGER if order.kind is Kind.WRONG_AUDIENCE else order.audience
    tenant_id = order.user.tenant_id
    common = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{tenant_id}/",
        "iat": seconds,
        "nbf": int(order.not_before.timestamp()) if order.not_before else seconds,
        "exp": seconds + int(order.lifetime.total_seconds()),
        "tid": tenant_id,
        "uti": base64url(uuid.uuid4().bytes),
        "ver": "1.0",
    }
    if order.kind is Kind.APP:
        return common | {
            "appid": _APPLICATION_ID,
            "appidacr": "1",
            "idtyp": "app",
            "oid": _APPLICATION_ID,
            "sub": _APPLICATION_ID,
        }
    user = order.user
    return common | {
        "appid": order.client_id,
        "appidacr": "0",
        "idtyp": "user",
        "name": user.display_name,
        "oid": user.object_id,
        "scp": order.scopes,
        "sub": subject_of(user),
        "unique_name": user.mail,
        "upn": user.mail,
    }


def subject_of(user: User) -> str:
    """The ``sub`` claim of a user."""
    return hashlib.sha256(user.object_id.encode()).hexdigest()[:43]


def encoded(value: dict[str, Any]) -> str:
    """A JSON object as one part of a JWT."""
    return base64url(json.dumps(value, separators=(",", ":")).encode())


def base64url(data: bytes) -> str:
    """Base64 for URLs, without its padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> dict[str, Any]:
    _, _, payload = text.partition(".")
    try:
        padded = payload + "=" * (-len(payload) % 4)
        claims = json.loads(base64.urlsafe_b64decode(padded.encode()))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise BadAccessTokenError(Verdict.UNREADABLE) from error
    if not isinstance(claims, dict) or not payload:
        raise BadAccessTokenError(Verdict.UNREADABLE)
    return claims


def _sign(text: str, key: bytes) -> str:
    return base64url(hmac.digest(key, text.encode(), "sha256"))
