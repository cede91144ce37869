"""The description of a tool: which of its files is changed, and how."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from urllib.parse import unquote

from azdo_pat.errors import UsageError
from azdo_pat.files import split_mark
from azdo_pat.models import USER_NAME
from azdo_pat.organizations import is_plain_path
from azdo_pat.urls import INVALID, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_FEED_NAME: Final = r"\w[\w.()!-]*(?:@\w[\w-]*)?"
"""A feed, and a view of it. It becomes a key, an id or a section of a file: percent-encoded line
ends must not get there."""


class ToolInput(NamedTuple):
    """The facts to write into a tool's file.

    Attributes:
        secret: the token's secret; empty if the tool asks for it when needed.
        feed: the URL of the feed, if any.
        org_url: of the organization, or of the server's collection.
        programs: the folder with the helpers of `pat`, as an absolute path.
        bundle: the words that start `pat` if it is a bundle, which has no helpers.
        servers: URLs of the servers whose tokens were imported.
        scratch: a folder of the user's own for copies of a file; empty for the system's.
    """

    secret: str = ""
    feed: str = ""
    org_url: str = ""
    programs: str = ""
    bundle: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    user: str = USER_NAME
    scratch: str = ""

    def helper(self, command: str) -> list[str]:
        """Return the words that run a command of `pat` as a helper, with `/` in their paths."""
        if self.bundle:
            return [*(Path(word).as_posix() for word in self.bundle), command]
        return [(Path(self.programs) / f"{command}-pat").as_posix()]


class Tool(NamedTuple):
    """A program that `pat setup` knows.

    Attributes:
        name: what `pat setup` calls it.
        summary: what the setup does, for `pat setup --list`.
        file: finds the file to change, from the environment and the home folder.
        edited: returns the file's content with the tool's facts in it. It is idempotent,
            preserves everything else, and raises `UsageError` for what it cannot read.
        keeps_secret: the file contains the secret itself.
        feed: the end of the feed's URL, if the tool is set up for a feed.
        asks: a program that must be on the PATH and know `pat`, for the tool asks that one.
        asks_with: an option of that program that newer versions of the tool need.
        service: returns the keyring service where the tool looks for the secret itself, for
            the URL of an organization.
        account: the user name of that entry.
        by_host: it distinguishes tokens by their hosts alone, which organizations share.
        slot: returns the key by which it distinguishes feeds, from a feed's URL; None for the URL.
        bears_mark: it ignores a byte order mark at the beginning of a file.
        kept_as: the tool whose file it shares; a setup of one is a setup of the other.
        outranked_by: returns the environment variables that override the file, from the URL
            of a feed, each with the value that equals the file's; empty for none.
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
        """Return a file's content from `edited`, preserving its byte order mark.

        Raises:
            UsageError: as for `edited`, or the tool cannot read a file with such a mark.
        """
        mark, rest = split_mark(text)
        if mark and not self.bears_mark:
            raise UsageError(
                f"it begins with a byte order mark, which {self.name} cannot read",
                hint=(
                    "save it as UTF-8 without a byte order mark (Notepad: UTF-8, not UTF-8"
                    " with BOM)"
                ),
            )
        return mark + self.edited(rest, tool_input)

    @property
    def known_as(self) -> str:
        """The name under which its setups are recorded."""
        return self.kept_as or self.name


class Guidance(NamedTuple):
    """A program that needs no change to a file.

    Attributes:
        text: what to do instead, or why nothing has to be done.
        needs_backend: it uses keyring in its own environment, where `pat` must be installed.
    """

    name: str
    summary: str
    text: str
    needs_backend: bool = False
    keeps_secret: bool = False
    feed: str = ""

    @property
    def known_as(self) -> str:
        """Its name; it has no setups."""
        return self.name


class KeychainHelper(NamedTuple):
    """A program that stores secrets for other programs; no file is changed."""

    name: str
    summary: str
    keeps_secret: bool = False
    feed: str = ""

    @property
    def known_as(self) -> str:
        """The name under which its setups are recorded."""
        return self.name


Program: TypeAlias = Tool | Guidance | KeychainHelper


def checked_feed(tool: Tool, text: str) -> str:
    """Validate the URL of a feed, and return it without a trailing slash.

    A view of a feed (`feed@Local`) is spelled as on Azure's pages: `feed%40Local`.

    Raises:
        UsageError: it is not a feed that the tool can use.
    """
    example = f"https://pkgs.dev.azure.com/ORG/_packaging/FEED{tool.feed}"
    if not text:
        raise UsageError(f"{tool.name} needs a feed", hint=f"add --feed {example}")
    parts = parse(text)
    if parts is INVALID:
        raise UsageError(f"--feed {text!r} is not a URL", hint=f"as in {example}")
    if "@" in parts.netloc:
        raise UsageError(
            "a feed's URL must not carry a user or a password", hint=f"as in {example}"
        )
    path = parts.path.rstrip("/")
    fits = path.lower().endswith(tool.feed.rstrip("/").lower()) and "/_packaging/" in path
    plain = text.isprintable() and text.isascii() and not set(text) & set(" \"'<>\\^`{|}=;,+*[]$")
    plain = plain and is_plain_path(path)
    named = re.fullmatch(_FEED_NAME, _feed_and_view(path)) is not None
    if not fits or not plain or not named or parts.query or parts.fragment or not parts.host:
        raise UsageError(
            f"{text!r} is not a feed that {tool.name} can use", hint=f"as in {example}"
        )
    if not parts.is_protected:
        raise UsageError(
            f"the URL of {parts.host} begins with {parts.scheme}: the secret would be sent"
            " unencrypted",
            hint=f"use https://{parts.netloc}{parts.path}",
        )
    return f"{parts.scheme}://{parts.netloc.lower()}{path.replace('@', '%40')}"


def feed_name(feed: str) -> str:
    """Return the name of a feed from its URL, without the view."""
    return _feed_and_view(feed).partition("@")[0]


def view_name(feed: str) -> str:
    """Return the name of the view in the URL of a feed; empty where there is none."""
    return _feed_and_view(feed).partition("@")[2]


def spellings(feed: str) -> tuple[str, ...]:
    """Return both spellings of a URL with a view, the one of Azure's pages first.

    The service treats them as equal; programs that compare URLs literally do not.
    """
    here, mark, behind = feed.partition("/_packaging/")
    encoded = behind.replace("@", "%40")
    return tuple(
        f"{here}{mark}{each}" for each in dict.fromkeys((encoded, encoded.replace("%40", "@")))
    )


def _feed_and_view(feed: str) -> str:
    return unquote(feed.partition("/_packaging/")[2].partition("/")[0])
