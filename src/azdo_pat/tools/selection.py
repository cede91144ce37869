"""Which of several stored tokens a tool gets."""

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
"""Who may push with the least rights comes first; 3 is for scopes that are not known, as of a
token that was made on the web page; who may only fetch comes last."""

_PACKAGE_SCOPES: Final = {
    "vso.packaging": 0,
    "vso.packaging_write": 1,
    "vso.packaging_manage": 2,
    "app_token": 4,
}
"""Least rights first: most tools only install."""

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

    Where the path of a repository is not known the user name may name the organization; else it
    must be the only one that has tokens here.

    Args:
        entries: all that are stored.
        protocol: as in a URL.
        host: with its port, if the URL has one.
        path: empty where it is not known.
        username: the one in the URL, if any.
        api_root: `PAT_API_URL`.
        feeds: it is a feed of packages, and not a repository, that is asked for.
    """
    sure: list[StoredPat] = []
    likely: list[StoredPat] = []
    for entry in entries:
        if api_root and hosted_name(entry.org_url):
            continue  # what is tried on an emulator stays apart from the real thing
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
    """Return those that git may use, the best first; a chosen one whatever its scopes."""
    return _ranked(entries, GIT_SCOPES, chosen)


def for_packages(entries: Sequence[StoredPat], chosen: str | None) -> Sequence[StoredPat]:
    """Return those that may read packages, the best first; a chosen one whatever its scopes."""
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
