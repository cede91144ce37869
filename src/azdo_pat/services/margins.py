"""How long before its end a token is due."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from azdo_pat.models import StoredPat

WITHIN: Final = timedelta(days=7)
"""How near its end a token is due, at the most: the notice that Azure DevOps itself gives."""


def renewal_margin(entry: StoredPat) -> timedelta:
    """Return what it was given (`--renew-before`), or the lesser of a week and a third of its life.

    For what renews tokens unasked; `pat ensure` takes the third.
    """
    if entry.upkeep.renew_before is not None:
        return entry.upkeep.renew_before
    return min(WITHIN, margin(entry, None))


def margin(entry: StoredPat, renew_before: timedelta | None) -> timedelta:
    """Return how long before its end a token is due: a third of its life, as certbot has it."""
    if renew_before is not None:
        return renew_before
    if entry.created is None or entry.expires is None:
        return timedelta(days=1)
    return (entry.expires - entry.created) / 3
