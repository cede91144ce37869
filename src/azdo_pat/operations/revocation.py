"""Revokes a token and deletes its stored secret, in this order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.errors import PatError, StoreError, UnavailableError
from azdo_pat.journal import JournalEntry, Revoke
from azdo_pat.models import Status, StoredPat
from azdo_pat.operations.fingerprint import fingerprint_of
from azdo_pat.operations.ownership import is_own
from azdo_pat.operations.readable import look_for
from azdo_pat.results.recovery import RecoveryOutcome

if TYPE_CHECKING:
    from azdo_pat.models import Organization, ServicePat
    from azdo_pat.operations.deps import Deps


def end(organization: Organization, entry: StoredPat, deps: Deps) -> None:
    """Revoke a token, delete its secret and forget it. The name must be locked.

    If the process is killed, the next run does the rest.

    Raises:
        StoreError: it is revoked, but its secret is still stored; a later run deletes it.
        UnavailableError: it is unknown whether it is revoked; a later run deletes its secret if it
            is.
        PatError: it could not be revoked; nothing has changed.
    """
    operation = Revoke(
        JournalEntry(organization, entry.name, deps.now(), deps.session.user()), entry.id or ""
    )
    key = deps.state.begin(operation)
    try:
        recover_revocation(operation, deps)
    except StoreError:
        raise
    except UnavailableError as error:
        deps.state.explain(key, error.message)
        raise
    except PatError:
        deps.state.finish(key)
        raise
    deps.state.finish(key)


def recover_revocation(operation: Revoke, deps: Deps) -> RecoveryOutcome:
    """Revoke a token, and delete its stored secret if that is still the token's.

    If the user was told that no answer came, the token is not revoked without the
    user's knowledge: the list shows whether it was.
    """
    entry, identifier = operation.entry, operation.authorization_id
    if not entry.reason:
        deps.tokens.revoke(entry.organization, identifier)
    elif listed(entry, identifier, deps):
        return RecoveryOutcome.STILL_ACTIVE
    known = deps.state.find(entry.organization.url, entry.name)
    if known is not None and known.id == identifier:
        delete_own(known, deps)
    return RecoveryOutcome.COMPLETED


def listed(entry: JournalEntry, authorization_id: str | None, deps: Deps) -> ServicePat | None:
    """Return the token of an operation if it is active.

    Raises:
        UnavailableError: a listed token's id could not be read, and it may be this one.
    """
    pat, unclear = look_for(
        entry.organization, authorization_id, entry.name, (Status.ACTIVE,), deps
    )
    if unclear:
        raise UnavailableError(
            f"{entry.organization.name} lists a token whose id cannot be read, so it is"
            f" unknown whether {authorization_id} is active"
        )
    return pat


def delete_own(entry: StoredPat, deps: Deps) -> bool:
    """Delete the stored secret of a token, and forget the token. The name must be locked.

    Another secret that was stored under the name since stays, indexed as a secret of an
    unknown token.

    Returns:
        Whether no other secret stays under the name.
    """
    where = (entry.org_url, entry.name)
    secret = deps.secrets.get(*where)
    if secret is None or is_own(secret, entry):
        if secret is not None:
            deps.secrets.delete(*where)
        deps.state.forget(*where)
        return True
    deps.state.remember(StoredPat.unknown(entry.organization, entry.name, fingerprint_of(secret)))
    return False
