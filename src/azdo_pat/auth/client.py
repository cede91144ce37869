"""The types of a sign-in: application, authority, results. Does not import MSAL."""

from typing import Final, NamedTuple

from azdo_pat.auth.claims import Resource
from azdo_pat.auth.sign_ins import SignIn
from azdo_pat.errors import PatError, UsageError
from azdo_pat.models import Secret
from azdo_pat.urls import parse

AZURE_CLI: Final = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The Azure CLI's public client, known to every tenant and allowed for Azure DevOps
(as azure-identity signs developers in)."""

MICROSOFT: Final = "https://login.microsoftonline.com"
_MICROSOFTS: Final = (
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "sts.windows.net",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
)
"""Source: "National clouds", Microsoft identity platform; with the older names of each."""

ANY_TENANT: Final = "organizations"
"""Any tenant except that of personal accounts, which cannot use the lifecycle API."""


def authority_root(text: str | None) -> str:
    """Return the root of an authority (`PAT_AUTHORITY`), by default Microsoft's own.

    Raises:
        UsageError: it is not an https address with a host only.
    """
    if not text:
        return MICROSOFT
    root = text.rstrip("/")
    url = parse(root)
    if not url.host or "@" in root or root != f"https://{url.netloc}":
        raise UsageError(
            f"PAT_AUTHORITY is not the https address of a host: {text!r}",
            hint=f"use an address such as {MICROSOFT}, or unset it",
        )
    return root


def is_microsoft(authority: str) -> bool:
    """Return whether an authority is Microsoft's, in any cloud."""
    return parse(authority).host.rstrip(".").endswith(_MICROSOFTS)


class Client(NamedTuple):
    """Which application signs in, where.

    Attributes:
        authority: `https://login.microsoftonline.com`, or another cloud's.
        tenant: its id or domain, or `organizations`.
        client_id: of the application.
    """

    authority: str = MICROSOFT
    tenant: str = ANY_TENANT
    client_id: str = AZURE_CLI


class Wanted(NamedTuple):
    """The access token that another service than Azure DevOps wants.

    Attributes:
        resource: the service.
        tenant: the id of the tenant.
        claims: what the service requires of the token, as JSON; empty for nothing.
        anew: the service has rejected the last one, even if it is valid.
    """

    resource: Resource
    tenant: str
    claims: str = ""
    anew: bool = False


class Granted(NamedTuple):
    """A sign-in that succeeded, and MSAL's cache after it: it holds the refresh token."""

    sign_in: SignIn
    cache: Secret


class Challenged(NamedTuple):
    """A renewal that Entra refused; `claims` are required of the next sign-in, or empty."""

    failure: PatError
    claims: str
