"""Storing a secret that was made elsewhere, and deleting a stored one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from azdo_pat.errors import ConflictError, RefusedError
from azdo_pat.models import Field, Organization, Origin, Pat, Secret, Status, StoredPat
from azdo_pat.naming import as_argument
from azdo_pat.operations.fingerprint import fingerprint_of
from azdo_pat.operations.local import delete_stored, recover_local_name, store_imported
from azdo_pat.operations.name_lock import lock_key
from azdo_pat.operations.ownership import hold_not_anothers
from azdo_pat.operations.readable import require_readable
from azdo_pat.services.stored_secrets import (
    entry_named,
    hold_meant,
    known_organization,
    require_free,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from azdo_pat.operations.local import Storage
    from azdo_pat.store.state import State


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
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


def import_secret(
    organization: Organization,
    request: ImportRequest,
    storage: Storage,
    *,
    check: Callable[[Secret], object],
) -> Pat:
    """Store a secret that was made elsewhere, once the server has accepted it.

    Args:
        organization: the one whose token it is.
        request: what to store.
        storage: the keyring, the state file and the lock on a name.
        check: uses a secret; raises what is wrong with it.

    Raises:
        ConflictError: another secret is stored under the name, the token's secret is stored
            under another one, or another `pat` is at work on the name.
        RefusedError: the token is not active.
        SignInError: the server does not accept the secret.
        StoreError: the keyring or the state file refuses; what was stored before still is.
    """
    secrets, state, name = storage.secrets, storage.state, request.name
    state.stored()  # one that cannot be used is found before anything is stored
    if request.pat is not None:
        _require_usable(request.pat, organization, name, state)
        hold_not_anothers(request.secret, request.pat, state.stored(organization.url))
    with storage.exclusive(lock_key(name, organization.url)):
        recover_local_name(organization.url, name, storage)
        previous = secrets.get(organization.url, name)
        says_whose = request.pat is not None and previous == request.secret
        if not (request.replace or says_whose):
            require_free(organization, name, secrets)
        secrets.check()
        check(request.secret)
        entry = _entry(organization, request, previous, state.find(organization.url, name))
        store_imported(entry, request.secret, previous, storage)
    return entry.as_pat(entry.status_at(storage.now()))


def _entry(
    organization: Organization,
    request: ImportRequest,
    previous: Secret | None,
    known: StoredPat | None,
) -> StoredPat:
    """Return what is remembered of a secret once it is stored.

    What was remembered of the same secret, or the same token, stays.
    """
    pat = request.pat
    entry = StoredPat(
        org_url=organization.url,
        org=organization.name,
        name=request.name,
        id=pat.id if pat else None,
        scopes=pat.scopes if pat else (),
        created=pat.created if pat else None,
        expires=pat.expires if pat else request.expires,
        origin=Origin.UNKNOWN,
        fingerprint=fingerprint_of(request.secret),
    )
    if known is None:
        return entry
    if previous == request.secret and pat is None:
        expires = request.expires or known.expires
        return replace(known, stored=True, expires=expires, fingerprint=entry.fingerprint)
    if previous == request.secret or (pat is not None and known.id == pat.id):
        return replace(entry, renewal=known.renewal)
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
            recover_local_name(organization.url, text, storage)
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
    delete_stored(known or _unknown(organization, name), secret, storage)
    return True


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
