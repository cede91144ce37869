"""Creates, updates or keeps the tokens that a file declares."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.command_lines import pat_command
from azdo_pat.errors import ConflictError, PatError, UsageError
from azdo_pat.models import Organization, Pat, Status
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.operations.revocation import end
from azdo_pat.organizations import is_of_root
from azdo_pat.organizations import organization as find_organization
from azdo_pat.results.plans import Action, Change, ChangeOutcome
from azdo_pat.results.tokens import EnsureOutcome
from azdo_pat.services.ensure import Wanted, ensure_online, needed, remember_settings
from azdo_pat.services.parallel import side_by_side
from azdo_pat.services.places import prepared
from azdo_pat.services.refused_tokens import marker_key, refusals, was_refused
from azdo_pat.services.renew import rotation
from azdo_pat.services.unsupported_server import no_lifecycle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from azdo_pat.journal import JournalEntry
    from azdo_pat.models import StoredPat
    from azdo_pat.operations.deps import Deps
    from azdo_pat.renewal import Declaration
    from azdo_pat.results.tokens import Ensured
    from azdo_pat.services.parallel import Shown
    from azdo_pat.services.places import Places


class Step(NamedTuple):
    """One token of the plan.

    Attributes:
        wanted: what the file declares; None for a token that it no longer declares.
        entry: its index entry, if any.
        refused: a program was refused with it, so the service must be asked.
    """

    organization: Organization
    change: Change
    wanted: Wanted | None = None
    entry: StoredPat | None = None
    refused: bool = False


class Applied(NamedTuple):
    """The outcome of each step, in the order of the plan, and whether the user cancelled."""

    changes: tuple[Change, ...]
    interrupted: bool


def placed(
    declarations: Sequence[Declaration], file: Path, deps: Deps
) -> list[tuple[Organization, Declaration]]:
    """Give each token its organization: the one it names, or the one at hand.

    Raises:
        UsageError: what is named is no organization, or is Azure DevOps Server; or one token
            stands there twice, by two names of its organization.
    """
    found: list[tuple[Organization, Declaration]] = []
    seen: dict[tuple[str, str], int] = {}
    for each in declarations:
        try:
            where = (
                find_organization(each.org, root=deps.session.api_root)
                if each.org
                else deps.organization
            )
            if not where.hosted:
                raise no_lifecycle(where)
        except PatError as error:
            if not each.org:
                raise
            raise UsageError(
                f"{file}, line {each.line}: {error.message}", hint=error.hint
            ) from error
        before = seen.setdefault((where.url, each.name), each.line)
        if before != each.line:
            raise UsageError(
                f"{file}, line {each.line}: {each.name!r} is already declared on line {before}",
                hint="rename or remove one of them",
            )
        found.append((where, each))
    return found


def plan(
    declared: Sequence[tuple[Organization, Declaration]], source: str, deps: Deps, *, prune: bool
) -> tuple[Step, ...]:
    """Plan the changes for the declared tokens, from keyring and state alone.

    `source` is the absolute path of the file. `prune` revokes the tokens that the file declared
    earlier, but no longer declares.
    """
    # Read once per organization: opening the state file for each token would dominate the run time.
    urls = {organization.url for organization, _ in declared}
    known = {(url, entry.name): entry for url in urls for entry in deps.state.stored(url)}
    steps = []
    for organization, each in declared:
        wanted = Wanted(
            name=each.name,
            scopes=each.scopes,
            expires=each.expires,
            renew_before=each.renew_before,
            deliveries=each.deliveries,
            source=source,
            grace=each.grace,
        )
        steps.append(_planned(organization, wanted, known.get((organization.url, each.name)), deps))
    return (*steps, *_to_prune(declared, source, deps)) if prune else tuple(steps)


def _planned(
    organization: Organization, wanted: Wanted, entry: StoredPat | None, deps: Deps
) -> Step:
    action, why = needed(entry, wanted, now=deps.now())
    refused = False
    if action in {Action.KEEP, Action.DELIVER}:
        if deps.secrets.get(organization.url, wanted.name) is None:
            action, why = Action.ROTATE, "no longer in the keyring"
        elif was_refused(entry, deps):
            refused, action = True, Action.ROTATE
            why = "reported as refused: pat will ask the service"
    pat = entry.as_pat(Status.UNKNOWN) if entry else _to_be(wanted, organization)
    change = Change(
        action=action, outcome=ChangeOutcome.PLANNED, pat=pat, org=organization.name, why=why
    )
    return Step(organization, change, wanted, entry, refused)


def _to_prune(
    declared: Sequence[tuple[Organization, Declaration]], source: str, deps: Deps
) -> Iterator[Step]:
    """Yield the tokens that the file declared at an earlier apply, but no longer declares."""
    named = {(organization.url, each.name) for organization, each in declared}
    for entry in deps.state.stored():
        if (
            entry.renewal.source == source
            and entry.id is not None
            and (entry.org_url, entry.name) not in named
            and is_of_root(entry.organization, deps.session.api_root)
        ):
            change = Change(
                action=Action.REVOKE,
                outcome=ChangeOutcome.PLANNED,
                pat=entry.as_pat(Status.UNKNOWN),
                org=entry.org,
                why="no longer declared",
            )
            yield Step(entry.organization, change, entry=entry)


def apply(steps: Sequence[Step], deps: Deps, *, verify: bool, progress: Shown) -> Applied:
    """Carry out a plan in parallel, and recover what is due; a failure does not stop the others.

    `verify` asks the service whether the secrets of kept tokens work.
    """
    busy = [each.organization for each in steps if verify or each.change.action is not Action.KEEP]
    places = prepared(busy, deps)
    changes: dict[int, Change] = {}
    with progress(len(steps)) as shown:
        listed = _listed(steps, places)
        not_to_prune = _not_to_prune(steps, places)

        def work(place: int) -> None:
            step = steps[place]
            try:
                if place in not_to_prune:
                    raise not_to_prune[place]
                shown.before()
                changes[place] = _carried_out(step, places, listed, deps, verify=verify)
            except PatError as error:
                changes[place] = replace(
                    step.change, outcome=ChangeOutcome.FAILED, error=error.message, failure=error
                )

        side_by_side(work, range(len(steps)), shown.done)
        interrupted = shown.stopped()
    for place, step in enumerate(steps):
        change = changes.get(place, replace(step.change, outcome=ChangeOutcome.NOT_REACHED))
        changes[place] = _with_left(step, change, places.left)
        if (
            step.refused
            and step.entry
            and change.outcome
            in {
                ChangeOutcome.KEPT,
                ChangeOutcome.ROTATED,
                ChangeOutcome.TAKEN_OVER,
            }
        ):
            refusals(deps).remove(marker_key(step.entry))
    return Applied(tuple(changes[place] for place in range(len(steps))), interrupted)


def _with_left(step: Step, change: Change, left: Sequence[JournalEntry]) -> Change:
    """Say what an earlier run left unfinished for a token, where nothing else is said of it."""
    reasons = [
        each.reason or "an operation of an earlier run is still pending"
        for each in left
        if (each.organization.url, each.name) == (step.organization.url, step.change.pat.name)
    ]
    if change.error or not reasons:
        return change
    return replace(change, error=reasons[-1], pending=True)


def _not_to_prune(steps: Sequence[Step], places: Places) -> dict[int, PatError]:
    """Return the tokens that must not be pruned, with the reason.

    A token that has become global on the web page would be revoked in all organizations.
    """
    pruned = {
        place: step.entry
        for place, step in enumerate(steps)
        if step.wanted is None and step.entry is not None
    }
    pats, failures = places.listed(pruned.values())
    found: dict[int, PatError] = {}
    for place, entry in pruned.items():
        pat = pats.get(entry.id or "")
        if entry.org_url in failures:
            found[place] = failures[entry.org_url]
        elif pat is not None and pat.is_global:
            found[place] = ConflictError(
                "it is now valid in all your organizations, and would be revoked in all of them",
                hint=f"to revoke it nevertheless, run: {pat_command('revoke', entry.id or '')}",
            )
    return found


def _listed(steps: Sequence[Step], places: Places) -> Mapping[str, Pat]:
    """List the tokens once if several are to be rotated, as each rotation would list them all."""
    old = [each.entry for each in steps if each.entry and each.change.action is Action.ROTATE]
    return places.listed(old).pats if len(old) > 1 else {}  # a missing one is looked up again


def _carried_out(
    step: Step, places: Places, listed: Mapping[str, Pat], deps: Deps, *, verify: bool
) -> Change:
    if step.wanted is None:
        return _ended(step, places.at(step.organization.url))
    if step.organization.url not in places.deps or (
        step.change.action is Action.KEEP and not verify
    ):
        _remember(step.wanted, step, deps)
        return replace(step.change, outcome=ChangeOutcome.KEPT)
    there = places.at(step.organization.url)
    verify = verify or step.refused
    ensured = ensure_online(there.organization, step.wanted, there, verify=verify, listed=listed)
    if ensured.outcome is EnsureOutcome.KEPT:
        _remember(step.wanted, step, deps)
    return _change(step, ensured)


def _change(step: Step, ensured: Ensured) -> Change:
    if ensured.rotated is not None and step.entry is not None:
        return rotation(step.entry, ensured.rotated, step.change.why)
    error = ensured.undelivered or ensured.unrevoked
    return replace(
        step.change,
        outcome=ChangeOutcome(ensured.outcome.value),
        pat=ensured.pat,
        error=error,
        pending=bool(error),
        old_until=ensured.old_until,
    )


def _remember(wanted: Wanted, step: Step, deps: Deps) -> None:
    """Record the renewal settings of a kept token, for every later rotation.

    The token is not marked as the file's own: it may have been created by hand, and then
    pruning must not revoke it.
    """
    if step.entry is not None:
        remember_settings(step.entry, wanted.renew_before, wanted.grace, deps)


def _ended(step: Step, deps: Deps) -> Change:
    """Revoke a token and delete its secret, if it is still the planned one."""
    entry, organization = step.entry, deps.organization
    assert entry is not None  # noqa: S101 - what is pruned is known
    with deps.exclusive(lock_key(entry.name, organization.url)):
        now = deps.state.find(organization.url, entry.name)
        if now is None or now.id != entry.id:
            return replace(
                step.change, outcome=ChangeOutcome.KEPT, why="replaced by another process"
            )
        end(organization, entry, deps)
    gone = replace(entry.as_pat(Status.UNKNOWN), status=Status.REVOKED, stored=False)
    return replace(step.change, outcome=ChangeOutcome.REVOKED, pat=gone)


def _to_be(wanted: Wanted, organization: Organization) -> Pat:
    return Pat(
        name=wanted.name,
        id=None,
        org=organization.name,
        status=Status.UNKNOWN,
        scopes=wanted.scopes,
        created=None,
        expires=wanted.expires,
    )
