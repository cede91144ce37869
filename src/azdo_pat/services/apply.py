"""Creates, updates or keeps the tokens that a file declares."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.errors import ConflictError, PatError, UsageError
from azdo_pat.models import Organization, Pat, Status
from azdo_pat.naming import as_argument
from azdo_pat.operations.name_lock import lock_key
from azdo_pat.operations.revocation import end
from azdo_pat.organizations import is_of_root
from azdo_pat.organizations import organization as find_organization
from azdo_pat.results import Action, Change, ChangeOutcome
from azdo_pat.services.ensure import Wanted, ensure, needed
from azdo_pat.services.parallel import side_by_side
from azdo_pat.services.renew import listed_by_id, rotation
from azdo_pat.services.unsupported_server import no_lifecycle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from azdo_pat.journal import JournalEntry
    from azdo_pat.models import StoredPat
    from azdo_pat.operations.deps import Deps
    from azdo_pat.operations.name_lock import Exclusive
    from azdo_pat.renewal import Declaration
    from azdo_pat.results import Ensured
    from azdo_pat.services.ensure import Maker
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State


class ApplyDeps(NamedTuple):
    """The dependencies for tokens that are kept: the state file, and the lock on a name."""

    state: State
    exclusive: Exclusive


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


def placed(
    declarations: Sequence[Declaration],
    file: Path,
    *,
    api_root: str | None,
    at_hand: Callable[[], Organization],
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
            where = find_organization(each.org, root=api_root) if each.org else at_hand()
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
                f"{file}, line {each.line}: {each.name!r} is already declared in line {before}",
                hint="give it another name, or leave one out",
            )
        found.append((where, each))
    return found


def plan(
    declared: Sequence[tuple[Organization, Declaration]],
    source: str,
    *,
    state: State,
    secrets: SecretStore,
    now: datetime,
    is_refused: Callable[[StoredPat], bool],
) -> tuple[Step, ...]:
    """Plan the changes for the declared tokens, from keyring and state alone.

    Args:
        declared: the tokens, each with its organization.
        source: the absolute path of the file.
        state: the state file.
        secrets: the keyring.
        now: the time.
        is_refused: returns whether a program was refused with a token.
    """
    steps = []
    # Read once per organization: opening the state file for each token would dominate the run time.
    urls = {organization.url for organization, _ in declared}
    known = {(url, entry.name): entry for url in urls for entry in state.stored(url)}
    for organization, each in declared:
        wanted = Wanted(
            name=each.name,
            scopes=each.scopes,
            expires=each.expires,
            renew_before=each.renew_before,
            deliveries=each.deliveries,
            source=source,
        )
        entry = known.get((organization.url, each.name))
        action, why = needed(entry, wanted, now=now)
        if action in {Action.KEEP, Action.DELIVER} and (
            secrets.get(organization.url, each.name) is None
        ):
            action, why = Action.ROTATE, "its secret is no longer in the keyring"
        refused = (
            action in {Action.KEEP, Action.DELIVER} and entry is not None and is_refused(entry)
        )
        if refused:
            action, why = Action.ROTATE, "a program was refused with it: the service will be asked"
        pat = entry.as_pat(Status.UNKNOWN) if entry else _to_be(wanted, organization)
        change = Change(
            action=action, outcome=ChangeOutcome.PLANNED, pat=pat, org=organization.name, why=why
        )
        steps.append(Step(organization, change, wanted, entry, refused))
    return tuple(steps)


def to_prune(
    declared: Sequence[tuple[Organization, Declaration]],
    source: str,
    *,
    state: State,
    api_root: str | None,
) -> tuple[Step, ...]:
    """Return the tokens that the file declared at an earlier apply, but no longer declares."""
    named = {(organization.url, each.name) for organization, each in declared}
    return tuple(
        Step(
            Organization(name=entry.org, url=entry.org_url),
            Change(
                action=Action.REVOKE,
                outcome=ChangeOutcome.PLANNED,
                pat=entry.as_pat(Status.UNKNOWN),
                org=entry.org,
                why="the file no longer declares it",
            ),
            entry=entry,
        )
        for entry in state.stored()
        if entry.renewal.source == source
        and entry.id is not None
        and (entry.org_url, entry.name) not in named
        and is_of_root(entry.org_url, entry.org, api_root)
    )


def apply(  # noqa: PLR0913  # the collaborators are the arguments
    steps: Sequence[Step],
    makers: Mapping[str, tuple[Organization, Maker] | PatError],
    left: Sequence[JournalEntry],
    *,
    deps: ApplyDeps,
    verify: bool,
    jobs: int,
    done: Callable[[], None],
) -> tuple[Change, ...]:
    """Carry out a plan in parallel; a failed step does not stop the others.

    Args:
        steps: the plan.
        makers: by the URL of an organization: what is needed there, or why it cannot be had.
            Nothing is needed where all is kept.
        left: what earlier runs left unfinished, of other tokens too.
        deps: the state file, and the lock on a name.
        verify: ask the service whether the secrets of kept tokens work.
        jobs: how many to run in parallel.
        done: called after each step; if it raises KeyboardInterrupt, no further step is started.

    Returns:
        The outcome of each step, in the given order.
    """
    changes: dict[int, Change] = {}
    makers = _with_listed(steps, makers)
    kept_from = _not_to_prune(steps, makers)

    def work(place: int) -> None:
        step = steps[place]
        try:
            if place in kept_from:
                raise kept_from[place]
            changes[place] = _carried_out(step, makers.get(step.organization.url), verify=verify)
            if changes[place].outcome is ChangeOutcome.KEPT and step.wanted is not None:
                _remember(step.wanted, step, deps)
        except PatError as error:
            changes[place] = replace(
                step.change, outcome=ChangeOutcome.FAILED, error=error.message, failure=error
            )

    side_by_side(work, range(len(steps)), done, jobs)
    return tuple(
        _with_left(
            step,
            changes.get(place, replace(step.change, outcome=ChangeOutcome.NOT_REACHED)),
            left,
        )
        for place, step in enumerate(steps)
    )


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


def _not_to_prune(
    steps: Sequence[Step], makers: Mapping[str, tuple[Organization, Maker] | PatError]
) -> dict[int, PatError]:
    """Return the tokens that must not be pruned, with the reason.

    A token that was made global on the web page since would be revoked in all organizations.
    """
    pruned = {
        place: step.entry
        for place, step in enumerate(steps)
        if step.wanted is None and step.entry is not None
    }
    pats, failures = listed_by_id(list(pruned.values()), makers)
    found: dict[int, PatError] = {}
    for place, entry in pruned.items():
        pat = pats.get((entry.id or "").lower())
        if entry.org_url in failures:
            found[place] = failures[entry.org_url]
        elif pat is not None and pat.is_global:
            found[place] = ConflictError(
                "it is now valid in all your organizations, and would be revoked in all of them",
                hint=f"pat revoke {as_argument(entry.id or '')}",
            )
    return found


def _with_listed(
    steps: Sequence[Step], makers: Mapping[str, tuple[Organization, Maker] | PatError]
) -> Mapping[str, tuple[Organization, Maker] | PatError]:
    """List the tokens once if several are to be rotated, as each rotation would list them all."""
    old = [
        step.entry
        for step in steps
        if step.entry is not None and step.change.action is Action.ROTATE
    ]
    if len(old) <= 1:
        return makers
    listed, _ = listed_by_id(old, makers)  # a missing token is looked up again
    return {
        url: maker if isinstance(maker, PatError) else (maker[0], maker[1]._replace(listed=listed))
        for url, maker in makers.items()
    }


def _carried_out(
    step: Step, maker: tuple[Organization, Maker] | PatError | None, *, verify: bool
) -> Change:
    if maker is None or (step.change.action is Action.KEEP and not verify):
        return replace(step.change, outcome=ChangeOutcome.KEPT)
    if isinstance(maker, PatError):
        raise maker
    organization, tools = maker
    if step.wanted is None:
        return _ended(step, organization, tools.deps)
    return _change(step, ensure(organization, step.wanted, tools, verify=verify or step.refused))


def _change(step: Step, ensured: Ensured) -> Change:
    if ensured.rotated is not None and step.entry is not None:
        return rotation(step.entry, ensured.rotated, step.change.why)
    return replace(
        step.change,
        outcome=ChangeOutcome(ensured.outcome.value),
        pat=ensured.pat,
        error=ensured.undelivered,
        pending=bool(ensured.undelivered),
    )


def _remember(wanted: Wanted, step: Step, deps: ApplyDeps) -> None:
    """Record the renewal settings of a kept token, for `pat renew`.

    The token is not marked as the file's own: it may have been created by hand, and then
    pruning must not revoke it.
    """
    if step.entry is None or step.entry.renewal.renew_before == wanted.renew_before:
        return
    with deps.exclusive(lock_key(wanted.name, step.organization.url)):
        entry = deps.state.find(step.organization.url, wanted.name)
        if entry is not None:
            renewal = entry.renewal._replace(renew_before=wanted.renew_before)
            deps.state.remember(replace(entry, renewal=renewal))


def _ended(step: Step, organization: Organization, deps: Deps) -> Change:
    """Revoke a token and delete its secret, if it is still the planned one."""
    entry = step.entry
    assert entry is not None  # noqa: S101 - what is pruned is known
    with deps.exclusive(lock_key(entry.name, organization.url)):
        now = deps.state.find(organization.url, entry.name)
        if now is None or now.id != entry.id:
            return replace(
                step.change, outcome=ChangeOutcome.KEPT, why="another process has replaced it"
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
