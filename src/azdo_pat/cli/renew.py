"""renew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.bulk import (
    conclude_changes,
    makers,
    say_failures,
    stoppable_progress,
    unfinished_places,
)
from azdo_pat.cli.command import command
from azdo_pat.cli.delivering import deliver_option, parsed_deliveries
from azdo_pat.cli.global_options import option
from azdo_pat.cli.notices import warn_shortened
from azdo_pat.cli.refused import is_refused, key, marks, works
from azdo_pat.errors import StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from azdo_pat.cli.app import App
    from azdo_pat.journal import JournalEntry
    from azdo_pat.models import StoredPat
    from azdo_pat.results import Change
    from azdo_pat.services.rotate import RotateRequest

_MOST: int = 64


@command("renew")
@option(
    "--within",
    metavar="SPAN",
    help="What ends within that span [7d, or a third of its life if that is less].",
)
@option(
    "--jobs", type=click.IntRange(1, _MOST), default=12, metavar="N", help="How many at once [12]."
)
@option("--expires", metavar="SPAN|DATE", help="Their end [as long a life as each had].")
@deliver_option
@option("--dry-run", is_flag=True, help="Only show what is due.")
def renew_command(
    app: App,
    *,
    within: str | None,
    jobs: int,
    expires: str | None,
    deliveries: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Rotate every token that is near its end and whose secret is on this machine.

    Made for cron: it says nothing while nothing is due, and needs no network then. Tokens of all
    organizations are looked at, of one with --org. What an earlier run could not deliver or
    revoke is tried again. A failure of one stops none of the others; the exit code is 9 then.

    \b
    Examples:
      pat renew
      pat renew --within 14d --dry-run
    """
    from azdo_pat.expiry import parse_span
    from azdo_pat.renewal import FileTarget
    from azdo_pat.services.renew import due, planned

    now = app.now()
    span = None if within is None else parse_span(within, now)
    request = _request(app, expires, deliveries)
    render = app.render
    if app.damaged_states:
        raise StoreError(
            "the state file was damaged, and which tokens are stored is not known since then",
            hint="pat doctor --fix finds it out",
        )
    there = app.organization if app.options.sources.get("org") == "--org" else None
    entries = due(
        app.state,
        now=now,
        within=span,
        org_url=there.url if there else None,
        api_root=app.api_root,
        is_refused=lambda entry: is_refused(app, entry),
    )
    if there and not app.state.stored(there.url):
        app.messages.warn(f"no token of {there.name} is stored here (pat list --stored)")
    if dry_run:
        app.messages.notice(f"{_count(len(entries))} would be renewed; none was")
        render.changes(planned(entries, now, span))
        return
    if len(entries) > 1 and any(isinstance(each, FileTarget) for each in request.deliveries or ()):
        raise UsageError(
            f"{len(entries)} tokens are due, and --deliver names one file",
            hint="give each its own: pat rotate NAME --deliver …",
        )
    changes, left, interrupted = _renewed(app, entries, request, jobs, span)
    for entry, change in zip(entries, changes, strict=True):
        if change.outcome == "rotated":
            marks(app).remove(key(entry))
    render.changes(changes)
    say_failures(app, changes)
    done = sum(each.outcome == "rotated" for each in changes)
    if changes:
        app.messages.notice(
            f"renewed {_count(done)}{f' of {len(changes)}' * (done < len(changes))}"
        )
    conclude_changes(changes, left, interrupted=interrupted)


def _renewed(
    app: App,
    entries: Sequence[StoredPat],
    request: RotateRequest,
    jobs: int,
    within: timedelta | None,
) -> tuple[Sequence[Change], Sequence[JournalEntry], bool]:
    """Renew, and bring to its end what is left; return also whether Ctrl-C stopped it."""
    from azdo_pat.models import Organization
    from azdo_pat.services.renew import renew

    places = [Organization(name=each.org, url=each.org_url) for each in entries]
    places += unfinished_places(app)
    if not places:
        return (), (), False
    tools, left = makers(app, places)
    with stoppable_progress(app, len(entries), "renewing") as (done, stopped):
        changes, rotations = renew(
            entries,
            tools,
            request,
            jobs=jobs,
            done=done,
            within=within,
            works=lambda *asked: works(app, *asked),
        )
        interrupted = stopped()
    for rotated in rotations:
        if rotated.created.shortened:
            warn_shortened(app, rotated.created.pat, rotated.created.requested_expiry)
    return changes, left, interrupted


def _count(tokens: int) -> str:
    return "1 token" if tokens == 1 else f"{tokens} tokens"


def _request(app: App, expires: str | None, deliveries: tuple[str, ...]) -> RotateRequest:
    from azdo_pat.expiry import parse_expiry
    from azdo_pat.services.rotate import RotateRequest

    now = app.now()
    return RotateRequest(
        expires=None if expires is None else parse_expiry(expires, now),
        otherwise=parse_expiry(str(app.setting("expires")), now),
        deliveries=parsed_deliveries(deliveries),
    )
