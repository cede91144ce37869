"""Delivers a stored secret, and then revokes the token that it has replaced."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from azdo_pat.command_lines import pat_command
from azdo_pat.delivery_targets import is_polled
from azdo_pat.errors import ConflictError, PatError, PendingError
from azdo_pat.journal import (
    Deliver,
    Issue,
    JournalEntry,
    RevokeReplaced,
    Rotate,
    is_due,
    revoked_by,
)
from azdo_pat.models import Handover, Status
from azdo_pat.operations.fingerprint import fingerprint_of, matches
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.operations.ownership import is_refused
from azdo_pat.operations.revocation import delete_own
from azdo_pat.operations.takeover import (
    has_ended,
    holder_of,
    is_older,
    noted,
    own_token,
    take_over,
)
from azdo_pat.renewal import LastDelivery
from azdo_pat.results.recovery import RecoveryOutcome
from azdo_pat.results.tokens import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from azdo_pat.deliveries.services import Recognizes
    from azdo_pat.delivery_targets import Delivery
    from azdo_pat.models import Organization, Secret, StoredPat
    from azdo_pat.operations.deps import Deps
    from azdo_pat.renewal import Renewal


Failure = TypeVar("Failure", bound=PatError)


def deliver(operation: Deliver, deps: Deps, *, overwrite: bool = False) -> RevokeReplaced | None:
    """Deliver the secret stored under a name to all targets of its token.

    It is always the newest secret, also for what an earlier rotation could not deliver.

    Args:
        operation: as it is in the journal.
        deps: the dependencies.
        overwrite: also a secret that someone else has put there since the last delivery.

    Returns:
        The follow-up as it is in the journal: the revocation of the token that was
        replaced; None for nothing.

    Raises:
        PendingError: it could not be delivered everywhere; the journal says why.
        StoreError: the keyring or the state file refuses.
    """
    entry = operation.entry
    url = entry.organization.url
    known = deps.state.find(url, entry.name)
    secret = deps.secrets.get(url, entry.name)
    if known is not None and known.renewal.deliveries:
        try:
            _to_all(known, _its_own(known, secret), deps, overwrite=overwrite)
        except PendingError as error:
            if entry.key is not None:
                deps.state.explain(entry.key, error.message)
            raise
    delivered_at = deps.now()
    for other in deps.state.unfinished(url, entry.name):
        if isinstance(other, Deliver) and other.entry.key != entry.key:
            deps.state.finish(other.entry.key, then=_after(other, known, delivered_at))
    rest = _after(operation, known, delivered_at)
    key = deps.state.finish(entry.key, then=rest)
    return rest and rest._replace(entry=rest.entry._replace(key=key))


def delivered(
    operation: Deliver, deps: Deps, *, overwrite: bool = False
) -> tuple[Deliver | RevokeReplaced | None, str]:
    """Deliver, and return the follow-up; if that fails, the delivery itself and the reason."""
    try:
        return deliver(operation, deps, overwrite=overwrite), ""
    except KeyboardInterrupt:
        return operation, INTERRUPTED
    except PatError as error:
        return operation, error.one_line


def deliver_anew(organization: Organization, known: StoredPat, renewal: Renewal, deps: Deps) -> str:
    """Remember new targets for a token's secret, and deliver it; return the reason of a failure.

    Raises:
        PatError: it cannot be delivered to one of them; nothing has changed.
    """
    with deps.exclusive(lock_key(known.name, organization.url)):
        probe_targets(organization, known.name, renewal.deliveries, deps)
        entry = JournalEntry(organization, known.name, deps.now(), deps.session.user())
        remembered = replace(known, renewal=renewal)
        key = deps.state.finish(None, remembered, Deliver(entry) if renewal.deliveries else None)
        if key is None:
            return ""
        _, undelivered = delivered(Deliver(entry._replace(key=key)), deps)
        return undelivered


def probe_targets(
    organization: Organization,
    name: str,
    deliveries: Sequence[Delivery],
    deps: Deps,
    *,
    overwrite: bool = False,
) -> None:
    """Check, without changing anything, that a secret can be delivered to its targets.

    It is done before a token is created: what is found out only afterwards costs one. `overwrite`
    is as for `deliver`.

    Raises:
        PatError: the first target that it cannot be delivered to, and why.
    """
    if not deliveries:
        return
    known = _known_there(organization.url, name, deps)
    for delivery in deliveries:
        recognizes = _recognizing(
            delivery, known.get(delivery, ""), name, organization, deps, overwrite=overwrite
        )
        try:
            deps.probe(delivery, organization, recognizes)
        except PatError as error:
            raise _naming(name, error) from error


def _naming(name: str, error: Failure) -> Failure:
    """Return an error whose hint names the token in the command to run."""
    named = error.saying(error.message)
    named.hint = error.hint.replace("pat deliver TOKEN", pat_command("deliver", name))
    return named


def _known_there(org_url: str, name: str, deps: Deps) -> dict[Delivery, str]:
    """Return the fingerprint of the secret that was delivered last to each target."""
    return {each.target: each.fingerprint for each in deps.state.last_deliveries(org_url, name)}


def _recognizing(
    delivery: Delivery,
    fingerprint: str,
    name: str,
    organization: Organization,
    deps: Deps,
    *,
    overwrite: bool,
) -> Recognizes:
    """Return what tells whether a secret that is found at a target may be replaced.

    It may if it was delivered last, of which `fingerprint` is; or any, if none was. But what `pat`
    of another machine or user has put there, as a note there says, only if that token has ended,
    this machine has replaced it, or it is an older one of the same user and name.
    """

    def recognizes(found: Secret) -> bool:
        known = deps.state.find(organization.url, name)
        if (
            overwrite
            or matches(found, fingerprint)
            or matches(found, known.fingerprint if known else "")
        ):
            return True
        held = noted(delivery, deps)
        if held is None or held.secret != found:
            return not fingerprint
        ending = map(revoked_by, deps.state.unfinished(organization.url, name))
        if held.authorization_id in ending or has_ended(held, organization, name, deps):
            return True
        pat = own_token(held, organization, name, deps)
        if pat is not None and known is not None and is_older(pat, known):
            return True  # the newest one wins
        return not fingerprint and is_refused(found, organization, deps)

    return recognizes


def recover_delivery(operation: Deliver, deps: Deps) -> RecoveryOutcome:
    """Deliver, and revoke the replaced token if that is due.

    If another machine has renewed the token since, its token is taken over instead.
    """
    organization, name = operation.entry.organization, operation.entry.name
    known = deps.state.find(organization.url, name)
    has_targets = known is not None and bool(known.renewal.deliveries)
    is_taken_over = False
    try:
        _require_accepted(operation, deps)
        _require_current_vaults(operation, deps)
        rest = deliver(operation, deps)
    except PendingError as error:
        if known is None or not _is_taken_over(known, error, deps):
            raise
        rest, is_taken_over = deliver(operation, deps), True
    if rest is not None:
        revoke_replaced(rest, deps)
    if is_taken_over:
        return RecoveryOutcome.TAKEN_OVER
    return RecoveryOutcome.COMPLETED if has_targets else RecoveryOutcome.NOTHING_DONE


def _is_taken_over(known: StoredPat, error: PendingError, deps: Deps) -> bool:
    """Take over what another machine has put into a vault; return whether there was something."""
    scopes = known.scopes or None
    try:
        found = take_over(known.organization, known.name, known.renewal, deps, scopes=scopes)
    except PatError:
        raise error from None  # which says why it could not be delivered
    return found is not None


def _require_accepted(operation: Deliver, deps: Deps) -> None:
    """Check that the stored secret works: a dead one must not take the place of one that does.

    Raises:
        PendingError: it does not; the journal says so.
    """
    entry = operation.entry
    known = deps.state.find(entry.organization.url, entry.name)
    secret = deps.secrets.get(entry.organization.url, entry.name)
    if known is None or secret is None or not known.renewal.deliveries:
        return
    if is_refused(secret, entry.organization, deps):
        reason = f"{entry.organization.name} no longer accepts the secret of {entry.name!r}"
        if entry.key is not None:
            deps.state.explain(entry.key, reason)
        raise PendingError(
            reason,
            hint="to create and deliver a new one, run: "
            + pat_command("rotate", known.id or entry.name),
        )


def _require_current_vaults(operation: Deliver, deps: Deps) -> None:
    """Check that no vault holds what another machine has delivered since.

    Other targets cannot tell, and would get the older secret.

    Raises:
        PendingError: one does; the journal says so.
    """
    entry = operation.entry
    known = deps.state.find(entry.organization.url, entry.name)
    vaults = [each for each in known.renewal.deliveries if is_polled(each)] if known else []
    try:
        probe_targets(entry.organization, entry.name, vaults, deps)
    except ConflictError as error:
        if entry.key is not None:
            deps.state.explain(entry.key, error.message)
        raise PendingError(error.message, hint=error.hint) from error
    except PatError:
        pass  # the delivery itself will say so


class FollowedUp(NamedTuple):
    """What became of the delivery of a new secret and the revocation of the old token.

    Attributes:
        undelivered: why it could not be delivered to every target; empty if it was.
        due: when the old token will be revoked; None unless that is later.
        unrevoked: why it could not be revoked; empty if it was, or is not due.
    """

    undelivered: str = ""
    due: datetime | None = None
    unrevoked: str = ""


def followed_up(rest: Deliver | RevokeReplaced | None, deps: Deps) -> FollowedUp:
    """Deliver a new secret, and revoke the old token; a later run repeats what fails."""
    if isinstance(rest, Deliver):
        rest, undelivered = delivered(rest, deps)
        if undelivered:
            return FollowedUp(undelivered)
    if not isinstance(rest, RevokeReplaced):
        return FollowedUp()
    if not is_due(rest, deps.now()):
        return FollowedUp(due=rest.replaced.due)
    try:
        revoke_replaced(rest, deps)
    except PatError as error:
        return FollowedUp(unrevoked=error.message)
    except KeyboardInterrupt:
        return FollowedUp(unrevoked=INTERRUPTED)
    return FollowedUp()


def revoke_replaced(operation: RevokeReplaced, deps: Deps) -> None:
    """Revoke a token that has been replaced if that is due, and close the entry.

    Raises:
        PatError: it could not be revoked; the journal keeps it.
    """
    if recover_revocation_of_replaced(operation, deps) is not RecoveryOutcome.UNDECIDED:
        deps.state.finish(operation.entry.key)


def recover_revocation_of_replaced(operation: RevokeReplaced, deps: Deps) -> RecoveryOutcome:
    """Revoke a token that has been replaced if that is due.

    Its secret was overwritten, unless the token was one for all organizations.
    """
    if not is_due(operation, deps.now()):
        return RecoveryOutcome.UNDECIDED
    entry, identifier = operation.entry, operation.replaced.authorization_id
    known = deps.state.find(entry.organization.url, entry.name)
    if known is not None and known.id == identifier and not operation.replaced.is_global:
        return RecoveryOutcome.NOTHING_DONE  # it is in use here
    if known is not None and known.renewal.deliveries:
        _require_in_no_vault(identifier, known, deps)
    deps.tokens.revoke(entry.organization, identifier)
    if known is not None and known.id == identifier:
        delete_own(known, deps)
    return RecoveryOutcome.COMPLETED


def _require_in_no_vault(authorization_id: str, known: StoredPat, deps: Deps) -> None:
    """Check that no vault holds the secret of a token that is about to be revoked.

    Raises:
        PendingError: one does, or cannot be asked.
    """
    try:
        place = holder_of(authorization_id, known.renewal, deps)
    except PatError as error:
        raise PendingError(
            f"the replaced token {authorization_id} was not revoked, as it is not known whether a"
            f" vault holds its secret: {error.message}",
            hint=error.hint,
        ) from error
    if place:
        raise PendingError(
            f"{place} holds the secret of the replaced token {authorization_id} again, so it was"
            " not revoked",
            hint=f"to deliver the current secret, run: {pat_command('deliver', known.name)}",
        )


def follow_up(operation: Issue) -> Deliver | RevokeReplaced | None:
    """Return the operation that follows once the new token is safe; None for none."""
    replaced = operation.replaced if isinstance(operation, Rotate) else None
    entry = operation.entry._replace(reason="", key=None)
    if operation.new.renewal.deliveries:
        return Deliver(entry, replaced)
    return RevokeReplaced(entry, replaced) if replaced else None


def _its_own(entry: StoredPat, secret: Secret | None) -> Secret:
    """Return the secret that is stored under a token's name, after checking that it is the token's.

    Raises:
        PendingError: it is gone, or another program has stored another one.
    """
    if secret is None:
        raise PendingError(
            f"the secret of {entry.name!r} is no longer in the keyring",
            hint=f"to create and deliver a new one, run: {pat_command('rotate', entry.name)}",
        )
    if entry.fingerprint and not matches(secret, entry.fingerprint):
        raise PendingError(
            f"another program has stored a different secret under {entry.name!r}",
            hint=f"to delete that secret, run: {pat_command('forget', entry.name)}",
        )
    return secret


def _after(
    operation: Deliver, known: StoredPat | None, delivered_at: datetime
) -> RevokeReplaced | None:
    """Return the revocation that follows a delivery, if any.

    If the secret reached a vault later than the token was made, those who read it there have their
    whole time from then on.
    """
    replaced = operation.replaced
    if replaced is None:
        return None
    targets = known.renewal.deliveries if known else ()
    if known and not replaced.is_global and any(map(is_polled, targets)):
        replaced = replaced._replace(due=max(replaced.due, delivered_at + known.renewal.overlap))
    return RevokeReplaced(operation.entry._replace(reason="", key=None), replaced)


def _to_all(entry: StoredPat, secret: Secret, deps: Deps, *, overwrite: bool) -> None:
    """Deliver to each target, continuing after one that fails.

    Raises:
        PendingError: with the reasons of all that failed.
    """
    pat = replace(entry.as_pat(Status.ACTIVE), stored=True)
    fingerprint = entry.fingerprint or fingerprint_of(secret)
    handover = Handover(pat=pat, secret=secret, org_url=entry.org_url, fingerprint=fingerprint)
    failures: list[PendingError] = []
    known = _known_there(entry.org_url, entry.name, deps)
    for delivery in entry.renewal.deliveries:
        there, reason = known.get(delivery, ""), ""
        try:
            recognizes = _recognizing(
                delivery, there, entry.name, entry.organization, deps, overwrite=overwrite
            )
            deps.deliver(delivery, handover, recognizes)
        except PendingError as error:
            failures.append(_naming(entry.name, error))
            reason = failures[-1].one_line
        else:
            there = fingerprint
        deps.state.note_delivery(
            LastDelivery(entry.org_url, entry.name, delivery, deps.now(), there, reason)
        )
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise PendingError("; ".join(each.one_line for each in failures))
