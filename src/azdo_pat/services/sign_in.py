"""Signs the user in, and saves the sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.results import SignedIn

if TYPE_CHECKING:
    from collections.abc import Callable

    from azdo_pat.auth.client import Granted
    from azdo_pat.auth.saved_sign_in import SavedSignIns
    from azdo_pat.models import AccessToken, Secret


class SignInMethod(NamedTuple):
    """How to sign in, and where.

    Attributes:
        sign_in: signs the user in, given MSAL's cache and the claims that Entra asked for.
        inspect: validates an access token, and refuses one that is not a user's.
        organization: the URL of the organization to sign in for; empty for none in particular.
        safe: there is safe storage for the sign-in.
    """

    sign_in: Callable[[Secret | None, str], Granted]
    inspect: Callable[[Secret], AccessToken]
    organization: str
    safe: bool


def sign_in(way: SignInMethod, memory: SavedSignIns) -> SignedIn:
    """Sign the user in, and save the sign-in if there is safe storage.

    Raises:
        PatError: the sign-in failed, is not a user's, or could not be stored.
    """
    before = memory.load() if way.safe and memory.any else None
    cache = memory.cache.load() if before is not None else None
    former = before.of(way.organization) if before is not None else None
    granted = way.sign_in(cache, former.challenge if former else "")
    token = way.inspect(granted.sign_in.token)
    found = granted.sign_in._replace(
        user=granted.sign_in.user or token.user, tenant=granted.sign_in.tenant or token.tenant
    )
    if way.safe:
        with memory.turn():
            # Read again, as other sign-ins may have been renewed in the meantime.
            memory.keep(memory.load().signed_in(found, way.organization), granted.cache)
    return SignedIn(
        user=found.user, tenant=found.tenant, expires=found.expires, remembered=way.safe
    )
