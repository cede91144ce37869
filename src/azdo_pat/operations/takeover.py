"""Takes over a token that another machine has made and brought to a vault.

Several machines may renew a token whose secret is in a vault. Each has its own keyring, and the
vault is what they share: once one has replaced the token, the others store that one's secret
instead of making a token each.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.delivery_targets import is_polled
from azdo_pat.errors import SignInError
from azdo_pat.journal import JournalEntry, Replaced, TakeOver
from azdo_pat.models import Status, StoredPat
from azdo_pat.operations.fingerprint import fingerprint_of, matches
from azdo_pat.operations.local_secrets import store_taken_over
from azdo_pat.operations.ownership import Owner, is_refused, owner_of
from azdo_pat.operations.readable import look_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from azdo_pat.delivery_targets import Delivery
    from azdo_pat.journal import Deliver
    from azdo_pat.models import HeldSecret, Organization, Pat, Secret
    from azdo_pat.operations.deps import Deps
    from azdo_pat.renewal import Renewal


class TakenOver(NamedTuple):
    """A token that was taken over.

    Attributes:
        stored: its index entry.
        secret: the secret itself.
        place: where it was found.
        then: the delivery to the other targets, as it is in the journal.
    """

    stored: StoredPat
    secret: Secret
    place: str
    then: Deliver


def take_over(
    organization: Organization,
    name: str,
    renewal: Renewal,
    is_wanted: Callable[[StoredPat], bool],
    deps: Deps,
) -> TakenOver | None:
    """Store the token that a vault among the delivery targets holds, if it is to be used here.

    It is one that this machine has neither stored nor delivered; an active token of the signed-in
    user with the same name, for this organization alone. A note in the vault says which it is, and
    is believed only if it was made for the secret there, the service accepts the secret, and says
    that it is the user's. The name must be locked.

    Args:
        organization: that of the token.
        name: under which its secret is stored, and its display name.
        renewal: how it is to be renewed and delivered.
        is_wanted: whether a token with this index entry is to be used.
        deps: the dependencies.

    Returns:
        The token; None if there is none to take over.

    Raises:
        PatError: a vault, the service or the keyring cannot be used; nothing has changed.
    """
    known = deps.state.find(organization.url, name)
    if known is not None and known.is_global:
        return None
    records = deps.state.last_deliveries(organization.url, name)
    delivered = {each.target: each.fingerprint for each in records}
    for delivery in filter(is_polled, renewal.deliveries):
        held = deps.held_by(delivery)
        if held is None or _is_own(held, known, delivered.get(delivery, "")):
            continue
        pat = _token_of(held, organization, name, deps)
        if pat is None:
            continue
        unknown = StoredPat.unknown(organization, name, fingerprint_of(held.secret))
        stored = replace(unknown.described_by(pat), renewal=renewal)
        if is_wanted(stored):
            return _stored(stored, held.secret, known, delivery, deps)
    return None


def _is_own(held: HeldSecret, known: StoredPat | None, delivered: str) -> bool:
    """Return whether this machine has stored that secret, or has put it there itself.

    It has if a newer one could not be delivered yet.
    """
    if matches(held.secret, delivered):
        return True
    return known is not None and (
        known.id == held.authorization_id or matches(held.secret, known.fingerprint)
    )


def _token_of(held: HeldSecret, organization: Organization, name: str, deps: Deps) -> Pat | None:
    """Return the token of a secret in a vault; None unless it is one to take over."""
    if not matches(held.secret, held.fingerprint):
        return None  # the note is of an earlier secret
    found, _ = look_for(organization, held.authorization_id, name, (Status.ACTIVE,), deps)
    if found is None or found.unread or not found.is_named(name):
        return None
    pat = deps.organization_cache.pat(found, organization, Status.ACTIVE)
    if pat.is_global or pat.org != organization.name:
        return None
    try:
        owner = deps.directory.check_secret(organization, held.secret)
    except SignInError:
        return None
    return pat if owner.id == deps.directory.user_id(organization) else None


def _stored(
    stored: StoredPat,
    secret: Secret,
    known: StoredPat | None,
    delivery: Delivery,
    deps: Deps,
) -> TakenOver | None:
    """Store the secret in place of that of the token so far; None if that one may be another's."""
    organization, name = stored.organization, stored.name
    previous = deps.secrets.get(organization.url, name)
    owner = owner_of(previous, known, known.id if known else None)
    if owner is Owner.UNKNOWN and previous and not is_refused(previous, organization, deps):
        return None
    now = deps.now()
    replaced = None
    if known is not None and known.id and (known.expires is None or known.expires > now):
        replaced = Replaced(known.id, now + stored.renewal.overlap)
    entry = JournalEntry(organization, name, now, deps.session.user())
    then = store_taken_over(TakeOver(entry, stored, replaced), secret, previous, deps)
    return TakenOver(stored, secret, delivery.place, then)
