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
    if entry.renewal.renew_before is not None:
        return margin(entry, entry.renewal.renew_before)
    return min(WITHIN, margin(entry, None))


def margin(entry: StoredPat, renew_before: timedelta | None) -> timedelta:
    """Return how long before its end a token is due: a third of its life, as certbot has it.

    Where a policy gave it less life than the span that is wished, it would be due as soon as it is
    made, and so again and again.
    """
    if entry.created is None or entry.expires is None:
        return timedelta(days=1) if renew_before is None else renew_before
    life = entry.expires - entry.created
    if renew_before is None or (entry.renewal.shortened and renew_before >= life):
        return life / 3
    return renew_before
