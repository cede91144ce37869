"""Signs the user in, and saves the sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.auth.claims import inspect
from azdo_pat.auth.saved_sign_in import NAME
from azdo_pat.results.diagnosis import SignedIn

if TYPE_CHECKING:
    from collections.abc import Callable

    from azdo_pat.auth.client import Granted
    from azdo_pat.auth.saved_sign_in import SavedSignIns
    from azdo_pat.models import Secret
    from azdo_pat.operations.deps import Deps


def sign_in(
    ask: Callable[[Secret | None, str], Granted], memory: SavedSignIns, deps: Deps, *, safe: bool
) -> SignedIn:
    """Sign the user in for the organization that is set, and save the sign-in.

    `ask` signs the user in, given MSAL's cache and the claims that Entra asked for. Without `safe`
    storage, the sign-in is not saved.

    Raises:
        PatError: the sign-in failed, is not a user's, or could not be stored.
    """
    located, _ = deps.session.located
    organization = located.url if located is not None and located.hosted else ""
    before = memory.load() if safe and memory.any else None
    cache = memory.cache.load() if before is not None else None
    former = before.of(organization) if before is not None else None
    granted = ask(cache, former.challenge if former else "")
    token = inspect(granted.sign_in.token.reveal(), source=NAME, now=deps.now())
    found = granted.sign_in._replace(
        user=granted.sign_in.user or token.user, tenant=granted.sign_in.tenant or token.tenant
    )
    if safe:
        with memory.turn():
            # Read again, as other sign-ins may have been renewed in the meantime.
            memory.keep(memory.load().signed_in(found, organization), granted.cache)
    return SignedIn(user=found.user, tenant=found.tenant, expires=found.expires, remembered=safe)
