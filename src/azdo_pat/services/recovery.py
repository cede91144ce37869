"""Recovery: completing or rolling back what an earlier run left in the journal."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.errors import (
    ConflictError,
    DoubtfulError,
    PatError,
    PendingError,
    StoreError,
    UnavailableError,
)
from azdo_pat.models import Intent, Organization, Status
from azdo_pat.organizations import is_of_root
from azdo_pat.results import Became, Recovered
from azdo_pat.services.delivering import deliver
from azdo_pat.services.import_forget import LOCAL, settle_local
from azdo_pat.services.making import recorded
from azdo_pat.services.name_lock import lock_key
from azdo_pat.services.ownership import is_own, unknown
from azdo_pat.services.renaming import settle_move
from azdo_pat.services.undo import holds_secret_of, may_come_late, undo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from azdo_pat.models import ServicePat, StoredPat
    from azdo_pat.services.workshop import Workshop
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State


def settle_leftovers(organization: Organization, name: str, shop: Workshop) -> None:
    """Bring to its end what earlier runs left behind under a name.

    The lock on the name is held, so no live process is at work on it. An entry of the journal
    whose request nobody can find stays as long as a slow service may still be at work on it. One
    of another user stays: this one would not find its tokens, and take them for gone.

    Raises:
        PatError: the service could not be asked.
    """
    for intent in shop.state.unfinished(organization.url, name):
        if intent.operation not in LOCAL and intent.user != shop.user():
            continue
        # What cannot be delivered is delivered with the secret that is about to be made; what is
        # in doubt has been told, and is no reason to make nothing.
        with suppress(PendingError, DoubtfulError):
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
        """Tell whether an operation is meant; one of this machine alone is anyone's to recover."""
        if intent.operation in LOCAL:
            return True
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
    """Complete or roll back what earlier runs of the same user left behind.

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
                if any(each.key == intent.key for each in here) and intent.is_due(shop.now()):
                    yield Recovered(intent, settle(organization, intent, shop))
        except ConflictError:
            continue
        except PatError as error:
            if intent.operation == "deliver":
                failed.add((intent.org_url, intent.name))
            yield Recovered(intent, failure=error)


def settle(organization: Organization, intent: Intent, shop: Workshop) -> Became:
    """Complete one operation or roll it back; the journal keeps what is undecided.

    Raises:
        DoubtfulError: which token it made, if any, is not certain.
        PendingError: the secret could not be delivered.
        PatError: the service could not be asked.
    """
    if intent.operation in LOCAL:
        return settle_local(intent, shop.secrets, shop.state)
    others = {"deliver": _deliver, "revoke": _revoke, "end": _end, "move": settle_move}
    work = others.get(intent.operation, _making)
    became = work(organization, intent, shop)
    if became is not Became.UNDECIDED and intent.key is not None:
        shop.state.finish(intent.key)
    return became


def _deliver(organization: Organization, intent: Intent, shop: Workshop) -> Became:
    """Deliver, and go on to what is left."""
    entry = shop.state.find(organization.url, intent.name)
    goes_somewhere = entry is not None and bool(entry.upkeep.deliveries)
    rest = deliver(organization, intent, shop)
    if rest is not None:
        settle(organization, rest, shop)
    return Became.COMPLETED if goes_somewhere else Became.NOTHING_DONE


def _revoke(organization: Organization, intent: Intent, shop: Workshop) -> Became:
    """Revoke the token that was replaced, once that is due."""
    if not intent.is_due(shop.now()):
        return Became.UNDECIDED
    shop.tokens.revoke(organization, intent.authorization_id or "")
    return Became.COMPLETED


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


def _end(organization: Organization, intent: Intent, shop: Workshop) -> Became:
    """Revoke a token; delete its stored secret, if the name still is that token's.

    Where the user was told that it failed, as no answer came, the token is not revoked behind the
    user's back: the list tells whether it was.
    """
    if not intent.reason:
        shop.tokens.revoke(organization, intent.authorization_id or "")
    elif _listed(organization, intent, shop):
        return Became.STILL_ACTIVE
    entry = shop.state.find(organization.url, intent.name)
    if entry is not None and entry.id == intent.authorization_id:
        delete_own(entry, shop.secrets, shop.state)
    return Became.COMPLETED


def _making(organization: Organization, intent: Intent, shop: Workshop) -> Became:
    """Revoke what was made; or go on with it, where its secret has taken another one's place."""
    try:
        is_stored = holds_secret_of(organization, intent, shop)
    except StoreError:
        # A keyring that refuses is told where this run needs it; the next one looks again.
        return Became.UNDECIDED
    known_dead = bool(intent.reason)
    if is_stored and intent.operation != "create" and not known_dead:
        if made := _listed(organization, intent, shop):
            _go_on(organization, intent, made, shop)
            return Became.COMPLETED
        if may_come_late(intent, shop):
            # A list may be late, and the secret that it replaced is gone for certain.
            return Became.UNDECIDED
    undone = undo(organization, intent, shop)
    if not undone and may_come_late(intent, shop):
        return Became.UNDECIDED
    if is_stored:
        shop.secrets.delete(organization.url, intent.name)
    return Became.ROLLED_BACK if undone else Became.NOTHING_DONE


def delete_own(entry: StoredPat, secrets: SecretStore, state: State) -> bool:
    """Delete the stored secret of a token, and forget the token; the name is locked.

    Another secret that was stored under the name meanwhile stays, and is known from then on as
    one whose token is not known.

    Returns:
        Whether no such secret stays.
    """
    where = (entry.org_url, entry.name)
    secret = secrets.get(*where)
    if secret is None or is_own(secret, entry):
        if secret is not None:
            secrets.delete(*where)
        state.forget(*where)
        return True
    state.remember(unknown(entry, secret))
    return False


def _go_on(organization: Organization, intent: Intent, made: ServicePat, shop: Workshop) -> None:
    """Index a token that lives and whose secret is stored, and do what follows."""
    record = recorded(organization, intent, made)
    key = shop.state.finish(intent.key, record, intent.follow_up)
    if intent.follow_up is not None:
        settle(organization, intent.follow_up._replace(key=key), shop)


def _listed(organization: Organization, intent: Intent, shop: Workshop) -> ServicePat | None:
    """Return the token that an intent made, if it lives.

    Raises:
        UnavailableError: a token is listed whose id could not be read, and which may be it.
    """
    made = (intent.authorization_id or "").lower()
    unclear = False
    for pat in shop.tokens.list(organization, Status.ACTIVE):
        if made and pat.authorization_id == made:
            return pat
        unclear |= bool(pat.unread) and pat.may_be(made, intent.name)
    if unclear:
        raise UnavailableError(
            f"{intent.org} lists a token whose id cannot be read: whether"
            f" {intent.authorization_id} is active is not known"
        )
    return None
