"""Replacing a token by a new one of the same name and scopes, and the old one's end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import ConflictError, PatError, RefusedError
from azdo_pat.expiry import is_shortened
from azdo_pat.journal import (
    Deliver,
    JournalEntry,
    NewToken,
    Replaced,
    RevokeReplaced,
    Rotate,
    is_due,
)
from azdo_pat.models import GLOBAL_TOKENS_STOP, Field, Pat, Status
from azdo_pat.naming import as_argument
from azdo_pat.operations.context import CreateRequest
from azdo_pat.operations.delivery import delivered, revoke_replaced
from azdo_pat.operations.issue import Issuance
from azdo_pat.operations.name_lock import lock_key
from azdo_pat.operations.ownership import Owner, conflict, is_refused, owner_of
from azdo_pat.operations.readable import require_readable
from azdo_pat.operations.recovery import recover_name
from azdo_pat.renewal import DEFAULT_RENEWAL
from azdo_pat.results import INTERRUPTED, Created, OldTokenOutcome, Rotated

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from azdo_pat.models import Organization, Secret, StoredPat
    from azdo_pat.operations.context import Deps
    from azdo_pat.renewal import Delivery, Renewal

_LONGEST_LIFE: Final = timedelta(days=365)
"""Source: the service refuses more (documentation: "Use personal access tokens")."""


@dataclass(frozen=True, kw_only=True)
class RotateRequest:
    """What the user asks for.

    Attributes:
        expires: the end of the new token; None for as long a life as the old one was given.
        otherwise: its end where that life is not known.
        keep_old: let the old token live.
        grace: revoke the old token so long after this run; None for at once.
        scopes: those of the new token; None for the old one's.
        name: that of the new token, and of the place of its secret; None for the one under which
            the old one's is stored, or else its display name.
        deliveries: where its secret goes; None for where the old one's went.
        renewal: how the new one is looked after; None for as the old one was.
        only_stored: refuse where the old token would end and its secret is not stored here, as
            something else uses that token.
        keyring_tried: the keyring was tried a moment ago, as for many at once.
    """

    expires: datetime | None
    otherwise: datetime
    keep_old: bool = False
    grace: timedelta | None = None
    scopes: tuple[str, ...] | None = None
    name: str | None = None
    deliveries: tuple[Delivery, ...] | None = None
    renewal: Renewal | None = None
    only_stored: bool = False
    keyring_tried: bool = False


def rotate(
    organization: Organization,
    pat: Pat,
    request: RotateRequest,
    deps: Deps,
    *,
    try_out: Callable[[Secret], object],
) -> Rotated:
    """Make a token of the same name and scopes, see that its secret works, revoke the old one.

    The order is what makes it safe: the old token lives until the new secret is stored, was read
    back and was accepted by the service. From then on the journal knows that the new one must be
    delivered, and the old one go once it is.

    Args:
        organization: where.
        pat: the token as the service lists it.
        request: what is wished of the new one.
        deps: the collaborators.
        try_out: uses a secret; raises what is wrong with it.

    Raises:
        RefusedError: the token is revoked, or the service refused; nothing has changed.
        ConflictError: the token is valid in all organizations; or the secret that is stored under
            the name is, or may be, another token's; or none is stored, against `only_stored`.
        UnavailableError: what the new one is to be like could not be read; nothing has changed.
        PatError: as `create` raises it; the old token lives and its secret is where it was.
    """
    name = _name_of_new(organization, pat, request, deps)
    with deps.exclusive(lock_key(name, organization.url)):
        recover_name(organization, name, deps)
        if not request.keyring_tried:
            deps.secrets.check()
        known = deps.state.find(organization.url, name)
        previous, owner = _stored_secret(organization, name, pat, deps, try_out)
        if request.only_stored and owner is not Owner.THIS and not _stays_active(pat, request):
            raise _used_elsewhere(pat, organization)
        wanted = CreateRequest(
            name=name,
            scopes=request.scopes or pat.scopes,
            expires=_end(pat, request, deps.now()),
            renewal=_renewal(request, known),
        )
        entry = JournalEntry(organization, wanted.name, deps.now(), deps.user())
        issuance = Issuance(
            deps=deps,
            operation=Rotate(
                entry,
                NewToken(wanted.scopes, wanted.expires, wanted.renewal),
                _replaced(pat, request, entry.started),
            ),
            previous=previous,
            try_out=try_out,
        )
        new = issuance.post(wanted)
        created = Created(
            pat=issuance.granted(new.pat, wanted),
            secret=new.secret,
            requested_expiry=wanted.expires,
            shortened=is_shortened(wanted.expires, new.pat.valid_to),
        )
        return _with_old(pat, created, issuance.keep(new, wanted, lambda: None), deps)


def ends_unseen(
    organization: Organization,
    pat: Pat,
    request: RotateRequest,
    deps: Deps,
    *,
    try_out: Callable[[Secret], object],
) -> bool:
    """Tell whether rotating ends a token whose secret is not stored here: something else uses it.

    Raises:
        PatError: as `rotate`, where it would refuse the token.
    """
    name = _name_of_new(organization, pat, request, deps)
    _, owner = _stored_secret(organization, name, pat, deps, try_out)
    return owner is not Owner.THIS and not _stays_active(pat, request)


def _name_of_new(organization: Organization, pat: Pat, request: RotateRequest, deps: Deps) -> str:
    """Return the name of the new token, once it is sure that the old one can be rotated.

    Raises:
        PatError: it cannot be.
    """
    _require_rotatable(organization, pat)
    name = request.name or _name_here(organization, pat, deps)
    needed = {Field.ID, Field.TARGETS}
    needed |= set() if name else {Field.NAME}
    needed |= set() if request.scopes else {Field.SCOPES}
    require_readable(pat, organization, needed)
    return name


def _require_rotatable(organization: Organization, pat: Pat) -> None:
    """Check that a token can be rotated at all.

    Raises:
        RefusedError: it is revoked.
        ConflictError: it is valid in all organizations: one for this organization would not
            replace it, and to revoke it would end it in all of them.
    """
    if pat.status is Status.REVOKED:
        raise RefusedError(
            f"{pat.name!r} in {organization.name} is revoked: there is nothing to rotate",
            hint=f"make a new one: pat create {as_argument(pat.name)} --scope …",
        )
    if pat.is_global:
        raise ConflictError(
            f"{pat.name!r} ({pat.id}) is valid in all your organizations: a new token for"
            f" {organization.name} alone cannot replace it, and it stops working on"
            f" {GLOBAL_TOKENS_STOP}",
            hint="make a token for each organization that uses it: pat create NAME --scope S --org"
            f" ORG; then revoke it: pat revoke {pat.id}",
        )


def _name_here(organization: Organization, pat: Pat, deps: Deps) -> str:
    """Return the name under which the token's secret is stored, or else its display name.

    Empty where neither is known.

    They differ where it was renamed on the web page or by another machine; whoever asks for the
    secret asks by the name that it has here.
    """
    known = deps.state.find_by_id(pat.id) if pat.id else ()
    own_name = "" if Field.NAME in pat.unread else pat.name
    return next(
        (each.name for each in known if each.stored and each.org_url == organization.url), own_name
    )


def _used_elsewhere(pat: Pat, organization: Organization) -> ConflictError:
    token = as_argument(pat.id or pat.name)
    return ConflictError(
        f"the secret of {pat.name!r} in {organization.name} is not stored here: something else may"
        " use the token, and rotating revokes it",
        hint=f"to rotate it all the same: pat rotate {token} --org {organization.name}",
    )


def _stored_secret(
    organization: Organization,
    name: str,
    pat: Pat,
    deps: Deps,
    try_out: Callable[[Secret], object],
) -> tuple[Secret | None, Owner]:
    """Return what is stored under the name, once it is sure to be this token's own, or dead.

    Returns:
        The secret, and whose it is: this token's, no one's, or an unknown token's that is dead.

    Raises:
        ConflictError: it is, or may be, another token's.
        StoreError: the keyring refuses.
    """
    secret = deps.secrets.get(organization.url, name)
    known = deps.state.find(organization.url, name)
    owner = owner_of(secret, known, pat.id)
    if owner in {Owner.NONE, Owner.THIS}:
        return secret, owner
    if owner is Owner.UNKNOWN and secret is not None and is_refused(secret, try_out):
        return secret, owner
    raise conflict(owner, name, known, organization.name)


def _renewal(request: RotateRequest, known: StoredPat | None) -> Renewal:
    renewal = request.renewal or (known.renewal if known else DEFAULT_RENEWAL)
    if request.deliveries is None:
        return renewal
    return renewal.delivered_to(request.deliveries)


def _end(pat: Pat, request: RotateRequest, now: datetime) -> datetime:
    """Return the end of the new token: a full life again, never what was left of the old one."""
    if request.expires is not None:
        return request.expires
    if pat.created is None or pat.expires is None or pat.expires <= pat.created:
        return request.otherwise
    return now + min(pat.expires - pat.created, _LONGEST_LIFE)


def _stays_active(pat: Pat, request: RotateRequest) -> bool:
    """Tell whether rotating leaves the old token as it is."""
    return request.keep_old or pat.status is Status.EXPIRED


def _replaced(pat: Pat, request: RotateRequest, now: datetime) -> Replaced | None:
    """Return the old token as one to revoke; None where it stays."""
    if _stays_active(pat, request) or pat.id is None:
        return None
    return Replaced(pat.id, now + (request.grace or timedelta()))


def _with_old(
    pat: Pat, created: Created, rest: Deliver | RevokeReplaced | None, deps: Deps
) -> Rotated:
    """Deliver the new secret and revoke the old token; what fails is left to a later run."""
    if isinstance(rest, Deliver):
        rest, undelivered = delivered(rest, deps)
        created = replace(created, undelivered=undelivered)
    rotated = Rotated(created=created, replaced=pat, old=OldTokenOutcome.REVOKED)
    if created.undelivered:
        return replace(rotated, old=OldTokenOutcome.UNDELIVERED, reason=created.undelivered)
    if not isinstance(rest, RevokeReplaced):
        old = OldTokenOutcome.EXPIRED if pat.status is Status.EXPIRED else OldTokenOutcome.KEPT
        return replace(rotated, old=old)
    if not is_due(rest, deps.now()):
        return replace(rotated, old=OldTokenOutcome.LATER, due=rest.replaced.due)
    try:
        revoke_replaced(rest, deps)
    except (PatError, KeyboardInterrupt) as error:
        reason = error.message if isinstance(error, PatError) else INTERRUPTED
        return replace(rotated, old=OldTokenOutcome.PENDING, reason=reason)
    return rotated
