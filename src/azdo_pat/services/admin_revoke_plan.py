"""Chooses which tokens of other users to revoke."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.errors import (
    ConflictError,
    NotFoundError,
    PartialError,
    PatError,
    UnavailableError,
    UsageError,
)
from azdo_pat.models import Field, Status
from azdo_pat.naming import begins_id, is_full_id, looks_like_id
from azdo_pat.operations.fingerprint import matches
from azdo_pat.services.admin_tokens import OwnedTokens
from azdo_pat.services.admin_whose import correlating_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from azdo_pat.models import OwnedPat, SessionToken, User
    from azdo_pat.operations.deps import AdminDeps
    from azdo_pat.services.admin_tokens import Scan, Selection

_MOST_LISTED: Final = 20
_HYPHENS: Final = (8, 13, 18, 23)
"""Where an id has them."""


class Protection(StrEnum):
    """Why a token is not revoked although it was named or selected."""

    IN_USE = "pat signs in with it"
    MINE = "your own"
    GLOBAL = "valid in all organizations"
    UNREADABLE = "cannot be read in full"


class Allowed(NamedTuple):
    """What may be revoked that is protected otherwise."""

    mine: bool = False
    everywhere: bool = False


class LeftOut(NamedTuple):
    """A token that is not revoked, and why."""

    owned: OwnedPat
    protection: Protection


class Plan(NamedTuple):
    """What to revoke.

    Attributes:
        chosen: the tokens, by owner and name; some of those that were named may have ended before.
        left_out: the protected ones.
        failures: why some of the ids do not name a token.
    """

    chosen: tuple[OwnedPat, ...]
    left_out: tuple[LeftOut, ...] = ()
    failures: tuple[PatError, ...] = ()

    @property
    def living(self) -> tuple[OwnedPat, ...]:
        """The tokens that have not ended."""
        return tuple(each for each in self.chosen if not has_ended(each))


def has_ended(owned: OwnedPat) -> bool:
    """Return whether a token no longer works; one of unknown status may work."""
    return owned.pat.status in {Status.REVOKED, Status.EXPIRED}


class Guard:
    """Knows whose tokens, and which of them, must not be revoked by accident.

    Raises:
        UnavailableError: the service does not tell who is signed in.
        PatError: it cannot be asked.
    """

    def __init__(self, deps: AdminDeps, allowed: Allowed) -> None:
        self._allowed = allowed
        self._me = deps.directory.descriptor(deps.organization)
        if not self._me:
            raise UnavailableError(
                f"{deps.organization.name} does not tell who is signed in, so your own tokens"
                " cannot be left out"
            )
        used = deps.session.access_token()
        self._correlating = correlating_id(used.secret) if used.is_pat else ""
        self._ids = frozenset(
            each.id
            for each in (deps.state.stored(deps.organization.url) if used.is_pat else ())
            if each.id and matches(used.secret, each.fingerprint)
        )

    def protection(self, owned: OwnedPat, token: SessionToken, *, named: bool) -> Protection | None:
        """Return why a token must not be revoked; None if it may be.

        Args:
            owned: the token with its owner.
            token: the same, as the service describes it.
            named: it was named by its id, so that no condition on it need be readable.
        """
        if self._is_in_use(owned.owner, token):
            return Protection.IN_USE
        if owned.owner.descriptor == self._me and not self._allowed.mine:
            return Protection.MINE
        if not named and (owned.pat.unread or owned.pat.status is Status.UNKNOWN):
            return Protection.UNREADABLE
        may_be_global = owned.pat.is_global or Field.TARGETS in owned.pat.unread
        if may_be_global and not self._allowed.everywhere:
            return Protection.GLOBAL
        return None

    def _is_in_use(self, owner: User, token: SessionToken) -> bool:
        """Return whether `pat` is, or may be, signed in with a token."""
        if not self._correlating:
            return False
        if token.pat.authorization_id in self._ids or token.correlating_id == self._correlating:
            return True
        # Without the hash of its secret, any of the user's tokens may be the one.
        return not token.correlating_id and not self._ids and owner.descriptor == self._me


def select(scan: Scan, selection: Selection, guard: Guard) -> Plan:
    """Return the tokens of a scan that meet conditions.

    One that cannot be read well enough to decide that is left out.
    """
    selection = selection._replace(filters=selection.filters._replace(doubtful=True))
    owned_tokens = OwnedTokens(scan.deps)
    chosen: list[OwnedPat] = []
    left_out: list[LeftOut] = []
    for owner, token in scan.tokens():
        owned = owned_tokens.owned(owner, token)
        if not selection.match(owned.pat):
            continue
        protection = guard.protection(owned, token, named=False)
        if protection is None:
            chosen.append(owned)
        else:
            left_out.append(LeftOut(owned, protection))
    return Plan(_sorted(chosen), _in_order(left_out))


def require_ids(texts: Iterable[str]) -> None:
    """Check that texts can be ids, or the first eight or more characters of ids.

    Raises:
        UsageError: one cannot.
    """
    for text in texts:
        if not (looks_like_id(text) and all(text[at] == "-" for at in _HYPHENS if at < len(text))):
            raise UsageError(
                f"{text!r} is not the id of a token",
                hint="to find the ids, run: pat admin list --all-users --name NAME; to revoke all"
                " tokens of a user, use --user",
            )


def find(scan: Scan, texts: Sequence[str], guard: Guard, whose: str) -> Plan:
    """Return the tokens of a scan that ids name.

    The scan ends when all are found, unless one of them is only the beginning of an id, which
    another token may have, too.

    Args:
        scan: the scan.
        texts: the ids; see `require_ids`.
        guard: what must not be revoked.
        whose: the users of the scan, in words.
    """
    owned_tokens = OwnedTokens(scan.deps)
    found: dict[str, list[tuple[OwnedPat, SessionToken]]] = {text.lower(): [] for text in texts}
    lengths = {len(text) for text in found}
    missing = set(found)
    may_end_early = all(map(is_full_id, found))
    for owner, token in scan.tokens():
        identifier = token.pat.authorization_id
        for text in {identifier[:length] for length in lengths} & found.keys():
            if begins_id(text, identifier):
                found[text].append((owned_tokens.owned(owner, token), token))
                missing.discard(text)
        if may_end_early and not missing:
            break
    chosen: dict[str, OwnedPat] = {}
    left_out: dict[str, LeftOut] = {}
    failures: list[PatError] = []
    for text, hits in found.items():
        # In a list that could not be read, another token may begin so.
        is_certain = is_full_id(text) or not scan.unread
        if len(hits) != 1 or not is_certain:
            failures.append(_not_one(text, [owned for owned, _ in hits], scan, whose))
            continue
        [(owned, token)] = hits
        protection = None if has_ended(owned) else guard.protection(owned, token, named=True)
        if protection is None:
            chosen[owned.pat.id or ""] = owned
        else:
            left_out[owned.pat.id or ""] = LeftOut(owned, protection)
    return Plan(_sorted(chosen.values()), _in_order(left_out.values()), tuple(failures))


def _in_order(left_out: Iterable[LeftOut]) -> tuple[LeftOut, ...]:
    return tuple(sorted(left_out, key=lambda each: each.owned.place))


def _sorted(pats: Iterable[OwnedPat]) -> tuple[OwnedPat, ...]:
    return tuple(sorted(pats, key=lambda each: each.place))


def _not_one(text: str, hits: Sequence[OwnedPat], scan: Scan, whose: str) -> PatError:
    if len(hits) > 1:
        listed = sorted(f"{each.pat.id}  {each.owner.handle}" for each in hits)[:_MOST_LISTED]
        return ConflictError(
            f"{len(hits)} tokens have an id that begins with {text!r}",
            hint="\n".join(["choose one by its id:", *listed]),
        )
    if scan.unread:
        return PartialError(
            f"only one token that could be read has an id that begins with {text!r}"
            if hits
            else f"no token that could be read has the id {text!r}",
            hint=f"the tokens of {scan.unread} users could not be read; try again later, or"
            " give the whole id and its owner (--user)",
        )
    return NotFoundError(
        f"no token of {whose} has the id {text!r}",
        hint="to list the tokens of a user, run: pat admin list USER --status all",
    )
