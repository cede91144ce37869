"""git's protocol for credential helpers: lines of `key=value`, then an empty line or the end.

Source: gitcredentials(7); git-credential(1), "INPUT/OUTPUT FORMAT".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.errors import UsageError
from azdo_pat.models import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST: Final = 100_000
"""Bytes; git itself takes lines of 64 KiB at the most."""

_REFUSED: Final = "\0\r\n"


class CredentialRequest(NamedTuple):
    """The attributes that git sends for a credential request; empty if it does not send them.

    Attributes:
        host: with its port, if the URL has one.
        path: only with `credential.useHttpPath`; as in the URL, percent signs included.
        username: the one in the URL, or, with `store` and `erase`, the one that was used.
        password: the one that was used.
        capabilities: what this git understands: `authtype`, `state` (2.46 and later).
        credential: the one that was used instead of a password.
    """

    protocol: str = ""
    host: str = ""
    path: str = ""
    username: str = ""
    password: Secret | None = None
    capabilities: tuple[str, ...] = ()
    credential: Secret | None = None


def read(text: bytes) -> CredentialRequest:
    """Parse a request of git; unknown attributes are ignored.

    Raises:
        UsageError: it is not that protocol. The message quotes nothing: it may hold a password.
    """
    if len(text) > LARGEST:
        raise _malformed("it is too long")
    found: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for line in text.decode("utf-8", "surrogateescape").split("\n"):
        if not line:
            break
        key, equals, value = line.partition("=")
        if not equals or not key:
            raise _malformed("a line lacks a key or a value")
        if any(character in line for character in _REFUSED):
            raise _malformed("a value contains a NUL or a carriage return")
        if not key.endswith("[]"):
            found[key] = value
        elif value:
            lists.setdefault(key, []).append(value)
        else:
            lists[key] = []  # an empty one resets those before it
    password, credential = found.get("password"), found.get("credential")
    return CredentialRequest(
        protocol=found.get("protocol", ""),
        host=found.get("host", ""),
        path=found.get("path", ""),
        username=found.get("username", ""),
        password=None if password is None else Secret(password),
        capabilities=tuple(lists.get("capability[]", ())),
        credential=None if credential is None else Secret(credential),
    )


def written(attributes: Iterable[tuple[str, str]]) -> str:
    """Format the answer to git.

    Raises:
        UsageError: a value contains a line break or a NUL.
    """
    lines = []
    for key, value in attributes:
        if any(character in value for character in _REFUSED):
            raise UsageError(
                f"the {key} for git contains a line break or a NUL",
                hint="to store it again, run: pat import",
            )
        lines.append(f"{key}={value}\n")
    return "".join(lines)


def _malformed(reason: str) -> UsageError:
    return UsageError(
        f"the input is not a request of git to a credential helper: {reason}",
        hint="git runs this command; to set it up, run: pat setup git",
    )
