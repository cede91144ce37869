"""Bringing to its end what an earlier run began: a killed one, or one that left work for later."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.errors import (
    ConflictError,
    PatError,
    PendingError,
    StoreError,
    UnavailableError,
)
from azdo_pat.models import Intent, Organization, Status
from azdo_pat.organizations import is_of_root
from azdo_pat.services.delivering import deliver
from azdo_pat.services.making import recorded
from azdo_pat.services.name_lock import lock_key
from azdo_pat.services.renaming import settle_move
from azdo_pat.services.undo import CLOCK_DIFFERENCE, holds_secret_of, undo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from azdo_pat.models import ServicePat, StoredPat
    from azdo_pat.services.workshop import Workshop
    from azdo_pat.store.state import State


class Recovered(NamedTuple):
    """What became of an unfinished operation.

    Attributes:
        intent: the operation.
        failure: why it is still unfinished; None where it is done.
    """

    intent: Intent
    failure: PatError | None = None


def settle_leftovers(organization: Organization, name: str, shop: Workshop) -> None:
    """Bring to its end what earlier runs left behind under a name.

    The lock on the name is held, so no live process is at work on it. An entry of the journal
    whose request nobody can find stays as long as a slow service may still be at work on it.

    Raises:
        PatError: the service could not be asked.
    """
    for intent in shop.state.unfinished(organization.url, name):
        # What cannot be delivered is delivered with the secret that is about to be made.
        with suppress(PendingError):
            settle(organization, intent, shop)


class Scope(NamedTuple):
    """What of the journal is to be brought to its end.

    Attributes:
        user: the sign-in name; another user would not find the tokens, and take them for gone.
        api_root: `PAT_API_URL`; what belongs to other roots is left alone.
        org_url: of one organization only; None for all.
        again: also try anew to deliver what failed. A command that fails each time must not hold
            up whoever only lists tokens.
    """

    user: str
    api_root: str | None
    org_url: str | None = None
    again: bool = False

    def holds(self, intent: Intent) -> bool:
        """Tell whether an operation is meant."""
        return intent.user == self.user and is_of_root(intent.org_url, intent.org, self.api_root)

    def leaves_for_later(self, intent: Intent, state: State) -> bool:
        """Tell whether it failed before, and is tried anew only on request.

        Of a token that is gone meanwhile, or goes nowhere any more, nothing can fail.
        """
        if intent.operation != "deliver" or not intent.reason or self.again:
            return False
        entry = state.find(intent.org_url, intent.name)
        return entry is not None and bool(entry.upkeep.deliveries)


def recover(shop: Workshop, scope: Scope) -> Iterator[Recovered]:
    """Bring to its end what earlier runs of the same user left behind.

    What another live process is at work on is left to it, what is not due yet to later.
    """
    failed: set[tuple[str, str]] = set()
    for intent in shop.state.unfinished(scope.org_url):
        if not scope.holds(intent) or scope.leaves_for_later(intent, shop.state):
            continue
        if intent.operation == "deliver" and (intent.org_url, intent.name) in failed:
            continue  # the same secret to the same places
        organization = Organization(name=intent.org, url=intent.org_url)
        try:
            with shop.exclusive(lock_key(intent.name, intent.org_url)):
                # Another process may have done it before the lock was had.
                here = shop.state.unfinished(intent.org_url, intent.name)
                if any(each.key == intent.key for each in here) and settle(
                    organization, intent, shop
                ):
                    yield Recovered(intent)
        except ConflictError:
            continue
        except PatError as error:
            if intent.operation == "deliver":
                failed.add((intent.org_url, intent.name))
            yield Recovered(intent, error)


def settle(organization: Organization, intent: Intent, shop: Workshop) -> bool:
    """Bring one operation to its end, or back to its beginning; False if it must wait.

    Raises:
        PendingError: the secret could not be delivered.
        PatError: the service could not be asked.
    """
    others = {"deliver": _deliver, "revoke": _revoke, "end": _end, "move": settle_move}
    work = others.get(intent.operation, _making)
    if not work(organization, intent, shop):
        return False
    if intent.key is not None:
        shop.state.finish(intent.key)
    return True


def _deliver(organization: Organization, intent: Intent, shop: Workshop) -> bool:
    """Deliver, and go on to what is left."""
    rest = deliver(organization, intent, shop)
    return rest is None or settle(organization, rest, shop)


def _revoke(organization: Organization, intent: Intent, shop: Workshop) -> bool:
    """Revoke the token that was replaced, once that is due."""
    if shop.now() < intent.valid_to:
        return False
    shop.tokens.revoke(organization, intent.authorization_id or "")
    return True


def ending(entry: StoredPat, *, user: str, now: datetime) -> Intent:
    """Return the journal's entry for the end of a token whose secret is here."""
    intent = Intent.about(entry, "end", user=user, now=now)
    return intent._replace(authorization_id=entry.id)


def end(organization: Organization, entry: StoredPat, shop: Workshop) -> None:
    """Revoke a token, take its secret out of the keyring and forget it; the name is locked.

    Killed anywhere within, the next run does the rest.

    Raises:
        StoreError: it is revoked, and its secret still there; a later run takes it out.
        UnavailableError: whether it is revoked is not known; a later run takes its secret out if
            it is.
        PatError: it could not be revoked; nothing has changed.
    """
    intent = ending(entry, user=shop.user(), now=shop.now())
    key = shop.state.begin(intent)
    try:
        _end(organization, intent, shop)
    except StoreError:
        raise
    except UnavailableError as error:
        shop.state.explain(key, error.message)
        raise
    except PatError:
        shop.state.finish(key)
        raise
    shop.state.finish(key)


def _end(organization: Organization, intent: Intent, shop: Workshop) -> bool:
    """Revoke a token; take its secret out of the keyring, if it still is the token of that name.

    Where a run was told that it failed, as nobody answered, the token is not revoked behind the
    user's back: it is looked whether it was.
    """
    if not intent.reason:
        shop.tokens.revoke(organization, intent.authorization_id or "")
    elif _listed(organization, intent, shop):
        return True
    entry = shop.state.find(organization.url, intent.name)
    if entry is not None and entry.id == intent.authorization_id:
        shop.secrets.delete(organization.url, intent.name)
        shop.state.forget(organization.url, intent.name)
    return True


def _making(organization: Organization, intent: Intent, shop: Workshop) -> bool:
    """Revoke what was made; or go on with it, where its secret has taken another one's place."""
    try:
        is_stored = holds_secret_of(organization, intent, shop)
    except StoreError:
        # A keyring that refuses is told where this run needs it; the next one looks again.
        return False
    recent = shop.now() - intent.started <= CLOCK_DIFFERENCE
    known_dead = bool(intent.reason)
    if is_stored and intent.operation != "create" and not known_dead:
        if made := _listed(organization, intent, shop):
            _go_on(organization, intent, made, shop)
            return True
        if recent:
            return False  # a list may be late, and the secret that it replaced is gone for certain
    undone = undo(organization, intent, shop)
    if not undone and recent:
        return False
    if is_stored:
        shop.secrets.delete(organization.url, intent.name)
    return True


def _go_on(organization: Organization, intent: Intent, made: ServicePat, shop: Workshop) -> None:
    """Index a token that lives and whose secret is stored, and do what follows."""
    record = recorded(organization, intent, made)
    key = shop.state.finish(intent.key, record, intent.follow_up)
    if intent.follow_up is not None:
        settle(organization, intent.follow_up._replace(key=key), shop)


def _listed(organization: Organization, intent: Intent, shop: Workshop) -> ServicePat | None:
    """Return the token that an intent made, if it lives."""
    made = (intent.authorization_id or "").lower()
    for pat in shop.tokens.list(organization, Status.ACTIVE):
        if pat.authorization_id.lower() == made:
            return pat
    return None
