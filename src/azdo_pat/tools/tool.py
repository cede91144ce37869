"""What is known of a program that uses a token: which file of it is changed, and how."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit

from azdo_pat.errors import UsageError
from azdo_pat.files import split_mark
from azdo_pat.models import USER_NAME
from azdo_pat.organizations import is_plain_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


_FEED_NAME: Final = r"\w[\w.()!-]*(?:@\w[\w-]*)?"
"""A feed, and a view of it. It becomes a key, an id or a section of a file: percent-encoded line
ends must not get there."""


class ToolInput(NamedTuple):
    """What a tool is told.

    Attributes:
        secret: the token's secret; empty where the tool asks for it when it needs it.
        feed: the URL of the feed, where there is one.
        org_url: of the organization, or of the server's collection.
        programs: the folder with the scripts of `pat`.
        servers: URLs of the servers whose tokens were imported.
        scratch: a folder of the user's own for copies of a file; empty for the system's.
    """

    secret: str = ""
    feed: str = ""
    org_url: str = ""
    programs: str = ""
    servers: tuple[str, ...] = ()
    user: str = USER_NAME
    scratch: str = ""


class Tool(NamedTuple):
    """A program that `pat setup` knows.

    Attributes:
        name: what `pat setup` calls it.
        summary: what is done, for `pat setup --list`.
        file: finds the file that is changed, from the environment and the home folder.
        edited: returns the file's content with what the tool is told in it. It says the same once
            and twice, leaves all else as it is, and raises `UsageError` for what it cannot read.
        keeps_secret: the secret itself lies in the file.
        feed: what the URL of a feed ends with, where the tool is set up for one.
        asks: a program that must be on the PATH and know `pat`, for the tool asks that one.
        asks_with: an option of that program that newer versions of the tool need.
        service: gives the service of the keyring where the tool looks for the secret itself, for
            the URL of an organization.
        account: the user name of that entry.
        by_host: it tells tokens apart by their hosts alone, which organizations share.
        slot: gives what it tells feeds apart by, from the URL of a feed; None where it is the URL.
        bears_mark: it reads a file that begins with a byte order mark as if there were none.
        kept_as: the tool whose file it shares; what is done for the one is done for the other.
        outranked_by: gives the environment variables that count more than the file, from the URL
            of a feed, and for each the value that says what the file says; empty for none.
    """

    name: str
    summary: str
    file: Callable[[Mapping[str, str], Path], Path]
    edited: Callable[[str, ToolInput], str]
    keeps_secret: bool
    feed: str = ""
    asks: str = ""
    asks_with: str = ""
    service: Callable[[str], str] | None = None
    account: str = ""
    by_host: bool = False
    slot: Callable[[str], str] | None = None
    bears_mark: bool = True
    kept_as: str = ""
    outranked_by: Callable[[str], Mapping[str, str]] = lambda _: {}

    def changed(self, text: str, tool_input: ToolInput) -> str:
        """Return a file's content as `edited` does; its byte order mark stays.

        Raises:
            UsageError: as for `edited`, or the tool cannot read a file with such a mark.
        """
        mark, rest = split_mark(text)
        if mark and not self.bears_mark:
            raise UsageError(
                f"it begins with a byte order mark, which {self.name} cannot read",
                hint="save it as UTF-8 without such a mark (Notepad: UTF-8, not UTF-8 with BOM)",
            )
        return mark + self.edited(rest, tool_input)

    @property
    def known_as(self) -> str:
        """The name under which it is remembered what was set up."""
        return self.kept_as or self.name


class Guidance(NamedTuple):
    """A program for which no file is changed.

    Attributes:
        text: what to do instead, or why nothing is to be done.
        needs_backend: it asks keyring within its own environment, where `pat` must be installed.
    """

    name: str
    summary: str
    text: str
    needs_backend: bool = False
    keeps_secret: bool = False
    feed: str = ""


class KeychainHelper(NamedTuple):
    """A program that keeps secrets for other programs; no file is changed."""

    name: str
    summary: str
    keeps_secret: bool = False
    feed: str = ""

    @property
    def known_as(self) -> str:
        """As for `Tool`."""
        return self.name


Program: TypeAlias = Tool | Guidance | KeychainHelper


def checked_feed(tool: Tool, text: str) -> str:
    """Return the URL of a feed as the tool's editing wants it: without a slash at the end.

    A view of a feed (`feed@Local`) is written as Azure's pages do: `feed%40Local`.

    Raises:
        UsageError: it is none of that tool's.
    """
    example = f"https://pkgs.dev.azure.com/ORG/_packaging/FEED{tool.feed}"
    if not text:
        raise UsageError(f"which feed is {tool.name} to use?", hint=f"add --feed {example}")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"--feed {text!r} is no URL", hint=f"as in {example}") from error
    if "@" in parts.netloc:
        raise UsageError(
            "a feed's URL must not carry a user or a password", hint=f"as in {example}"
        )
    path = parts.path.rstrip("/")
    fits = path.lower().endswith(tool.feed.rstrip("/").lower()) and "/_packaging/" in path
    plain = text.isprintable() and text.isascii() and not set(text) & set(" \"'<>\\^`{|}=;,+*[]$")
    plain = plain and is_plain_path(path)
    named = re.fullmatch(_FEED_NAME, _feed_and_view(path)) is not None
    if not fits or not plain or not named or parts.query or parts.fragment or not parts.hostname:
        raise UsageError(f"{text!r} is no feed that {tool.name} can use", hint=f"as in {example}")
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise UsageError(
            f"{parts.hostname} is named with {parts.scheme}, over which a secret would travel in"
            " the clear",
            hint=f"use https://{parts.netloc}{parts.path}",
        )
    return f"{parts.scheme}://{parts.netloc.lower()}{path.replace('@', '%40')}"


def feed_name(feed: str) -> str:
    """Return the name of a feed from its URL, without that of a view of it."""
    return _feed_and_view(feed).partition("@")[0]


def view_name(feed: str) -> str:
    """Return the name of the view in the URL of a feed; empty where there is none."""
    return _feed_and_view(feed).partition("@")[2]


def spellings(feed: str) -> tuple[str, ...]:
    """Return both ways to write a URL with a view, as Azure's pages do first.

    They are one to the service; a program that compares URLs by their letters takes them for two.
    """
    here, mark, behind = feed.partition("/_packaging/")
    encoded = behind.replace("@", "%40")
    return tuple(
        f"{here}{mark}{each}" for each in dict.fromkeys((encoded, encoded.replace("%40", "@")))
    )


def _feed_and_view(feed: str) -> str:
    return unquote(feed.partition("/_packaging/")[2].partition("/")[0])
