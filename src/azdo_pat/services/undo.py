"""Undoing what an operation began and did not bring to its end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import DoubtfulError
from azdo_pat.models import Field, Status
from azdo_pat.services.fingerprint import bears
from azdo_pat.services.organization_book import Place

if TYPE_CHECKING:
    from azdo_pat.models import Intent, Organization, ServicePat
    from azdo_pat.services.workshop import Workshop

_LATE: Final = timedelta(minutes=5)
"""How long a slow service may still be at work on a request."""
_CLOSE: Final = timedelta(minutes=5)
"""How close to the request the service dates a token that it made; the clocks may differ more."""
# The service keeps times to 1/300 s (spec: examples of `Pats_Create`).
_ROUNDING: Final = timedelta(milliseconds=10)


def holds_secret_of(organization: Organization, intent: Intent, shop: Workshop) -> bool:
    """Tell whether the secret that lies under an intent's name is that of the token it made.

    Raises:
        StoreError: the keyring refuses.
    """
    return bool(intent.mark) and bears(shop.secrets.get(organization.url, intent.name), intent.mark)


def may_come_late(intent: Intent, shop: Workshop) -> bool:
    """Tell whether a slow service may still be at work on a request that left no trace so far.

    Once that was looked for in vain, the service's clock alone decides: this machine's may be set
    in between.
    """
    if intent.looked is not None:
        return shop.service_now() - intent.looked <= _LATE
    if shop.now() - intent.started > _LATE:
        return False
    if intent.key is not None:
        shop.state.note_look(intent.key, shop.service_now())
    return True


def undo(organization: Organization, intent: Intent, shop: Workshop) -> bool:
    """Revoke the token that an intent made; False if none is found.

    Raises:
        DoubtfulError: tokens were found that may be the one, or not; none is touched, and the
            journal keeps the intent until they are revoked or dismissed.
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
        may_come_late(intent, shop)  # notes the time of this look, for when they are dismissed
        one = next((each for each in doubtful if each), "ID")
        shown = ", ".join(each or "a token whose id cannot be read" for each in doubtful)
        raise DoubtfulError(
            f"an interrupted {intent.operation} of {intent.name!r} in {intent.org} may have made"
            f" what another machine may have made as well: {shown}; not revoked",
            hint=f"if its secret is stored nowhere: pat revoke {one} --org {intent.org}; if it is"
            f" in use: pat doctor --dismiss {one}",
        )
    return False


def _made_by(
    organization: Organization, intent: Intent, shop: Workshop
) -> tuple[str | None, list[str]]:
    """Find the token that a request without an answer made.

    Name, scopes and expiry identify it: the expiry that was asked for has milliseconds of its
    own, which another machine that runs the same command does not share. Only where the user gave
    a full second, or a policy shortened the lifetime, does the time of the request tell; such a
    token is doubtful if that leaves a doubt, and never revoked.
    """
    # What this machine knows to have made by other requests is none of this one's.
    known = shop.state.made() | shop.state.dismissed()
    known |= {(each.id or "").lower() for each in shop.state.stored(organization.url)}
    alike = [
        pat
        for pat in shop.tokens.list(organization, Status.ACTIVE)
        if (not pat.authorization_id or pat.authorization_id not in known)
        and _resembles(pat, intent)
    ]
    certain: list[str] = []
    doubtful: list[str] = []
    for pat in alike:
        as_asked = pat.valid_to is not None and abs(pat.valid_to - intent.valid_to) <= _ROUNDING
        close = _is_close(pat, intent, shop)
        if not (as_asked or close or Field.CREATED in pat.unread):
            continue
        place = shop.book.place(pat.target_accounts, organization)
        if place not in {Place.HERE, Place.UNKNOWN}:
            continue  # the list holds tokens of the user's other organizations, too
        distinct = intent.valid_to.microsecond >= 1000  # noqa: PLR2004 - one millisecond
        readable = pat.unread <= {Field.CREATED}
        is_it = readable and as_asked and (distinct or close)
        group = certain if is_it else doubtful
        if pat.authorization_id not in group:  # a token may be listed twice
            group.append(pat.authorization_id)
    if len(certain) == 1:
        return certain[0], []
    return None, sorted(certain + doubtful)


def _resembles(pat: ServicePat, intent: Intent) -> bool:
    """Tell whether a token has what was asked for, in a lifetime that a policy may have cut.

    What could not be read of it rules it out as little as it identifies it: name or expiry must
    be known, so that a row of which nothing is known is not every operation's.
    """
    named = pat.is_named(intent.name)
    if Field.NAME in pat.unread:
        named = pat.valid_to is not None and abs(pat.valid_to - intent.valid_to) <= _ROUNDING
    return (
        named
        and (Field.SCOPES in pat.unread or set(pat.scopes) == set(intent.scopes))
        and pat.target_accounts is not None
        and (pat.valid_to is None or pat.valid_to <= intent.valid_to + _ROUNDING)
    )


def _is_close(pat: ServicePat, intent: Intent, shop: Workshop) -> bool:
    """Tell whether the service made a token at the time of the request, by either clock."""
    if pat.valid_from is None:
        return False
    ahead = shop.service_now() - shop.now()
    moments = (intent.started, intent.started + ahead)
    return any(abs(pat.valid_from - each) <= _CLOSE for each in moments)
