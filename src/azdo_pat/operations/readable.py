"""Tells what is known of a token where the service's answer about it could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from azdo_pat.models import Field, Organization, Pat, ServicePat, Status
    from azdo_pat.operations.deps import Deps


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


def look_for(
    organization: Organization,
    authorization_id: str | None,
    name: str,
    statuses: Iterable[Status],
    deps: Deps,
) -> tuple[ServicePat | None, bool]:
    """Look for a token in the service's lists.

    Returns:
        The token, None if none has the id; and whether one whose id could not be read may be it.
    """
    is_unclear = False
    for status in statuses:
        for pat in deps.tokens.list(organization, status):
            if authorization_id and pat.authorization_id == authorization_id:
                return pat, False
            is_unclear |= bool(pat.unread) and pat.may_be(authorization_id or "", name)
    return None, is_unclear
