"""Rebuilds a damaged state file from the service and the keyring."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.errors import PatError
from azdo_pat.journal import Create, Rotate
from azdo_pat.models import Field, ServicePat, Status, StoredPat
from azdo_pat.operations.fingerprint import fingerprint_of, matches
from azdo_pat.operations.ownership import is_refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.models import Organization
    from azdo_pat.operations.deps import Deps
    from azdo_pat.store.state import State


class Rebuilt(NamedTuple):
    """The result of a rebuild.

    Attributes:
        found: the tokens whose secrets are stored.
        unsure: the names of secrets of unknown tokens, each with the ids of the tokens that
            have the name: the service does not say which one a secret belongs to.
        carried_over: unfinished operations that could be read from the damaged file.
        unread: the journal of the damaged file could not be read.
        unkept: the renewal settings of its tokens could not be read.
    """

    found: tuple[StoredPat, ...]
    unsure: tuple[str, ...]
    carried_over: int
    unread: bool
    unkept: bool


def rebuild(organizations: Sequence[Organization], deps: Deps, damaged: Sequence[State]) -> Rebuilt:
    """Look in the keyring for a secret under the name of each active token, and index it.

    Existing entries stay. Only names that the service or the damaged file lists can be asked
    for, as a keyring does not list its entries. The damaged file's fingerprints tell which token
    a secret belongs to; a name does not.

    Raises:
        PatError: the service or the keyring cannot be asked.
    """
    carried, unread = _carry_over(damaged, deps.state)
    remembered, unkept = _remembered(damaged)
    found: list[StoredPat] = []
    unsure: list[str] = []
    for organization in organizations:
        by_name: dict[str, list[ServicePat]] = defaultdict(list)
        for pat in deps.tokens.list(organization, Status.ACTIVE):
            if Field.NAME not in pat.unread:
                by_name[pat.display_name].append(pat)
        # A secret may be stored under a former name of its token.
        names = {name for url, name in remembered if url == organization.url} | by_name.keys()
        for name in sorted(names):
            if deps.state.find(organization.url, name) is not None:
                continue
            secret = deps.secrets.get(organization.url, name, confirm_absence=False)
            if secret is None or is_refused(secret, organization, deps):
                continue
            entry = remembered.get((organization.url, name))
            if entry is None or entry.id is None or not matches(secret, entry.fingerprint):
                entry = StoredPat.unknown(organization, name, fingerprint_of(secret))
                ids = ", ".join(pat.authorization_id or "id unknown" for pat in by_name[name])
                unsure.append(f"{name}: {ids}" if ids else name)
            deps.state.remember(entry)
            found.append(entry)
    return Rebuilt(tuple(found), tuple(unsure), carried, unread, unkept)


def _remembered(damaged: Sequence[State]) -> tuple[dict[tuple[str, str], StoredPat], bool]:
    """Read the readable token rows of the damaged files, by organization and name."""
    found: dict[tuple[str, str], StoredPat] = {}
    unread = False
    for each in damaged:
        try:
            found |= {(entry.org_url, entry.name): entry for entry in each.stored()}
        except PatError:
            unread = True
    return found, unread or not damaged


def _carry_over(damaged: Sequence[State], state: State) -> tuple[int, bool]:
    """Carry over the readable journal entries of the damaged files, which must not be lost."""
    carried, unread = 0, False
    for each in damaged:
        try:
            operations = each.unfinished()
        except PatError:
            unread = True
            continue
        for operation in operations:
            key = state.begin(operation)
            match operation:
                case Create(new=new) | Rotate(new=new) if new.authorization_id and new.fingerprint:
                    state.note(key, new.authorization_id, new.fingerprint)
            carried += 1
    return carried, unread
