"""Chooses the stored token that a tool gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.command_lines import pat_command
from azdo_pat.errors import NotFoundError, UsageError
from azdo_pat.near_names import did_you_mean
from azdo_pat.organizations import HOSTED_ROOT, hosted_name, is_of_root, serves
from azdo_pat.tools.selection import at_place, for_git, for_packages
from azdo_pat.urls import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.models import StoredPat
    from azdo_pat.operations.deps import Deps
    from azdo_pat.services.tool_setup.wiring import SetupRequest


class Choice(NamedTuple):
    """The stored token that a tool gets.

    Attributes:
        entry: the token.
        why: the reason, in words; empty if the user named it.
    """

    entry: StoredPat
    why: str


def chosen(request: SetupRequest, deps: Deps) -> Choice:
    """Return the stored token that a tool gets.

    Raises:
        NotFoundError: there is none.
        UsageError: tokens of several organizations are stored, and none of these is named; or no
            token stored here can be for that feed.
    """
    feed, token = request.feed, request.token
    stored = [each for each in deps.state.stored() if each.stored]
    if feed:
        owner = _owner(feed, deps)
        place = parse(feed).place
        entries = at_place(stored, *place, api_root=deps.session.api_root, feeds=True)
        found = for_packages(entries, token or request.packages_token or None)
        what, recipe = f"packages of {feed}", "packages"
    else:
        organization, _ = deps.session.located
        entries = [
            each for each in stored if organization is None or each.org_url == organization.url
        ]
        if len({each.org_url for each in entries}) > 1:
            raise UsageError("no organization given", hint=f"add --org {entries[0].org}")
        found = [*for_git(entries, token), *for_packages(entries, token), *entries]
        what, recipe = organization.name if organization else "any organization", "git"
        owner = organization.name if organization and request.by_org else ""
    near = ""
    if token is not None:
        near = did_you_mean(token, [each.name for each in found], most=3)
        found = [each for each in found if each.name == token]
        what = f"{what} under the name {token!r}"
    if not found:
        options = ("--for", recipe, *(("--org", owner) if owner else ()))
        raise NotFoundError(
            f"no token for {what} is stored",
            hint=f"{near}to create one, run:"
            f" {pat_command('create', token or recipe, options=options)};"
            " to list stored tokens, run: pat list --stored",
        )
    return Choice(found[0], _why(request, found, what))


def _why(request: SetupRequest, found: Sequence[StoredPat], what: str) -> str:
    if request.token is not None:
        return ""
    if request.feed and found[0].name == request.packages_token:
        return "the setting packages-token names it"
    others = len({(each.org_url, each.name) for each in found}) - 1
    if not others:
        return f"it is the only one stored for {what}"
    return f"its scopes fit best of {others + 1} tokens stored for {what}"


def _owner(feed: str, deps: Deps) -> str:
    """Return the organization that a feed belongs to; empty for one of a server.

    Raises:
        UsageError: no token stored here can be for it.
    """
    url, api_root = parse(feed), deps.session.api_root
    host = url.authority
    if api_root and feed.startswith(f"{api_root}/"):
        return feed.removeprefix(f"{api_root}/").partition("/")[0].lower()
    name = ""
    if host == "pkgs.dev.azure.com":
        name = hosted_name(f"{HOSTED_ROOT}{url.path}") or ""
    elif host.endswith(".pkgs.visualstudio.com"):
        name = hosted_name(f"https://{host.replace('.pkgs.', '.', 1)}") or ""
    if name and api_root:
        raise UsageError(
            f"{feed} is a feed at Microsoft, but PAT_API_URL points elsewhere",
            hint=f"use a feed URL that begins with {api_root}/{name.lower()}/_packaging/",
        )
    servers = [each for each in deps.state.stored() if not is_of_root(each.organization, None)]
    if not name and not any(serves(each.org_url, *url.place, feeds=True) for each in servers):
        raise UsageError(
            f"{feed} is not a feed of Azure Artifacts, nor of a server whose token is stored here",
            hint="to store a server's token, run: pat import NAME --org https://SERVER/COLLECTION",
        )
    return name.lower()
