"""Replaces a token with a new one of the same name and scopes, and revokes the old one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.command_lines import pat_command
from azdo_pat.errors import ConflictError, PatError, RefusedError
from azdo_pat.journal import JournalEntry, Replaced, Rotate
from azdo_pat.models import Field, Pat, Status, global_tokens_stop
from azdo_pat.operations.delivery import followed_up, probe_targets
from azdo_pat.operations.deps import service_now
from azdo_pat.operations.issue import CreateRequest, issue
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.operations.ownership import Owner, conflict, is_refused, owner_of
from azdo_pat.operations.readable import require_readable
from azdo_pat.operations.recovery import recover_name
from azdo_pat.renewal import DEFAULT_RENEWAL
from azdo_pat.results.plans import Action, Change, ChangeOutcome
from azdo_pat.results.tokens import OldTokenOutcome, Rotated
from azdo_pat.services.find_tokens import TokenFinder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from azdo_pat.delivery_targets import Delivery
    from azdo_pat.journal import Deliver, RevokeReplaced
    from azdo_pat.models import Organization, Secret, StoredPat
    from azdo_pat.operations.deps import Deps
    from azdo_pat.renewal import Renewal
    from azdo_pat.results.tokens import Created

_LONGEST_LIFE: Final = timedelta(days=365)
"""Source: the service refuses more (documentation: "Use personal access tokens")."""


@dataclass(frozen=True, kw_only=True)
class RotateRequest:
    """The options of a rotation.

    Attributes:
        expires: the expiry of the new token; None for the same lifetime as the old one.
        otherwise: its expiry if the old lifetime is unknown.
        keep_old: do not revoke the old token.
        grace: revoke the old token this long after the run, and so on each later rotation; zero
            for at once; None for the remembered grace period.
        least_grace: as `grace` at least, in this run only.
        scopes: of the new token; None for the old one's.
        name: of the new token and its stored secret; None for the one under which
            the old one's is stored, or else its display name.
        deliveries: its delivery targets; None for the old one's.
        renewal: the renewal settings of the new token; None for the old one's.
        only_stored: refuse to revoke an old token whose secret is not stored, as
            another program may use that token.
        keyring_tried: the keyring has just been checked, when rotating many tokens.
    """

    expires: datetime | None
    otherwise: datetime
    keep_old: bool = False
    grace: timedelta | None = None
    least_grace: timedelta = timedelta()
    scopes: tuple[str, ...] | None = None
    name: str | None = None
    deliveries: tuple[Delivery, ...] | None = None
    renewal: Renewal | None = None
    only_stored: bool = False
    keyring_tried: bool = False


def rotate(organization: Organization, pat: Pat, request: RotateRequest, deps: Deps) -> Rotated:
    """Create a token with the same name and scopes, check its secret, and revoke the old one.

    The order makes it safe: the old token stays active until the new secret is stored, was read
    back and was accepted by the service. From then on the journal records that the new one must be
    delivered, and then the old one revoked.

    Raises:
        RefusedError: the token is revoked, or the service refused; nothing has changed.
        ConflictError: the token is valid in all organizations; or the secret stored under
            the name is, or may be, another token's; or none is stored, against `only_stored`.
        UnavailableError: a field needed for the new token could not be read; nothing has changed.
        PatError: as for `create`; the old token is active and its secret still stored.
    """
    name = _name_of_new(organization, pat, request, deps)
    _ = deps.tokens  # see `Deps`
    with deps.exclusive(lock_key(name, organization.url)):
        recover_name(organization, name, deps)
        if not request.keyring_tried:
            deps.secrets.check()
        known = deps.state.find(organization.url, name)
        previous, owner = _stored_secret(organization, name, pat, deps)
        if request.only_stored and owner is not Owner.THIS and not _stays_active(pat, request):
            raise _used_elsewhere(pat, organization)
        wanted = CreateRequest(
            name=name,
            scopes=request.scopes or pat.scopes,
            expires=_end(pat, request, deps.now()),
            renewal=_renewal(request, known),
        )
        probe_targets(organization, name, wanted.renewal.deliveries, deps)
        entry = JournalEntry(organization, name, deps.now(), deps.session.user())
        grace = max(wanted.renewal.overlap, request.least_grace)
        replaced = _replaced(pat, request, entry.started + grace)
        operation = Rotate(entry, wanted.new_token, replaced)
        created, rest = issue(operation, wanted, deps, previous=previous)
        rotated = _with_old(pat, created, rest, deps, is_kept=replaced is None)
        return replace(rotated, waits_for_readers=wanted.renewal.waits_for_readers)


class RotateStep(NamedTuple):
    """A token to rotate.

    Attributes:
        unseen: it will be revoked, and its secret is not stored here, so others may use it.
    """

    pat: Pat
    unseen: bool

    def change(self, organization: Organization) -> Change:
        """Return the change that rotating would make (dry run)."""
        consequence = (
            "its secret is not stored here: programs that use the old token will stop working"
        )
        return Change(
            action=Action.ROTATE,
            outcome=ChangeOutcome.PLANNED,
            pat=self.pat,
            org=organization.name,
            why=consequence if self.unseen else "",
        )


def plan(
    organization: Organization, texts: Sequence[str], request: RotateRequest, deps: Deps
) -> tuple[Sequence[RotateStep], Sequence[str]]:
    """Find the tokens that the user names, and whether their secrets are stored.

    Returns:
        The tokens to rotate; and for each of the others why it cannot be rotated.

    Raises:
        PatError: only one token is named, and it cannot be rotated.
    """
    pats, failures = TokenFinder(deps).find_each(organization, texts, own_first=True)
    problems = [each.one_line for each in failures]
    steps = []
    for pat in pats:
        try:
            name = _name_of_new(organization, pat, request, deps)
            _, owner = _stored_secret(organization, name, pat, deps)
        except PatError as error:
            failures = (*failures, error)
            problems.append(rotate_failure(pat, error))
        else:
            unseen = owner is not Owner.THIS and not _stays_active(pat, request)
            steps.append(RotateStep(pat, unseen))
    if failures and len(set(texts)) == 1:
        raise failures[0]
    return steps, problems


def rotate_failure(pat: Pat, error: PatError) -> str:
    """Return why a token cannot be rotated, in words."""
    return f"{pat.name or pat.id}: {error.one_line}"


def _name_of_new(organization: Organization, pat: Pat, request: RotateRequest, deps: Deps) -> str:
    """Return the name of the new token, after checking that the old one can be rotated.

    Raises:
        PatError: it cannot be.
    """
    _require_rotatable(organization, pat, deps)
    name = request.name or _name_here(organization, pat, deps)
    needed = {Field.ID, Field.TARGETS}
    needed |= set() if name else {Field.NAME}
    needed |= set() if request.scopes else {Field.SCOPES}
    require_readable(pat, organization, needed)
    return name


def _require_rotatable(organization: Organization, pat: Pat, deps: Deps) -> None:
    """Check that a token can be rotated at all.

    Raises:
        RefusedError: it is revoked.
        ConflictError: it is valid in all organizations: one for this organization would not
            replace it, and revoking it would revoke it in all of them.
    """
    if pat.status is Status.REVOKED:
        raise RefusedError(
            f"{pat.name!r} in {organization.name} is revoked and cannot be rotated",
            hint="to create a new token, run: "
            + pat_command("create", pat.name, options=("--scope", "…")),
        )
    if pat.is_global:
        raise ConflictError(
            f"{pat.name!r} ({pat.id}) is valid in all your organizations: a new token for"
            f" {organization.name} alone cannot replace it, and it"
            f" {global_tokens_stop(service_now(deps))}",
            hint="to create a token for each organization that uses it, run:"
            f" {pat_command('migrate', pat.name or pat.id or '')}",
        )


def _name_here(organization: Organization, pat: Pat, deps: Deps) -> str:
    """Return the name under which the token's secret is stored, or else its display name.

    Empty if neither is known.

    They differ if it was renamed on the web page or by another machine; users ask for the
    secret by the name that it has on this machine.
    """
    known = deps.state.find_by_id(pat.id) if pat.id else ()
    own_name = "" if Field.NAME in pat.unread else pat.name
    return next(
        (each.name for each in known if each.stored and each.org_url == organization.url), own_name
    )


def _used_elsewhere(pat: Pat, organization: Organization) -> ConflictError:
    where = ("--org", organization.name)
    return ConflictError(
        f"the secret of {pat.name!r} in {organization.name} is not stored: another program may"
        " use the token, and rotating revokes it",
        hint="to rotate it anyway, run: "
        + pat_command("rotate", pat.id or pat.name, options=where),
    )


def _stored_secret(
    organization: Organization, name: str, pat: Pat, deps: Deps
) -> tuple[Secret | None, Owner]:
    """Return the secret stored under the name, after checking that it may be overwritten.

    Returns:
        The secret, and its owner: this token, none, or an unknown token that no longer works.

    Raises:
        ConflictError: it is, or may be, another token's.
        StoreError: the keyring failed.
    """
    secret = deps.secrets.get(organization.url, name)
    known = deps.state.find(organization.url, name)
    owner = owner_of(secret, known, pat.id)
    if owner in {Owner.NONE, Owner.THIS}:
        return secret, owner
    if owner is Owner.UNKNOWN and secret is not None and is_refused(secret, organization, deps):
        return secret, owner
    raise conflict(owner, name, known, organization.name)


def _renewal(request: RotateRequest, known: StoredPat | None) -> Renewal:
    renewal = request.renewal or (known.renewal if known else DEFAULT_RENEWAL)
    if request.grace is not None:
        renewal = renewal._replace(grace=request.grace)
    if request.deliveries is None:
        return renewal
    return renewal.delivered_to(request.deliveries)


def _end(pat: Pat, request: RotateRequest, now: datetime) -> datetime:
    """Return the expiry of the new token: a full lifetime, not the rest of the old one's."""
    if request.expires is not None:
        return request.expires
    if pat.created is None or pat.expires is None or pat.expires <= pat.created:
        return request.otherwise
    return now + min(pat.expires - pat.created, _LONGEST_LIFE)


def _stays_active(pat: Pat, request: RotateRequest) -> bool:
    """Return whether rotating leaves the old token active."""
    return request.keep_old or pat.status is Status.EXPIRED


def _replaced(pat: Pat, request: RotateRequest, due: datetime) -> Replaced | None:
    """Return the old token as one to revoke; None if it stays active."""
    if _stays_active(pat, request) or pat.id is None:
        return None
    return Replaced(pat.id, due)


def _with_old(
    pat: Pat,
    created: Created,
    rest: Deliver | RevokeReplaced | None,
    deps: Deps,
    *,
    is_kept: bool,
) -> Rotated:
    """Deliver the new secret and revoke the old token; a later run repeats what fails."""
    done = followed_up(rest, deps)
    created = replace(created, undelivered=done.undelivered)
    rotated = Rotated(created=created, replaced=pat, old=OldTokenOutcome.REVOKED)
    if done.undelivered:
        return replace(rotated, old=OldTokenOutcome.UNDELIVERED, reason=done.undelivered)
    if done.unrevoked:
        return replace(rotated, old=OldTokenOutcome.PENDING, reason=done.unrevoked)
    if done.due is not None:
        return replace(rotated, old=OldTokenOutcome.LATER, due=done.due)
    if is_kept:
        old = OldTokenOutcome.EXPIRED if pat.status is Status.EXPIRED else OldTokenOutcome.KEPT
        return replace(rotated, old=old)
    return rotated
