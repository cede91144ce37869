"""Stores a secret that was created elsewhere, and deletes stored ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from azdo_pat.errors import ConflictError, RefusedError
from azdo_pat.models import Field, Organization, Origin, Pat, Secret, Status, StoredPat
from azdo_pat.naming import as_argument
from azdo_pat.operations.fingerprint import fingerprint_of
from azdo_pat.operations.local_secrets import delete_stored, recover_local_name, store_imported
from azdo_pat.operations.name_lock import lock_key
from azdo_pat.operations.ownership import require_not_another_tokens
from azdo_pat.operations.readable import require_readable
from azdo_pat.services.stored_secrets import (
    entry_named,
    known_organization,
    require_free,
    require_intended,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from azdo_pat.operations.local_secrets import Storage
    from azdo_pat.store.state import State


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """A secret to import.

    Attributes:
        expires: when its token expires, according to the user; the service's value overrides it.
        pat: the token that it belongs to, as the service lists it; None if the user does not
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
    """Store a secret that was created elsewhere, after the server has accepted it.

    Args:
        organization: the organization of its token.
        request: the secret to store.
        storage: the keyring, the state file and the lock on a name.
        check: tries a secret, and raises if it does not work.

    Raises:
        ConflictError: another secret is stored under the name, the token's secret is stored
            under another one, or another process is working on the name.
        RefusedError: the token is not active.
        SignInError: the server does not accept the secret.
        StoreError: the keyring or the state file failed; the previous secret is still stored.
    """
    secrets, state, name = storage.secrets, storage.state, request.name
    state.stored()  # so that an unusable state file is found before anything is stored
    if request.pat is not None:
        _require_usable(request.pat, organization, name, state)
        require_not_another_tokens(request.secret, request.pat, state.stored(organization.url))
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
    """Return the index entry of the secret once it is stored.

    Known facts of the same secret, or the same token, are kept.
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
    """Check that the secret can belong to the token.

    Raises:
        UnavailableError: the token's organization could not be read.
        RefusedError: the token is not active.
        ConflictError: the secret of that token is stored under another name.
    """
    require_readable(pat, organization, {Field.ID, Field.TARGETS})
    if pat.status is not Status.ACTIVE:
        raise RefusedError(
            f"the token {pat.id} ({pat.name!r}) in {organization.name} is {pat.status.value}:"
            " its secret does not work",
            hint="to list active tokens: pat list",
        )
    for each in state.find_by_id(pat.id or ""):
        if each.stored and each.org_url == organization.url and each.name != name:
            raise ConflictError(
                f"the secret of the token {pat.id} is already stored under {each.name!r}",
                hint=f"to store it under {name!r} instead, run first: pat forget"
                f" {as_argument(each.name)}",
            )


def forget(
    organization: Organization | None, text: str, storage: Storage, *, api_root: str | None = None
) -> tuple[Organization, str]:
    """Delete a stored secret; its token stays as it is.

    Args:
        organization: the current one; None if none is set, and then the only stored token
            that matches is used.
        text: its token's name, id, or prefix of the id.
        storage: the keyring, the state file and the lock on a name.
        api_root: `PAT_API_URL`, which may host organizations too.

    Returns:
        The organization and the name under which the secret was stored.

    Raises:
        NotFoundError: no such secret is stored.
        ConflictError: several match, or another process is working on the name.
        StoreError: the keyring or the state file failed.
    """
    storage.state.stored()  # so that an unusable state file is found before anything is deleted
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
                (
                    f"another process has changed the secret stored under {entry.name!r} for"
                    f" {entry.org}"
                ),
                hint="to see what is stored now: pat list --stored",
            )
        secret = storage.secrets.get(entry.org_url, entry.name)
        if secret is not None:
            require_intended(entry, text, secret)
        if not _forgotten(found, entry.name, entry, storage):
            storage.state.forget(entry.org_url, entry.name)
    return found, entry.name


def _forgotten(
    organization: Organization, name: str, known: StoredPat | None, storage: Storage
) -> bool:
    """Delete the secret stored under a name; False if there is none. The name must be locked."""
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
