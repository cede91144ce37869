"""The renewal window: how long before its expiry a token is due."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from azdo_pat.models import StoredPat

WITHIN: Final = timedelta(days=7)
"""The longest default renewal window, which is when Azure DevOps itself sends a notice."""


def renewal_window(entry: StoredPat) -> timedelta:
    """Return its own window (`--renew-before`), or a week, or a third of its lifetime if shorter.

    For commands that renew automatically; `pat ensure` uses the third.
    """
    if entry.renewal.renew_before is not None:
        return window_of(entry, entry.renewal.renew_before)
    return min(WITHIN, window_of(entry, None))


def window_of(entry: StoredPat, renew_before: timedelta | None) -> timedelta:
    """Return the given renewal window, or a third of the token's lifetime, as in certbot.

    If a policy granted a lifetime shorter than the window, the token would be due as soon as it is
    created, again and again.
    """
    if entry.created is None or entry.expires is None:
        return timedelta(days=1) if renew_before is None else renew_before
    life = entry.expires - entry.created
    if renew_before is None or (entry.renewal.shortened and renew_before >= life):
        return life / 3
    return renew_before
