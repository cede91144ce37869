"""Finding out anew what a damaged state file knew: from the service and the keyring."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.errors import PatError
from azdo_pat.models import Origin, ServicePat, Status, StoredPat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from azdo_pat.models import Organization, Secret
    from azdo_pat.services.workshop import Workshop
    from azdo_pat.store.state import State
    from azdo_pat.upkeep import Upkeep


class Rebuilt(NamedTuple):
    """What came of it.

    Attributes:
        found: the tokens whose secrets are here.
        unsure: those of them that share their name with others: which one the secret is of, the
            service does not tell.
        carried_over: operations under way that could be read from the damaged file.
        unread: the journal of the damaged file could not be read.
        unkept: how its tokens were looked after could not be read.
    """

    found: tuple[StoredPat, ...]
    unsure: tuple[str, ...]
    carried_over: int
    unread: bool
    unkept: bool


def rebuild(
    organizations: Sequence[Organization],
    shop: Workshop,
    *,
    works: Callable[[Organization, Secret], bool],
    damaged: Sequence[State],
) -> Rebuilt:
    """Look in the keyring for a secret under the name of each active token, and note it.

    What is noted already stays. Only names that the service lists can be asked for: a keyring
    does not tell what it holds.

    Raises:
        PatError: the service or the keyring cannot be asked.
    """
    carried, unread = _carry_over(damaged, shop.state)
    upkeeps, unkept = _upkeeps(damaged)
    found: list[StoredPat] = []
    unsure: list[str] = []
    for organization in organizations:
        by_name: dict[str, list[ServicePat]] = defaultdict(list)
        for pat in shop.tokens.list(organization, Status.ACTIVE):
            by_name[pat.display_name].append(pat)
        for name, pats in by_name.items():
            if shop.state.find(organization.url, name) is not None:
                continue
            secret = shop.secrets.get(organization.url, name)
            if secret is None or not works(organization, secret):
                continue
            entry = _entry(organization, name, pats)
            entry = replace(entry, upkeep=upkeeps.get(entry.id or "", entry.upkeep))
            shop.state.remember(entry)
            found.append(entry)
            if entry.id is None:
                unsure.append(name)
    return Rebuilt(tuple(found), tuple(unsure), carried, unread, unkept)


def _entry(organization: Organization, name: str, pats: Sequence[ServicePat]) -> StoredPat:
    only = pats[0] if len(pats) == 1 else None
    return StoredPat(
        org_url=organization.url,
        org=organization.name,
        name=name,
        id=only.authorization_id if only else None,
        scopes=only.scopes if only else (),
        created=only.valid_from if only else None,
        expires=only.valid_to if only else None,
        origin=Origin.PAT if only else Origin.UNKNOWN,
    )


def _upkeeps(damaged: Sequence[State]) -> tuple[dict[str, Upkeep], bool]:
    """Read what the damaged files still tell of how tokens are looked after, by their ids."""
    found: dict[str, Upkeep] = {}
    unread = False
    for each in damaged:
        try:
            found |= {entry.id: entry.upkeep for entry in each.stored() if entry.id}
        except PatError:
            unread = True
    return found, unread or not damaged


def _carry_over(damaged: Sequence[State], state: State) -> tuple[int, bool]:
    """Carry over what the damaged files' journals still tell: it must not be forgotten."""
    carried, unread = 0, False
    for each in damaged:
        try:
            intents = each.unfinished()
        except PatError:
            unread = True
            continue
        for intent in intents:
            key = state.begin(intent._replace(key=None))
            if intent.authorization_id and intent.mark:
                state.note(key, intent.authorization_id, intent.mark)
            carried += 1
    return carried, unread
