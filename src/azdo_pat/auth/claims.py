"""Reads the claims of an Entra access token, to refuse early what cannot work."""

import base64
import binascii
import json
import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from azdo_pat.command_lines import variable_from
from azdo_pat.dates import local_minute
from azdo_pat.errors import SignInError
from azdo_pat.models import AccessToken, Secret

_KEY_VAULT: Final = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
"""The application id of Azure Key Vault, the same in every tenant."""

RESOURCE: Final = "499b84ac-1321-427f-aa17-267ca6975798"
"""Azure DevOps as a resource of Entra (documentation: "Issue tokens for Azure DevOps")."""


class Resource(NamedTuple):
    """A service that access tokens are for.

    Attributes:
        id: names the service when a token is requested.
        name: of the service, for messages.
        audiences: by which its tokens name it, in lower case.
        variable: the environment variable that may hold an access token.
    """

    id: str
    name: str
    audiences: frozenset[str]
    variable: str

    @property
    def how_to(self) -> str:
        """The command that sets the variable."""
        return variable_from(
            f"az account get-access-token --resource {self.id} --query accessToken -o tsv",
            name=self.variable,
        )


AZURE_DEVOPS: Final = Resource(
    id=RESOURCE,
    name="Azure DevOps",
    audiences=frozenset(
        {
            RESOURCE,
            "https://app.vssps.visualstudio.com",
            "https://dev.azure.com",
            "https://vssps.dev.azure.com",
        }
    ),
    variable="PAT_ACCESS_TOKEN",
)


def key_vault(resource: str) -> Resource:
    """Return Azure Key Vault in the cloud whose resource this is: `https://vault.azure.net`."""
    return Resource(
        id=resource,
        name="Azure Key Vault",
        audiences=frozenset({resource, _KEY_VAULT}),
        variable="PAT_KEYVAULT_ACCESS_TOKEN",
    )


# 84 characters with the signature, or 52 of base32 as until July 2024 (documentation:
# "Use personal access tokens").
_PERSONAL: Final = re.compile(r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}|[a-z2-7]{52}")
_HEADER_SAFE: Final = re.compile(r"[\x21-\x7e]+")


def inspect(
    text: str, *, source: str, now: datetime, resource: Resource = AZURE_DEVOPS
) -> AccessToken:
    """Parse an access token, and validate its claims.

    The service checks the signature. A token that is not a JWT is accepted unchanged, as
    Entra does not guarantee the format.

    Args:
        text: the token.
        source: where it came from, for messages.
        now: an aware time; a token that expired before it is refused.
        resource: the service that it must be for.

    Raises:
        SignInError: it is a personal access token, expired, or for another service.
    """
    text = text.strip()
    if _PERSONAL.fullmatch(text):
        raise SignInError(
            f"{source} contains a personal access token, not a Microsoft Entra access token",
            hint=f"to get an access token from the Azure CLI, run: {resource.how_to}",
        )
    if not _HEADER_SAFE.fullmatch(text):
        raise SignInError(
            f"{source} does not contain an access token",
            hint=f"to get one, run: {resource.how_to}",
        )
    claims = _claims(text)
    expires = _moment(claims.get("exp"))
    if expires is not None and expires <= now:
        raise SignInError(
            f"the access token from {source} expired at {local_minute(expires)}",
            hint=f"to get a new access token from the Azure CLI, run: {resource.how_to}",
        )
    _refuse_other_audience(claims, source, resource)
    return AccessToken(
        secret=Secret(text),
        source=source,
        user=_text(claims, "upn") or _text(claims, "unique_name") or _text(claims, "email"),
        tenant=_text(claims, "tid"),
        expires=expires,
        is_application=_is_application(claims),
    )


def _refuse_other_audience(claims: dict[str, object], source: str, resource: Resource) -> None:
    audience = _text(claims, "aud")
    if audience and audience.rstrip("/").lower() not in resource.audiences:
        raise SignInError(
            f"the access token from {source} is for {audience!r}, not for {resource.name}",
            hint=f"to get an access token for {resource.name}, run: {resource.how_to}",
        )


def _is_application(claims: dict[str, object]) -> bool:
    return bool(claims) and (
        claims.get("idtyp") == "app" or ("aud" in claims and "scp" not in claims)
    )


def _claims(text: str) -> dict[str, object]:
    parts = text.split(".")
    if len(parts) != 3:  # noqa: PLR2004  # header, payload, signature
        return {}
    payload = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        document = json.loads(base64.urlsafe_b64decode(payload))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _text(claims: dict[str, object], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        return None
