"""Changes a token's name, scopes or expiry, and renames its stored secret."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from azdo_pat.command_lines import pat_command
from azdo_pat.dates import local_date, local_minute
from azdo_pat.errors import (
    ConflictError,
    PatError,
    PendingError,
    RefusedError,
    UnavailableError,
    UsageError,
)
from azdo_pat.expiry import is_shortened
from azdo_pat.journal import Deliver, JournalEntry, Rename, RevokeReplaced
from azdo_pat.models import (
    Field,
    Pat,
    PatChanges,
    PolicyName,
    Status,
    StoredPat,
    effective_expiry,
)
from azdo_pat.operations.fingerprint import fingerprint_of
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.operations.ownership import is_own
from azdo_pat.operations.readable import require_readable
from azdo_pat.operations.rename import move
from azdo_pat.results.tokens import Updated
from azdo_pat.services.stored_secrets import require_unchanged

if TYPE_CHECKING:
    from azdo_pat.models import Organization
    from azdo_pat.operations.deps import Deps
    from azdo_pat.store.state import State


def update(organization: Organization, pat: Pat, changes: PatChanges, deps: Deps) -> Updated:
    """Change a token on the service; the secret of a renamed one is stored under the new name.

    A secret that was imported under the token's name stays, as it may be another token's.

    Raises:
        UsageError: there is nothing to change.
        UnavailableError: its id could not be read, or the service did not answer properly.
        RefusedError: the token is revoked, or the service refuses.
        ConflictError: another secret is stored under the new name, or another process is
            working on one of the names.
        PendingError: it was changed, but the secret could not be moved to the new name.
    """
    _require_changeable(organization, pat, changes)
    _require_not_ended(organization, pat, changes, deps)
    known = _known(deps.state, organization, pat)
    with ExitStack() as locks:
        if known is not None:
            for name in sorted({known.name, changes.display_name or known.name}):
                locks.enter_context(deps.exclusive(lock_key(name, organization.url)))
            require_unchanged(known, deps)
            if changes.display_name not in {None, known.name}:
                known = _as_it_is(deps, known)
        return _changed(organization, pat, changes, deps, known)


def plan(organization: Organization, pat: Pat, changes: PatChanges) -> Pat:
    """Return the token as it would be after the change (dry run).

    Raises:
        PatError: as for `update`, if it would refuse the token without a request.
    """
    _require_changeable(organization, pat, changes)
    expires = effective_expiry(changes.valid_to, is_global=pat.is_global)
    return replace(
        pat,
        name=changes.display_name or pat.name,
        scopes=changes.scopes or pat.scopes,
        expires=expires or pat.expires,
    )


def _require_changeable(organization: Organization, pat: Pat, changes: PatChanges) -> None:
    if changes == PatChanges():
        raise UsageError("no change given", hint="add --name, --scope or --expires")
    require_readable(pat, organization, {Field.ID})
    if pat.status is Status.REVOKED or pat.id is None:
        raise RefusedError(
            f"{pat.name!r} is revoked and cannot be changed",
            hint="to create a new token, run: pat create",
        )


def _require_not_ended(
    organization: Organization, pat: Pat, changes: PatChanges, deps: Deps
) -> None:
    """Refuse to change the expiry of a token that a policy would make expire at once.

    The service counts the longest lifetime from the day of creation (spec: `Pats - Update`).

    Raises:
        RefusedError: that would happen.
    """
    if changes.valid_to is None or pat.created is None or pat.expires is None:
        return
    policy = deps.tenant_policies.read(organization, PolicyName.LIFESPAN)
    if policy is None or not policy.is_on or policy.max_days is None or policy.has_exceptions:
        return
    longest = pat.created + timedelta(days=policy.max_days)
    if longest <= deps.now() < pat.expires:
        raise RefusedError(
            f"a policy allows {policy.max_days} days from the day of creation, so {pat.name!r}"
            f" would expire {local_date(longest)}, not {local_date(pat.expires)}: nothing was"
            " changed",
            hint="to replace the token, run: "
            + pat_command("rotate", pat.id or "", options=("--expires", f"{policy.max_days}d")),
            code="patLifespanPolicyViolation",
        )


def _require_delivered(known: StoredPat, deps: Deps) -> None:
    """Check that a delivered token has nothing pending: the journal has its present name.

    Raises:
        ConflictError: one is.
    """
    if not known.renewal.deliveries:
        return
    for each in deps.state.unfinished(known.org_url, known.name):
        if isinstance(each, Deliver):
            raise ConflictError(
                f"the new secret of {known.name!r} has not been delivered yet, so the token is not"
                " renamed",
                hint=f"first run: {pat_command('deliver', known.name)}",
            )
        if isinstance(each, RevokeReplaced):
            old, due = each.replaced.authorization_id, each.replaced.due
            raise ConflictError(
                f"the token that {known.name!r} has replaced is still active, so the token is not"
                " renamed",
                hint=f"rename it after {local_minute(due)}; or, to revoke the old token now,"
                f" run: {pat_command('revoke', old)}",
            )


def _changed(
    organization: Organization,
    pat: Pat,
    changes: PatChanges,
    deps: Deps,
    known: StoredPat | None,
) -> Updated:
    """Change the token, then its entry and the name of its secret. The names must be locked."""
    left = known is not None and known.id is None
    own = None if left else known
    new_name = changes.display_name
    moves = new_name if own and own.stored and new_name != own.name else None
    if own is not None and moves is not None:
        _require_delivered(own, deps)
        _require_name_free(deps, own, moves)
    key = None
    if own is not None and moves is not None:
        entry = JournalEntry(organization, own.name, deps.now(), deps.session.user())
        key = deps.state.begin(Rename(entry, pat.id or "", moves))
    try:
        granted = deps.tokens.update(organization, pat.id or "", changes)
    except UnavailableError:
        raise  # it is unknown whether it was renamed; the next run checks
    except PatError:
        deps.state.finish(key)
        raise
    left_behind = left and new_name not in {None, pat.name}
    answer = replace(
        _completed(deps.organization_cache.pat(granted, organization, Status.ACTIVE), pat, changes),
        stored=pat.stored and not left_behind,
        origin=pat.origin,
    )
    if own is not None:
        _remember(deps.state, own, answer, changes)
        if moves is not None:
            move(own, moves, deps)
            deps.state.finish(key)
    asked = changes.valid_to
    shortened_from = asked if asked and is_shortened(asked, granted.valid_to) else None
    return Updated(pat=answer, shortened_from=shortened_from, left_behind=left_behind)


def _completed(answer: Pat, pat: Pat, changes: PatChanges) -> Pat:
    """Return the answer to a change, with known values for fields that could not be read."""
    unread = answer.unread
    expires = pat.expires if changes.valid_to is None else None
    return replace(
        answer,
        id=pat.id,
        status=Status.ACTIVE,
        name=(changes.display_name or pat.name) if Field.NAME in unread else answer.name,
        scopes=(changes.scopes or pat.scopes) if Field.SCOPES in unread else answer.scopes,
        created=pat.created if Field.CREATED in unread else answer.created,
        expires=expires if Field.EXPIRES in unread else answer.expires,
        org=pat.org if Field.TARGETS in unread else answer.org,
        is_global=pat.is_global if Field.TARGETS in unread else answer.is_global,
        unread=unread & (pat.unread | {Field.EXPIRES} if changes.valid_to else pat.unread),
    )


def _known(state: State, organization: Organization, pat: Pat) -> StoredPat | None:
    """Find this token's index entry; an imported one is known by its name alone."""
    for each in state.find_by_id(pat.id or ""):
        if each.org_url == organization.url:
            return each
    named = state.find(organization.url, pat.name) if pat.stored else None
    return named if named and named.id is None else None


def _as_it_is(deps: Deps, known: StoredPat) -> StoredPat:
    """Return the entry of the secret that is actually stored, which may be another program's.

    Of such a secret only the name is known, and it is not moved.
    """
    secret = deps.secrets.get(known.org_url, known.name) if known.stored else None
    if known.id is None or secret is None or is_own(secret, known):
        return known
    entry = StoredPat.unknown(known.organization, known.name, fingerprint_of(secret))
    deps.state.remember(entry)
    return entry


def _require_name_free(deps: Deps, known: StoredPat, new_name: str) -> None:
    """Check that the secret can be moved before changing anything."""
    deps.secrets.check()
    taken = deps.secrets.get(known.org_url, new_name)
    # If the same secret is stored there, an earlier attempt to move it was interrupted.
    forget = pat_command("forget", new_name)
    hint = f"use another name; or, to delete that secret, run: {forget}"
    if taken is not None and taken != deps.secrets.get(known.org_url, known.name):
        raise ConflictError(
            f"a secret is already stored under {new_name!r} for {known.org}", hint=hint
        )
    if deps.state.find(known.org_url, new_name) is not None:
        raise ConflictError(
            f"this machine knows another token by the name {new_name!r} for {known.org}", hint=hint
        )


def _remember(state: State, known: StoredPat, granted: Pat, changes: PatChanges) -> None:
    """Index scopes and dates under the name that the secret still has.

    Values missing in the service's answer are the requested ones, or those known before.
    """
    entry = replace(
        known,
        scopes=granted.scopes or known.scopes,
        created=granted.created or known.created,
        expires=granted.expires or changes.valid_to or known.expires,
    )
    try:
        state.remember(entry)
    except PatError as error:
        raise PendingError(
            (
                "the token was changed, but the change could not be recorded on this machine:"
                f" {error.message}"
            ),
            hint=error.hint,
        ) from error
