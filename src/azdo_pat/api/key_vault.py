"""Reads and sets secrets of Azure Key Vault (spec: Key Vault secrets 2025-07-01)."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, NamedTuple

from azdo_pat.api.addresses import PUBLIC_CLOUD, VaultAddress, segment, with_query
from azdo_pat.api.call import ApiCall
from azdo_pat.api.challenge import challenges, claims_of
from azdo_pat.api.credentials import Anonymous, BearerOfService
from azdo_pat.api.http import Http
from azdo_pat.api.json_fields import Record
from azdo_pat.api.key_vault_errors import Asked
from azdo_pat.api.response import Response
from azdo_pat.api.service_errors import unreadable
from azdo_pat.errors import NotFoundError, PatError, SignInError
from azdo_pat.models import AccessToken, Secret
from azdo_pat.redaction import remember
from azdo_pat.urls import parse

_VERSION: Final = "2025-07-01"
"""The first api-version that tells the version before."""

_OLDER_VERSION: Final = "7.4"
"""The api-version in the other clouds, which get new ones late."""

NO_TAGS: Final[Mapping[str, str]] = MappingProxyType({})
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SECRET: Final = "a secret of a key vault"  # noqa: S105 - what an answer should be


class SignIn(NamedTuple):
    """What a vault asks to sign in for.

    Attributes:
        resource: names Key Vault in the vault's cloud: `https://vault.azure.net`.
        tenant: the id of the vault's tenant.
    """

    resource: str
    tenant: str


class VaultSecret(NamedTuple):
    """The newest version of a secret.

    Attributes:
        version: its id.
        previous: the id of the version before it; empty if unknown.
        content_type: empty if it has none.
        not_before: when it begins to be valid, in seconds since 1970; None if it does not say.
        managed: it belongs to a certificate, and cannot be set.
    """

    version: str
    previous: str
    value: Secret
    content_type: str
    tags: Mapping[str, str]
    not_before: int | None
    managed: bool


class KeyVault:
    """The secrets of one vault.

    Args:
        http: the connection; each request has a credential of its own.
        address: of the vault.
        access_token: returns the access token for a sign-in; given one that was rejected, and the
            claims that the vault then asked for as JSON, another one.
    """

    def __init__(
        self,
        http: Http,
        address: VaultAddress,
        access_token: Callable[[SignIn, AccessToken | None, str], AccessToken],
    ) -> None:
        self._http = http
        self._address = address
        self._access_token = access_token
        self._claims = ""

    @property
    def name(self) -> str:
        """The name of the vault."""
        return self._address.name

    def get(self, name: str, version: str = "") -> VaultSecret | None:
        """Return a version of a secret, the newest one if none is given; None if there is none.

        Raises:
            ConflictError: it is disabled.
            RefusedError: see its `code`.
            PatError: it cannot be read.
        """
        try:
            answer = self._send("GET", name, "secrets", of=version)
        except NotFoundError:
            return None
        return _secret(answer)

    def is_deleted(self, name: str) -> bool:
        """Return whether a deleted secret has the name, which therefore cannot be set.

        Raises:
            RefusedError: the sign-in has no right to read deleted secrets.
            PatError: it cannot be found out.
        """
        try:
            self._send("GET", name, "deletedsecrets")
        except NotFoundError:
            return False
        return True

    def put(
        self,
        name: str,
        value: Secret,
        *,
        content_type: str = "",
        tags: Mapping[str, str] = NO_TAGS,
        not_before: int | None = None,
        expires: datetime | None,
    ) -> VaultSecret:
        """Add a version to a secret, or a new secret; return it.

        A version inherits nothing: what is not given is empty.

        Raises:
            ConflictError: a deleted secret has the name.
            PatError: it cannot be set.
        """
        window = {
            "nbf": not_before,
            "exp": None if expires is None else int(expires.timestamp()),
        }
        body = {
            "value": value.reveal(),
            "contentType": content_type,
            "tags": dict(tags),
            "attributes": {key: time for key, time in window.items() if time is not None},
        }
        given = {key: part for key, part in body.items() if part}
        return _secret(self._send("PUT", name, "secrets", given))

    def _send(
        self,
        method: str,
        name: str,
        kind: str,
        body: Mapping[str, object] | None = None,
        *,
        of: str = "",
    ) -> Response:
        is_public = self._sign_in.resource == PUBLIC_CLOUD
        version = _VERSION if is_public else _OLDER_VERSION
        path = f"{kind}/{segment(name)}" + (f"/{segment(of)}" if of else "")
        call = self._call(method, path, version)._replace(body=body)
        token = self._access_token(self._sign_in, None, "")
        try:
            return self._http.send(self._signed(call, token, name))
        except SignInError:
            other = self._access_token(self._sign_in, token, self._claims)
            if other.secret == token.secret:
                raise
            return self._http.send(self._signed(call, other, name))

    def _call(self, method: str, path: str, version: str) -> ApiCall:
        url = with_query(f"{self._address.url}/{path}", {"api-version": version})
        return ApiCall(method=method, url=url, setting=self._address.setting, holds_secrets=True)

    def _signed(self, call: ApiCall, token: AccessToken, name: str) -> ApiCall:
        asked = Asked(self.name, name, token.source, token.user)

        def failure_of(answer: Response) -> PatError | None:
            self._claims = claims_of(answer)
            return asked.failure_of(answer)

        credential = BearerOfService(token, self._address.url)
        return call._replace(credential=credential, failure_of=failure_of)

    @cached_property
    def _sign_in(self) -> SignIn:
        """What the vault asks to sign in for, by its answer to a request without an access token.

        Its tenant need not be that of Azure DevOps. Only the tenant is taken from it, not where to
        sign in; and a resource of another domain is refused, because the answering host could use
        the token there. Source: Azure Key Vault, "Authentication, requests and responses".

        Raises:
            PatError: there is no such vault, or it does not say.
        """

        def failure_of(answer: Response) -> PatError | None:
            is_asked = answer.status == HTTPStatus.UNAUTHORIZED
            return None if is_asked else Asked(self.name, "").failure_of(answer)

        call = self._call("GET", "secrets", _OLDER_VERSION)
        answer = self._http.send(call._replace(credential=Anonymous(), failure_of=failure_of))
        for scheme, values in challenges(answer.headers.get("WWW-Authenticate", "")):
            resource = values.get("resource", "").rstrip("/").lower()
            place = parse(values.get("authorization") or values.get("authorization_uri") or "")
            tenant = place.steps[0].lower() if place.steps else ""
            if scheme == "bearer" and resource and _GUID.fullmatch(tenant):
                if resource not in self._address.resources:
                    raise SignInError(
                        f"{answer.asked.host} asks for an access token for another service",
                        hint="check the name of the vault, and the proxy settings",
                    )
                return SignIn(resource, tenant)
        raise unreadable(answer, "one of Azure Key Vault: it does not say how to sign in")


def _secret(answer: Response) -> VaultSecret:
    try:
        document = answer.json()
    except ValueError:
        raise unreadable(answer, f"{_SECRET}: it is not valid JSON") from None
    record = Record(document, _SECRET, answer)
    tags, attributes = record.value("tags") or {}, record.value("attributes") or {}
    if not isinstance(tags, dict) or not all(isinstance(each, str) for each in tags.values()):
        raise unreadable(answer, f"{_SECRET} (tags are of the wrong type)")
    not_before = attributes.get("nbf") if isinstance(attributes, dict) else None
    value = record.text("value")
    remember(value)
    return VaultSecret(
        version=record.filled_text("id").rpartition("/")[2],
        previous=record.text_or_empty("previousVersion"),
        value=Secret(value),
        content_type=record.text_or_empty("contentType"),
        tags=tags,
        not_before=not_before if isinstance(not_before, int) else None,
        managed=record.value("managed") is True,
    )
