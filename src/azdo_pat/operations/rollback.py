"""Finds and revokes the token that an interrupted request created."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from azdo_pat.command_lines import pat_command
from azdo_pat.delivery_targets import is_polled
from azdo_pat.errors import DoubtfulError, PatError
from azdo_pat.journal import open_question
from azdo_pat.models import Field, Status
from azdo_pat.operations.deps import service_now
from azdo_pat.operations.fingerprint import matches
from azdo_pat.operations.organization_cache import Membership
from azdo_pat.operations.takeover import noted

if TYPE_CHECKING:
    from datetime import datetime

    from azdo_pat.journal import Issue, JournalEntry
    from azdo_pat.models import ServicePat
    from azdo_pat.operations.deps import Deps
    from azdo_pat.renewal import Renewal

_LATE: Final = timedelta(minutes=5)
"""How long a slow service may still work on a request."""
_CLOSE: Final = timedelta(minutes=5)
"""Maximum difference between the time of the request and the token's creation date."""
# The service keeps times to 1/300 s (spec: examples of `Pats_Create`).
_ROUNDING: Final = timedelta(milliseconds=10)


def holds_secret_of(operation: Issue, deps: Deps) -> bool:
    """Return whether the secret stored under a name is that of the token just created.

    Raises:
        StoreError: the keyring failed.
    """
    fingerprint, entry = operation.new.fingerprint, operation.entry
    return bool(fingerprint) and matches(
        deps.secrets.get(entry.organization.url, entry.name), fingerprint
    )


def may_come_late(entry: JournalEntry, searched: datetime | None, deps: Deps) -> bool:
    """Return whether a slow service may still work on a request that has no visible effect yet.

    After an unsuccessful search the service's clock alone decides: this machine's may be
    set in between.
    """
    if searched is not None:
        return service_now(deps) - searched <= _LATE
    if deps.now() - entry.started > _LATE:
        return False
    if entry.key is not None:
        deps.state.note_search(entry.key, service_now(deps))
    return True


def roll_back(operation: Issue, deps: Deps) -> bool:
    """Revoke the token that an operation created; False if none is found.

    Raises:
        DoubtfulError: tokens were found that may be the one; none is revoked, and the
            journal keeps the operation until they are revoked or dismissed.
        PatError: the service could not be asked.
    """
    entry, new = operation.entry, operation.new
    if new.authorization_id:
        if new.authorization_id in (_in_vaults(new.renewal, deps) or ()):
            return False  # it is in use: the state file is an older one
        deps.tokens.revoke(entry.organization, new.authorization_id)
        return True
    made, doubtful = _made_by(operation, deps)
    if made is not None:
        deps.tokens.revoke(entry.organization, made)
        return True
    if doubtful:
        # Records the time of this search, in case the tokens are dismissed.
        may_come_late(entry, new.searched, deps)
        org = entry.organization.name
        one = next((each for each in doubtful if each), "ID")
        shown = ", ".join(each or "a token whose id cannot be read" for each in doubtful)
        raise DoubtfulError(
            f"{open_question(operation)}, or another machine did: {shown}; it was not revoked",
            hint="if its secret is not stored anywhere, run:"
            f" {pat_command('revoke', one, options=('--org', org))}; if it is in use, run:"
            f" pat doctor --dismiss {one}",
        )
    return False


def _made_by(operation: Issue, deps: Deps) -> tuple[str | None, list[str]]:
    """Find the token that an unanswered request created.

    Name, scopes and expiry identify it: the requested expiry has milliseconds of its
    own, which another machine that runs the same command does not share. Only where the user gave
    a full second, or a policy shortened the lifetime, is the time of the request compared; such a
    token is never revoked if that leaves a doubt.
    """
    entry, asked = operation.entry, operation.new
    organization = entry.organization
    # Tokens of other requests of this machine are excluded.
    known = deps.state.made() | deps.state.dismissed()
    known |= {each.id or "" for each in deps.state.stored(organization.url)}
    in_vaults = _in_vaults(asked.renewal, deps)
    known |= in_vaults or set()
    is_shared = any(map(is_polled, asked.renewal.deliveries))
    alike = [
        pat
        for pat in deps.tokens.list(organization, Status.ACTIVE)
        if (not pat.authorization_id or pat.authorization_id not in known)
        and _resembles(pat, operation)
    ]
    certain: list[str] = []
    doubtful: list[str] = []
    for pat in alike:
        as_asked = pat.valid_to is not None and abs(pat.valid_to - asked.valid_to) <= _ROUNDING
        close = _is_close(pat, entry, deps)
        if not (as_asked or close or Field.CREATED in pat.unread):
            continue
        place = deps.organization_cache.place(pat.target_accounts, organization)
        if place not in {Membership.HERE, Membership.UNKNOWN}:
            continue  # the list contains tokens of the user's other organizations, too
        distinct = asked.valid_to.microsecond >= 1000  # noqa: PLR2004 - one millisecond
        readable = pat.unread <= {Field.CREATED}
        # Another machine that renews the token for the same full second may have made it.
        is_it = readable and as_asked and (distinct or (close and not is_shared))
        is_it = is_it and in_vaults is not None
        group = certain if is_it else doubtful
        if pat.authorization_id not in group:  # a token may be listed twice
            group.append(pat.authorization_id)
    if len(certain) == 1:
        return certain[0], []
    return None, sorted(certain + doubtful)


def _in_vaults(renewal: Renewal, deps: Deps) -> set[str] | None:
    """Return the ids of the tokens whose secrets the vaults hold; None if one cannot be asked.

    Those tokens are in use, also if another machine created them.
    """
    try:
        found = [noted(delivery, deps) for delivery in renewal.deliveries]
    except PatError:
        return None
    return {held.authorization_id for held in found if held}


def _resembles(pat: ServicePat, operation: Issue) -> bool:
    """Return whether a token matches the request, with a lifetime that a policy may have cut.

    Unreadable fields neither exclude nor identify it, but name or expiry must
    be known, so that an unreadable row does not match every operation.
    """
    asked = operation.new
    named = pat.is_named(operation.entry.name)
    if Field.NAME in pat.unread:
        named = pat.valid_to is not None and abs(pat.valid_to - asked.valid_to) <= _ROUNDING
    return (
        named
        and (Field.SCOPES in pat.unread or set(pat.scopes) == set(asked.scopes))
        and pat.target_accounts is not None
        and (pat.valid_to is None or pat.valid_to <= asked.valid_to + _ROUNDING)
    )


def _is_close(pat: ServicePat, entry: JournalEntry, deps: Deps) -> bool:
    """Return whether a token was created at the time of the request, by either clock."""
    if pat.valid_from is None:
        return False
    ahead = service_now(deps) - deps.now()
    moments = (entry.started, entry.started + ahead)
    return any(abs(pat.valid_from - each) <= _CLOSE for each in moments)
