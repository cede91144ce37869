"""What `pat setup` works on: the token that a tool gets, and what was set up before."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from azdo_pat.cli.programs import programs
from azdo_pat.errors import NotFoundError, StoreError, UsageError
from azdo_pat.naming import as_argument
from azdo_pat.operations.name_lock import lock_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.models import Secret, StoredPat
    from azdo_pat.renewal import Delivery
    from azdo_pat.store.setup_records import SetupEntry, SetupRecords
    from azdo_pat.tools.tool import KeychainHelper, Tool, ToolInput


def tool_input_here(app: App) -> ToolInput:
    """Return what every tool is told."""
    from azdo_pat.organizations import hosted_name
    from azdo_pat.tools.tool import ToolInput

    # What stands in for Azure DevOps counts as a server, too: git must ask for it.
    urls = {each.org_url for each in app.state.stored() if each.stored}
    servers = sorted(url for url in urls if not hosted_name(url))
    return ToolInput(
        programs=str(programs()),
        servers=tuple(servers),
        scratch=str(app.state_folder / "scratch"),
    )


def chosen(app: App, feed: str, token: str | None) -> StoredPat:
    """Return the stored token that a tool gets.

    Args:
        app: the program.
        feed: the URL of a feed; empty for none.
        token: the name of the token; None for the one whose scopes fit best.

    Raises:
        NotFoundError: there is none.
        UsageError: tokens of several organizations are stored, and none of these is named.
    """
    from azdo_pat.tools.selection import at_place, for_git, for_packages

    stored = [each for each in app.state.stored() if each.stored]
    owner = ""
    if feed:
        parts = urlsplit(feed)
        owner = _owner(app, feed)
        entries = at_place(
            stored, parts.scheme, parts.netloc, parts.path, api_root=app.api_root, feeds=True
        )
        secret_format = token or app.setting("packages-token")
        found = for_packages(entries, str(secret_format) if secret_format else None)
        what, recipe = f"packages of {feed}", "packages"
    else:
        located = app.located[0]
        entries = [each for each in stored if located is None or each.org_url == located.url]
        if len({each.org_url for each in entries}) > 1:
            raise UsageError("which organization?", hint=f"add --org {entries[0].org}")
        found = [*for_git(entries, token), *for_packages(entries, token), *entries]
        what, recipe = located.name if located else "any organization", "git"
        owner = located.name if located and app.options.sources.get("org") == "--org" else ""
    if token is not None:
        found = [each for each in found if each.name == token]
        what = f"{what} under the name {token!r}"
    if not found:
        org = f" --org {as_argument(owner)}" if owner else ""
        raise NotFoundError(
            f"no token for {what} is stored",
            hint=f"pat create {as_argument(token or recipe)} --for {recipe}{org} makes one;"
            " pat list --stored shows those that are here",
        )
    return found[0]


def _owner(app: App, feed: str) -> str:
    """Return the organization that a feed belongs to; empty for one of a server.

    Raises:
        UsageError: it cannot be one for which a token is here.
    """
    from azdo_pat.organizations import HOSTED_ROOT, hosted_name, is_of_root, serves

    parts = urlsplit(feed)
    host = parts.netloc.lower()
    if app.api_root and feed.startswith(f"{app.api_root}/"):
        return feed.removeprefix(f"{app.api_root}/").partition("/")[0].lower()
    name = ""
    if host == "pkgs.dev.azure.com":
        name = hosted_name(f"{HOSTED_ROOT}{parts.path}") or ""
    elif host.endswith(".pkgs.visualstudio.com"):
        name = hosted_name(f"https://{host.replace('.pkgs.', '.', 1)}") or ""
    if name and app.api_root:
        raise UsageError(
            f"{feed} is a feed at Microsoft, and PAT_API_URL leads elsewhere",
            hint=f"here feeds begin with {app.api_root}/{name.lower()}/_packaging/",
        )
    servers = [each for each in app.state.stored() if not is_of_root(each.org_url, each.org, None)]
    tool_file = (parts.scheme, parts.netloc, parts.path)
    if not name and not any(serves(each.org_url, *tool_file, feeds=True) for each in servers):
        raise UsageError(
            f"{feed} is no feed of Azure Artifacts, nor of a server whose token is here",
            hint="for a server's: pat import NAME --org https://SERVER/COLLECTION stores a token",
        )
    return name.lower()


def records_of(app: App) -> SetupRecords:
    """Return what tells how tools were set up before."""
    from azdo_pat.store.setup_records import SetupRecords

    return SetupRecords(app.state_folder / "setups")


def stored_secret(app: App, entry: StoredPat) -> Secret:
    """Return the secret of a token that is stored.

    Raises:
        NotFoundError: somebody took it out of the keyring.
    """
    secret = app.secrets.get(entry.org_url, entry.name)
    if secret is None:
        raise NotFoundError(
            f"the secret of {entry.name!r} is not in the keyring any more",
            hint="--use NAME takes another token; pat list --stored shows them",
        )
    return secret


def recorded(
    app: App, tool: Tool | KeychainHelper, feed: str | None
) -> Sequence[tuple[str, SetupEntry]]:
    """Return what is to be undone, the last of each file first: the file, and what it was.

    Raises:
        NotFoundError: there is nothing.
        UsageError: an organization is named, and the tool was set up for all of them.
    """
    found = [
        (record.path, setup)
        for record in records_of(app).of_tool(tool.known_as)
        for setup in reversed(record.setups)
    ]
    what = ""
    if feed is not None:
        found = [each for each in found if each[1].feed == feed]
        what = f" for {feed}"
    elif app.options.sources.get("org") == "--org" and (located := app.located[0]):
        if found and not any(setup.org_url for _, setup in found):
            raise UsageError(f"{tool.name} is set up for all organizations", hint="leave out --org")
        found = [each for each in found if each[1].org_url == located.url]
        what = f" for {located.name}"
    if not found:
        raise NotFoundError(
            f"pat has not set up {tool.name}{what} here", hint="pat setup --list shows what it has"
        )
    return found


@contextmanager
def followers_locked(app: App, delivery: Delivery, entry: StoredPat | None) -> Iterator[None]:
    """Keep rotations of the tokens apart that have a delivery, or are to have it, for a while.

    Raises:
        ConflictError: one of them is being rotated.
    """
    with ExitStack() as locks:
        for each in app.state.stored():
            mine = entry is not None and (each.org_url, each.name) == (entry.org_url, entry.name)
            if mine or delivery in each.renewal.deliveries:
                locks.enter_context(app.exclusive(lock_key(each.name, each.org_url)))
        yield


def put_in(app: App, delivery: Delivery, setup: SetupEntry) -> Sequence[str]:
    """Return the secrets that a tool may have, the newest first, as far as they are known."""
    entries = [each for each in app.state.stored(setup.org_url or None) if each.stored]
    names = [each.name for each in entries if delivery in each.renewal.deliveries]
    names += [setup.name, *setup.earlier]
    found: list[str] = []
    for name in dict.fromkeys(each for each in names if each):
        with suppress(StoreError):
            secret = app.secrets.get(setup.org_url, name)
            found += [] if secret is None else [secret.reveal()]
    return found


def follow(app: App, delivery: Delivery, entry: StoredPat | None) -> None:
    """Let the rotations of one token update what the tool has, and of no other."""
    from azdo_pat.services.tool_setup.install import with_delivery

    for each in app.state.stored():
        mine = entry is not None and (each.org_url, each.name) == (entry.org_url, entry.name)
        if mine or delivery in each.renewal.deliveries:
            app.state.remember(with_delivery(each, delivery, wanted=mine))
