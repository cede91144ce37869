"""Rotates every stored token that is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import NotFoundError, PatError, RefusedError
from azdo_pat.models import Status, StoredPat
from azdo_pat.naming import as_argument
from azdo_pat.organizations import is_of_root
from azdo_pat.results import Action, Change, ChangeOutcome, OldTokenOutcome
from azdo_pat.services.parallel import side_by_side
from azdo_pat.services.renewal_window import renewal_window
from azdo_pat.services.rotate import rotate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from azdo_pat.models import Organization, Pat, Secret
    from azdo_pat.results import Rotated
    from azdo_pat.services.ensure import Maker
    from azdo_pat.services.rotate import RotateRequest
    from azdo_pat.store.state import State

_FORGOTTEN: Final = timedelta(days=30)
"""A token that expired longer ago is not replaced, as it is evidently not in use."""
_DOUBTED: Final = "a program was refused with it"


def due(
    state: State,
    *,
    now: datetime,
    within: timedelta | None,
    org_url: str | None,
    api_root: str | None,
    is_refused: Callable[[StoredPat], bool],
) -> tuple[StoredPat, ...]:
    """Return the stored tokens that are due or have expired, the earliest expiry first.

    A token that a program was refused with is included, until the service has been asked.

    Args:
        state: the state file.
        now: the time.
        within: how near; None for what each was given (`--renew-before`), or else the lesser of a
            week and a third of its life.
        org_url: of the organization whose tokens count; None for all.
        api_root: `PAT_API_URL`; what belongs to other roots is left out.
        is_refused: a program was refused with it.
    """
    found = [
        (entry.expires, entry)
        for entry in state.stored(org_url)
        if entry.stored
        and entry.id is not None  # the token of an imported secret is unknown
        and entry.expires is not None
        and is_of_root(entry.org_url, entry.org, api_root)
        and now - _FORGOTTEN < entry.expires
        and (is_near(entry, now, within) or is_refused(entry))
    ]
    return tuple(entry for _, entry in sorted(found, key=lambda each: each[0]))


def is_near(entry: StoredPat, now: datetime, within: timedelta | None) -> bool:
    """Return whether a token is due or has expired; see `due`."""
    return entry.expires is None or entry.expires <= now + (within or renewal_window(entry))


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
            else f"{_DOUBTED}: the service will be asked",
        )
        for entry in entries
    )


def renew(  # noqa: PLR0913  # the collaborators are the arguments
    entries: Sequence[StoredPat],
    makers: Mapping[str, tuple[Organization, Maker] | PatError],
    request: RotateRequest,
    *,
    jobs: int,
    done: Callable[[], None],
    within: timedelta | None,
    works: Callable[[StoredPat, Organization, Secret], bool],
) -> tuple[tuple[Change, ...], tuple[Rotated, ...]]:
    """Rotate tokens in parallel; a failed rotation does not stop the others.

    Args:
        entries: the tokens.
        makers: by the URL of an organization: what is needed there, or why it cannot be had.
        request: the options for the new tokens.
        jobs: how many at once.
        done: told after each; what it raises as KeyboardInterrupt begins no further one.
        within: as for `due`. A token outside it is due only because a program was
            refused with it.
        works: asks the service whether it takes the secret of such a one, which is kept then.

    Returns:
        The outcome of each, in the given order, and the rotations.

    Raises:
        StoreError: the keyring does not work; nothing was created.
    """
    tools = [maker for maker in makers.values() if not isinstance(maker, PatError)]
    if entries and tools:
        tools[0][1].deps.secrets.check()
    request = replace(request, keyring_tried=True, only_stored=True)
    pats, failures = listed_by_id(entries, makers)
    changes: dict[int, Change] = {}
    rotations: list[Rotated] = []

    def work(place: int) -> None:
        entry = entries[place]
        why = _why(entry, None)
        try:
            organization, maker = _had(makers[entry.org_url])
            with maker.alone(entry.name):
                now = maker.deps.state.find(entry.org_url, entry.name)
                if now is None or now.id != entry.id:  # another process was faster
                    why = "another process has already done it"
                    changes[place] = _change(now or entry, ChangeOutcome.KEPT, why=why)
                    return
                secret = None
                if not is_near(entry, maker.deps.now(), within):
                    secret = maker.deps.secrets.get(entry.org_url, entry.name)
                if secret is not None:
                    if works(entry, organization, secret):
                        why = "it still works"
                        changes[place] = _change(entry, ChangeOutcome.KEPT, why=why)
                        return
                    why = _DOUBTED
                pat = _alive(entry, pats, failures)
                rotated = rotate(organization, pat, request, maker.deps, try_out=maker.try_out)
        except PatError as error:
            changes[place] = _change(
                entry, ChangeOutcome.FAILED, error=error.message, failure=error, why=why
            )
            return
        rotations.append(rotated)
        changes[place] = rotation(entry, rotated, why)

    side_by_side(work, range(len(entries)), done, jobs)
    nothing = {
        place: _change(entry, ChangeOutcome.NOT_REACHED)
        for place, entry in enumerate(entries)
        if place not in changes
    }
    everything = changes | nothing
    return tuple(everything[place] for place in range(len(entries))), tuple(rotations)


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
    )


def _had(maker: tuple[Organization, Maker] | PatError) -> tuple[Organization, Maker]:
    if isinstance(maker, PatError):
        raise maker
    return maker


def listed_by_id(
    entries: Sequence[StoredPat], makers: Mapping[str, tuple[Organization, Maker] | PatError]
) -> tuple[dict[str, Pat], dict[str, PatError]]:
    """Return the tokens as the service lists them, by id; each organization is listed once."""
    pats: dict[str, Pat] = {}
    failures: dict[str, PatError] = {}
    for url, maker in makers.items():
        ids = [entry.id for entry in entries if entry.org_url == url and entry.id]
        if isinstance(maker, PatError) or not ids:
            continue
        organization, tools = maker
        try:
            found, _ = tools.browser.find_each(organization, ids)
        except PatError as error:
            failures[url] = error
        else:
            pats |= {(pat.id or "").lower(): pat for pat in found}
    return pats, failures


def _alive(entry: StoredPat, pats: Mapping[str, Pat], failures: Mapping[str, PatError]) -> Pat:
    """Return a token as the service lists it.

    Raises:
        PatError: its organization could not be listed, or the token is revoked or unknown there.
    """
    if entry.org_url in failures:
        raise failures[entry.org_url]
    pat = pats.get((entry.id or "").lower())
    hint = f"pat forget {as_argument(entry.name)} --org {entry.org} stops its renewal"
    if pat is None:
        raise NotFoundError(f"{entry.org} no longer knows the token {entry.id}", hint=hint)
    if pat.status is Status.REVOKED:
        raise RefusedError(f"it was revoked; {hint}", hint=hint)
    return pat


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


def _why(entry: StoredPat, now: datetime | None) -> str:
    if entry.expires is None:
        return ""
    ended = now is not None and entry.expires <= now
    return f"{'ended' if ended else 'ends'} {entry.expires:%Y-%m-%d %H:%M} UTC"
