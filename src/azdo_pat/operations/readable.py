"""Refuses to change a token when the service's answer about it could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from azdo_pat.models import Field, Organization, Pat


def require_readable(pat: Pat, organization: Organization, needed: AbstractSet[Field]) -> None:
    """Check that the fields needed to change or revoke a token could be read.

    Raises:
        UnavailableError: one of the fields could not be read; nothing has changed.
    """
    missing = needed & pat.unread
    if missing:
        raise UnavailableError(
            f"the token {pat.id or repr(pat.name)} in {organization.name} is not changed: the"
            f" service's answer about it cannot be read ({', '.join(sorted(missing))})",
            hint=f"change or revoke it at {organization.url}/_usersSettings/tokens",
        )
