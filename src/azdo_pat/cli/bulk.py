"""Share what commands do that change many tokens in several organizations."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from azdo_pat.cli.interrupts import ctrl_c_recorded
from azdo_pat.cli.token_messages import say_delivered
from azdo_pat.dates import local_minute
from azdo_pat.errors import ExitCode, PartialError, PendingError, SignInError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.journal import JournalEntry
    from azdo_pat.results.plans import Change
    from azdo_pat.services.parallel import Progress


@contextmanager
def stoppable_progress(
    app: App, label: str, total: int, *, before: Callable[[], None] = lambda: None
) -> Iterator[Progress]:
    """Show progress, and let Ctrl-C end what is done to many tokens after those under way.

    `before` is called before each token; see `Progress`.
    """
    from azdo_pat.services.parallel import Progress

    with app.runtime.progress(total, label) as show, ctrl_c_recorded() as stopped:

        def done() -> None:
            show()
            if stopped():
                raise KeyboardInterrupt

        yield Progress(done, stopped, before)


def needs_total(app: App, outcomes: int) -> bool:
    """Return whether to say how many tokens had which outcome.

    A table of one token, on the same terminal, says it itself.
    """
    return outcomes != 1 or not app.runtime.shows_tables


def say_consequences(app: App, changes: Sequence[Change]) -> None:
    """Say on stderr where secrets were delivered, what failed, and what is still to be done."""
    for change in changes:
        if change.outcome in {"created", "rotated", "delivered"}:
            say_delivered(app, change.pat)
        if change.old_until is not None:
            app.runtime.messages.notice(
                f"the old token of {change.pat.name!r} in {change.org} will be revoked by the first"
                f" command that signs in after {local_minute(change.old_until)}"
            )
        if not change.error:
            continue
        hint = change.failure.hint if change.failure else ""
        more = f" ({'; '.join(hint.splitlines())})" if hint and hint not in change.error else ""
        app.runtime.messages.warn(f"{change.pat.name} in {change.org}: {change.error}{more}")


def conclude_changes(
    changes: Sequence[Change], left: Sequence[JournalEntry] = (), *, interrupted: bool = False
) -> None:
    """End with the code for how it went."""
    if interrupted:
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    failed = [each for each in changes if each.outcome == "failed"]
    if failed:
        first = failed[0].failure
        if isinstance(first, SignInError) and len(failed) == len(changes):
            raise first  # one cause, and nothing to look up above
        raise PartialError(
            f"{len(failed)} of {len(changes)} tokens failed",
            hint="see above; the others succeeded" if len(failed) < len(changes) else "see above",
        )
    # Of one token several things may be left.
    pending = len(
        {(each.pat.org, each.pat.name) for each in changes if each.pending}
        | {(each.organization.name, each.name) for each in left}
    )
    if pending:
        raise PendingError(
            f"a step is still pending for {pending} token{'s' * (pending > 1)}",
            hint="see above; the next run tries again",
        )
