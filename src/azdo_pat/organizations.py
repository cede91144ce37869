"""What a user may call an organization, and where it is named without being asked for."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from azdo_pat.errors import UsageError
from azdo_pat.models import Organization

HOSTED_ROOT: Final = "https://dev.azure.com"
_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?"
_OLD_SUFFIX: Final = ".visualstudio.com"
_LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}
_SSH_HOSTS: Final = {"ssh.dev.azure.com", "vs-ssh.visualstudio.com"}
# A host that a server can be named by: no wide or dotted look-alikes, no percent signs.
_HOST: Final = r"[a-z0-9_.-]+|[0-9a-f:.]+"
_SCP_LIKE: Final = r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>[^/].*)"


def api_root(text: str) -> str:
    """Hold `PAT_API_URL` to its rules and return it without a slash at the end.

    Raises:
        UsageError: not `https` (or `http` on loopback), or more than a root.
    """
    parts = _split(text)
    if parts is None or not text.isprintable():
        raise UsageError("PAT_API_URL is not a URL", hint="give a bare root, as in https://host")
    if "@" in parts.netloc or parts.query or parts.fragment:
        # Without the text: it may hold a password.
        raise UsageError(
            f"PAT_API_URL holds more than the root of {parts.hostname}",
            hint="give a bare root, as in https://host",
        )
    plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or plain):
        raise UsageError(
            f"PAT_API_URL {text!r} is not allowed",
            hint="it must be https, or http on loopback only, as it is sent the access token",
        )
    return text.rstrip("/")


def organization(text: str, *, root: str | None = None) -> Organization:
    """Understand a name, `https://dev.azure.com/NAME`, `https://NAME.visualstudio.com` or a server.

    Args:
        text: what the user typed, or a setting.
        root: `PAT_API_URL`, below which every hosted organization then lives.

    Raises:
        UsageError: it is none of these.
    """
    text = text.strip()
    if is_name(text):
        return hosted(text, root)
    if "://" not in text and text.lower().startswith("dev.azure.com/"):
        text = f"https://{text}"
    parts = _split(text)
    # A user alone is how Azure Repos writes the URLs to clone: https://ORG@dev.azure.com/ORG/...
    if parts is None or parts.password is None:
        name = hosted_name(text, root)
        if name:
            return hosted(name, root)
    return _server(text)


def is_name(text: str) -> bool:
    """Tell whether an organization of Azure DevOps Services can bear that name."""
    return re.fullmatch(_NAME, text) is not None


def hosted(name: str, root: str | None = None) -> Organization:
    """Return the organization of that name at Microsoft, or below `PAT_API_URL`."""
    lowered = name.lower()
    return Organization(name=lowered, url=f"{root or HOSTED_ROOT}/{lowered}")


def is_of_root(url: str, name: str, root: str | None) -> bool:
    """Tell whether an organization that is remembered is one of those at hand.

    What was made at Microsoft must not be looked for at an emulator, nor the other way round.
    """
    return hosted(name, root).url == url


def hosted_name(url: str, root: str | None = None) -> str | None:
    """Return the organization that a URL of Azure DevOps Services belongs to, or None.

    Hosts are compared in full: `dev.azure.com.example` is not Microsoft's.
    """
    parts = _split(url)
    if parts is None:
        return None
    host = (parts.hostname or "").lower()
    first = unquote(next((part for part in parts.path.split("/") if part), ""))
    if root and url.lower().startswith(root.lower() + "/"):
        first = unquote(url[len(root) + 1 :].split("/", maxsplit=1)[0])
    elif parts.scheme not in {"https", "ssh", "git+https"} or parts.port not in {None, 443, 22}:
        return None
    elif host in _SSH_HOSTS:
        return None  # the organization stands in the path, behind the version
    elif host.endswith(_OLD_SUFFIX) and host.count(".") == _OLD_SUFFIX.count("."):
        first = host.removesuffix(_OLD_SUFFIX)
    elif host != "dev.azure.com":
        return None
    return first if re.fullmatch(_NAME, first) else None


def hosts_of(url: str) -> tuple[str, ...]:
    """Return the hosts that take the tokens of an organization, or of a server's collection."""
    parts = _split(url)
    name = hosted_name(url)
    if parts is None or not parts.hostname:
        return ()
    if name is None:
        return (parts.hostname,)
    old = f"{name.lower()}{_OLD_SUFFIX}"
    packages = f"{name.lower()}.pkgs{_OLD_SUFFIX}"
    return ("dev.azure.com", "pkgs.dev.azure.com", old, packages)


def serves(url: str, protocol: str, host: str, path: str, *, feeds: bool = False) -> bool | None:
    """Tell whether what a program asks for is an organization's, or below a server's collection.

    Args:
        url: of the organization, or of what stands in for Azure DevOps.
        protocol: `https`, or what the program says.
        host: with the port, if it has one; compared in full.
        path: as in a URL; empty where it is not known.
        feeds: it is a feed of packages; at Microsoft these have hosts of their own.

    Returns:
        None where only the path could tell, and it is not known.
    """
    name = hosted_name(url)
    parts = _split(url)
    if name is not None:
        shared, own = ("pkgs.dev.azure.com", ".pkgs") if feeds else ("dev.azure.com", "")
        places = [("https", shared, [name.lower()])]
        places.append(("https", f"{name.lower()}{own}{_OLD_SUFFIX}", []))
    elif parts is not None:
        places = [(parts.scheme, parts.netloc.lower(), _steps(parts.path))]
    else:
        return False
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
    """Tell whether every step of a path leads down: servers resolve `..`, however it is written."""
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
        parts = _split(url)
        host, path = (parts.hostname or "", parts.path.lstrip("/")) if parts else ("", "")
    elif scp := re.fullmatch(_SCP_LIKE, url):
        host, path = scp["host"], scp["path"]
    else:
        return None
    steps = path.split("/")
    if host.lower() not in _SSH_HOSTS or len(steps) < 2 or steps[0] != "v3":  # noqa: PLR2004  # version and organization
        return None
    return steps[1] if re.fullmatch(_NAME, steps[1]) else None


def _server(text: str) -> Organization:
    """Understand the URL of a collection of Azure DevOps Server."""
    problem = UsageError(
        f"{text!r} is not an organization",
        hint="give its name, https://dev.azure.com/NAME, https://NAME.visualstudio.com,"
        " or https://SERVER/COLLECTION for Azure DevOps Server",
    )
    parts = _split(text)
    if "@" in (parts.netloc if parts and parts.netloc else text):
        # Without the text: it may hold a password.
        raise UsageError(
            "an organization's URL must not carry a user or a password",
            hint="leave out what stands before the @",
        )
    if parts is None:
        raise problem
    host = (parts.hostname or "").lower().rstrip(".")
    microsoft = f".{host}".endswith((".dev.azure.com", _OLD_SUFFIX))
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    steps = [part for part in parts.path.split("/") if part]
    plain = re.fullmatch(_HOST, host) and text.isprintable() and not {".", ".."} & set(steps)
    if not plain or not steps or microsoft or parts.query or parts.fragment:
        raise problem
    if not secure:
        raise UsageError(
            f"{host} is named with {parts.scheme}, over which a secret would travel in the clear",
            hint=f"use https://{parts.netloc}{parts.path}",
        )
    url = f"{parts.scheme}://{parts.netloc.lower()}/{'/'.join(steps)}"
    return Organization(name=steps[-1].lower(), url=url, hosted=False)


def _split(url: str) -> SplitResult | None:
    """Take a URL apart; None where it is none."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # a property that raises on a port out of range
    except ValueError:
        return None
    return parts
