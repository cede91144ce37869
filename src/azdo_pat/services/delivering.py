"""Delivering the secret that is stored under a name, and going on to what is behind that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from azdo_pat.errors import PatError, PendingError
from azdo_pat.models import Handover, Intent, Pat, Status
from azdo_pat.naming import as_argument
from azdo_pat.results import INTERRUPTED
from azdo_pat.services.fingerprint import bears
from azdo_pat.services.name_lock import lock_key

if TYPE_CHECKING:
    from azdo_pat.models import Organization, Secret, StoredPat
    from azdo_pat.services.workshop import Workshop
    from azdo_pat.upkeep import Upkeep


def deliver(organization: Organization, intent: Intent, shop: Workshop) -> Intent | None:
    """Deliver what is stored under an intent's name to all its places.

    It is always the newest secret: what an earlier rotation could not deliver is settled with it.

    Returns:
        What is left to do, as it stands in the journal: the end of the token that was replaced;
        None for nothing.

    Raises:
        PendingError: it could not be delivered everywhere; the journal says why.
        StoreError: the keyring or the state file refuses.
    """
    entry = shop.state.find(organization.url, intent.name)
    secret = shop.secrets.get(organization.url, intent.name)
    if entry is not None and entry.upkeep.deliveries:
        try:
            _to_all(entry, _its_own(entry, secret), shop)
        except PendingError as error:
            if intent.key is not None:
                shop.state.explain(intent.key, error.message)
            raise
    for other in shop.state.unfinished(organization.url, intent.name):
        if other.operation == "deliver" and other.key != intent.key:
            shop.state.finish(other.key, then=_after(other))
    rest = _after(intent)
    key = shop.state.finish(intent.key, then=rest)
    return rest and rest._replace(key=key)


def delivered(
    organization: Organization, intent: Intent, shop: Workshop
) -> tuple[Intent | None, str]:
    """Deliver, and return what is left to do; where that fails, the intent itself, and why."""
    try:
        return deliver(organization, intent, shop), ""
    except KeyboardInterrupt:
        return intent, INTERRUPTED
    except PatError as error:
        return intent, error.message


def deliver_anew(
    organization: Organization, entry: StoredPat, upkeep: Upkeep, shop: Workshop
) -> str:
    """Remember other places for a token's secret, and bring it there; return why that failed."""
    with shop.exclusive(lock_key(entry.name, organization.url)):
        intent = Intent.about(entry, "deliver", user=shop.user(), now=shop.now())
        remembered = replace(entry, upkeep=upkeep)
        key = shop.state.finish(None, remembered, intent if upkeep.deliveries else None)
        if key is None:
            return ""
        _, undelivered = delivered(organization, intent._replace(key=key), shop)
        return undelivered


def _its_own(entry: StoredPat, secret: Secret | None) -> Secret:
    """Return the secret that is stored under a token's name, if it is the token's.

    Raises:
        PendingError: it is gone, or another program has stored another one there.
    """
    name = as_argument(entry.name)
    if secret is None:
        raise PendingError(
            f"the secret of {entry.name!r} is not in the keyring any more",
            hint=f"pat rotate {name} makes another one, and delivers it",
        )
    if entry.fingerprint and not bears(secret, entry.fingerprint):
        raise PendingError(
            f"another program has stored another secret under {entry.name!r}",
            hint=f"pat forget {name} deletes it",
        )
    return secret


def _after(intent: Intent) -> Intent | None:
    if intent.authorization_id is None:
        return None
    return intent._replace(operation="revoke", reason="", key=None)


def _to_all(entry: StoredPat, secret: Secret, shop: Workshop) -> None:
    """Go to each place, also past one that fails.

    Raises:
        PendingError: with the reasons of all that failed.
    """
    pat = Pat(
        name=entry.name,
        id=entry.id,
        org=entry.org,
        status=Status.ACTIVE,
        scopes=entry.scopes,
        created=entry.created,
        expires=entry.expires,
        stored=True,
        origin=entry.origin,
    )
    handover = Handover(pat=pat, secret=secret, org_url=entry.org_url)
    failures: list[PendingError] = []
    for delivery in entry.upkeep.deliveries:
        try:
            shop.deliver(delivery, handover)
        except PendingError as error:
            failures.append(error)
    if failures:
        raise PendingError("; ".join(each.message for each in failures), hint=failures[0].hint)
