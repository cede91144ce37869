"""Renew a token that git asks for, once for all gits that ask for it at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import PatError
from azdo_pat.services.rotate import RotateRequest, rotate

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from azdo_pat.models import Organization, StoredPat
    from azdo_pat.services.ensure import Maker
    from azdo_pat.store.state import State

_GRACE: Final = timedelta(hours=1)
"""How long a replaced token lives on: another git may be at work with it."""


def renew_for_git(  # noqa: PLR0913  # the collaborators are the arguments
    organization: Organization,
    entry: StoredPat,
    otherwise: datetime,
    *,
    state: State,
    in_line: Callable[[str], AbstractContextManager[None]],
    maker: Callable[[], Maker],
    mark_failed: Callable[[], None],
) -> bool:
    """Rotate a token, and return False if another process has done it meanwhile.

    Args:
        organization: the token's.
        entry: the token.
        otherwise: the expiry of the new token if the lifetime of the old one is not known.
        state: the state file.
        in_line: a lock by key between processes; waits for it.
        maker: gives what rotating needs; it may sign in.
        mark_failed: notes that the token could not be renewed, so that it is not tried each time.

    Raises:
        PatError: as `rotate` raises it, or the user is not signed in.
    """
    with in_line(f"ensure {entry.name!r} in {entry.org_url}"):
        now = state.find(entry.org_url, entry.name)
        if now is not None and now.id != entry.id:
            return False
        request = RotateRequest(expires=None, otherwise=otherwise, grace=_GRACE, name=entry.name)
        try:
            tools = maker()
            (pat,) = tools.browser.find(organization, [entry.id or ""])
            rotate(organization, pat, request, tools.deps, try_out=tools.try_out)
        except PatError:
            mark_failed()
            raise
    return True
