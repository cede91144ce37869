"""Selects which of several stored tokens a tool gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azdo_pat.organizations import hosted_name, serves

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azdo_pat.models import StoredPat

GIT_SCOPES: Final = {
    "vso.code_write": 0,
    "vso.code_manage": 1,
    "vso.code_full": 2,
    "app_token": 4,
    "vso.code": 5,
}
"""Tokens that can push with the least rights come first; 3 is for unknown scopes, as of a
token created on the web page; tokens that can only fetch come last."""

_PACKAGE_SCOPES: Final = {
    "vso.packaging": 0,
    "vso.packaging_write": 1,
    "vso.packaging_manage": 2,
    "app_token": 4,
}
"""Least rights first, as most tools only install."""

_UNKNOWN: Final = 3


def at_place(  # noqa: PLR0913  # what a place consists of
    entries: Sequence[StoredPat],
    protocol: str,
    host: str,
    path: str,
    *,
    username: str = "",
    api_root: str | None = None,
    feeds: bool = False,
) -> Sequence[StoredPat]:
    """Return the tokens of the organization, or the server, that a tool asks for.

    If the path of a repository is unknown the user name may name the organization; otherwise it
    must be the only one with stored tokens.

    Args:
        entries: all stored tokens.
        protocol: as in a URL.
        host: with its port, if the URL has one.
        path: empty if unknown.
        username: the one in the URL, if any.
        api_root: `PAT_API_URL`.
        feeds: the request is for a package feed, not a repository.
    """
    sure: list[StoredPat] = []
    likely: list[StoredPat] = []
    for entry in entries:
        if api_root and hosted_name(entry.org_url):
            continue  # tokens of an emulator are never used at the real service
        verdict = serves(entry.org_url, protocol, host, path, feeds=feeds)
        if verdict is not False:
            (sure if verdict else likely).append(entry)
    if sure or feeds:
        return sure
    named = [entry for entry in likely if entry.org == username.lower()]
    if named or len({entry.org_url for entry in likely}) == 1:
        return named or likely
    return ()


def for_git(entries: Sequence[StoredPat], chosen: str | None) -> Sequence[StoredPat]:
    """Return the tokens that git can use, the best first; a chosen one regardless of its scopes."""
    return _ranked(entries, GIT_SCOPES, chosen)


def for_packages(entries: Sequence[StoredPat], chosen: str | None) -> Sequence[StoredPat]:
    """Return the tokens that can read packages, best first; a chosen one regardless of scopes."""
    return _ranked(entries, _PACKAGE_SCOPES, chosen)


def _ranked(
    entries: Sequence[StoredPat], scopes: Mapping[str, int], chosen: str | None
) -> Sequence[StoredPat]:
    ranked = []
    for entry in entries:
        ranks = [scopes[scope] for scope in entry.scopes if scope in scopes]
        rank = min(ranks, default=None if entry.scopes else _UNKNOWN)
        if entry.name == chosen:
            rank = -1
        if entry.stored and rank is not None:
            ranked.append((rank, len(entry.scopes), entry.name, entry))
    return [entry for *_, entry in sorted(ranked, key=lambda each: each[:3])]
