"""Storing a secret that was made elsewhere, and deleting a stored one; both through the journal.

Neither needs a sign-in to be recovered: what the keyring holds tells how far a killed run came.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from azdo_pat.errors import ConflictError, PatError, RefusedError, StoreError
from azdo_pat.models import Field, Intent, Organization, Origin, Pat, Secret, Status, StoredPat
from azdo_pat.naming import as_argument
from azdo_pat.results import Became, Recovered
from azdo_pat.services.fingerprint import bears, fingerprint_of
from azdo_pat.services.keep import (
    as_stored,
    entry_named,
    hold_free,
    hold_meant,
    known_organization,
)
from azdo_pat.services.name_lock import lock_key
from azdo_pat.services.ownership import hold_not_anothers
from azdo_pat.services.readable import require_readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from azdo_pat.services.name_lock import Exclusive
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State


@dataclass(frozen=True, kw_only=True)
class Storage:
    """What it takes to change what is stored on this machine.

    Attributes:
        exclusive: the lock on a name.
        now: the clock.
    """

    secrets: SecretStore
    state: State
    exclusive: Exclusive
    now: Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class Import:
    """What to store.

    Attributes:
        expires: when its token expires, as far as the user knows; the service's word wins.
        pat: the token that it belongs to, as the service lists it; None where the user does not
            say.
        replace: overwrite a secret that is stored under the name.
    """

    name: str
    secret: Secret
    expires: datetime | None = None
    pat: Pat | None = None
    replace: bool = False


def take_in(
    organization: Organization,
    wanted: Import,
    storage: Storage,
    *,
    check: Callable[[Secret], object],
) -> Pat:
    """Store a secret that was made elsewhere, once the server has accepted it.

    Args:
        organization: the one whose token it is.
        wanted: what to store.
        storage: the keyring, the state file and the lock on a name.
        check: uses a secret; raises what is wrong with it.

    Raises:
        ConflictError: another secret is stored under the name, the token's secret is stored
            under another one, or another `pat` is at work on the name.
        RefusedError: the token is not active.
        SignInError: the server does not accept the secret.
        StoreError: the keyring or the state file refuses; what was stored before still is.
    """
    secrets, state, name = storage.secrets, storage.state, wanted.name
    state.stored()  # one that cannot be used is found before anything is stored
    if wanted.pat is not None:
        _require_usable(wanted.pat, organization, name, state)
        hold_not_anothers(wanted.secret, wanted.pat, state.stored(organization.url))
    with storage.exclusive(lock_key(name, organization.url)):
        _recover_name(organization.url, name, storage)
        previous = secrets.get(organization.url, name)
        says_whose = wanted.pat is not None and previous == wanted.secret
        if not (wanted.replace or says_whose):
            hold_free(organization, name, secrets)
        secrets.check()
        check(wanted.secret)
        entry = _entry(organization, wanted, previous, state.find(organization.url, name))
        intent = Intent.about(entry, "import", user="", now=storage.now())
        intent = intent._replace(mark=entry.fingerprint, entry=entry)
        key = state.begin(intent)
        try:
            secrets.put(organization.url, name, wanted.secret)
            state.finish(key, entry)
        except StoreError as error:
            if _is_back(intent._replace(key=key), previous, storage):
                raise
            raise StoreError(
                f"{error.message}; whether the secret is stored all the same is not known",
                hint="when the keyring works again, pat list --stored finds out",
            ) from error
        except BaseException:  # Ctrl-C, or whatever a backend raises
            _is_back(intent._replace(key=key), previous, storage)
            raise
    return as_stored(entry, storage.now())


def _is_back(intent: Intent, previous: Secret | None, storage: Storage) -> bool:
    """Put back into the keyring what it held before an import; False where that fails.

    The journal keeps what could not be done, or not be noted: the next run finds out.
    """
    where = (intent.org_url, intent.name)
    try:
        if bears(storage.secrets.get(*where), intent.mark):
            if previous is None:
                storage.secrets.delete(*where)
            else:
                storage.secrets.put(*where, previous)
    except StoreError:
        return False
    with suppress(StoreError):
        storage.state.finish(intent.key)
    return True


def _entry(
    organization: Organization, wanted: Import, previous: Secret | None, known: StoredPat | None
) -> StoredPat:
    """Return what is remembered of a secret once it is stored.

    What was remembered of the same secret, or the same token, stays.
    """
    pat = wanted.pat
    entry = StoredPat(
        org_url=organization.url,
        org=organization.name,
        name=wanted.name,
        id=pat.id if pat else None,
        scopes=pat.scopes if pat else (),
        created=pat.created if pat else None,
        expires=pat.expires if pat else wanted.expires,
        origin=Origin.UNKNOWN,
        fingerprint=fingerprint_of(wanted.secret),
    )
    if known is None:
        return entry
    if previous == wanted.secret and pat is None:
        expires = wanted.expires or known.expires
        return replace(known, stored=True, expires=expires, fingerprint=entry.fingerprint)
    if previous == wanted.secret or (pat is not None and known.id == pat.id):
        return replace(entry, upkeep=known.upkeep)
    return entry


def _require_usable(pat: Pat, organization: Organization, name: str, state: State) -> None:
    """Check that a secret can be the one of a token.

    Raises:
        UnavailableError: whether it is of the organization could not be read.
        RefusedError: the token is not active.
        ConflictError: the secret of that token is stored under another name.
    """
    require_readable(pat, organization, {Field.ID, Field.TARGETS})
    if pat.status is not Status.ACTIVE:
        raise RefusedError(
            f"the token {pat.id} ({pat.name!r}) in {organization.name} is {pat.status.value}: no"
            " secret of it works",
            hint="pat list shows the tokens that are active",
        )
    for each in state.find_by_id(pat.id or ""):
        if each.stored and each.org_url == organization.url and each.name != name:
            raise ConflictError(
                f"the secret of the token {pat.id} is stored under {each.name!r} already",
                hint=f"to store it under {name!r} instead, first run: pat forget"
                f" {as_argument(each.name)}",
            )


def forget(
    organization: Organization | None, text: str, storage: Storage, *, api_root: str | None = None
) -> tuple[Organization, str]:
    """Delete a stored secret; its token stays as it is.

    Args:
        organization: the one at hand; None where none is set, and then the only stored token
            that answers is meant.
        text: its token's name, id, or prefix of the id.
        storage: the keyring, the state file and the lock on a name.
        api_root: `PAT_API_URL`, below which organizations are hosted too.

    Returns:
        The organization and the name under which the secret was stored.

    Raises:
        NotFoundError: no such secret here.
        ConflictError: several answer, or another `pat` is at work on the name.
        StoreError: the keyring or the state file refuses.
    """
    storage.state.stored()  # one that cannot be used is found before anything goes
    if organization is not None:
        with storage.exclusive(lock_key(text, organization.url)):
            _recover_name(organization.url, text, storage)
            known = storage.state.find(organization.url, text)
            if _forgotten(organization, text, known, storage):
                return organization, text
    entry = entry_named(organization, text, storage.state)
    found = known_organization(entry, api_root)
    with storage.exclusive(lock_key(entry.name, entry.org_url)):
        if storage.state.find(entry.org_url, entry.name) != entry:
            raise ConflictError(
                f"another pat has changed what is stored under {entry.name!r} for {entry.org}",
                hint="pat list --stored shows what is there now",
            )
        secret = storage.secrets.get(entry.org_url, entry.name)
        if secret is not None:
            hold_meant(entry, text, secret)
        if not _forgotten(found, entry.name, entry, storage):
            storage.state.forget(entry.org_url, entry.name)
    return found, entry.name


def _forgotten(
    organization: Organization, name: str, known: StoredPat | None, storage: Storage
) -> bool:
    """Delete what is stored under a name, which is locked; False where nothing is."""
    secret = storage.secrets.get(organization.url, name)
    if secret is None:
        return False
    entry = known or _unknown(organization, name)
    intent = Intent.about(entry, "forget", user="", now=storage.now())
    intent = intent._replace(authorization_id=entry.id, mark=fingerprint_of(secret))
    key = storage.state.begin(intent)
    try:
        storage.secrets.delete(organization.url, name)
    except StoreError as error:
        _settle_failed(intent._replace(key=key), storage, error.message)
        raise
    storage.state.forget(organization.url, name, key=key)
    return True


def _settle_failed(intent: Intent, storage: Storage, reason: str) -> None:
    """Close the entry of a secret that could not be deleted, where it is still there for certain.

    Else the journal keeps it, with the reason, and the next run finds out: having said that it
    failed, it deletes nothing behind the user's back.
    """
    with suppress(StoreError):
        storage.state.explain(intent.key or 0, reason)
        if bears(storage.secrets.get(intent.org_url, intent.name), intent.mark):
            storage.state.finish(intent.key)


def _unknown(organization: Organization, name: str) -> StoredPat:
    return StoredPat(
        org_url=organization.url,
        org=organization.name,
        name=name,
        id=None,
        scopes=(),
        created=None,
        expires=None,
        origin=Origin.UNKNOWN,
    )


LOCAL = frozenset({"import", "forget"})
"""The operations that change nothing on the service."""


def recover_local(storage: Storage, *, org_url: str | None = None) -> Iterator[Recovered]:
    """Complete or roll back each import and forget that was interrupted; needs no sign-in.

    What another live process is at work on is left to it.
    """
    for intent in storage.state.unfinished(org_url):
        if intent.operation not in LOCAL:
            continue
        try:
            with storage.exclusive(lock_key(intent.name, intent.org_url)):
                here = storage.state.unfinished(intent.org_url, intent.name)
                if any(each.key == intent.key for each in here):
                    became = settle_local(intent, storage.secrets, storage.state)
                    yield Recovered(intent, became)
        except ConflictError:
            continue
        except PatError as error:
            yield Recovered(intent, failure=error)


def _recover_name(org_url: str, name: str, storage: Storage) -> None:
    """Do so for one name, which is locked."""
    for intent in storage.state.unfinished(org_url, name):
        if intent.operation in LOCAL:
            settle_local(intent, storage.secrets, storage.state)


def settle_local(intent: Intent, secrets: SecretStore, state: State) -> Became:
    """Complete or roll back an import or a forget, whose name is locked, and close its entry.

    Raises:
        StoreError: the keyring or the state file refuses.
    """
    is_there = bears(secrets.get(intent.org_url, intent.name), intent.mark)
    if intent.operation == "import":
        state.finish(intent.key, intent.entry if is_there else None)
        return Became.COMPLETED if is_there else Became.ROLLED_BACK
    stays = is_there and intent.reason  # as the user was told
    if stays or (not is_there and secrets.get(intent.org_url, intent.name) is not None):
        state.finish(intent.key)  # or another secret has been stored there meanwhile
        return Became.ROLLED_BACK
    if is_there:
        secrets.delete(intent.org_url, intent.name)
    state.forget(intent.org_url, intent.name, key=intent.key)
    return Became.COMPLETED
