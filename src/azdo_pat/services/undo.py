"""Undoing what an operation began and did not bring to its end."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import StoreError, UnavailableError
from azdo_pat.models import Status

if TYPE_CHECKING:
    from azdo_pat.models import Intent, Organization, ServicePat
    from azdo_pat.services.workshop import Workshop

# The service and this machine need not agree on the time; a token made by a request that got no
# answer is looked for among those that the service dates this close to the request.
_CLOCK_DIFFERENCE: Final = timedelta(minutes=5)
# The service keeps times to 1/300 s (spec: examples of `Pats_Create`).
_ROUNDING: Final = timedelta(milliseconds=10)


def settle_leftovers(organization: Organization, name: str, shop: Workshop) -> None:
    """Undo what an earlier create of that name left behind when it was killed.

    The lock on the name is held, so no live process is at work on it. A secret that was stored
    but never indexed is the killed create's own, and goes with its token.
    """
    for intent in shop.state.unfinished(organization.url, name):
        undone = undo(organization, intent, shop)
        if intent.key is not None:
            shop.state.finish(intent.key)
        if undone and shop.state.find(organization.url, name) is None:
            # A keyring that refuses is told where this create needs it.
            with suppress(StoreError):
                shop.secrets.delete(organization.url, name)


class DoubtfulError(UnavailableError):
    """Tokens were found that an unanswered request may have made, or another machine."""


def undo(organization: Organization, intent: Intent, shop: Workshop) -> bool:
    """Revoke the token that an intent made, if it made one, and then close the intent.

    Where nothing is found it stays open: a slow service may still be at work on the request. The
    next create of that name looks again.

    Raises:
        DoubtfulError: tokens were found that may be the one, or not; none is touched.
        PatError: the service could not be asked.
    """
    made, doubtful = (
        (intent.authorization_id, [])
        if intent.authorization_id
        else _made_by(organization, intent, shop)
    )
    if made is not None:
        shop.tokens.revoke(organization, made)
    if intent.key is not None and (made or doubtful):
        shop.state.finish(intent.key)
    if doubtful:
        raise DoubtfulError(
            f"tokens named {intent.name!r} were made at that time, perhaps by another machine:"
            f" {', '.join(doubtful)}",
            hint="revoke those whose secret nobody has: pat revoke ID",
        )
    return made is not None


def _made_by(
    organization: Organization, intent: Intent, shop: Workshop
) -> tuple[str | None, list[str]]:
    """Find the token that a request without an answer made.

    The end that was asked for is known to the millisecond and serves as a mark: another machine
    that runs the same command at the same time asks for another millisecond. A token without
    that mark (the service may have shortened its life) is doubtful, and never revoked.
    """
    known = {each.id for each in shop.state.stored(organization.url)}
    marked: list[str] = []
    doubtful: list[str] = []
    for pat in shop.tokens.list(organization, Status.ACTIVE):
        if pat.authorization_id in known or not _resembles(pat, intent):
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
        and abs(pat.valid_from - intent.started) <= _CLOCK_DIFFERENCE
        and pat.valid_to is not None
        and pat.valid_to <= intent.valid_to + _ROUNDING
    )
