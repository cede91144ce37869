"""Undoing what an operation began and did not bring to its end."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import UnavailableError
from azdo_pat.models import Status

if TYPE_CHECKING:
    from azdo_pat.models import Intent, Organization, Secret, ServicePat
    from azdo_pat.services.workshop import Workshop

# The service and this machine need not agree on the time; a token made by a request that got no
# answer is looked for among those that the service dates this close to the request.
CLOCK_DIFFERENCE: Final = timedelta(minutes=5)
# The service keeps times to 1/300 s (spec: examples of `Pats_Create`).
_ROUNDING: Final = timedelta(milliseconds=10)


def mark_of(secret: Secret, salt: str = "") -> str:
    """Return what a secret can be recognized by, and not be found from: a salted hash.

    Args:
        secret: 52 of its characters are random, so that no dictionary helps.
        salt: that of a mark to compare with; empty for a new one.
    """
    salt = salt or secrets.token_hex(8)
    digest = hashlib.sha256(f"{salt}{secret.reveal()}".encode()).hexdigest()
    return f"{salt}:{digest}"


def bears(secret: Secret | None, mark: str) -> bool:
    """Tell whether a secret is the one that the mark was made of."""
    salt, _, digest = mark.partition(":")
    if secret is None or not digest:
        return False
    return hmac.compare_digest(mark_of(secret, salt), mark)


def holds_secret_of(organization: Organization, intent: Intent, shop: Workshop) -> bool:
    """Tell whether the secret that lies under an intent's name is that of the token it made.

    Raises:
        StoreError: the keyring refuses.
    """
    return bool(intent.mark) and bears(shop.secrets.get(organization.url, intent.name), intent.mark)


class DoubtfulError(UnavailableError):
    """Tokens were found that an unanswered request may have made, or another machine."""


def undo(organization: Organization, intent: Intent, shop: Workshop) -> bool:
    """Revoke the token that an intent made; False if none is found.

    Raises:
        DoubtfulError: tokens were found that may be the one, or not; none is touched, and the
            intent is closed.
        PatError: the service could not be asked.
    """
    if intent.authorization_id:
        shop.tokens.revoke(organization, intent.authorization_id)
        return True
    made, doubtful = _made_by(organization, intent, shop)
    if made is not None:
        shop.tokens.revoke(organization, made)
        return True
    if doubtful:
        if intent.key is not None:
            shop.state.finish(intent.key)
        raise DoubtfulError(
            f"tokens named {intent.name!r} were made at that time, perhaps by another machine:"
            f" {', '.join(doubtful)}",
            hint="revoke those whose secret nobody has: pat revoke ID",
        )
    return False


def _made_by(
    organization: Organization, intent: Intent, shop: Workshop
) -> tuple[str | None, list[str]]:
    """Find the token that a request without an answer made.

    The end that was asked for is known to the millisecond and serves as a mark: another machine
    that runs the same command at the same time asks for another millisecond. A token without
    that mark (the service may have shortened its life) is doubtful, and never revoked.
    """
    # What this machine knows to have made by other requests is none of this one's.
    known = shop.state.made() | {
        (each.id or "").lower() for each in shop.state.stored(organization.url)
    }
    marked: list[str] = []
    doubtful: list[str] = []
    for pat in shop.tokens.list(organization, Status.ACTIVE):
        if pat.authorization_id.lower() in known or not _resembles(pat, intent):
            continue
        exact = pat.valid_to and abs(pat.valid_to - intent.valid_to) <= _ROUNDING
        (marked if exact else doubtful).append(pat.authorization_id)
    if len(marked) == 1:
        return marked[0], []
    return None, marked + doubtful


def _resembles(pat: ServicePat, intent: Intent) -> bool:
    return (
        pat.display_name == intent.name
        and set(pat.scopes) == set(intent.scopes)
        and pat.target_accounts is not None
        and pat.valid_from is not None
        and abs(pat.valid_from - intent.started) <= CLOCK_DIFFERENCE
        and pat.valid_to is not None
        and pat.valid_to <= intent.valid_to + _ROUNDING
    )
