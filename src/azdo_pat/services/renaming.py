"""The secret of a token that gets another name: it is stored so before it goes from the old one."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from azdo_pat.errors import ConflictError, PatError, PendingError, StoreError
from azdo_pat.models import Intent, Status
from azdo_pat.naming import as_argument
from azdo_pat.results import Became
from azdo_pat.services.name_lock import lock_key
from azdo_pat.services.ownership import Owner, owner_of
from azdo_pat.services.undo import may_come_late

if TYPE_CHECKING:
    from datetime import datetime

    from azdo_pat.models import Organization, StoredPat
    from azdo_pat.services.workshop import Workshop
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State


def moving(entry: StoredPat, identifier: str, new_name: str, *, user: str, now: datetime) -> Intent:
    """Return the journal's entry for it; the old name is the one that is locked."""
    intent = Intent.about(entry, "move", user=user, now=now)
    return intent._replace(authorization_id=identifier, new_name=new_name)


def move(secrets: SecretStore, state: State, known: StoredPat, new_name: str) -> None:
    """Store the secret under the new name before it goes from under the old one.

    Raises:
        PendingError: it stays under the old name, or under both.
    """
    try:
        secret = secrets.get(known.org_url, known.name)
        if secret is None:
            state.rename(known.org_url, known.name, new_name)
            return
        there = secrets.get(known.org_url, new_name)
        if there not in {None, secret}:  # by another program: this one holds the lock
            raise ConflictError(f"another secret has been stored under {new_name!r} meanwhile")
        secrets.put(known.org_url, new_name, secret)
        try:
            state.rename(known.org_url, known.name, new_name)
        except PatError:
            with suppress(StoreError):
                secrets.delete(known.org_url, new_name)
            raise
    except PatError as error:
        raise PendingError(
            f"the token is now named {new_name!r}, but its secret stays stored under"
            f" {known.name!r}: {error.message}",
            hint=error.hint or f"pat get {as_argument(known.name)} still prints it",
        ) from error
    try:
        secrets.delete(known.org_url, known.name)
    except PatError as error:
        raise PendingError(
            f"the token is now named {new_name!r} and its secret stored so, but it could not be"
            f" taken away from {known.name!r}: {error.message}",
            hint=error.hint or f"pat forget {as_argument(known.name)} does it later",
        ) from error


def settle_move(organization: Organization, intent: Intent, shop: Workshop) -> Became:
    """Complete it where the service did change the name; the old name is locked.

    Where another secret has taken one of the names meanwhile, nothing is moved.

    Raises:
        ConflictError: another `pat` is at work on the new name.
        PendingError: as `move` does.
        PatError: the service could not be asked, or the keyring refuses.
    """
    renamed = _is_renamed(organization, intent, shop)
    if not renamed:
        undecided = renamed is None or may_come_late(intent, shop)
        return Became.UNDECIDED if undecided else Became.NOTHING_DONE
    url, old, new = organization.url, intent.name, intent.new_name
    with shop.exclusive(lock_key(new, url)):
        here, there = shop.secrets.get(url, old), shop.secrets.get(url, new)
        entry = shop.state.find(url, old)
        if entry is None:
            if there is not None and there == here:
                shop.secrets.delete(url, old)
        elif entry.id is not None:
            movable = owner_of(here, entry, intent.authorization_id) in {Owner.NONE, Owner.THIS}
            if movable and there in {None, here} and shop.state.find(url, new) is None:
                move(shop.secrets, shop.state, entry, new)
    return Became.COMPLETED


def _is_renamed(organization: Organization, intent: Intent, shop: Workshop) -> bool | None:
    """Tell whether the service has changed the name; None where its list cannot be read there."""
    identifier = (intent.authorization_id or "").lower()
    unread = False
    for status in (Status.ACTIVE, Status.EXPIRED):
        for pat in shop.tokens.list(organization, status):
            if pat.authorization_id == identifier and pat.is_named(intent.new_name):
                return True
            unread |= bool(pat.unread) and pat.may_be(identifier, intent.new_name)
    return None if unread else False
