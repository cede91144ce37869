"""Revokes tokens of any users, and checks what became of them.

The service does not tell which tokens it has revoked, so the tokens of their owners are listed
again afterwards.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import ConflictError, PatError, StoreError
from azdo_pat.journal import JournalEntry, Revoke
from azdo_pat.models import Status
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.results.admin import OwnedRevocation
from azdo_pat.results.tokens import INTERRUPTED, Outcome, Revocation
from azdo_pat.services.admin_revoke_plan import has_ended
from azdo_pat.services.admin_revoke_requests import send
from azdo_pat.services.admin_tokens import OwnedTokens
from azdo_pat.services.revoke import Cleaner, close_planned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from azdo_pat.models import OwnedPat, User
    from azdo_pat.operations.deps import AdminDeps
    from azdo_pat.services.admin_revoke_requests import Requests
    from azdo_pat.services.admin_tokens import Scan
    from azdo_pat.services.parallel import Shown

_LEFT: Final = "the owner is no longer listed in the organization"
_MOST_LOCKED: Final = 100
"""Names that are locked at once: each lock is an open file, and macOS allows 256 of them."""
_BEFORE: Final = {Status.REVOKED: Outcome.ALREADY_REVOKED, Status.EXPIRED: Outcome.EXPIRED}


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The outcomes of all tokens, in the given order.

    Attributes:
        sent: how many tokens were sent to the service in requests that it has not refused.
        unchecked: why the tokens of some owners could not be listed again; empty if all were.
        interrupted: the user cancelled.
        stopped_by: the error after which no request was sent; None if there was none.
    """

    items: tuple[OwnedRevocation, ...]
    sent: int
    unchecked: str = ""
    interrupted: bool = False
    stopped_by: PatError | None = None

    def count(self, *outcomes: Outcome) -> int:
        """Return how many tokens have one of these outcomes."""
        return sum(each.item.outcome in outcomes for each in self.items)


@dataclass(kw_only=True)
class _Lists:
    """What the lists of tokens say after the requests.

    Attributes:
        living: the ids of tokens that still work.
        ended: the ids of tokens that do not.
        unclear: the owners, by descriptor, whose lists cannot prove that a token is gone, with the
            reason.
        cut: why not all owners were asked; empty if all were.
    """

    living: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    unclear: dict[str, str] = field(default_factory=dict)
    cut: str = ""

    def prove_gone(self, owned: OwnedPat) -> bool:
        """Return whether a token certainly no longer works."""
        if owned.pat.id in self.ended:
            return True
        return not (
            self.cut or owned.pat.id in self.living or owned.owner.descriptor in self.unclear
        )


def plan(pats: Sequence[OwnedPat]) -> tuple[OwnedRevocation, ...]:
    """Return the changes that revoking would make (dry run)."""
    return tuple(
        OwnedRevocation(Revocation(pat=pat, outcome=_BEFORE.get(pat.status, Outcome.PLANNED)), who)
        for pat, who in pats
    )


def revoke(
    pats: Sequence[OwnedPat],
    deps: AdminDeps,
    *,
    ssh: bool,
    progress: Shown,
    rescan: Callable[[Sequence[User]], AbstractContextManager[Scan]],
) -> Ended:
    """Revoke tokens, and delete their secrets if they are stored on this machine.

    A failure does not stop the others. On Ctrl-C, no further request is sent.

    Args:
        pats: the tokens; those that have ended are passed over.
        deps: the parts of the program.
        ssh: they are SSH keys.
        progress: shows how many tokens were sent.
        rescan: begins the scan of the owners.
    """
    living = [each for each in pats if not has_ended(each)]
    with ExitStack() as locks:
        local = _LocalSecrets(living, deps, locks)
        with progress(len(living)) as shown:
            requests = send([each.pat.id or "" for each in living], deps, ssh=ssh, shown=shown)
        lists = _lists(living, requests, rescan)
        items = tuple(
            OwnedRevocation(local.cleaned(_outcome(each, requests, lists)), each.owner)
            for each in pats
        )
    close_planned(deps.organization, [each.item for each in items], deps)
    return Ended(
        items=items,
        sent=requests.sent,
        unchecked=lists.cut or next(iter(lists.unclear.values()), ""),
        interrupted=lists.cut == INTERRUPTED,
        stopped_by=requests.stopped_by,
    )


def _lists(
    pats: Sequence[OwnedPat],
    requests: Requests,
    rescan: Callable[[Sequence[User]], AbstractContextManager[Scan]],
) -> _Lists:
    """List the tokens of the owners again, unless the user has cancelled or is refused."""
    if requests.interrupted:
        return _Lists(cut=INTERRUPTED)
    if requests.stopped_by:
        return _Lists(cut=requests.stopped_by.message)
    owners = {
        each.owner.descriptor: each.owner
        for each in pats
        if requests.may_have_revoked(each.pat.id or "")
    }
    found = _Lists()
    if not owners:
        return found
    with rescan(tuple(owners.values())) as scan:
        tokens = OwnedTokens(scan.deps)
        try:
            for owner, token in scan.tokens():
                owned = tokens.owned(owner, token)
                if owned.pat.id is None:
                    found.unclear[owner.descriptor] = "the list has a token without a readable id"
                else:
                    (found.ended if has_ended(owned) else found.living).add(owned.pat.id)
        except PatError as error:
            found.cut = error.message
        except KeyboardInterrupt:
            found.cut = INTERRUPTED
        found.unclear |= {each.user.descriptor: each.error.message for each in scan.failures}
        found.unclear |= {each.descriptor: _LEFT for each in scan.gone}
    return found


def _outcome(owned: OwnedPat, requests: Requests, lists: _Lists) -> Revocation:
    pat, identifier = owned.pat, owned.pat.id or ""
    if has_ended(owned):
        return Revocation(pat=pat, outcome=_BEFORE[pat.status])
    if not requests.may_have_revoked(identifier):
        reason = requests.failed.get(identifier, "")
        outcome = Outcome.FAILED if reason else Outcome.NOT_REACHED
        return Revocation(pat=pat, outcome=outcome, error=reason)
    if lists.prove_gone(owned):
        return Revocation(pat=replace(pat, status=Status.REVOKED), outcome=Outcome.REVOKED)
    error = requests.unanswered.get(identifier)
    if error and lists.cut != INTERRUPTED:
        return Revocation(pat=pat, outcome=Outcome.FAILED, error=error, doubtful=True)
    if identifier in lists.living:
        return Revocation(pat=pat, outcome=Outcome.PENDING)
    reason = lists.cut or lists.unclear[owned.owner.descriptor]
    return Revocation(pat=pat, outcome=Outcome.PENDING, error=f"not checked: {reason}")


class _LocalSecrets:
    """Deletes the secrets of revoked tokens that are stored on this machine.

    Before a request is sent, their names are locked, and the journal has an entry for each of them:
    if the process is killed, or the service has not yet carried out the revocation, the next run of
    their user does the rest. As in `Cleaner.end`, neither another process working on a name nor a
    full disk keeps its token from being revoked; a name that cannot be locked has no entry.

    Args:
        pats: the tokens.
        deps: the parts of the program.
        locks: holds the locks until all outcomes are cleaned.
    """

    def __init__(self, pats: Sequence[OwnedPat], deps: AdminDeps, locks: ExitStack) -> None:
        self._organization = deps.organization
        self._deps = deps
        entries = deps.state.stored(self._organization.url)
        names = {each.id: each.name for each in entries if each.id}
        me = deps.session.user()
        self._cleaner = Cleaner(self._organization, deps, entries)
        self._keys: dict[str, int | None] = {}
        for pat, owner in pats:
            if pat.stored and pat.id in names and len(self._keys) < _MOST_LOCKED:
                name = names[pat.id]
                with suppress(ConflictError, StoreError):
                    locks.enter_context(deps.exclusive(lock_key(name, self._organization.url)))
                    self._keys[pat.id] = self._begun(pat.id, name, _as(me, owner))

    def cleaned(self, item: Revocation) -> Revocation:
        """Return an outcome after deleting the secret of a token that is revoked."""
        identifier = item.pat.id or ""
        if item.pat.stored and item.outcome is Outcome.REVOKED:
            item = self._cleaner.forget(item, is_locked=identifier in self._keys)
        key = self._keys.get(identifier)
        if key is None or item.outcome is Outcome.PENDING or item.left_in_keyring:
            return item
        with suppress(StoreError):
            if item.doubtful:
                self._deps.state.explain(key, item.error)
            else:
                self._deps.state.finish(key)
        return item

    def _begun(self, identifier: str, name: str, user: str) -> int | None:
        """Return the key of the entry that is opened; None if the journal cannot be written."""
        entry = JournalEntry(self._organization, name, self._deps.now(), user)
        with suppress(StoreError):
            return self._deps.state.begin(Revoke(entry, identifier))
        return None


def _as(signed_in: str, owner: User) -> str:
    """Return the name by which the owner of a token signs in, as the sign-in itself writes it."""
    return signed_in if signed_in.casefold() == owner.upn.casefold() else owner.upn
