"""Microsoft Entra as far as signing in to Azure DevOps needs it: what stands behind the routes.

Source: Microsoft identity platform, "OAuth 2.0 authorization code flow", "device authorization
grant".
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from azdo_pat.emulator.access_tokens import base64url
from azdo_pat.emulator.directory import User, find_tenant
from azdo_pat.emulator.entra_errors import EntraError
from azdo_pat.emulator.entra_grants import Grant, check_client, client_info, granted, tokens_for

if TYPE_CHECKING:
    from azdo_pat.emulator.service import Service

_CODE_LIFETIME: Final = timedelta(minutes=10)
_DEVICE_LIFETIME: Final = timedelta(minutes=15)
_REFRESH_LIFETIME: Final = timedelta(days=90)
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Of user codes: no vowels, so that they make no words."""


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


@dataclass(kw_only=True)
class _Device:
    tenant_id: str
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
        self._codes: dict[str, Grant] = {}
        self._refresh: dict[str, Grant] = {}
        self._devices: dict[str, _Device] = {}

    def now(self) -> datetime:
        """The emulator's time."""
        return self._service.now()

    def tenant_id(self, tenant: str) -> str:
        """The id of a tenant; raises ``EntraError`` where there is no such tenant."""
        found = find_tenant(tenant)
        if found is None:
            raise EntraError(90002)
        return found

    def check_request(self, request: SignInRequest) -> None:
        """Raise ``EntraError`` where Entra would show an error page in place of a sign-in."""
        self.tenant_id(request.tenant)
        check_client(request.client_id)
        granted(request.scope)
        address = urlsplit(request.redirect_uri)
        if address.scheme != "http" or address.hostname != "localhost":
            raise EntraError(50011)
        if not request.code_challenge or request.response_mode != "form_post":
            raise EntraError(90100)

    def consent(self, request: SignInRequest, user: User) -> dict[str, str]:
        """The fields that go back to the application by form_post."""
        code = secrets.token_urlsafe(64)
        with self._lock:
            self._codes[code] = Grant(
                user=user,
                tenant_id=self.tenant_id(request.tenant),
                client_id=request.client_id,
                scope=request.scope,
                until=self.now() + _CODE_LIFETIME,
                nonce=request.nonce,
                redirect_uri=request.redirect_uri,
                code_challenge=request.code_challenge,
            )
        return {"code": code, "client_info": client_info(user), "state": request.state}

    def start_device(self, form: dict[str, str], tenant: str, root: str) -> dict[str, Any]:
        """The answer of the devicecode endpoint of a tenant."""
        tenant_id = self.tenant_id(tenant)
        client_id, scope = form.get("client_id", ""), form.get("scope", "")
        check_client(client_id)
        granted(scope)
        user_code = "".join(secrets.choice(_LETTERS) for _ in range(9))
        device_code = secrets.token_urlsafe(64)
        with self._lock:
            self._devices[device_code] = _Device(
                tenant_id=tenant_id,
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

    def redeem(self, form: dict[str, str], tenant: str) -> dict[str, Any]:
        """The answer of the token endpoint of a tenant.

        Raises:
            EntraError: the grant is no good.
        """
        tenant_id = self.tenant_id(tenant)
        client_id = form.get("client_id", "")
        check_client(client_id)
        match form.get("grant_type"):
            case "authorization_code":
                grant = self._by_code(form)
            case "urn:ietf:params:oauth:grant-type:device_code":
                grant = self._by_device(form.get("device_code", ""))
            case "refresh_token":
                grant = replace(self._by_refresh(form), tenant_id=tenant_id)
            case _:
                raise EntraError(90100)
        if grant.client_id != client_id:
            raise EntraError(70000)
        now = self.now()
        answer = tokens_for(
            grant, claims=form.get("claims", ""), key=self._service.signing_key, now=now
        )
        refresh = "1." + secrets.token_urlsafe(400)
        with self._lock:
            self._refresh[refresh] = replace(grant, until=now + _REFRESH_LIFETIME, nonce="")
        return answer | {"refresh_token": refresh}

    def _by_code(self, form: dict[str, str]) -> Grant:
        with self._lock:
            grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or grant.redirect_uri != form.get("redirect_uri"):
            raise EntraError(70000)
        if grant.until <= self.now():
            raise EntraError(70008)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if not hmac.compare_digest(base64url(digest).encode(), grant.code_challenge.encode()):
            raise EntraError(501481)
        return grant

    def _by_device(self, device_code: str) -> Grant:
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
        return Grant(
            user=device.user,
            tenant_id=device.tenant_id,
            client_id=device.client_id,
            scope=device.scope,
            until=device.until,
        )

    def _by_refresh(self, form: dict[str, str]) -> Grant:
        with self._lock:
            grant = self._refresh.get(form.get("refresh_token", ""))
        if grant is None:
            raise EntraError(50173)
        if grant.until <= self.now():
            raise EntraError(70008)
        return replace(grant, scope=form.get("scope") or grant.scope)
