"""Counts the tokens of many users, holding those of one at a time."""

from __future__ import annotations

from collections import Counter
from heapq import nsmallest
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from azdo_pat.judgement import has_ended, has_long_life, is_active
from azdo_pat.models import OwnedPat, Status
from azdo_pat.naming import natural_key
from azdo_pat.results.admin import Group, Numbers, Owner, TokenReport, Top
from azdo_pat.scope_table import HIGH_PRIVILEGE
from azdo_pat.scopes import FULL_ACCESS
from azdo_pat.times import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from azdo_pat.findings import Limits
    from azdo_pat.models import Pat, User
    from azdo_pat.services.admin_tokens import Scan

MOST_LISTED: Final = 20
"""Of users and tokens that a report names."""
_MOST_NAMES: Final = 1000
"""Of scopes; the service has a tenth of them."""
_HELD: Final = 8 * MOST_LISTED
_AGES: Final = (
    (30, "under 30 days"),
    (90, "30 to 90 days"),
    (180, "90 to 180 days"),
    (365, "180 days to 1 year"),
    (730, "1 to 2 years"),
)
_OLDEST: Final = "over 2 years"

T = TypeVar("T")


class Tally:
    """Counts tokens as they pass.

    Args:
        now: the current time.
        limits: what counts as expiring, and as long-lived.
    """

    def __init__(self, now: datetime, limits: Limits) -> None:
        self._now = now
        self._limits = limits
        self._numbers = Numbers()
        self._expired = 0
        self._scopes, self._months, self._ages = _Groups(), _Groups(), _Groups()
        self._owners = _First[Owner](
            lambda each: (*(-count for count in each.numbers), *_user(each.user))
        )
        self._oldest = _First[OwnedPat](lambda each: (each.pat.created, *_token(each)))
        self._broadest = _First[OwnedPat](_breadth)

    def counted(self, tokens: Iterable[OwnedPat]) -> Iterator[OwnedPat]:
        """Yield tokens, of which those of a user come together, once they are counted."""
        for _, of_user in groupby(tokens, lambda each: each.owner.descriptor):
            held = tuple(of_user)
            self._count(held)
            yield from held

    def report(self, scan: Scan) -> TokenReport:
        """Return what was counted of a scan that has ended."""
        return TokenReport(
            org=scan.deps.organization.name,
            at=self._now,
            read_since=scan.saved.subject.started if scan.saved else self._now,
            is_complete=scan.is_complete,
            users=scan.users + scan.unlisted,
            unread=scan.unread,
            within=self._limits.within,
            max_life=self._limits.max_life,
            numbers=self._numbers,
            expired=self._expired,
            by_scope=self._scopes.sorted(lambda each: (-each.tokens, each.name or "")),
            by_month=self._months.sorted(lambda each: (each.name is None, each.name)),
            by_age=self._ages.sorted(lambda each: _AGE_ORDER[each.name]),
            owners=self._owners.top,
            oldest=self._oldest.top,
            broadest=self._broadest.top,
        )

    def _count(self, of_user: tuple[OwnedPat, ...]) -> None:
        active = [each for each in of_user if is_active(each.pat, self._now)]
        self._expired += sum(_has_expired(each.pat, self._now) for each in of_user)
        if not active:
            return
        numbers = self._numbers_of([each.pat for each in active])
        self._numbers = self._numbers.plus(numbers)
        self._owners.add(Owner(active[0].owner, numbers))
        self._scopes.add([frozenset(each.pat.scopes) for each in active])
        self._months.add([{_month(each.pat)} for each in active])
        self._ages.add([{_age(each.pat, self._now)} for each in active])
        for each in active:
            if each.pat.created is not None:
                self._oldest.add(each)
            if _is_broad(each.pat):
                self._broadest.add(each)

    def _numbers_of(self, active: list[Pat]) -> Numbers:
        soon = self._now + self._limits.within
        return Numbers(
            tokens=len(active),
            is_global=sum(pat.is_global for pat in active),
            full_access=sum(FULL_ACCESS in pat.scopes for pat in active),
            expiring=sum(pat.expires is not None and pat.expires <= soon for pat in active),
            long_lived=sum(has_long_life(pat, self._limits.max_life) for pat in active),
        )


class _Groups:
    """Tokens and their users, counted by name."""

    def __init__(self) -> None:
        self._tokens = Counter[str | None]()
        self._users = Counter[str | None]()

    def add(self, of_user: Iterable[Iterable[str | None]]) -> None:
        """Count the tokens of a user, each of which may have several names."""
        of_all = set[str | None]()
        for names in of_user:
            known = set[str | None]()
            for name in names:
                key = self._known(name)
                self._tokens[key] += key not in known
                known.add(key)
            of_all |= known
        self._users.update(of_all)

    def sorted(self, key: Callable[[Group], Any]) -> tuple[Group, ...]:
        """Return the groups."""
        groups = (Group(name, count, self._users[name]) for name, count in self._tokens.items())
        return tuple(sorted(groups, key=key))

    def _known(self, name: str | None) -> str | None:
        return name if name in self._tokens or len(self._tokens) < _MOST_NAMES else None


class _First(Generic[T]):
    """The first of many in an order; only a few are held."""

    def __init__(self, key: Callable[[T], Any]) -> None:
        self._key = key
        self._held: list[T] = []
        self._total = 0

    def add(self, item: T) -> None:
        """Add one of them."""
        self._total += 1
        self._held.append(item)
        if len(self._held) > _HELD:
            self._held = [*self.top.items]

    @property
    def top(self) -> Top[T]:
        """Those that come first, in their order."""
        return Top(tuple(nsmallest(MOST_LISTED, self._held, self._key)), self._total)


def _user(user: User) -> tuple[tuple[str, ...], str]:
    return natural_key(user.upn), user.descriptor


def _token(owned: OwnedPat) -> tuple[object, ...]:
    return (*_user(owned.owner), natural_key(owned.pat.name), owned.pat.id or "")


def _has_expired(pat: Pat, now: datetime) -> bool:
    return pat.status is not Status.REVOKED and has_ended(pat, now)


def _month(pat: Pat) -> str | None:
    return None if pat.expires is None else rfc3339(pat.expires)[: len("2026-12")]


def _age(pat: Pat, now: datetime) -> str | None:
    if pat.created is None:
        return None
    days = (now - pat.created).days
    return next((name for limit, name in _AGES if days < limit), _OLDEST)


def _is_broad(pat: Pat) -> bool:
    return pat.is_global or FULL_ACCESS in pat.scopes or not HIGH_PRIVILEGE.isdisjoint(pat.scopes)


def _breadth(owned: OwnedPat) -> tuple[object, ...]:
    pat = owned.pat
    return (
        FULL_ACCESS not in pat.scopes,
        not pat.is_global,
        -len(HIGH_PRIVILEGE.intersection(pat.scopes)),
        -len(pat.scopes),
        *_token(owned),
    )


_AGE_ORDER: Final = {name: place for place, (_, name) in enumerate(_AGES)} | {
    _OLDEST: len(_AGES),
    None: len(_AGES) + 1,
}
