"""What connects a tool to the stored token that it gets: locks, deliveries and records."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from azdo_pat.errors import NotFoundError, StoreError, UsageError
from azdo_pat.operations.name_lock import lock_key
from azdo_pat.organizations import hosted_name
from azdo_pat.tools.tool import ToolInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from azdo_pat.models import Organization, Secret, StoredPat
    from azdo_pat.renewal import Delivery
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.setup_records import SetupEntry, SetupRecords
    from azdo_pat.store.state import State
    from azdo_pat.tools.tool import KeychainHelper, Tool


@dataclass(frozen=True, kw_only=True)
class SetupDeps:
    """What setting tools up needs.

    Attributes:
        records: what the files of tools held before they were set up.
        exclusive: a lock by key between processes; raises ConflictError when another one holds it.
        in_line: the same, but waits for the other process.
        scratch: the folder for temporary copies of a tool's file.
        programs: finds the folder with the programs of `pat`.
        own_home: finds the home folder of the user's account, whatever HOME says.
        api_root: gives `PAT_API_URL`; None for Microsoft's hosts.
        organization: gives the organization at hand; None where there is none.
        org_named: the user named that organization with `--org`.
        packages_token: the name of the token that the settings choose for packages; empty for none.
    """

    state: State
    secrets: SecretStore
    records: SetupRecords
    environment: Mapping[str, str]
    exclusive: Callable[[str], AbstractContextManager[None]]
    in_line: Callable[[str], AbstractContextManager[None]]
    scratch: Path
    programs: Callable[[], Path]
    own_home: Callable[[], Path]
    api_root: Callable[[], str | None]
    organization: Callable[[], Organization | None]
    org_named: bool
    packages_token: str

    @property
    def is_sandbox(self) -> bool:
        """Whether the keyring and the state go when this shell ends."""
        return bool(self.environment.get("PAT_THROWAWAY_KEYRING"))

    def tool_input(self) -> ToolInput:
        """Return what every tool is told.

        Raises:
            NotFoundError: the programs of `pat` are not beside it.
        """
        # What stands in for Azure DevOps counts as a server, too: git must ask for it.
        urls = {each.org_url for each in self.state.stored() if each.stored}
        return ToolInput(
            programs=str(self.programs()),
            servers=tuple(sorted(url for url in urls if not hosted_name(url))),
            scratch=str(self.scratch),
        )


def stored_secret(entry: StoredPat, deps: SetupDeps) -> Secret:
    """Return the secret of a stored token.

    Raises:
        NotFoundError: another program deleted it from the keyring.
    """
    secret = deps.secrets.get(entry.org_url, entry.name)
    if secret is None:
        raise NotFoundError(
            f"the secret of {entry.name!r} is not in the keyring any more",
            hint="--use NAME takes another token; pat list --stored shows them",
        )
    return secret


def recorded(
    tool: Tool | KeychainHelper, feed: str | None, deps: SetupDeps
) -> Sequence[tuple[str, SetupEntry]]:
    """Return the setups to undo, each with the path of its file; the last of each file first.

    Raises:
        NotFoundError: there is none.
        UsageError: an organization is named, and the tool was set up for all of them.
    """
    found = [
        (record.path, setup)
        for record in deps.records.of_tool(tool.known_as)
        for setup in reversed(record.setups)
    ]
    what = ""
    if feed is not None:
        found = [each for each in found if each[1].feed == feed]
        what = f" for {feed}"
    elif deps.org_named and (organization := deps.organization()):
        if found and not any(setup.org_url for _, setup in found):
            raise UsageError(f"{tool.name} is set up for all organizations", hint="leave out --org")
        found = [each for each in found if each[1].org_url == organization.url]
        what = f" for {organization.name}"
    if not found:
        raise NotFoundError(
            f"pat has not set up {tool.name}{what} here", hint="pat setup --list shows what it has"
        )
    return found


@contextmanager
def followers_locked(
    delivery: Delivery, entry: StoredPat | None, deps: SetupDeps
) -> Iterator[None]:
    """Lock out rotations of every token that has a delivery, and of the one that is to get it.

    Raises:
        ConflictError: one of them is being rotated.
    """
    with ExitStack() as locks:
        for each in deps.state.stored():
            if _is_same(each, entry) or delivery in each.renewal.deliveries:
                locks.enter_context(deps.exclusive(lock_key(each.name, each.org_url)))
        yield


def follow(delivery: Delivery, entry: StoredPat | None, deps: SetupDeps) -> None:
    """Let rotations of one token, and of no other, update what the tool has."""
    for each in deps.state.stored():
        wanted = _is_same(each, entry)
        if wanted or delivery in each.renewal.deliveries:
            others = tuple(other for other in each.renewal.deliveries if other != delivery)
            deliveries = (*others, delivery) if wanted else others
            renewal = each.renewal._replace(deliveries=deliveries)
            deps.state.remember(replace(each, renewal=renewal))


def possible_secrets(delivery: Delivery, setup: SetupEntry, deps: SetupDeps) -> Sequence[str]:
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
