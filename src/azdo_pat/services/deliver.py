"""Delivers the stored secret of a token again, or only tries whether that can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.command_lines import pat_command
from azdo_pat.errors import CancelledError, NotFoundError, PatError, RefusedError, SignInError
from azdo_pat.journal import Deliver, JournalEntry, RevokeReplaced
from azdo_pat.operations.delivery import delivered, probe_targets, revoke_replaced
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.operations.takeover import take_over
from azdo_pat.renewal import DeliveryState, Destination
from azdo_pat.results.tokens import INTERRUPTED
from azdo_pat.services.destinations import destinations_of
from azdo_pat.services.stored_secrets import entry_named

if TYPE_CHECKING:
    from azdo_pat.models import Organization, Secret, StoredPat
    from azdo_pat.operations.deps import Deps


class Delivered(NamedTuple):
    """The outcome of a delivery.

    Attributes:
        entry: the token.
        destinations: its targets.
        unrevoked: why a token that was replaced could not be revoked afterwards.
        taken_from: the vault with another machine's newer token, which is delivered; empty for
            none.
    """

    entry: StoredPat
    destinations: tuple[Destination, ...]
    unrevoked: str = ""
    taken_from: str = ""


def entry_to_deliver(organization: Organization | None, text: str, deps: Deps) -> StoredPat:
    """Return the stored token that a text names and that has delivery targets.

    Raises:
        NotFoundError: there is none, or it has no delivery target.
        ConflictError: several match.
    """
    entry = entry_named(organization, text, deps.state)
    if entry.renewal.deliveries:
        return entry
    raise NotFoundError(
        f"{entry.name!r} in {entry.org} has no delivery target",
        hint="to give it one, run: "
        + pat_command("rotate", entry.name, options=("--deliver", "TARGET")),
    )


def deliver_again(
    organization: Organization, entry: StoredPat, deps: Deps, *, overwrite: bool
) -> Delivered:
    """Deliver the secret of a token to all its targets, and then revoke what it has replaced.

    Args:
        organization: that of the token.
        entry: the token.
        deps: the dependencies.
        overwrite: also a secret that someone else has put there since the last delivery.

    Raises:
        ConflictError: another process is working on the token.
        CancelledError: the user cancelled; the next run delivers again.
        PatError: the keyring, the state file or the sign-in cannot be used.
    """
    _ = deps.tokens  # see `Deps`
    with deps.exclusive(lock_key(entry.name, organization.url)):
        taken = None
        if not overwrite:
            taken = take_over(organization, entry.name, entry.renewal, deps)
        secret = deps.secrets.get(organization.url, entry.name)
        if secret is not None and taken is None:
            _require_accepted(secret, organization, entry, deps)
        journaled = JournalEntry(organization, entry.name, deps.now(), deps.session.user())
        key = deps.state.begin(Deliver(journaled))
        _, reason = delivered(Deliver(journaled._replace(key=key)), deps, overwrite=overwrite)
        if reason == INTERRUPTED:
            raise CancelledError(INTERRUPTED)
        now = deps.state.find(organization.url, entry.name) or entry
        found = destinations_of(now, deps)
        if reason and not any(each.state is DeliveryState.FAILED for each in found):
            # It failed before the first target, as the secret is gone.
            found = tuple(
                each._replace(state=DeliveryState.FAILED, reason=reason) for each in found
            )
        unrevoked = "" if reason else _revoked_replaced(organization, entry, deps)
        return Delivered(now, found, unrevoked, taken.place if taken else "")


def _require_accepted(
    secret: Secret, organization: Organization, entry: StoredPat, deps: Deps
) -> None:
    """Check that a secret works: a dead one must not take the place of one that does.

    Raises:
        RefusedError: it does not.
        PatError: the service cannot be asked.
    """
    try:
        deps.directory.check_secret(organization, secret)
    except SignInError as error:
        raise RefusedError(
            f"{organization.name} does not accept the stored secret of {entry.name!r}, so it is not"
            " delivered",
            hint="to take over what another machine has delivered, run: "
            + pat_command("deliver", entry.name)
            + "; to create and deliver a new one, run: "
            + pat_command("rotate", entry.id or entry.name),
        ) from error


def _revoked_replaced(organization: Organization, entry: StoredPat, deps: Deps) -> str:
    """Revoke the tokens that waited for the delivery; return why one could not be."""
    for operation in deps.state.unfinished(organization.url, entry.name):
        if isinstance(operation, RevokeReplaced):
            try:
                revoke_replaced(operation, deps)
            except PatError as error:
                return error.one_line
    return ""


def probe_again(
    organization: Organization, entry: StoredPat, deps: Deps, *, overwrite: bool
) -> tuple[tuple[Destination, ...], list[PatError]]:
    """Try each target of a token without changing anything.

    Returns:
        The targets, and the errors of those that the secret cannot be delivered to.
    """
    found: list[Destination] = []
    errors: list[PatError] = []
    for delivery in entry.renewal.deliveries:
        state, reason = DeliveryState.READY, ""
        try:
            probe_targets(organization, entry.name, [delivery], deps, overwrite=overwrite)
        except PatError as error:
            state, reason = DeliveryState.FAILED, error.one_line
            errors.append(error)
        found.append(Destination(entry.org, entry.name, delivery, state, None, reason))
    return tuple(found), errors
