"""Hosts and URLs of the service, and which of them may receive a secret."""

import ipaddress
import re
from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import quote, urlencode

from azdo_pat.errors import UsageError
from azdo_pat.urls import parse

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


class Service(StrEnum):
    """Microsoft's hosts, each with the part of the API that it serves (the specs' `host`)."""

    TOKENS = "https://vssps.dev.azure.com"
    PROFILE = "https://app.vssps.visualstudio.com"
    ORGANIZATIONS = "https://dev.azure.com"
    AUDIT = "https://auditservice.dev.azure.com"


KEY_VAULTS: Final = {
    "vault.azure.net": "https://vault.azure.net",
    "vault.azure.cn": "https://vault.azure.cn",
    "vault.usgovcloudapi.net": "https://vault.usgovcloudapi.net",
}
"""The domain of the vaults of each cloud (public, China, US Government), and what access tokens for
them name. Source: "Azure Key Vault keys, secrets and certificates overview", on DNS suffixes."""

PUBLIC_CLOUD: Final = KEY_VAULTS["vault.azure.net"]


class VaultAddress(NamedTuple):
    """Where a key vault is.

    Attributes:
        url: of the vault, without a slash at the end.
        name: of the vault.
        resources: those that it may ask to sign in for.
        setting: what the address comes from, if the user set it; for error messages.
    """

    url: str
    name: str
    resources: frozenset[str]
    setting: str = ""


def key_vault(vault: str, root: str | None) -> VaultAddress:
    """Return where a key vault is.

    Args:
        vault: its name, in the public cloud; or its host name.
        root: an address on this machine below which all vaults are (`PAT_KEYVAULT_URL`).

    Raises:
        UsageError: it is a host that no vault has, or the root is not https or not on this machine.
    """
    name, _, domain = vault.partition(".")
    domain = domain or "vault.azure.net"
    resource = KEY_VAULTS.get(domain)
    if resource is None:
        raise UsageError(
            f"{vault!r} is not the host of a key vault",
            hint=f"give its name, or its host name below {', '.join(KEY_VAULTS)}",
        )
    if not root:
        url = f"https://{name}.{domain}"
        return VaultAddress(url, name, frozenset({resource}))
    scheme, host, _ = origin(root)
    if scheme != "https" or not is_loopback(host):
        raise UsageError(
            f"PAT_KEYVAULT_URL is not an https address on this machine: {root!r}",
            hint="unset it; it is for tests, with an emulator",
        )
    url = f"{require_protected(root)}/{segment(name)}"
    return VaultAddress(url, name, frozenset(KEY_VAULTS.values()), "PAT_KEYVAULT_URL")


class GitHubAddress(NamedTuple):
    """Where the REST API of a GitHub is.

    Attributes:
        url: its root, without a slash at the end.
        is_hosted: GitHub runs it; False for GitHub Enterprise Server.
    """

    url: str
    is_hosted: bool


def github(host: str) -> GitHubAddress:
    """Return where the REST API of a GitHub is.

    Sources: GitHub, "Getting started with the REST API" of each edition, and, for ghe.com, "Network
    details for GHE.com".

    Args:
        host: `github.com`, `TENANT.ghe.com`, or that of a GitHub Enterprise Server, which may have
            a port; in lower case.

    Raises:
        UsageError: it is a host of GitHub's own that users do not sign in to.
    """
    if host == "github.com":
        return GitHubAddress("https://api.github.com", is_hosted=True)
    name = host.partition(":")[0]
    if re.fullmatch(r"[a-z0-9-]+\.ghe\.com", host):
        return GitHubAddress(f"https://api.{host}", is_hosted=True)
    if f".{name}".endswith((".github.com", ".ghe.com")):
        raise UsageError(
            f"{host!r} is not a GitHub host",
            hint="use github.com, TENANT.ghe.com, or the host of a GitHub Enterprise Server",
        )
    return GitHubAddress(f"https://{host}/api/v3", is_hosted=False)


def origin(url: str) -> tuple[str, str, int]:
    """Return the origin (scheme, host, port) of a URL; a bearer is sent only to known origins.

    Raises:
        UsageError: it is not an absolute http or https URL.
    """
    parts = parse(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.host:
        raise UsageError(f"{url!r} is not a URL", hint="use a URL such as https://host/path")
    return parts.scheme, parts.host, parts.port or _DEFAULT_PORTS[parts.scheme]


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def no_proxy(url: str) -> dict[str, str] | None:
    """Return the `proxies` that bypass the proxy for this machine; None for other hosts."""
    host = parse(url).host
    return {"no_proxy": host} if is_loopback(host) else None


def require_protected(url: str) -> str:
    """Return the URL without a trailing slash, after checking that a secret may be sent to it.

    Raises:
        UsageError: it is neither https nor on this machine, or has more than a host and a path.
    """
    scheme, host, _ = origin(url)
    if scheme != "https" and not is_loopback(host):
        raise UsageError(
            f"{host} has an address that is not https: the secret would be sent unencrypted",
            hint="use an https address; http is allowed for this machine only",
        )
    parts = parse(url)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            f"the address of {host} contains more than a host and a path",
            hint="leave out the user name, password, query and fragment",
        )
    return url.rstrip("/")


class Addresses:
    """Builds every URL that the client requests.

    Args:
        api_root: one root that serves all hosts below it (`PAT_API_URL`); None for Microsoft's.

    Raises:
        UsageError: the root is neither https nor on this machine.
    """

    def __init__(self, api_root: str | None) -> None:
        self._root = None if api_root is None else require_protected(api_root)
        bases = list(Service) if self._root is None else [self._root]
        self.origins = frozenset(origin(base) for base in bases)

    def base(self, service: Service) -> str:
        """Return the root of a service, without a trailing slash."""
        return self._root or service.value

    def organization(self, name: str) -> str:
        """Return the organization's URL, as in the keyring's service name.

        Raises:
            UsageError: the name cannot be part of a URL.
        """
        return f"{self.base(Service.ORGANIZATIONS)}/{segment(name)}"


def segment(name: str) -> str:
    """Quote a name as exactly one segment of a path.

    Raises:
        UsageError: it is empty, or `.` or `..`.
    """
    if name in {"", ".", ".."}:
        raise UsageError(
            f"{name!r} is not a valid name",
            hint="use the organization's name as it appears in its URL",
        )
    return quote(name, safe="")


def with_query(url: str, query: dict[str, str]) -> str:
    """Return the URL with its query, everything quoted."""
    return f"{url}?{urlencode(query)}"
