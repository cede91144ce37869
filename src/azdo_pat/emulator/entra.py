"""Microsoft Entra as far as signing in to Azure DevOps needs it: what stands behind the routes.

Source: Microsoft identity platform, "OAuth 2.0 authorization code flow", "device authorization
grant", "Authentication and authorization error codes" (AADSTS).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from azdo_pat.emulator import access_tokens
from azdo_pat.emulator.access_tokens import AZURE_DEVOPS, Kind, Order
from azdo_pat.emulator.directory import TENANT_ID, User

if TYPE_CHECKING:
    from azdo_pat.emulator.service import Service

_TENANTS: Final = frozenset({TENANT_ID, "contoso.example", "organizations", "common"})
_LIFETIME: Final = timedelta(hours=1)
_BACKDATED: Final = timedelta(minutes=5)
"""Entra's tokens are valid from so long before they are issued, for clocks that differ, unless the
claims of the request want it otherwise."""
_CODE_LIFETIME: Final = timedelta(minutes=10)
_DEVICE_LIFETIME: Final = timedelta(minutes=15)
_REFRESH_LIFETIME: Final = timedelta(days=90)
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Of user codes: no vowels, so that they make no words."""

_IDENTITY: Final = frozenset({"openid", "profile", "offline_access", "email"})
_RESOURCE_SCOPES: Final = frozenset({"vso.pats", "vso.pats_manage", "user_impersonation"})

MESSAGES: Final[dict[int, tuple[str, str]]] = {
    50011: ("invalid_request", "The redirect URI specified in the request does not match."),
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
CLAIMS: Final = '{"access_token":{"capolids":{"essential":true,"values":["c-mfa"]}}}'


class EntraError(Exception):
    """A refusal by its AADSTS code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"AADSTS{code}")
        self.code = code


def refusal(code: int, now: datetime) -> dict[str, Any]:
    """The OAuth error document for an AADSTS code; an unknown one is an ``invalid_request``."""
    error, words = MESSAGES.get(code, ("invalid_request", "The request was refused."))
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
        document |= {"suberror": "basic_action", "claims": CLAIMS}
    return document


@dataclass(frozen=True, kw_only=True)
class SignInRequest:
    """What an application asked for at the authorize endpoint."""

    tenant: str
    client_id: str
    redirect_uri: str
    scope: str
    state: str
    nonce: str
    code_challenge: str
    response_mode: str


@dataclass(frozen=True, kw_only=True)
class _Grant:
    """What a user agreed to, and until when it can be redeemed."""

    user: User
    client_id: str
    scope: str
    until: datetime
    nonce: str = ""
    redirect_uri: str = ""
    code_challenge: str = ""


@dataclass(kw_only=True)
class _Device:
    client_id: str
    scope: str
    user_code: str
    until: datetime
    user: User | None = None
    declined: bool = False


class Entra:
    """The sign-ins under way and the refresh tokens that were given; safe for many threads."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._codes: dict[str, _Grant] = {}
        self._refresh: dict[str, _Grant] = {}
        self._devices: dict[str, _Device] = {}

    def now(self) -> datetime:
        """The emulator's time."""
        return self._service.now()

    def check_tenant(self, tenant: str) -> None:
        """Raise ``EntraError`` where there is no such tenant."""
        if tenant.casefold() not in _TENANTS:
            raise EntraError(90002)

    def check_request(self, request: SignInRequest) -> None:
        """Raise ``EntraError`` where Entra would show an error page in place of a sign-in."""
        self.check_tenant(request.tenant)
        _check_client(request.client_id)
        _granted(request.scope)
        address = urlsplit(request.redirect_uri)
        if address.scheme != "http" or address.hostname != "localhost":
            raise EntraError(50011)
        if not request.code_challenge or request.response_mode != "form_post":
            raise EntraError(90100)

    def consent(self, request: SignInRequest, user: User) -> dict[str, str]:
        """The fields that go back to the application by form_post."""
        code = secrets.token_urlsafe(64)
        with self._lock:
            self._codes[code] = _Grant(
                user=user,
                client_id=request.client_id,
                scope=request.scope,
                until=self.now() + _CODE_LIFETIME,
                nonce=request.nonce,
                redirect_uri=request.redirect_uri,
                code_challenge=request.code_challenge,
            )
        return {"code": code, "client_info": _client_info(user), "state": request.state}

    def start_device(self, form: dict[str, str], root: str) -> dict[str, Any]:
        """The answer of the devicecode endpoint."""
        client_id, scope = form.get("client_id", ""), form.get("scope", "")
        _check_client(client_id)
        _granted(scope)
        user_code = "".join(secrets.choice(_LETTERS) for _ in range(9))
        device_code = secrets.token_urlsafe(64)
        with self._lock:
            self._devices[device_code] = _Device(
                client_id=client_id,
                scope=scope,
                user_code=user_code,
                until=self.now() + _DEVICE_LIFETIME,
            )
        address = f"{root}/devicelogin"
        return {
            "user_code": user_code,
            "device_code": device_code,
            "verification_uri": address,
            "expires_in": int(_DEVICE_LIFETIME.total_seconds()),
            "interval": 1,
            "message": f"To sign in, use a web browser to open the page {address} and enter the"
            f" code {user_code} to authenticate.",
        }

    def enter_code(self, user_code: str, user: User | None) -> bool:
        """A user enters a code, and signs in or declines; False where there is no such code."""
        with self._lock:
            for device in self._devices.values():
                if hmac.compare_digest(
                    device.user_code.encode(), user_code.strip().upper().encode()
                ):
                    device.user, device.declined = user, user is None
                    return True
        return False

    def revoke_all(self) -> int:
        """Revoke every refresh token, as an administrator can; gives how many there were."""
        with self._lock:
            count = len(self._refresh)
            self._refresh.clear()
            return count

    def redeem(self, form: dict[str, str]) -> dict[str, Any]:
        """The answer of the token endpoint.

        Raises:
            EntraError: the grant is no good.
        """
        client_id = form.get("client_id", "")
        _check_client(client_id)
        match form.get("grant_type"):
            case "authorization_code":
                grant = self._by_code(form)
            case "urn:ietf:params:oauth:grant-type:device_code":
                grant = self._by_device(form.get("device_code", ""))
            case "refresh_token":
                grant = self._by_refresh(form)
            case _:
                raise EntraError(90100)
        if grant.client_id != client_id:
            raise EntraError(70000)
        return self._tokens(grant, _wanted_not_before(form.get("claims", "")))

    def _by_code(self, form: dict[str, str]) -> _Grant:
        with self._lock:
            grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or grant.redirect_uri != form.get("redirect_uri"):
            raise EntraError(70000)
        if grant.until <= self.now():
            raise EntraError(70008)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if not hmac.compare_digest(_base64(digest).encode(), grant.code_challenge.encode()):
            raise EntraError(501481)
        return grant

    def _by_device(self, device_code: str) -> _Grant:
        with self._lock:
            device = self._devices.get(device_code)
            if device is None:
                raise EntraError(70018)
            if device.until <= self.now():
                raise EntraError(70020)
            if device.declined:
                raise EntraError(65004)
            if device.user is None:
                raise EntraError(70016)
            del self._devices[device_code]
        return _Grant(
            user=device.user, client_id=device.client_id, scope=device.scope, until=device.until
        )

    def _by_refresh(self, form: dict[str, str]) -> _Grant:
        with self._lock:
            grant = self._refresh.get(form.get("refresh_token", ""))
        if grant is None:
            raise EntraError(50173)
        if grant.until <= self.now():
            raise EntraError(70008)
        return _Grant(
            user=grant.user,
            client_id=grant.client_id,
            scope=form.get("scope") or grant.scope,
            until=grant.until,
        )

    def _tokens(self, grant: _Grant, not_before: int) -> dict[str, Any]:
        granted = _granted(grant.scope)
        now = self.now()
        valid_from = max(now - _BACKDATED, datetime.fromtimestamp(not_before, UTC))
        order = Order(
            kind=Kind.USER,
            user=grant.user,
            lifetime=_LIFETIME,
            scopes=" ".join(sorted(granted)),
            client_id=grant.client_id,
            not_before=valid_from,
        )
        refresh = "1." + secrets.token_urlsafe(400)
        with self._lock:
            self._refresh[refresh] = _Grant(
                user=grant.user,
                client_id=grant.client_id,
                scope=grant.scope,
                until=now + _REFRESH_LIFETIME,
            )
        full = [f"{AZURE_DEVOPS}/{each}" for each in sorted(granted)]
        if "user_impersonation" in granted:
            full.append(f"{AZURE_DEVOPS}/.default")
        return {
            "token_type": "Bearer",
            "scope": " ".join(full),
            "expires_in": int(_LIFETIME.total_seconds()),
            "ext_expires_in": int(_LIFETIME.total_seconds()),
            "access_token": access_tokens.mint(order, key=self._service.signing_key, now=now),
            "refresh_token": refresh,
            "id_token": _id_token(grant, now),
            "client_info": _client_info(grant.user),
        }


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


def _check_client(client_id: str) -> None:
    try:
        uuid.UUID(client_id)
    except ValueError:
        raise EntraError(700016) from None


def _granted(scope: str) -> frozenset[str]:
    """The scopes of Azure DevOps that are asked for."""
    prefix = f"{AZURE_DEVOPS}/"
    wanted = set(scope.split()) - _IDENTITY
    names = {each.removeprefix(prefix) for each in wanted if each.startswith(prefix)}
    if len(names) != len(wanted) or not names:
        raise EntraError(70011)
    if ".default" in names:
        names = {"user_impersonation"}
    if not names <= _RESOURCE_SCOPES:
        raise EntraError(70011)
    return frozenset(names)


def _id_token(grant: _Grant, now: datetime) -> str:
    seconds = int(now.timestamp())
    claims = {
        "aud": grant.client_id,
        "iss": f"https://login.microsoftonline.com/{TENANT_ID}/v2.0",
        "iat": seconds,
        "nbf": seconds,
        "exp": seconds + int(_LIFETIME.total_seconds()),
        "name": grant.user.display_name,
        "oid": grant.user.object_id,
        "preferred_username": grant.user.mail,
        "sub": hashlib.sha256(grant.user.object_id.encode()).hexdigest()[:43],
        "tid": TENANT_ID,
        "ver": "2.0",
    }
    if grant.nonce:
        claims["nonce"] = grant.nonce
    head = _base64(json.dumps({"typ": "JWT", "alg": "none"}).encode())
    return f"{head}.{_base64(json.dumps(claims).encode())}."


def _client_info(user: User) -> str:
    return _base64(json.dumps({"uid": user.object_id, "utid": TENANT_ID}).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
