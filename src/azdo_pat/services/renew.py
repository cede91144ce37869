"""Rotates every stored token that is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.command_lines import pat_command
from azdo_pat.errors import NotFoundError, PatError, RefusedError
from azdo_pat.models import Status, StoredPat
from azdo_pat.operations.lock_keys import renewal_lock_key
from azdo_pat.organizations import is_of_root
from azdo_pat.results.plans import Action, Change, ChangeOutcome
from azdo_pat.results.tokens import OldTokenOutcome
from azdo_pat.services.parallel import side_by_side
from azdo_pat.services.places import prepared
from azdo_pat.services.refused_tokens import marker_key, refusals, still_works, was_refused
from azdo_pat.services.rotate import rotate
from azdo_pat.services.takeover import taken_over

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from azdo_pat.journal import JournalEntry
    from azdo_pat.models import Pat
    from azdo_pat.operations.deps import Deps
    from azdo_pat.results.tokens import Ensured, Rotated
    from azdo_pat.services.parallel import Shown
    from azdo_pat.services.places import Listed, Places
    from azdo_pat.services.rotate import RotateRequest

_FORGOTTEN: Final = timedelta(days=30)
"""A token that expired longer ago is not replaced, as it is evidently not in use."""
_DOUBTED: Final = "reported as refused"


class Renewed(NamedTuple):
    """The result of a renewal.

    Attributes:
        changes: the outcome of each token, in the given order.
        rotations: of the tokens that were rotated.
        left: what an earlier run left unfinished, and is not finished now.
        interrupted: the user cancelled.
    """

    changes: tuple[Change, ...] = ()
    rotations: tuple[Rotated, ...] = ()
    left: Sequence[JournalEntry] = ()
    interrupted: bool = False


def due(deps: Deps, *, within: timedelta | None, org_url: str | None) -> tuple[StoredPat, ...]:
    """Return the stored tokens that are due or have expired, the earliest expiry first.

    A token that a program was refused with is included, until the service has been asked.

    `within` is how near; None for what each was given (`--renew-before`), or else the lesser of a
    week and a third of its life.
    """
    now = deps.now()
    found = [
        (entry.expires, entry)
        for entry in deps.state.stored(org_url)
        if entry.stored
        and entry.id is not None  # the token of an imported secret is unknown
        and entry.expires is not None
        and is_of_root(entry.organization, deps.session.api_root)
        and now - _FORGOTTEN < entry.expires
        and (is_near(entry, now, within) or was_refused(entry, deps))
    ]
    return tuple(entry for _, entry in sorted(found, key=lambda each: each[0]))


def is_near(entry: StoredPat, now: datetime, within: timedelta | None) -> bool:
    """Return whether a token is due or has expired; see `due`."""
    return entry.expires is None or entry.expires <= now + (
        within or entry.renewal.window(entry.life)
    )


def planned(
    entries: Sequence[StoredPat], now: datetime, within: timedelta | None
) -> tuple[Change, ...]:
    """Return the changes that renewing would make (dry run)."""
    return tuple(
        _change(
            entry,
            ChangeOutcome.PLANNED,
            why=_why(entry, now)
            if is_near(entry, now, within)
            else f"{_DOUBTED}: pat will ask the service",
        )
        for entry in entries
    )


def renew(
    entries: Sequence[StoredPat],
    request: RotateRequest,
    deps: Deps,
    *,
    jobs: int,
    within: timedelta | None,
    progress: Shown,
) -> Renewed:
    """Rotate tokens in parallel, and recover what is due; a failure does not stop the others.

    `within` is as for `due`: a token outside it is due only because a program was refused with it,
    and kept if the service accepts it.

    Raises:
        StoreError: the keyring does not work; nothing was created.
    """
    places = prepared([entry.organization for entry in entries], deps)
    if not places.deps:
        return Renewed()
    with progress(len(entries)) as shown:
        if entries and any(not isinstance(each, PatError) for each in places.deps.values()):
            deps.secrets.check()
        request = replace(request, keyring_tried=True, only_stored=True)
        listed = places.listed(entries)
        outcomes: dict[int, tuple[Change, Rotated | None]] = {}

        def work(place: int) -> None:
            entry = entries[place]
            why = _why(entry, deps.now())
            try:
                shown.before()
            except PatError as error:
                outcomes[place] = _failed(entry, error, why), None
            else:
                outcomes[place] = _renewed(entry, why, request, within, places, listed)

        side_by_side(work, range(len(entries)), shown.done, jobs)
        interrupted = shown.stopped()
    reached = [
        outcomes.get(place, (_change(entry, ChangeOutcome.NOT_REACHED), None))
        for place, entry in enumerate(entries)
    ]
    return Renewed(
        tuple(change for change, _ in reached),
        tuple(rotated for _, rotated in reached if rotated),
        places.left,
        interrupted,
    )


def _renewed(
    entry: StoredPat,
    why: str,
    request: RotateRequest,
    within: timedelta | None,
    places: Places,
    listed: Listed,
) -> tuple[Change, Rotated | None]:
    """Rotate one token, unless there is no need to; return the outcome."""
    try:
        deps = places.at(entry.org_url)
        with deps.in_line(renewal_lock_key(entry.name, entry.org_url)):
            now = deps.state.find(entry.org_url, entry.name)
            if now is None or now.id != entry.id:
                why = "renewed by another process"
                return _change(now or entry, ChangeOutcome.KEPT, why=why), None
            secret = None
            if not is_near(entry, deps.now(), within):
                secret = deps.secrets.get(entry.org_url, entry.name)
            if secret is not None:
                if still_works(entry, secret, deps):
                    return _change(entry, ChangeOutcome.KEPT, why="still works"), None
                why = _DOUBTED
            old = None
            renewal = now.renewal
            if request.deliveries is not None:
                renewal = renewal.delivered_to(request.deliveries)
            taken = taken_over(deps.organization, entry.name, renewal, deps)
            if taken is not None:
                refusals(deps).remove(marker_key(entry))
                now = deps.state.find(entry.org_url, entry.name) or now
                if not is_near(now, deps.now(), within):
                    return takeover(entry, taken), None
                old = taken.pat
            rotated = rotate(deps.organization, old or _alive(entry, listed), request, deps)
    except PatError as error:
        return _failed(entry, error, why), None
    refusals(deps).remove(marker_key(entry))
    return rotation(entry, rotated, why), rotated


def rotation(entry: StoredPat, rotated: Rotated, why: str) -> Change:
    """Return the outcome of a rotation."""
    pending = rotated.old in {OldTokenOutcome.PENDING, OldTokenOutcome.UNDELIVERED}
    return Change(
        action=Action.ROTATE,
        outcome=ChangeOutcome.ROTATED,
        pat=rotated.created.pat,
        org=entry.org,
        why=why,
        error=rotated.reason if pending else "",
        pending=pending,
        old_until=rotated.due,
    )


def takeover(entry: StoredPat, taken: Ensured) -> Change:
    """Return the outcome for a token that another machine has renewed."""
    error = taken.undelivered or taken.unrevoked
    return Change(
        action=Action.ROTATE,
        outcome=ChangeOutcome.TAKEN_OVER,
        pat=taken.pat,
        org=entry.org,
        why=f"renewed by another machine: {taken.taken_from}",
        error=error,
        pending=bool(error),
        old_until=taken.old_until,
    )


def _alive(entry: StoredPat, listed: Listed) -> Pat:
    """Return a token as the service lists it.

    Raises:
        PatError: its organization could not be listed, or the token is revoked or unknown there.
    """
    if entry.org_url in listed.failures:
        raise listed.failures[entry.org_url]
    pat = listed.pats.get(entry.id or "")
    forget = pat_command("forget", entry.name, options=("--org", entry.org))
    hint = f"to stop renewing it, run: {forget}"
    if pat is None:
        raise NotFoundError(f"{entry.org} no longer knows the token {entry.id}", hint=hint)
    if pat.status is Status.REVOKED:
        raise RefusedError(f"it was revoked; {hint}", hint=hint)
    return pat


def _failed(entry: StoredPat, error: PatError, why: str) -> Change:
    return _change(entry, ChangeOutcome.FAILED, error=error.message, failure=error, why=why)


def _change(
    entry: StoredPat,
    outcome: ChangeOutcome,
    *,
    why: str = "",
    error: str = "",
    failure: PatError | None = None,
) -> Change:
    return Change(
        action=Action.ROTATE,
        outcome=outcome,
        pat=entry.as_pat(Status.UNKNOWN),
        org=entry.org,
        why=why,
        error=error,
        failure=failure,
    )


def _why(entry: StoredPat, now: datetime) -> str:
    if entry.expires is None:
        return ""
    return "expired" if entry.expires <= now else "due"
