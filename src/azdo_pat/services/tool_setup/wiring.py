"""What connects a tool to the stored token that it gets: locks, deliveries and records."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.errors import NotFoundError, StoreError, UsageError
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.organizations import hosted_name
from azdo_pat.store.setup_records import SetupRecords
from azdo_pat.tools.tool import ToolInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from azdo_pat.delivery_targets import Delivery
    from azdo_pat.models import Secret, StoredPat
    from azdo_pat.operations.deps import Deps
    from azdo_pat.store.setup_records import SetupEntry
    from azdo_pat.tools.tool import KeychainHelper, Tool


class SetupRequest(NamedTuple):
    """What the user asked for.

    Attributes:
        feed: the URL of a feed; None for none.
        token: the name of the token; None for the one whose scopes fit best.
        packages_token: the one that the settings choose for packages; empty for none.
        by_org: `--org` names the organization.
        programs: the folder with the helpers of `pat`.
        bundle: the words that start `pat` if it is a bundle, which has no helpers.
        leave_file: when undoing, do not touch the file, only forget that it was set up.
        dry_run: only say what would change.
    """

    feed: str | None = None
    token: str | None = None
    packages_token: str = ""
    by_org: bool = False
    programs: str = ""
    bundle: tuple[str, ...] = ()
    leave_file: bool = False
    dry_run: bool = False


def setup_records(deps: Deps) -> SetupRecords:
    """Return what the files of tools held before they were set up."""
    return SetupRecords(deps.state_folder / "setups")


def is_sandbox(deps: Deps) -> bool:
    """Return whether the keyring and the state go when this shell ends."""
    return bool(deps.environment.get("PAT_THROWAWAY_KEYRING"))


def tool_input(request: SetupRequest, deps: Deps) -> ToolInput:
    """Return what every tool is told."""
    # What stands in for Azure DevOps counts as a server, too: git must ask for it.
    urls = {each.org_url for each in deps.state.stored() if each.stored}
    return ToolInput(
        programs=request.programs,
        bundle=request.bundle,
        servers=tuple(sorted(url for url in urls if not hosted_name(url))),
        scratch=str(deps.state_folder / "scratch"),
    )


def stored_secret(entry: StoredPat, deps: Deps) -> Secret:
    """Return the secret of a stored token.

    Raises:
        NotFoundError: another program deleted it from the keyring.
    """
    secret = deps.secrets.get(entry.org_url, entry.name)
    if secret is None:
        raise NotFoundError(
            f"the secret of {entry.name!r} is no longer in the keyring",
            hint="to use another token, add --use NAME; to list stored tokens, run: pat list"
            " --stored",
        )
    return secret


def recorded(
    tool: Tool | KeychainHelper, request: SetupRequest, deps: Deps
) -> Sequence[tuple[str, SetupEntry]]:
    """Return the setups to undo, each with the path of its file; the last of each file first.

    Raises:
        NotFoundError: there is none.
        UsageError: an organization is named, and the tool was set up for all of them.
    """
    found = [
        (record.path, setup)
        for record in setup_records(deps).of_tool(tool.known_as)
        for setup in reversed(record.setups)
    ]
    what = ""
    if request.feed is not None:
        found = [each for each in found if each[1].feed == request.feed]
        what = f" for {request.feed}"
    elif request.by_org and (organization := deps.session.located[0]):
        if found and not any(setup.org_url for _, setup in found):
            raise UsageError(f"{tool.name} is set up for all organizations", hint="leave out --org")
        found = [each for each in found if each[1].org_url == organization.url]
        what = f" for {organization.name}"
    if not found:
        raise NotFoundError(
            f"pat has not set up {tool.name}{what} here",
            hint="to list what it has set up, run: pat setup --list",
        )
    return found


@contextmanager
def followers_locked(delivery: Delivery, entry: StoredPat | None, deps: Deps) -> Iterator[None]:
    """Lock out rotations of every token that has a delivery, and of the one that is to get it.

    Raises:
        ConflictError: one of them is being rotated.
    """
    with ExitStack() as locks:
        for each in deps.state.stored():
            if _is_same(each, entry) or delivery in each.renewal.deliveries:
                locks.enter_context(deps.exclusive(lock_key(each.name, each.org_url)))
        yield


def follow(delivery: Delivery, entry: StoredPat | None, deps: Deps) -> None:
    """Let rotations of one token, and of no other, update what the tool has."""
    for each in deps.state.stored():
        wanted = _is_same(each, entry)
        if wanted or delivery in each.renewal.deliveries:
            others = tuple(other for other in each.renewal.deliveries if other != delivery)
            deliveries = (*others, delivery) if wanted else others
            renewal = each.renewal._replace(deliveries=deliveries)
            deps.state.remember(replace(each, renewal=renewal))


def possible_secrets(delivery: Delivery, setup: SetupEntry, deps: Deps) -> Sequence[str]:
    """Return the secrets that a tool may have, the newest first, as far as they are known."""
    entries = [each for each in deps.state.stored(setup.org_url or None) if each.stored]
    names = [each.name for each in entries if delivery in each.renewal.deliveries]
    names += [setup.name, *setup.earlier]
    found: list[str] = []
    for name in dict.fromkeys(each for each in names if each):
        with suppress(StoreError):
            secret = deps.secrets.get(setup.org_url, name)
            found += [] if secret is None else [secret.reveal()]
    return found


def _is_same(entry: StoredPat, other: StoredPat | None) -> bool:
    return other is not None and (entry.org_url, entry.name) == (other.org_url, other.name)
