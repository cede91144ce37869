"""Define the command `renew`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from azdo_pat.cli import options
from azdo_pat.cli.bulk import conclude_changes, needs_total, say_consequences, stoppable_progress
from azdo_pat.cli.command import command
from azdo_pat.cli.lease import held_lease, lease_option, lease_place
from azdo_pat.cli.token_messages import warn_shortened
from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.models import StoredPat
    from azdo_pat.services.renew import Renewed
    from azdo_pat.services.rotate import RotateRequest

_MOST: int = 64


@command("renew")
@click.option(
    "--within",
    metavar="SPAN",
    help="Rotate tokens that expire within this span [7d, or a third of the lifetime if shorter].",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, _MOST),
    default=12,
    metavar="N",
    help="Number of tokens to renew in parallel [12].",
)
@options.expires(help="New lifetime or expiry [each token's old lifetime].")
@options.deliver
@lease_option
@options.dry_run(help="Only show what is due.")
def renew_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    *,
    within: str | None,
    jobs: int,
    expires: str | None,
    deliveries: tuple[str, ...],
    lease: str | None,
    dry_run: bool,
) -> None:
    """Rotate every stored token that is due.

    Meant for cron: if nothing is due, it prints nothing, except on a terminal, and needs no
    network. It renews the tokens of all organizations, or of one with --org, and retries what an
    earlier run could not deliver or revoke. If one token fails, the others are still renewed, and
    the exit code is 9.

    \b
    Examples:
      pat renew
      pat renew --within 14d --dry-run
    """
    from azdo_pat.expiry import parse_span
    from azdo_pat.operations.recovery import due_here
    from azdo_pat.services.renew import due, planned, renew

    span = None if within is None else parse_span(within, app.now())
    request = _request(app, expires, deliveries)
    where = lease_place(app, lease)
    render = app.runtime.render
    app.require_whole_state()
    there = app.organization if app.runtime.options.sources.get("org") == "--org" else None
    entries = due(app, within=span, org_url=there.url if there else None)
    if there and not app.state.stored(there.url):
        app.runtime.messages.warn(
            f"no token of {there.name} is stored here; to list stored tokens, run: pat list"
            " --stored"
        )
    if dry_run:
        app.runtime.messages.notice(
            f"{_count(len(entries))} would be renewed (dry run)"
            if entries
            else "nothing is due for renewal (dry run)"
        )
        render.show_all(planned(entries, app.now(), span))
        return
    _require_one_place(entries, request)
    if not entries and not due_here(app):
        where = None  # while nothing is due, no server is asked
    with held_lease(app, where) as before_each:
        if before_each is None:
            render.show_all(())
            return
        progress = partial(stoppable_progress, app, "renewing", before=before_each)
        renewed = renew(entries, request, app, jobs=jobs, within=span, progress=progress)
    _say(app, renewed)
    conclude_changes(renewed.changes, renewed.left, interrupted=renewed.interrupted)


def _require_one_place(entries: Sequence[StoredPat], request: RotateRequest) -> None:
    """Check that no two secrets are to be delivered to one place; a command can tell them apart.

    Raises:
        UsageError: they are.
    """
    from azdo_pat.delivery_targets import CommandTarget

    places = [each for each in request.deliveries or () if not isinstance(each, CommandTarget)]
    if len(entries) > 1 and places:
        raise UsageError(
            f"{len(entries)} tokens are due, but --deliver names one place: {places[0].place}",
            hint="to deliver each to its own place, run: pat rotate NAME --deliver …",
        )


def _say(app: App, renewed: Renewed) -> None:
    """Report what was done."""
    for rotated in renewed.rotations:
        warn_shortened(app, rotated.created.pat, rotated.created.shortened_from)
    app.runtime.render.show_all(renewed.changes)
    say_consequences(app, renewed.changes)
    if not renewed.changes and not renewed.left and app.runtime.shows_tables:
        app.runtime.messages.notice("nothing is due for renewal")
    if renewed.changes and needs_total(app, len(renewed.changes)):
        failed = renewed.interrupted or any(each.error for each in renewed.changes)
        tell = app.runtime.messages.notice if failed else app.runtime.messages.done
        tell(_summary(renewed))


def _summary(renewed: Renewed) -> str:
    """Return how many tokens were renewed: `renewed 2 tokens of 4, took over 1 token`."""
    done, of = len(renewed.rotations), len(renewed.changes)
    taken = sum(each.outcome == "taken over" for each in renewed.changes)
    if taken == of:
        return f"took over {_count(taken)}"
    others = f", took over {_count(taken)}" if taken else ""
    return f"renewed {_count(done)}{f' of {of}' * (done < of)}{others}"


def _count(tokens: int) -> str:
    return "1 token" if tokens == 1 else f"{tokens} tokens"


def _request(app: App, expires: str | None, deliveries: tuple[str, ...]) -> RotateRequest:
    from azdo_pat.expiry import parse_expiry
    from azdo_pat.services.rotate import RotateRequest

    now = app.runtime.now()
    return RotateRequest(
        expires=None if expires is None else parse_expiry(expires, now),
        otherwise=options.expiry_or_default(app, None, now),
        deliveries=options.parsed_deliveries(app, deliveries),
    )
