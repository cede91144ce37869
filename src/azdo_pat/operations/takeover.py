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
from azdo_pat.journal import JournalEntry, Replaced, TakeOver, revoked_by
from azdo_pat.models import Status, StoredPat
from azdo_pat.operations.fingerprint import fingerprint_of, matches
from azdo_pat.operations.local_secrets import store_taken_over
from azdo_pat.operations.ownership import Owner, is_refused, owner_of
from azdo_pat.operations.readable import look_for

if TYPE_CHECKING:
    from datetime import datetime

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
    deps: Deps,
    *,
    scopes: tuple[str, ...] | None = None,
) -> TakenOver | None:
    """Store the token that a vault among the delivery targets holds, if another machine made it.

    Or this machine, if it has lost the secret. It is an active token of the signed-in user with the
    same name, for this organization alone; it may be due. A note in the vault says which it is, and
    is believed only if it was made for the secret there, the service accepts the secret, and says
    that it is the user's. An older token than that of this machine is not taken over while that one
    works. The name must be locked.

    Args:
        organization: that of the token.
        name: under which its secret is stored, and its display name.
        renewal: how it is to be renewed and delivered.
        deps: the dependencies.
        scopes: those that it must have; None for any.

    Returns:
        The token; None if there is none to take over.

    Raises:
        PatError: a vault, the service or the keyring cannot be used; nothing has changed.
    """
    known = deps.state.find(organization.url, name)
    if known is not None and known.is_global:
        return None
    stored = deps.secrets.get(organization.url, name)
    records = deps.state.last_deliveries(organization.url, name)
    delivered = {each.target: each.fingerprint for each in records}
    # What this machine has replaced, and could not deliver the successor of.
    ending = {revoked_by(each) for each in deps.state.unfinished(organization.url)}
    for delivery in filter(is_polled, renewal.deliveries):
        held = noted(delivery, deps)
        if held is None or (known is not None and stored == held.secret):
            continue
        pat = own_token(held, organization, name, deps)
        if pat is None or (scopes is not None and set(scopes) != set(pat.scopes)):
            continue
        is_behind = (
            held.authorization_id in ending
            or matches(held.secret, delivered.get(delivery, ""))
            or (known is not None and is_older(pat, known))
        )
        if is_behind and stored is not None and not is_refused(stored, organization, deps):
            continue  # this machine has a newer token, which it could not deliver yet
        if not _may_replace(stored, known, held, organization, deps):
            continue
        now = deps.now()
        renewal = renewal._replace(source="")  # a file prunes only what this machine has made
        found = StoredPat.unknown(organization, name, fingerprint_of(held.secret))
        operation = TakeOver(
            JournalEntry(organization, name, now, deps.session.user()),
            replace(found.described_by(pat), renewal=renewal),
            _replaced(known, pat, renewal, now),
        )
        then = store_taken_over(operation, held.secret, stored, deps)
        return TakenOver(operation.stored, held.secret, delivery.place, then)
    return None


def noted(delivery: Delivery, deps: Deps) -> HeldSecret | None:
    """Return the secret that a vault holds, if it has a note that was made for that secret.

    Raises:
        PatError: the vault cannot be used.
    """
    held = deps.held_by(delivery) if is_polled(delivery) else None
    return held if held is not None and matches(held.secret, held.fingerprint) else None


def has_ended(held: HeldSecret, organization: Organization, name: str, deps: Deps) -> bool:
    """Return whether a noted token is one of the user's that is revoked or has expired."""
    ended = (Status.REVOKED, Status.EXPIRED)
    found, _ = look_for(organization, held.authorization_id, name, ended, deps)
    return found is not None and found.is_named(name)


def is_older(pat: Pat, known: StoredPat) -> bool:
    """Return whether a token was created before the one of an index entry."""
    return pat.created is not None and known.created is not None and pat.created < known.created


def holder_of(authorization_id: str, renewal: Renewal, deps: Deps) -> str:
    """Return the vault that holds the secret of a token; empty if none does.

    Raises:
        PatError: a vault cannot be asked.
    """
    for delivery in renewal.deliveries:
        held = noted(delivery, deps)
        if held is not None and held.authorization_id == authorization_id:
            return delivery.place
    return ""


def own_token(held: HeldSecret, organization: Organization, name: str, deps: Deps) -> Pat | None:
    """Return the token of a secret in a vault; None unless it is an active one of the user's."""
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


def _may_replace(
    stored: Secret | None,
    known: StoredPat | None,
    held: HeldSecret,
    organization: Organization,
    deps: Deps,
) -> bool:
    """Return whether the secret stored under the name is that of the known token, or worthless."""
    owner = owner_of(stored, known, known.id if known else None)
    return (
        owner is not Owner.UNKNOWN
        or stored is None
        or stored == held.secret
        or is_refused(stored, organization, deps)
    )


def _replaced(
    known: StoredPat | None, pat: Pat, renewal: Renewal, now: datetime
) -> Replaced | None:
    """Return the token that was stored until now as one to revoke; None if it has ended."""
    if known is None or known.id in {None, pat.id} or (known.expires and known.expires <= now):
        return None
    return Replaced(known.id or "", now + renewal.overlap)
