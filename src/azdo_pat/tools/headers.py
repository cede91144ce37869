"""Makes git send a token in a header for one command, regardless of git's configuration.

Source: git-config(1), `http.<url>.*`, `http.extraHeader`, `GIT_CONFIG_COUNT`. git compares hosts in
any case and paths by their letters; what is set for the longest URL counts; headers add up until
an empty one takes back those before it. The environment is read behind all files.
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.executables import captured, find_program
from azdo_pat.organizations import hosted_name, serves
from azdo_pat.redaction import without_credentials
from azdo_pat.urls import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_KEYS: Final = (
    r"^(http\.(.*\.)?extraheader|remote\..*\.(push)?url|submodule\..*\.url"
    r"|url\..*\.(push)?insteadof)$"
)
_URL: Final = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)
_TIMEOUT: Final = 30


class _Header(NamedTuple):
    """A configured header: its URL (empty for all) and its value."""

    url: str
    text: str

    @property
    def signs_in(self) -> bool:
        return self.text.partition(":")[0].strip().lower() == "authorization"


def variables(
    header: str, org_url: str, words: Sequence[str], environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables that make git send a header to an organization, as its only credential.

    Args:
        header: the complete header.
        org_url: of the organization, or of the server's collection.
        words: the command, whose URLs show how the organization is spelled.
        environment: the command's other variables.
    """
    settings = _settings(words, environment)
    held = [
        _Header(key[len("http.") : -len(".extraheader")] if key.count(".") > 1 else "", value)
        for key, value in settings
        if key.startswith("http.")
    ]
    named = [url for word in words for url in _URL.findall(word)]
    spelled = [_spelled(url, org_url) for url in (*named, *_urls(settings))]
    # A setting for a part of the organization overrides ours, so it gets ours as well.
    deeper = [each.url for each in held if each.url and _spelled(each.url, org_url)]
    entries: list[tuple[str, str]] = []
    for url in dict.fromkeys([*_roots(org_url), *filter(None, spelled), *deeper]):
        kept = [each.text for each in held if not each.signs_in and _covers(each.url, url)]
        entries += [(f"http.{url}.extraHeader", text) for text in ("", *kept, header)]
    return _numbered(entries, environment)


def _numbered(entries: Sequence[tuple[str, str]], environment: Mapping[str, str]) -> dict[str, str]:
    """Append settings to those already in the environment."""
    count = environment.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isascii() and count.isdigit() else 0
    found = {"GIT_CONFIG_COUNT": str(first + len(entries))}
    for number, (key, value) in enumerate(entries, first):
        found[f"GIT_CONFIG_KEY_{number}"] = key
        found[f"GIT_CONFIG_VALUE_{number}"] = value
    return found


def _roots(org_url: str) -> tuple[str, ...]:
    """Return the usual spellings of an organization's URL."""
    name = hosted_name(org_url)
    if name is None:
        return (f"{org_url}/",)
    return (f"{org_url}/", f"https://{name.lower()}.visualstudio.com/")


def _spelled(text: str, org_url: str) -> str:
    """Return the organization's URL as spelled in a repository's URL; empty for others."""
    url = parse(text)
    if not serves(org_url, url.scheme, url.authority, url.path):
        return ""
    own_host = hosted_name(org_url) is not None and url.host != "dev.azure.com"
    deep = 0 if own_host else len(parse(org_url).steps)
    return f"{url.scheme}://{url.authority}/" + "".join(f"{step}/" for step in url.steps[:deep])


def _covers(outer: str, inner: str) -> bool:
    """Return whether a setting for one URL applies to the other, too."""
    if not outer:
        return True
    one, other = parse(outer), parse(inner)
    is_below = f"{other.path.rstrip('/')}/".startswith(f"{one.path.rstrip('/')}/")
    return is_below and fnmatchcase(other.authority, one.authority)


def _urls(settings: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the URLs that git may use, according to its configuration."""
    for key, value in settings:
        if key.startswith("url."):
            yield key[len("url.") :].rpartition(".")[0]
        elif not key.startswith("http."):
            yield value


def _settings(words: Sequence[str], environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return git's settings in the command's folder; none without git."""
    program = find_program("git", environment)
    if program is None:
        return []
    found: list[tuple[str, str]] = []
    at = words.index("-C") if "-C" in words[:-1] else len(words)
    folder = words[at : at + 2]  # the folder that git is told to use
    modules = Path(*folder[1:], ".gitmodules").absolute()
    for more in ([], ["--file", str(modules)]):
        with suppress(OSError, ValueError, subprocess.SubprocessError):
            ran = captured(
                [program, *folder, "config", *more, "-z", "--get-regexp", _KEYS],
                without_credentials(environment),
                folder=None,
                seconds=_TIMEOUT,
            )
            for entry in os.fsdecode(ran.stdout).split("\0")[:-1]:
                key, _, value = entry.partition("\n")
                found.append((key, value))
    return found
