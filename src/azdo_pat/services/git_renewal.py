"""Renew a token that git asks for, once for all gits that ask for it at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import PatError
from azdo_pat.operations.name_lock import turn_key
from azdo_pat.services.find_tokens import TokenFinder
from azdo_pat.services.refused_tokens import marker_key, organization_of
from azdo_pat.services.rotate import RotateRequest, rotate

if TYPE_CHECKING:
    from datetime import datetime

    from azdo_pat.models import StoredPat
    from azdo_pat.operations.deps import Deps
    from azdo_pat.store.marker_files import MarkerFiles

_GRACE: Final = timedelta(hours=1)
"""How long a replaced token lives on: another git may be at work with it."""


def renew_for_git(entry: StoredPat, otherwise: datetime, deps: Deps, failures: MarkerFiles) -> bool:
    """Rotate a token, and return False if another process has done it meanwhile.

    Args:
        entry: the token.
        otherwise: the expiry of the new token if the lifetime of the old one is not known.
        deps: the dependencies.
        failures: gets a marker if it fails, so that it is not tried each time.

    Raises:
        PatError: as `rotate` raises it, or the user is not signed in.
    """
    with deps.in_line(turn_key(entry.name, entry.org_url)):
        now = deps.state.find(entry.org_url, entry.name)
        if now is not None and now.id != entry.id:
            return False
        request = RotateRequest(expires=None, otherwise=otherwise, grace=_GRACE, name=entry.name)
        try:
            there = deps.at(organization_of(entry, deps))
            organization = there.organization
            (pat,) = TokenFinder(there).find(organization, [entry.id or ""])
            rotate(organization, pat, request, there)
        except PatError:
            failures.put(marker_key(entry))
            raise
    return True
