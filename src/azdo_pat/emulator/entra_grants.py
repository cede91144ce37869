"""What a user agreed to at Microsoft Entra, and the tokens that it is redeemed for."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from azdo_pat.emulator import access_tokens
from azdo_pat.emulator.access_tokens import (
    AZURE_DEVOPS,
    KEY_VAULTS,
    Kind,
    Order,
    encoded,
    subject_of,
)
from azdo_pat.emulator.directory import identity_in
from azdo_pat.emulator.entra_errors import EntraError

if TYPE_CHECKING:
    from azdo_pat.emulator.directory import User

_LIFETIME: Final = timedelta(hours=1)
_BACKDATED: Final = timedelta(minutes=5)
"""Entra's tokens are valid from so long before they are issued, for clocks that differ, unless the
claims of the request want it otherwise."""

_IDENTITY: Final = frozenset({"openid", "profile", "offline_access", "email"})
_SCOPES: Final = {
    AZURE_DEVOPS: frozenset({"vso.pats", "vso.pats_manage", "user_impersonation"}),
    **dict.fromkeys(KEY_VAULTS, frozenset({"user_impersonation"})),
}
"""What each service can be asked for."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a user agreed to, and until when it can be redeemed.

    ``user`` is who signed in; in ``tenant_id``, that may be another identity.
    """

    user: User
    tenant_id: str
    client_id: str
    scope: str
    until: datetime
    nonce: str = ""
    redirect_uri: str = ""
    code_challenge: str = ""


def tokens_for(grant: Grant, *, claims: str, key: bytes, now: datetime) -> dict[str, Any]:
    """What the token endpoint answers, but for the refresh token.

    Raises:
        EntraError: the scope of the grant or the claims of the request are no good, or the user is
            a stranger to the tenant.
    """
    identity = identity_in(grant.tenant_id, grant.user)
    if identity is None:
        raise EntraError(50020)
    not_before = datetime.fromtimestamp(_wanted_not_before(claims), UTC)
    resource, wanted = granted(grant.scope)
    names = sorted(wanted)
    order = Order(
        kind=Kind.USER,
        user=identity,
        lifetime=_LIFETIME,
        scopes=" ".join(names),
        client_id=grant.client_id,
        not_before=max(now - _BACKDATED, not_before),
        audience=resource,
    )
    full = [f"{resource}/{each}" for each in names]
    if "user_impersonation" in names:
        full.append(f"{resource}/.default")
    seconds = _LIFETIME // timedelta(seconds=1)
    return {
        "token_type": "Bearer",
        "scope": " ".join(full),
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": access_tokens.mint(order, key=key, now=now),
        "id_token": _id_token(grant, identity, now),
        "client_info": client_info(grant.user),
    }


def check_client(client_id: str) -> None:
    """Raise ``EntraError`` for an id that no application can have."""
    try:
        uuid.UUID(client_id)
    except ValueError:
        raise EntraError(700016) from None


def granted(scope: str) -> tuple[str, frozenset[str]]:
    """The service that is asked for, and its scopes.

    Raises:
        EntraError: there are none, or those of several services or of an unknown one.
    """
    wanted = [each.rpartition("/") for each in scope.split() if each not in _IDENTITY]
    resources = {resource for resource, _, _ in wanted}
    names = {name for _, _, name in wanted}
    if len(resources) != 1 or not resources <= _SCOPES.keys():
        raise EntraError(70011)
    (resource,) = resources
    if ".default" in names:
        names = {"user_impersonation"}
    if not names <= _SCOPES[resource]:
        raise EntraError(70011)
    return resource, frozenset(names)


def client_info(user: User) -> str:
    """The ``client_info`` by which MSAL tells accounts apart."""
    return encoded({"uid": user.object_id, "utid": user.tenant_id})


def _wanted_not_before(claims: str) -> int:
    """The ``nbf`` that a request's ``claims`` want of the access token; 0 where they want none.

    Raises:
        EntraError: they are not understood.
    """
    try:
        wanted = json.loads(claims or "{}").get("access_token", {}).get("nbf", {})
        return int(wanted.get("value", 0))
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise EntraError(90100) from None


def _id_token(grant: Grant, identity: User, now: datetime) -> str:
    seconds = int(now.timestamp())
    claims = {
        "aud": grant.client_id,
        "iss": f"https://login.microsoftonline.com/{identity.tenant_id}/v2.0",
        "iat": seconds,
        "nbf": seconds,
        "exp": seconds + _LIFETIME // timedelta(seconds=1),
        "name": identity.display_name,
        "oid": identity.object_id,
        "preferred_username": identity.mail,
        "sub": subject_of(identity),
        "tid": identity.tenant_id,
        "ver": "2.0",
    }
    if grant.nonce:
        claims["nonce"] = grant.nonce
    return f"{encoded({'typ': 'JWT', 'alg': 'none'})}.{encoded(claims)}."
