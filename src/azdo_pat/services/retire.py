"""Revokes a token for all organizations that a token for each organization has replaced."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import PatError, SignInError
from azdo_pat.journal import JournalEntry, Replaced, RevokeReplaced
from azdo_pat.models import Status
from azdo_pat.operations.delivery import revoke_replaced
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.results.plans import GlobalTokenOutcome, MigrationOutcome
from azdo_pat.results.tokens import INTERRUPTED, OldTokenOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from azdo_pat.models import Organization, Pat
    from azdo_pat.operations.deps import Deps
    from azdo_pat.results.plans import Migration
    from azdo_pat.services.places import Places

    Replacements = Sequence[tuple[Organization, Migration]]
    """What replaces a global token in each organization."""

_MADE: Final = frozenset({MigrationOutcome.CREATED, MigrationOutcome.KEPT})
_TO_BE_MADE: Final = frozenset({MigrationOutcome.PLANNED, MigrationOutcome.KEPT})


def kept(old: Pat, places: Places) -> GlobalTokenOutcome:
    """Return the outcome for a global token that this run leaves as it is."""
    if old.status is Status.REVOKED:
        return GlobalTokenOutcome(old, OldTokenOutcome.REVOKED)
    # All organizations share one journal.
    deps = next((each for each in places.deps.values() if not isinstance(each, PatError)), None)
    if deps and (due := _planned(old.id, deps)):
        return GlobalTokenOutcome(old, OldTokenOutcome.LATER, due)
    return GlobalTokenOutcome(old, OldTokenOutcome.KEPT)


def retire(
    old: Pat, replacements: Replacements, places: Places, grace: timedelta | None
) -> GlobalTokenOutcome:
    """Revoke a global token, and delete its stored secrets, if all its replacements are in place.

    The service must accept each new secret first. A revocation that fails stays in the journal,
    and the next run tries again.
    """
    if old.id is None or old.status is Status.REVOKED or not _all_are(_MADE, replacements):
        return kept(old, places)
    try:
        if reason := _unusable(replacements, places):
            return GlobalTokenOutcome(old, OldTokenOutcome.UNDELIVERED, reason=reason)
        organization, migration = replacements[0]
        deps = places.at(organization.url)
        wait = _remembered_grace(replacements, deps) if grace is None else grace
        due = deps.now() + wait
        if wait and (planned := _planned(old.id, deps)):
            return GlobalTokenOutcome(old, OldTokenOutcome.LATER, planned)
        stored = [(each.organization, each.name) for each in deps.state.find_by_id(old.id)]
        for where in stored or [(organization, migration.pat.name)]:
            _revoke(*where, Replaced(old.id, due, is_global=True), deps)
    except (PatError, KeyboardInterrupt) as error:
        reason = error.message if isinstance(error, PatError) else INTERRUPTED
        return GlobalTokenOutcome(old, OldTokenOutcome.PENDING, reason=reason)
    if due > deps.now():
        return GlobalTokenOutcome(old, OldTokenOutcome.LATER, due)
    return GlobalTokenOutcome(old, OldTokenOutcome.REVOKED)


def _all_are(outcomes: frozenset[MigrationOutcome], replacements: Replacements) -> bool:
    return all(migration.outcome in outcomes for _, migration in replacements)


def _unusable(replacements: Replacements, places: Places) -> str:
    """Return why a new secret cannot be used everywhere yet; empty if each can."""
    for organization, migration in replacements:
        if migration.undelivered:
            return migration.undelivered
        deps, name = places.at(organization.url), migration.pat.name
        secret = deps.secrets.get(organization.url, name)
        if secret is None:
            return f"the secret of {name!r} for {organization.name} is no longer in the keyring"
        try:
            deps.directory.check_secret(organization, secret)
        except SignInError as error:
            return f"the new secret does not work in {organization.name}: {error.message}"
    return ""


def would_retire(
    old: Pat, replacements: Replacements, places: Places, grace: timedelta | None
) -> timedelta | None:
    """Return how long after a run its global token would be revoked; None if it would not be."""
    if old.id is None or old.status is Status.REVOKED or not _all_are(_TO_BE_MADE, replacements):
        return None
    deps = places.at(replacements[0][0].url)
    span = grace
    if span is None:
        remembered = [each.renewal.overlap for each in deps.state.find_by_id(old.id)]
        span = max(_remembered_grace(replacements, deps), *remembered, timedelta())
    if span and (due := _planned(old.id, deps)):
        return max(due - deps.now(), timedelta())  # an earlier run has planned it
    return span


def _remembered_grace(replacements: Replacements, deps: Deps) -> timedelta:
    """Return the longest grace period that the replacements have from the global token."""
    entries = [
        deps.state.find(organization.url, migration.pat.name)
        for organization, migration in replacements
    ]
    return max((each.renewal.overlap for each in entries if each), default=timedelta())


def _planned(authorization_id: str | None, deps: Deps) -> datetime | None:
    """Return when an earlier run has planned to revoke a token; None if it has not."""
    for operation in deps.state.unfinished():
        match operation:
            case RevokeReplaced(replaced=Replaced(identifier, due)):
                if identifier == authorization_id:
                    return due
    return None


def _revoke(organization: Organization, name: str, replaced: Replaced, deps: Deps) -> None:
    """Revoke a token when that is due, and delete its secret if it is stored under the name.

    Raises:
        PatError: it could not be revoked; the journal keeps it.
    """
    with deps.exclusive(lock_key(name, organization.url)):
        entry = JournalEntry(organization, name, deps.now(), deps.session.user())
        key = deps.state.begin(RevokeReplaced(entry, replaced))
        revoke_replaced(RevokeReplaced(entry._replace(key=key), replaced), deps)
