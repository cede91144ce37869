"""Revoking many tokens side by side, and forgetting their secrets."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import PatError
from azdo_pat.models import Pat, Status
from azdo_pat.results import Outcome, Revocation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from azdo_pat.api.tokens import Tokens
    from azdo_pat.models import Organization, Secret, StoredPat
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State

SIDE_BY_SIDE: Final = 12
"""How many requests are under way at once; the service limits users by load, not by number
(documentation: "Rate and usage limits")."""


@dataclass(frozen=True, kw_only=True)
class Revoked:
    """What became of all of them, in the order given.

    Attributes:
        interrupted: the user stopped it; those not reached say so.
    """

    items: tuple[Revocation, ...]
    interrupted: bool = False

    @property
    def failed(self) -> int:
        """How many could not be revoked, or were not reached."""
        return sum(each.outcome in {Outcome.FAILED, Outcome.NOT_REACHED} for each in self.items)

    @property
    def left_in_keyring(self) -> tuple[Revocation, ...]:
        """Those that are revoked, but whose secret is still here."""
        return tuple(each for each in self.items if each.left_in_keyring)


def bulk(pats: Sequence[Pat], organization: Organization) -> tuple[list[Pat], list[Pat]]:
    """Part what a glob or a filter selected into tokens of this organization and the rest.

    A token for all organizations is not this organization's own: it is revoked only by name.

    Returns:
        Those to revoke, and the global ones that are left out.
    """
    own = [pat for pat in pats if pat.org == organization.name and not pat.is_global]
    return own, [pat for pat in pats if pat.is_global]


def plan(pats: Sequence[Pat]) -> tuple[Revocation, ...]:
    """Say what revoking would do, and do nothing."""
    return tuple(
        Revocation(
            pat=pat,
            outcome=Outcome.ALREADY_REVOKED if pat.status is Status.REVOKED else Outcome.PLANNED,
        )
        for pat in pats
    )


def revoke(  # noqa: PLR0913  # the collaborators are the arguments, as in every use case
    organization: Organization,
    pats: Sequence[Pat],
    *,
    tokens: Tokens,
    secrets: Callable[[], SecretStore],
    state: State,
    works: Callable[[Secret], bool],
    done: Callable[[], None],
) -> Revoked:
    """Revoke tokens side by side; one that is already gone counts as done.

    A failure of one stops none of the others. The secret of each revoked token is taken out of
    the keyring. On Ctrl-C no further request is begun, those under way end, and what was not
    reached is reported as such.

    Args:
        organization: the one that all of them belong to.
        pats: the tokens.
        tokens: the service.
        secrets: gives the keyring, which is opened only where a secret is stored.
        state: the state file.
        works: tells whether the service still accepts a secret; asked only of imported ones,
            which nothing but their name ties to a token.
        done: told after each token; what it raises as KeyboardInterrupt stops it, too.
    """
    cleaner = _Cleaner(
        organization=organization,
        entries=state.stored(organization.url),  # before anything is done: it may not be readable
        secrets=secrets,
        state=state,
        works=works,
    )
    outcomes: dict[int, Revocation] = {
        place: Revocation(pat=pat, outcome=Outcome.ALREADY_REVOKED)
        for place, pat in enumerate(pats)
        if pat.status is Status.REVOKED
    }
    waiting = [place for place in range(len(pats)) if place not in outcomes]
    interrupted = False

    def work(place: int) -> None:
        # Noted by who did it: wherever Ctrl-C strikes, what was done is reported as done.
        outcomes[place] = _one(tokens, organization, pats[place])

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        running: set[Future[None]] = set()
        try:
            while waiting or running:
                # Few are handed to the pool at a time, so that Ctrl-C finds the rest not begun.
                while waiting and len(running) < SIDE_BY_SIDE:
                    running.add(pool.submit(work, waiting.pop(0)))
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    done()
        except KeyboardInterrupt:
            interrupted = True
    items = [
        outcomes.get(place, Revocation(pat=pat, outcome=Outcome.NOT_REACHED))
        for place, pat in enumerate(pats)
    ]
    return Revoked(items=tuple(map(cleaner.forget, items)), interrupted=interrupted)


def _one(tokens: Tokens, organization: Organization, pat: Pat) -> Revocation:
    try:
        was_there = tokens.revoke(organization, pat.id or "")
    except PatError as error:
        return Revocation(pat=pat, outcome=Outcome.FAILED, error=error.message)
    return Revocation(
        pat=replace(pat, status=Status.REVOKED),
        outcome=Outcome.REVOKED if was_there else Outcome.ALREADY_REVOKED,
    )


@dataclass(frozen=True, kw_only=True)
class _Cleaner:
    """Takes the secrets of revoked tokens out of the keyring, and their entries with them."""

    organization: Organization
    entries: Sequence[StoredPat]
    secrets: Callable[[], SecretStore]
    state: State
    works: Callable[[Secret], bool]

    def forget(self, item: Revocation) -> Revocation:
        """Forget the secret of one token, if it is revoked and its secret is here."""
        if item.outcome not in {Outcome.REVOKED, Outcome.ALREADY_REVOKED}:
            return item
        try:
            entry = self._entry(item.pat)
            if entry is None:
                return item
            if entry.stored:
                self.secrets().delete(self.organization.url, entry.name)
            self.state.forget(self.organization.url, entry.name)
        except PatError as error:
            return replace(item, left_in_keyring=error.message)
        return replace(item, pat=replace(item.pat, stored=False))

    def _entry(self, pat: Pat) -> StoredPat | None:
        """Find the token's entry; one imported under its name counts if its secret is dead."""
        by_name = None
        for each in self.entries:
            if each.id and each.id.lower() == (pat.id or "").lower():
                return each
            if each.id is None and each.name == pat.name:
                by_name = each
        if by_name is None:
            return None
        secret = self.secrets().get(self.organization.url, by_name.name)
        return None if secret is not None and self.works(secret) else by_name
