"""Changing a token's name, scopes or end, and taking its stored secret along."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from azdo_pat.errors import ConflictError, PatError, PendingError, RefusedError, UsageError
from azdo_pat.expiry import is_shortened
from azdo_pat.models import Pat, PatChanges, Status, StoredPat
from azdo_pat.naming import as_argument
from azdo_pat.results import Updated

if TYPE_CHECKING:
    from azdo_pat.api.tokens import Tokens
    from azdo_pat.models import Organization
    from azdo_pat.services.organization_book import OrganizationBook
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State


def update(  # noqa: PLR0913  # the collaborators are the arguments, as in every use case
    organization: Organization,
    pat: Pat,
    changes: PatChanges,
    *,
    tokens: Tokens,
    book: OrganizationBook,
    secrets: SecretStore,
    state: State,
) -> Updated:
    """Change a token on the service; a renamed one keeps its secret, under the new name.

    Raises:
        UsageError: nothing is to change.
        RefusedError: the token is revoked, or the service refuses.
        ConflictError: another secret is stored here under the new name.
        PendingError: changed, but the secret could not be moved to the new name.
    """
    if changes == PatChanges():
        raise UsageError(
            "nothing is to change", hint="give --name, --scope or --expires, or several"
        )
    if pat.status is Status.REVOKED or pat.id is None:
        raise RefusedError(
            f"{pat.name!r} is revoked and cannot be changed", hint="pat create makes a new one"
        )
    known = _known(state, organization, pat)
    new_name = changes.display_name
    moves = new_name if known and known.stored and new_name != known.name else None
    if known is not None and moves is not None:
        secrets.check()
        # The same secret there is what an earlier attempt to move it left.
        taken = secrets.get(organization.url, moves)
        if taken is not None and taken != secrets.get(organization.url, known.name):
            raise ConflictError(
                f"a secret is already stored under {moves!r} for {organization.name}",
                hint=f"choose another name, or take that one away: pat forget {as_argument(moves)}",
            )
    granted = tokens.update(organization, pat.id, changes)
    answer = replace(
        book.pat(granted, organization, Status.ACTIVE), stored=pat.stored, origin=pat.origin
    )
    if known is not None:
        _remember(state, known, answer)
        if moves is not None:
            _move(secrets, state, known, moves)
    return Updated(
        pat=answer,
        requested_expiry=changes.valid_to,
        shortened=changes.valid_to is not None and is_shortened(changes.valid_to, answer.expires),
    )


def _known(state: State, organization: Organization, pat: Pat) -> StoredPat | None:
    """Find this token's entry in the state file; an imported one is known by its name alone."""
    for each in state.stored(organization.url):
        if each.id and pat.id and each.id.lower() == pat.id.lower():
            return each
        if each.id is None and each.name == pat.name and pat.stored:
            return each
    return None


def _remember(state: State, known: StoredPat, granted: Pat) -> None:
    """Note scopes and dates under the name that the secret still has."""
    entry = replace(
        known,
        id=granted.id,
        scopes=granted.scopes,
        created=granted.created,
        expires=granted.expires,
    )
    try:
        state.remember(entry)
    except PatError as error:
        raise PendingError(
            f"the token was changed, but it could not be noted here: {error.message}",
            hint=error.hint,
        ) from error


def _move(secrets: SecretStore, state: State, known: StoredPat, new_name: str) -> None:
    """Store the secret under the new name before it goes from under the old one."""
    try:
        secret = secrets.get(known.org_url, known.name)
        if secret is None:
            state.rename(known.org_url, known.name, new_name)
            return
        secrets.put(known.org_url, new_name, secret)
        state.rename(known.org_url, known.name, new_name)
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
