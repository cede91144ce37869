"""Where the secrets of tokens are delivered, and what became of the last delivery there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.renewal import DeliveryState, Destination
from azdo_pat.results.tokens import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from azdo_pat.delivery_targets import Delivery
    from azdo_pat.models import Organization, Pat, StoredPat
    from azdo_pat.operations.deps import Deps
    from azdo_pat.renewal import LastDelivery


def all_destinations(deps: Deps) -> tuple[Destination, ...]:
    """Return the delivery targets of all stored tokens."""
    return _destinations(deps.state.stored(), deps.state.last_deliveries())


def destinations_of(entry: StoredPat, deps: Deps) -> tuple[Destination, ...]:
    """Return the delivery targets of one token."""
    if not entry.renewal.deliveries:
        return ()
    return _destinations([entry], deps.state.last_deliveries(entry.org_url, entry.name))


def with_destinations(organization: Organization, pat: Pat, deps: Deps) -> Shown:
    """Return a token together with its delivery targets."""
    known = deps.state.find_by_id(pat.id) if pat.id else ()
    found = [each for each in known if each.org_url == organization.url]
    return Shown(pat, tuple(each for entry in found for each in destinations_of(entry, deps)))


def _destinations(
    entries: Iterable[StoredPat], deliveries: Iterable[LastDelivery]
) -> tuple[Destination, ...]:
    last = {(each.org_url, each.name, each.target): each for each in deliveries}
    return tuple(
        _destination(entry, delivery, last)
        for entry in entries
        for delivery in entry.renewal.deliveries
    )


def _destination(
    entry: StoredPat, target: Delivery, last: Mapping[tuple[str, str, Delivery], LastDelivery]
) -> Destination:
    found = last.get((entry.org_url, entry.name, target))
    if found is None:
        return Destination(entry.org, entry.name, target, DeliveryState.UNKNOWN)
    if found.reason:
        state = DeliveryState.FAILED
    elif found.fingerprint == entry.fingerprint:
        state = DeliveryState.DELIVERED
    else:
        state = DeliveryState.PENDING
    return Destination(entry.org, entry.name, target, state, found.at, found.reason)
