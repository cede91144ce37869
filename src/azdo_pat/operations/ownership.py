"""Decides which token a stored secret belongs to: by id and fingerprint, never by name alone.

A stored secret is overwritten or deleted for a token only if it is that token's, or dead.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from azdo_pat.command_lines import pat_command
from azdo_pat.errors import ConflictError, PatError, SignInError
from azdo_pat.models import Origin
from azdo_pat.operations.fingerprint import matches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azdo_pat.models import Organization, Pat, Secret, StoredPat
    from azdo_pat.operations.deps import Deps


class Owner(Enum):
    """Whether the secret stored under a name belongs to a token."""

    NONE = auto()
    """No secret is stored, and no other token is known, under the name."""
    THIS = auto()
    OTHER = auto()
    UNKNOWN = auto()


def owner_of(secret: Secret | None, known: StoredPat | None, authorization_id: str | None) -> Owner:
    """Return whether the secret stored under a name belongs to a token.

    Args:
        secret: the secret in the keyring under the name.
        known: the index entry of that name.
        authorization_id: of the token.
    """
    if known is not None and known.id is not None and known.id != authorization_id:
        return Owner.OTHER
    if secret is None:
        return Owner.NONE
    if known is None or known.id is None:
        return Owner.UNKNOWN
    # Another program may have changed the secret, or a backup of the state file was restored.
    if known.fingerprint and not matches(secret, known.fingerprint):
        return Owner.UNKNOWN
    return Owner.THIS


def is_own(secret: Secret | None, known: StoredPat) -> bool:
    """Return whether the stored secret matches the index entry."""
    return owner_of(secret, known, known.id) is Owner.THIS


def is_refused(secret: Secret, organization: Organization, deps: Deps) -> bool:
    """Return whether the service refuses a secret; False if the service cannot be asked."""
    try:
        deps.directory.check_secret(organization, secret)
    except SignInError:
        return True
    except PatError:
        return False
    return False


def require_not_another_tokens(secret: Secret, pat: Pat, known: Iterable[StoredPat]) -> None:
    """Check that a secret is not known to belong to another token created by `pat`.

    Raises:
        ConflictError: it belongs to another token.
    """
    for each in known:
        if each.origin is not Origin.PAT or each.id is None or each.id == pat.id:
            continue
        if matches(secret, each.fingerprint):
            raise ConflictError(
                f"the secret belongs to the token {each.id}, which pat created, and not to"
                f" {pat.id}",
                hint="to list the ids of your tokens, run: pat list",
            )


def conflict(owner: Owner, name: str, known: StoredPat | None, organization: str) -> ConflictError:
    """Return the error for a name whose stored secret is, or may be, another token's."""
    forget = pat_command("forget", name)
    if owner is Owner.OTHER and known is not None and known.id is not None:
        return ConflictError(
            f"the secret stored under {name!r} belongs to another token, {known.id}",
            hint=f"rotate that token by its id; or, to delete its secret, run: {forget}",
        )
    return ConflictError(
        f"a secret is stored under {name!r} for {organization}, and it is unknown which token it"
        " belongs to",
        hint=f"if you know the token, run: {pat_command('get', name)} |"
        f" {pat_command('import', name, options=('--id', 'ID'))}; to delete the secret, run:"
        f" {forget}"
        + ("" if known else "; if the state file was lost, pat doctor --fix lists such secrets"),
    )
