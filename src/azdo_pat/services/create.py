"""Creates a token so that neither its secret is lost nor an unused token left behind."""

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
    from azdo_pat.operations.deps import Deps
    from azdo_pat.operations.issue import CreateRequest


def refuse_global() -> RefusedError:
    """Return the error that refuses to create a token for all organizations."""
    return RefusedError(
        "pat does not create tokens for all organizations: every such token stops working on"
        f" {GLOBAL_TOKENS_STOP}",
        hint="create one for each organization: pat create NAME --scope S --org ORG",
    )


def create(
    organization: Organization,
    request: CreateRequest,
    deps: Deps,
    hand_over: Callable[[Created], None] | None = None,
) -> Created:
    """Create a token and store its secret in the keyring.

    If anything fails after the request to the service, the token is revoked again, as its secret
    would be lost. If that fails too, the error names the token, and the operation stays in the
    journal.

    Args:
        organization: where to create it.
        request: what to create.
        deps: the dependencies.
        hand_over: hands a secret that is not stored to the user; if it fails, the token is revoked.

    Raises:
        ConflictError: a secret is stored under the name, or another process is working on it.
        StoreError: the keyring or the state file failed; no token was created, or it was revoked.
        RefusedError: the service refused, or shortened the lifetime despite `fail_if_shortened`.
        NoAnswerError: no answer came; a token of the request was searched for and revoked.
        CancelledError: the user cancelled after the request; the same was done.
    """
    _ = deps.tokens  # see `Deps`
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
    """The stored secret that will be overwritten.

    Attributes:
        id: the authorization id of its token, if this machine knows it.
    """

    id: str | None
    secret: Secret = field(repr=False)


def _room_for(organization: Organization, request: CreateRequest, deps: Deps) -> _Replaced | None:
    """Check that the name is free and the keyring works before creating anything."""
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
