"""Replaces tokens for all organizations with one token for each organization that uses them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.errors import PatError
from azdo_pat.journal import Deliver
from azdo_pat.operations.issue import CreateRequest
from azdo_pat.operations.lock_keys import renewal_lock_key
from azdo_pat.renewal import DEFAULT_RENEWAL
from azdo_pat.results.plans import GlobalTokenOutcome, Migration, MigrationOutcome
from azdo_pat.services.create import create
from azdo_pat.services.migrate_plan import active_in, already, may_overwrite
from azdo_pat.services.parallel import side_by_side
from azdo_pat.services.retire import kept, retire, would_retire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from azdo_pat.models import Organization, Pat
    from azdo_pat.operations.deps import Deps
    from azdo_pat.renewal import Renewal
    from azdo_pat.services.migrate_plan import MigrateRequest, Plan, Step
    from azdo_pat.services.parallel import Shown
    from azdo_pat.services.places import Places


class Migrated(NamedTuple):
    """The result of a migration.

    Attributes:
        migrations: the outcome of each step, in the order of the plan.
        olds: what became of each global token.
        interrupted: the user cancelled.
    """

    migrations: tuple[Migration, ...]
    olds: tuple[GlobalTokenOutcome, ...]
    interrupted: bool = False


def migrate(todo: Plan, request: MigrateRequest, progress: Shown) -> Migrated:
    """Carry out a plan, one token after the other; a failure does not stop the others.

    A global token is revoked only on request, and after each organization has its replacement,
    whose secret the service has accepted.
    """
    results = {place: step.planned for place, step in enumerate(todo.steps)}
    waiting = [place for place, each in results.items() if each.outcome is MigrationOutcome.PLANNED]

    def work(place: int) -> None:
        results[place] = _carried_out(todo.steps[place], request, todo.places)

    with progress(len(waiting)) as shown:
        side_by_side(work, waiting, shown.done, workers=1)
        interrupted = shown.stopped()
    migrations = tuple(
        _looked_at(step, results[place], todo.places) for place, step in enumerate(todo.steps)
    )
    olds = [
        retire(old, replacements, todo.places, request.grace)
        if request.revoke_old and not interrupted
        else kept(old, todo.places)
        for old, replacements in _by_old(todo, migrations).items()
    ]
    return Migrated(migrations, tuple(olds), interrupted)


def to_revoke(todo: Plan, request: MigrateRequest) -> Sequence[tuple[Pat, timedelta]]:
    """Return the global tokens that a plan revokes, each with how long after the run."""
    if not request.revoke_old:
        return ()
    planned = [step.planned for step in todo.steps]
    spans = {
        old: would_retire(old, replacements, todo.places, request.grace)
        for old, replacements in _by_old(todo, planned).items()
    }
    return [(old, span) for old, span in spans.items() if span is not None]


def _by_old(
    todo: Plan, migrations: Sequence[Migration]
) -> Mapping[Pat, Sequence[tuple[Organization, Migration]]]:
    """Return what replaces each global token in each organization."""
    found: dict[Pat, list[tuple[Organization, Migration]]] = {}
    for step, migration in zip(todo.steps, migrations, strict=True):
        found.setdefault(migration.old, []).append((step.organization, migration))
    return found


def _carried_out(step: Step, request: MigrateRequest, places: Places) -> Migration:
    """Create one token, store its secret and deliver it, unless another process has done so."""
    organization, planned = step
    try:
        deps = places.at(organization.url)
        with deps.in_line(renewal_lock_key(planned.pat.name, organization.url)):
            active = active_in(organization, deps)
            if found := already(planned, request, active, deps):
                return replace(planned, pat=found, outcome=MigrationOutcome.KEPT)
            created = create(
                organization,
                CreateRequest(
                    name=planned.pat.name,
                    scopes=planned.pat.scopes,
                    expires=planned.pat.expires or deps.now(),
                    replace=may_overwrite(organization, planned, active, deps),
                    renewal=_renewal(organization, planned.old, deps),
                ),
                deps,
            )
    except PatError as error:
        return replace(planned, outcome=MigrationOutcome.REFUSED, failure=error)
    return replace(
        planned,
        pat=created.pat,
        outcome=MigrationOutcome.CREATED,
        undelivered=created.undelivered,
    )


def _renewal(organization: Organization, old: Pat, deps: Deps) -> Renewal:
    """Return how the global token was renewed; its delivery targets only where they belong.

    Elsewhere the secrets of several organizations would be delivered to one target.
    """
    entries = deps.state.find_by_id(old.id) if old.id else ()
    here = next((each for each in entries if each.org_url == organization.url), None)
    if here is not None:
        return here.renewal
    renewal = entries[0].renewal if entries else DEFAULT_RENEWAL
    return renewal._replace(deliveries=(), source="")


def _looked_at(step: Step, migration: Migration, places: Places) -> Migration:
    """Mark a step that was not reached, and a token whose secret is still to be delivered."""
    if migration.outcome is MigrationOutcome.PLANNED:
        return replace(migration, outcome=MigrationOutcome.NOT_REACHED)
    if migration.outcome is not MigrationOutcome.KEPT:
        return migration
    deps = places.at(step.organization.url)
    left = deps.state.unfinished(step.organization.url, migration.pat.name)
    reasons = [each.entry.reason for each in left if isinstance(each, Deliver)]
    if not reasons:
        return migration
    return replace(migration, undelivered=reasons[-1] or "the delivery is still pending")
