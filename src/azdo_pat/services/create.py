"""Making a token so that its secret is never lost, and no token left over."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from azdo_pat.errors import ConflictError, RefusedError
from azdo_pat.expiry import is_shortened
from azdo_pat.journal import Create, Deliver, JournalEntry, NewToken
from azdo_pat.models import GLOBAL_TOKENS_STOP, Secret
from azdo_pat.naming import as_argument
from azdo_pat.operations.delivery import delivered
from azdo_pat.operations.issue import Issuance
from azdo_pat.operations.name_lock import lock_key
from azdo_pat.operations.recovery import recover_name
from azdo_pat.results import Created

if TYPE_CHECKING:
    from collections.abc import Callable

    from azdo_pat.models import Organization
    from azdo_pat.operations.context import CreateRequest, Deps


def refuse_global() -> RefusedError:
    """Say why no token for all organizations can be made."""
    return RefusedError(
        "pat makes no token for all organizations: every such token stops working on"
        f" {GLOBAL_TOKENS_STOP}",
        hint="make one for each organization: pat create NAME --scope S --org ORG",
    )


def create(
    organization: Organization,
    request: CreateRequest,
    deps: Deps,
    hand_over: Callable[[Created], None] | None = None,
) -> Created:
    """Make a token, and put its secret in the keyring before saying so.

    Whatever fails behind the request to the service, no token is left alive whose secret is
    nowhere: it is revoked again, or, where that fails too, named in the error and kept in the
    journal.

    Args:
        organization: where to make it.
        request: what to make.
        deps: the collaborators.
        hand_over: gives a secret that is not stored to the user; if it fails, the token goes.

    Raises:
        ConflictError: a secret is stored under the name, or another `pat` is at work on it.
        StoreError: the keyring or the state file refuses; nothing was made, or it was revoked.
        RefusedError: the service refused, or shortened the life against `fail_if_shortened`.
        NoAnswerError: the answer never came; what the request made was looked for and revoked.
        CancelledError: the user stopped it behind the request; the same was done.
    """
    with deps.exclusive(lock_key(request.name, organization.url)):
        recover_name(organization, request.name, deps)
        replaced = _room_for(organization, request, deps)
        issuance = Issuance(
            deps=deps,
            operation=Create(
                JournalEntry(organization, request.name, deps.now(), deps.user()),
                NewToken(request.scopes, request.expires, request.renewal),
                overwrites=replaced is not None,
            ),
            previous=replaced.secret if replaced else None,
        )
        new = issuance.post(request)
        issuance.guard_life(new, request)
        created = Created(
            pat=issuance.granted(new.pat, request),
            secret=new.secret,
            requested_expiry=request.expires,
            shortened=is_shortened(request.expires, new.pat.valid_to),
            replaced=replaced.id if replaced else None,
        )
        rest = issuance.keep(new, request, lambda: hand_over(created) if hand_over else None)
        if isinstance(rest, Deliver):
            _, undelivered = delivered(rest, deps)
            created = replace(created, undelivered=undelivered)
        return created


@dataclass(frozen=True, kw_only=True)
class _Replaced:
    """What is stored under the name, and will be overwritten.

    Attributes:
        id: its authorization id, where this machine knows it.
    """

    id: str | None
    secret: Secret = field(repr=False)


def _room_for(organization: Organization, request: CreateRequest, deps: Deps) -> _Replaced | None:
    """Hold that the name is free here and the keyring works, before anything is made."""
    if not request.store:
        return None
    deps.secrets.check()
    secret = deps.secrets.get(organization.url, request.name)
    if secret is None:
        return None
    if not request.replace:
        raise ConflictError(
            f"a secret is already stored under {request.name!r} for {organization.name}",
            hint=f"pat get {as_argument(request.name)} prints it; --replace overwrites it,"
            " another name leaves it be",
        )
    known = deps.state.find(organization.url, request.name)
    return _Replaced(id=known.id if known else None, secret=secret)
