"""Nothing is done to a token on the word of an answer that could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from azdo_pat.models import Field, Organization, Pat


def require_readable(pat: Pat, organization: Organization, needed: AbstractSet[Field]) -> None:
    """Check that the service's answer tells what is needed to change or revoke a token.

    Raises:
        UnavailableError: one of the fields could not be read; nothing has changed.
    """
    missing = needed & pat.unread
    if missing:
        raise UnavailableError(
            f"the token {pat.id or repr(pat.name)} in {organization.name} is not changed: the"
            f" service's answer about it cannot be read ({', '.join(sorted(missing))})",
            hint=f"it can be changed and revoked at {organization.url}/_usersSettings/tokens",
        )
