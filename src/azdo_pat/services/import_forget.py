"""Stores a secret that was created elsewhere, and deletes stored ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from azdo_pat.command_lines import pat_command
from azdo_pat.errors import ConflictError, RefusedError
from azdo_pat.models import Field, Organization, Pat, Secret, Status, StoredPat
from azdo_pat.operations.fingerprint import fingerprint_of
from azdo_pat.operations.local_secrets import delete_stored, recover_local_name, store_imported
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.operations.ownership import require_not_another_tokens
from azdo_pat.operations.readable import require_readable
from azdo_pat.services.stored_secrets import (
    entry_named,
    known_organization,
    require_free,
    require_intended,
    require_unchanged,
)

if TYPE_CHECKING:
    from datetime import datetime

    from azdo_pat.operations.deps import Deps
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
    deps: Deps,
) -> Pat:
    """Store a secret that was created elsewhere, after the server has accepted it.

    Raises:
        ConflictError: another secret is stored under the name, the token's secret is stored
            under another one, or another process is working on the name.
        RefusedError: the token is not active.
        SignInError: the server does not accept the secret.
        StoreError: the keyring or the state file failed; the previous secret is still stored.
    """
    secrets, state, name = deps.secrets, deps.state, request.name
    state.stored()  # so that an unusable state file is found before anything is stored
    if request.pat is not None:
        _require_usable(request.pat, organization, name, state)
        require_not_another_tokens(request.secret, request.pat, state.stored(organization.url))
    with deps.exclusive(lock_key(name, organization.url)):
        recover_local_name(organization.url, name, deps)
        previous = secrets.get(organization.url, name)
        says_whose = request.pat is not None and previous == request.secret
        if not (request.replace or says_whose):
            require_free(organization, name, secrets)
        secrets.check()
        deps.directory.check_secret(organization, request.secret)
        entry = _entry(organization, request, previous, state.find(organization.url, name))
        store_imported(entry, request.secret, previous, deps)
    return entry.as_pat(entry.status_at(deps.now()))


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
    entry = StoredPat.unknown(organization, request.name, fingerprint_of(request.secret))
    entry = replace(entry, expires=request.expires)
    if pat is not None:
        entry = entry.described_by(pat)
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
            hint="to list active tokens, run: pat list",
        )
    for each in state.find_by_id(pat.id or ""):
        if each.stored and each.org_url == organization.url and each.name != name:
            raise ConflictError(
                f"the secret of the token {pat.id} is already stored under {each.name!r}",
                hint=f"to store it under {name!r} instead, first run:"
                f" {pat_command('forget', each.name)}",
            )


def forget(text: str, deps: Deps) -> tuple[Organization, StoredPat]:
    """Delete a stored secret; its token stays as it is.

    If no organization is set, the only stored token that matches is used.

    The text is its token's name, id, or prefix of the id.

    Returns:
        The organization, and the index entry of the secret.

    Raises:
        NotFoundError: no such secret is stored.
        ConflictError: several match, or another process is working on the name.
        StoreError: the keyring or the state file failed.
    """
    deps.state.stored()  # so that an unusable state file is found before anything is deleted
    organization, _ = deps.session.located
    if organization is not None:
        with deps.exclusive(lock_key(text, organization.url)):
            recover_local_name(organization.url, text, deps)
            known = deps.state.find(organization.url, text) or StoredPat.unknown(organization, text)
            if _is_deleted(known, deps):
                return organization, known
    entry = entry_named(organization, text, deps.state)
    with deps.exclusive(lock_key(entry.name, entry.org_url)):
        require_unchanged(entry, deps)
        secret = deps.secrets.get(entry.org_url, entry.name)
        if secret is not None:
            require_intended(entry, text, secret)
        if not _is_deleted(entry, deps):
            deps.state.forget(entry.org_url, entry.name)
    return known_organization(entry, deps.session.api_root), entry


def _is_deleted(known: StoredPat, deps: Deps) -> bool:
    """Delete the secret stored under a name; False if there is none. The name must be locked."""
    secret = deps.secrets.get(known.org_url, known.name)
    if secret is not None:
        delete_stored(known, secret, deps)
    return secret is not None
