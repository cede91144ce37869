"""Revokes many tokens in parallel, and deletes their secrets."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from azdo_pat.errors import PatError, StoreError, UnavailableError
from azdo_pat.journal import JournalEntry, Revoke, RevokeReplaced
from azdo_pat.models import Field, Pat, Status
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.operations.ownership import is_refused
from azdo_pat.operations.readable import require_readable
from azdo_pat.operations.revocation import delete_own
from azdo_pat.results.tokens import Outcome, Revocation
from azdo_pat.services.find_tokens import TokenFinder
from azdo_pat.services.parallel import side_by_side

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from azdo_pat.models import Organization, StoredPat
    from azdo_pat.operations.deps import Deps
    from azdo_pat.services.find_tokens import Filters
    from azdo_pat.services.parallel import Shown


@dataclass(frozen=True, kw_only=True)
class Revoked:
    """The outcomes of all tokens, in the given order.

    Attributes:
        interrupted: the user cancelled; tokens that were not reached say so.
    """

    items: tuple[Revocation, ...]
    interrupted: bool = False

    @property
    def failed(self) -> int:
        """The number of tokens that could not be revoked, or were not reached."""
        return sum(each.outcome in {Outcome.FAILED, Outcome.NOT_REACHED} for each in self.items)

    @property
    def left_in_keyring(self) -> tuple[Revocation, ...]:
        """The revoked tokens whose secret is still stored."""
        return tuple(each for each in self.items if each.left_in_keyring)


def selected(
    organization: Organization, filters: Filters, deps: Deps
) -> tuple[list[Pat], list[Pat]]:
    """Find the tokens that a glob or a filter selects.

    Returns:
        As for `bulk`.
    """
    finder = TokenFinder(deps)
    deps.organization_cache.confirm(organization)  # its name may have been given to another one
    return bulk(list(finder.listing(organization, filters)), organization)


def bulk(pats: Sequence[Pat], organization: Organization) -> tuple[list[Pat], list[Pat]]:
    """Split the tokens that a glob or a filter selected into those to revoke and the rest.

    A token for all organizations is not this organization's own: it is revoked only by name. So
    is one that could not be read completely: it is uncertain whether it meets the conditions.

    Returns:
        Those to revoke, and the global and unreadable ones that are left out.
    """
    left_out = [pat for pat in pats if pat.is_global or pat.unread]
    return [pat for pat in pats if pat.org == organization.name and pat not in left_out], left_out


def plan(pats: Sequence[Pat]) -> tuple[Revocation, ...]:
    """Return the changes that revoking would make (dry run)."""
    return tuple(
        Revocation(
            pat=pat,
            outcome=Outcome.ALREADY_REVOKED if pat.status is Status.REVOKED else Outcome.PLANNED,
        )
        for pat in pats
    )


def revoke(organization: Organization, pats: Sequence[Pat], deps: Deps, progress: Shown) -> Revoked:
    """Revoke tokens in parallel; one that is already gone counts as done.

    A failure does not stop the others. The secret of each revoked token is deleted from
    the keyring. On Ctrl-C no further request is started, those in progress finish, and tokens not
    reached are reported as such.
    """
    _ = deps.tokens, deps.directory  # here, as what uses them runs in parallel
    # Before anything is done, as the state may be unreadable.
    cleaner = Cleaner(organization, deps, deps.state.stored(organization.url))
    outcomes: dict[int, Revocation] = {
        place: Revocation(pat=pat, outcome=Outcome.ALREADY_REVOKED)
        for place, pat in enumerate(pats)
        if pat.status is Status.REVOKED
    }
    waiting = [place for place in range(len(pats)) if place not in outcomes]

    def work(place: int) -> None:
        # Recorded by the worker, so that finished work is reported whenever Ctrl-C comes.
        outcomes[place] = cleaner.end(pats[place])

    with progress(len(pats)) as shown:
        side_by_side(work, waiting, shown.done)
        items = [
            outcomes.get(place, Revocation(pat=pat, outcome=Outcome.NOT_REACHED))
            for place, pat in enumerate(pats)
        ]
        items = _looked_at_again(organization, pats, items, deps)
        items = [cleaner.forget(each) for each in items]
        close_planned(organization, items, deps)
        return Revoked(items=tuple(items), interrupted=shown.stopped())


def _one(pat: Pat, organization: Organization, deps: Deps) -> Revocation:
    try:
        require_readable(pat, organization, {Field.ID})
        was_there = deps.tokens.revoke(organization, pat.id or "")
    except PatError as error:
        doubtful = isinstance(error, UnavailableError)
        return Revocation(pat=pat, outcome=Outcome.FAILED, error=error.message, doubtful=doubtful)
    except Exception as error:  # noqa: BLE001  # a fault met on one must not hide what became of the others
        return Revocation(pat=pat, outcome=Outcome.FAILED, error=_reason(error))
    return Revocation(
        pat=replace(pat, status=Status.REVOKED),
        outcome=Outcome.REVOKED if was_there else Outcome.ALREADY_REVOKED,
    )


def _looked_at_again(
    organization: Organization, pats: Sequence[Pat], items: Sequence[Revocation], deps: Deps
) -> list[Revocation]:
    """Check that tokens which the service did not find are gone; a listed one has failed.

    Each was listed a moment ago, and "not found" is also what a gateway says, or the service of a
    token that is another organization's. A single token cannot be asked for instead: the service
    returns revoked ones, too, without their status.
    """
    doubtful = {
        pat.id or "": pat
        for pat, item in zip(pats, items, strict=True)
        if item.outcome is Outcome.ALREADY_REVOKED and pat.status is not Status.REVOKED
    }
    if not doubtful:
        return list(items)
    error = "the service reports that the token does not exist, but still lists it"
    alive: AbstractSet[str]
    try:
        alive = {
            each.authorization_id
            for status in (Status.ACTIVE, Status.EXPIRED)
            for each in deps.tokens.list(organization, status)
        }
    except PatError as failure:
        error = (
            "the service reports that the token does not exist, and could not be asked"
            f" whether it is gone: {failure.message}"
        )
        alive = doubtful.keys()
    return [
        Revocation(pat=doubtful[item.pat.id or ""], outcome=Outcome.FAILED, error=error)
        if item.pat.id in doubtful and item.pat.id in alive
        else item
        for item in items
    ]


def close_planned(organization: Organization, items: Sequence[Revocation], deps: Deps) -> None:
    """Close the planned revocations of tokens that are revoked now; at worst they are repeated."""
    gone = {
        item.pat.id for item in items if item.outcome in {Outcome.REVOKED, Outcome.ALREADY_REVOKED}
    }
    with suppress(StoreError):
        for operation in deps.state.unfinished(organization.url):
            if (
                isinstance(operation, RevokeReplaced)
                and operation.replaced.authorization_id in gone
            ):
                deps.state.finish(operation.entry.key)


def _reason(error: Exception) -> str:
    if isinstance(error, PatError):
        return error.message
    return f"unexpected error: {type(error).__name__}"


class Cleaner:
    """Deletes the secrets of revoked tokens, and their index entries."""

    def __init__(
        self, organization: Organization, deps: Deps, entries: Sequence[StoredPat]
    ) -> None:
        self._organization = organization
        self._deps = deps
        self._by_id = {each.id: each for each in entries if each.id}
        self._by_name = {each.name: each for each in entries if each.id is None}
        self._done: set[str | None] = set()

    def end(self, pat: Pat) -> Revocation:
        """Revoke a token and delete its secret; if the process is killed, the next run continues.

        Neither another process working on the name nor a full disk keeps it from being
        revoked.
        """
        organization, deps = self._organization, self._deps
        entry = self._entry(pat)
        if entry is None or entry.id is None:
            return _one(pat, organization, deps)
        key = None
        with ExitStack() as stack:
            try:
                stack.enter_context(deps.exclusive(lock_key(entry.name, organization.url)))
            except Exception:  # noqa: BLE001  # a fault of ours neither; `forget` tells of it
                return _one(pat, organization, deps)
            with suppress(StoreError):
                journaled = JournalEntry(organization, entry.name, deps.now(), deps.session.user())
                key = deps.state.begin(Revoke(journaled, entry.id))
            item = _one(pat, organization, deps)
            if item.outcome is Outcome.REVOKED:
                self._done.add(pat.id)
                item = self._forgotten(item, entry)
            if key is not None and not item.left_in_keyring:
                with suppress(StoreError):
                    if item.doubtful:
                        deps.state.explain(key, item.error)
                    else:
                        deps.state.finish(key)
        return item

    def forget(self, item: Revocation, *, is_locked: bool = False) -> Revocation:
        """Delete the secret of one token, if it is revoked and its secret is stored.

        Args:
            item: the outcome of the revocation.
            is_locked: the caller has locked the name of the secret.
        """
        entry = self._entry(item.pat)
        is_gone = item.outcome in {Outcome.REVOKED, Outcome.ALREADY_REVOKED}
        if entry is None or not is_gone or item.pat.id in self._done:
            return item
        if is_locked:
            return self._forgotten(item, entry)
        try:
            with self._deps.exclusive(lock_key(entry.name, self._organization.url)):
                return self._forgotten(item, entry)
        except Exception as error:  # noqa: BLE001  # as in _one
            return replace(item, left_in_keyring=_reason(error))

    def _forgotten(self, item: Revocation, entry: StoredPat) -> Revocation:
        """Delete the secret of an entry, whose name must be locked."""
        try:
            stays = self._take_out(entry)
        except Exception as error:  # noqa: BLE001  # as in _one
            return replace(item, left_in_keyring=_reason(error))
        return item if stays else replace(item, pat=replace(item.pat, stored=False))

    def _entry(self, pat: Pat) -> StoredPat | None:
        """Find the token's entry, or else that of a secret imported under its name."""
        return self._by_id.get(pat.id or "") or self._by_name.get(pat.name)

    def _take_out(self, entry: StoredPat) -> bool:
        """Delete the secret of an entry; return True if it is another token's and stays.

        Another process may have stored a new one under the name since the entries were read, so
        they are read again under the lock. An imported secret is deleted only if it is dead:
        only the name links it to a token.
        """
        deps = self._deps
        now = deps.state.find(self._organization.url, entry.name)
        if now is None or now.id != entry.id:
            return False
        if now.id is None:
            secret = deps.secrets.get(now.org_url, now.name)
            if secret is not None and not is_refused(secret, self._organization, deps):
                return True
            deps.secrets.delete(now.org_url, now.name)
        elif now.stored:
            return not delete_own(now, deps)
        deps.state.forget(now.org_url, now.name)
        return False
