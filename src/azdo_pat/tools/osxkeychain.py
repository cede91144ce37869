"""git's helper for the macOS keychain, whose secrets Xcode and other programs use.

It stores one secret per host and user name. Source: git's
`contrib/credential/osxkeychain/git-credential-osxkeychain.c`. Two of its ways shape what is done
here: older ones store nothing if an entry exists already, and newer ones append the expiry of a
password's life behind the password, where no other program expects it.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat import gitcredential
from azdo_pat.errors import NotFoundError, StoreError
from azdo_pat.executables import command_line
from azdo_pat.models import USER_NAME
from azdo_pat.organizations import hosted_name, hosts_of
from azdo_pat.redaction import without_credentials
from azdo_pat.tools.git import git_program
from azdo_pat.tools.tool import KeychainHelper
from azdo_pat.urls import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

KEEPER: Final = KeychainHelper(
    name="osxkeychain",
    summary="the secret in the macOS keychain, by git's own helper: for Xcode and others",
)

_TIMEOUT: Final = 60
"""Seconds; the system may ask the user first."""


class Item(NamedTuple):
    """An entry of the keychain.

    Attributes:
        host: with its port, if it has one.
    """

    protocol: str
    host: str
    username: str

    def __str__(self) -> str:
        """Return its name for messages."""
        return f"{self.protocol}://{self.host} for {self.username}"


def items(org_url: str) -> tuple[Item, ...]:
    """Return the entries where programs look for the secret of an organization or a collection.

    The URLs to clone that Azure Repos shows name the organization as the user, and so several
    organizations have room at the host that they share.
    """
    name = hosted_name(org_url)
    if name is not None:
        repositories = [host for host in hosts_of(org_url) if "pkgs" not in host.split(".")]
        return tuple(Item("https", host, name.lower()) for host in repositories)
    url = parse(org_url)
    return (Item(url.scheme, url.netloc, USER_NAME),)


def read(item: Item, environment: Mapping[str, str]) -> str | None:
    """Return the stored secret; None if there is none.

    Raises:
        NotFoundError: git is not installed, or has no such helper.
        StoreError: the helper failed.
    """
    for line in _helper("get", item, "", environment).splitlines():
        key, _, value = line.partition("=")
        if key == "password":
            return value
    return None


def put(item: Item, secret: str, environment: Mapping[str, str]) -> None:
    """Store a secret, replacing the previous one, and read it back.

    Raises:
        NotFoundError: git is not installed, or has no such helper.
        StoreError: the helper failed, or returned another secret.
    """
    held = read(item, environment)
    if held == secret:
        return
    if held is not None:
        _helper("erase", item, held, environment)
    _helper("store", item, secret, environment)
    if read(item, environment) != secret:
        raise StoreError(
            f"the keychain does not return the secret stored for {item}",
            hint="look for it in the program Keychain Access, and delete it there",
        )


def take_out(item: Item, environment: Mapping[str, str]) -> None:
    """Delete the stored secret; see `read` for what it raises."""
    held = read(item, environment)
    if held is not None:
        _helper("erase", item, held, environment)


def _helper(operation: str, item: Item, secret: str, environment: Mapping[str, str]) -> str:
    attributes = {**item._asdict(), "password": secret}
    told = gitcredential.written((key, value) for key, value in attributes.items() if value)
    git = git_program(environment)
    try:
        ran = subprocess.run(  # noqa: S603  # git and a word of ours; the secret is on its stdin
            command_line([git, "credential-osxkeychain", operation], environment),
            input=f"{told}\n",
            env=without_credentials(environment),
            capture_output=True,
            encoding="utf-8",
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.SubprocessError, UnicodeError) as error:
        raise StoreError(
            f"git credential-osxkeychain {operation} failed: {type(error).__name__}",
            hint="unlock the keychain, and try again",
        ) from error
    if "is not a git command" in ran.stderr:
        raise NotFoundError(
            "git has no helper osxkeychain on this machine",
            hint="only git on macOS has it; on other systems, run: pat setup git",
        )
    if ran.returncode:
        said = ran.stderr.strip().splitlines() or [f"exit status {ran.returncode}"]
        raise StoreError(
            f"git credential-osxkeychain {operation} failed: {said[-1]}",
            hint="unlock the keychain, and try again",
        )
    return ran.stdout
