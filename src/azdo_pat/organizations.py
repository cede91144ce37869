"""Parses the ways to name an organization: names, URLs and git remotes."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from azdo_pat.errors import UsageError
from azdo_pat.models import Organization
from azdo_pat.urls import INVALID, parse

HOSTED_ROOT: Final = "https://dev.azure.com"
_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?"
_OLD_SUFFIX: Final = ".visualstudio.com"
_SSH_HOSTS: Final = {"ssh.dev.azure.com", "vs-ssh.visualstudio.com"}
# A valid host name of a server: no full-width or dotted look-alikes, no percent signs.
_HOST: Final = r"[a-z0-9_.-]+|[0-9a-f:.]+"
_SCP_LIKE: Final = r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>[^/].*)"


def api_root(text: str) -> str:
    """Validate `PAT_API_URL` and return it without a trailing slash.

    Raises:
        UsageError: not `https` (or `http` on loopback), or more than a root.
    """
    url = parse(text)
    if url is INVALID or not text.isprintable():
        raise UsageError(
            "PAT_API_URL is not a valid URL", hint="use the root alone, such as https://host"
        )
    if "@" in url.netloc or url.query or url.fragment:
        # Without the text: it may contain a password.
        raise UsageError(
            f"PAT_API_URL contains more than the root of {url.host}",
            hint="use the root alone, such as https://host",
        )
    if not url.host or not url.is_protected:
        raise UsageError(
            f"PAT_API_URL {text!r} is not allowed",
            hint="use https, or http for this machine only: the access token is sent to this"
            " address",
        )
    return text.rstrip("/")


def organization(text: str, *, root: str | None = None) -> Organization:
    """Parse a name, `https://dev.azure.com/NAME`, `https://NAME.visualstudio.com` or a server URL.

    Args:
        text: what the user typed, or a setting.
        root: `PAT_API_URL`, which hosts every organization if it is set.

    Raises:
        UsageError: it is not one of these.
    """
    text = text.strip()
    if is_name(text):
        return hosted(text, root)
    if "://" not in text and text.lower().startswith("dev.azure.com/"):
        text = f"https://{text}"
    # Azure Repos writes clone URLs with a user name: https://ORG@dev.azure.com/ORG/...
    name = None if ":" in parse(text).user else hosted_name(text, root)
    return hosted(name, root) if name else _server(text)


def is_name(text: str) -> bool:
    """Return whether it is a valid organization name of Azure DevOps Services."""
    return re.fullmatch(_NAME, text) is not None


def hosted(name: str, root: str | None = None) -> Organization:
    """Return the organization of that name at Microsoft, or under `PAT_API_URL`."""
    lowered = name.lower()
    return Organization(name=lowered, url=f"{root or HOSTED_ROOT}/{lowered}")


def is_of_root(organization: Organization, root: str | None) -> bool:
    """Return whether a remembered organization belongs to the current API root.

    A token created at Microsoft must not be searched for at an emulator, or the other way round.
    """
    return hosted(organization.name, root).url == organization.url


def hosted_name(url: str, root: str | None = None) -> str | None:
    """Return the organization that a URL of Azure DevOps Services belongs to, or None.

    Hosts are compared in full: `dev.azure.com.example` is not Microsoft's.
    """
    parts = parse(url)
    first = unquote(next(iter(parts.steps), ""))
    if root and url.lower().startswith(root.lower() + "/"):
        first = unquote(url[len(root) + 1 :].split("/", maxsplit=1)[0])
    elif parts.scheme not in {"https", "ssh", "git+https"} or parts.port not in {None, 443, 22}:
        return None
    elif parts.host in _SSH_HOSTS:
        return None  # the organization is in the path, after the version
    elif parts.host.endswith(_OLD_SUFFIX) and parts.host.count(".") == _OLD_SUFFIX.count("."):
        first = parts.host.removesuffix(_OLD_SUFFIX)
    elif parts.host != "dev.azure.com":
        return None
    return first if re.fullmatch(_NAME, first) else None


def hosts_of(url: str) -> tuple[str, ...]:
    """Return the hosts that accept the tokens of an organization, or of a server's collection."""
    name = hosted_name(url)
    if name is None:
        host = parse(url).host
        return (host,) if host else ()
    old = f"{name.lower()}{_OLD_SUFFIX}"
    packages = f"{name.lower()}.pkgs{_OLD_SUFFIX}"
    return ("dev.azure.com", "pkgs.dev.azure.com", old, packages)


def serves(url: str, protocol: str, host: str, path: str, *, feeds: bool = False) -> bool | None:
    """Return whether a requested URL belongs to an organization or a server's collection.

    Args:
        url: of the organization, or of a replacement for Azure DevOps.
        protocol: `https`, or the one that the program requests.
        host: with the port, if it has one; compared in full.
        path: as in a URL; empty if it is unknown.
        feeds: it is a package feed; at Microsoft these have hosts of their own.

    Returns:
        None if only the path could tell, and it is unknown.
    """
    name = hosted_name(url)
    parts = parse(url)
    if name is not None:
        shared, own = ("pkgs.dev.azure.com", ".pkgs") if feeds else ("dev.azure.com", "")
        places = [("https", shared, [name.lower()])]
        places.append(("https", f"{name.lower()}{own}{_OLD_SUFFIX}", []))
    else:
        places = [(parts.scheme, parts.netloc.lower(), _steps(parts.path))]
    if not is_plain_path(path):
        return False
    asked = protocol, _without_default(protocol, host.lower())
    for scheme, place, below in places:
        if asked == (scheme, _without_default(scheme, place)):
            if below and not path.strip("/"):
                return None
            return _steps(path)[: len(below)] == below
    return False


def is_plain_path(path: str) -> bool:
    """Return whether a path has no `..` in any encoding, which servers would resolve."""
    steps = [unquote(step) for step in path.split("/")]
    return not any(step in {".", ".."} or set(step) & set("/\\") for step in steps)


def _steps(path: str) -> list[str]:
    return [unquote(step).lower() for step in path.split("/") if step]


def _without_default(scheme: str, host: str) -> str:
    return host.removesuffix({"https": ":443", "http": ":80"}.get(scheme, ":"))


def of_remotes(urls: Iterable[str], *, root: str | None = None) -> Organization | None:
    """Return the organization of the first git remote that Azure DevOps hosts."""
    for url in urls:
        name = hosted_name(url, root) or _ssh_name(url)
        if name:
            return hosted(name, root)
    return None


def _ssh_name(url: str) -> str | None:
    """Read git@ssh.dev.azure.com:v3/ORG/PROJECT/REPO and its ssh:// and older forms."""
    if "://" in url:
        host, path = parse(url).host, parse(url).path.lstrip("/")
    elif scp := re.fullmatch(_SCP_LIKE, url):
        host, path = scp["host"], scp["path"]
    else:
        return None
    steps = path.split("/")
    if host.lower() not in _SSH_HOSTS or len(steps) < 2 or steps[0] != "v3":  # noqa: PLR2004  # version and organization
        return None
    return steps[1] if re.fullmatch(_NAME, steps[1]) else None


def _server(text: str) -> Organization:
    """Parse the URL of a collection of Azure DevOps Server."""
    problem = UsageError(
        f"{text!r} is not the name or URL of an organization",
        hint="use its name, https://dev.azure.com/NAME, https://NAME.visualstudio.com,"
        " or https://SERVER/COLLECTION for Azure DevOps Server",
    )
    parts = parse(text)
    if "@" in (parts.netloc or text):
        # Without the text: it may contain a password.
        raise UsageError(
            "an organization's URL must not carry a user or a password",
            hint="leave out the part before the @",
        )
    host = parts.host.rstrip(".")
    microsoft = f".{host}".endswith((".dev.azure.com", _OLD_SUFFIX))
    steps = parts.steps
    plain = re.fullmatch(_HOST, host) and text.isprintable() and not {".", ".."} & set(steps)
    if not plain or not steps or microsoft or parts.query or parts.fragment:
        raise problem
    if not parts.is_protected:
        raise UsageError(
            f"the URL of {host} begins with {parts.scheme}: the secret would be sent unencrypted",
            hint=f"use https://{parts.netloc}{parts.path}",
        )
    url = f"{parts.scheme}://{parts.netloc.lower()}/{'/'.join(steps)}"
    return Organization(name=steps[-1].lower(), url=url, hosted=False)
