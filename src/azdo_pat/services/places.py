"""Prepares changes of many tokens in several organizations."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.errors import PatError
from azdo_pat.operations.recovery import due_here, recover_due
from azdo_pat.results.recovery import Unrecovered
from azdo_pat.services.find_tokens import TokenFinder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from azdo_pat.journal import JournalEntry
    from azdo_pat.models import Organization, Pat, StoredPat
    from azdo_pat.operations.deps import Deps


class Listed(NamedTuple):
    """Tokens as the service lists them.

    Attributes:
        pats: by their id.
        failures: by the URL of an organization: why it could not be listed.
    """

    pats: Mapping[str, Pat]
    failures: Mapping[str, PatError]


class Places(NamedTuple):
    """The organizations in which tokens are changed.

    Attributes:
        deps: by the URL of an organization: its dependencies, or why they are not available.
        left: what could not be recovered there.
    """

    deps: Mapping[str, Deps | PatError]
    left: Sequence[JournalEntry]

    def at(self, org_url: str) -> Deps:
        """Return the dependencies for an organization.

        Raises:
            PatError: they are not available.
        """
        found = self.deps[org_url]
        if isinstance(found, PatError):
            raise found
        return found

    def listed(self, entries: Collection[StoredPat]) -> Listed:
        """List tokens; each organization is listed once."""
        pats: dict[str, Pat] = {}
        failures: dict[str, PatError] = {}
        for url, there in self.deps.items():
            ids = [entry.id for entry in entries if entry.org_url == url and entry.id]
            if isinstance(there, PatError) or not ids:
                continue
            try:
                found, _ = TokenFinder(there).find_each(there.organization, ids)
            except PatError as error:
                failures[url] = error
            else:
                pats |= {pat.id: pat for pat in found if pat.id}
        return Listed(pats, failures)


def prepared(organizations: Iterable[Organization], deps: Deps) -> Places:
    """Sign in to each organization, and recover what is due there or in others."""
    due = [each.entry.organization for each in due_here(deps)]
    found: dict[str, Deps | PatError] = {}
    left: list[JournalEntry] = []
    for organization in dict.fromkeys((*organizations, *due)):
        there, url = deps.at(organization), organization.url
        try:
            there.session.access_token()
            # Made here, as what uses them runs in parallel.
            _ = there.organization, there.tokens, there.directory, there.organization_cache
        except PatError as error:
            found[url] = error
            unfinished = [each.entry for each in due_here(deps, url)]
            if unfinished:
                deps.report(Unrecovered(error, organization))
            left += unfinished
        else:
            found[url] = there
            recovered = recover_due(there, url)
            left += [each.operation.entry for each in recovered if each.failure]
    return Places(found, left)
