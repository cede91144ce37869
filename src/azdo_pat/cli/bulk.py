"""Share what commands do that change many tokens in several organizations."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from azdo_pat.cli.signals import ctrl_c_noted
from azdo_pat.errors import ExitCode, PartialError, PatError, PendingError, SignInError
from azdo_pat.journal import JournalEntry, is_due

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.models import Organization
    from azdo_pat.results import Change
    from azdo_pat.services.ensure import Maker


def makers(
    app: App, organizations: Iterable[Organization]
) -> tuple[dict[str, tuple[Organization, Maker] | PatError], list[JournalEntry]]:
    """Return the dependencies for each organization, and recover what is unfinished there.

    Returns:
        By the organization's URL: its dependencies, or why they are not available; and what could
        not be recovered.
    """
    found: dict[str, tuple[Organization, Maker] | PatError] = {}
    left: list[JournalEntry] = []
    for organization in dict.fromkeys(organizations):
        there = app.at(organization)
        try:
            there.session.access_token()
            found[organization.url] = there.organization, there.maker
        except PatError as error:
            found[organization.url] = error
            due = _due(app, organization)
            if due:
                app.runtime.messages.warn(
                    f"what is still to be done in {organization.name}: {error.message}"
                )
            left += due
        else:
            recovered = there.finish_what_is_due(organization)
            left += [each.operation.entry for each in recovered if each.failure]
    return found, left


def _due(app: App, organization: Organization) -> list[JournalEntry]:
    now = app.runtime.now()
    here = app.state.unfinished(organization.url)
    return [each.entry for each in here if is_due(each, now)]


def unfinished_places(app: App) -> list[Organization]:
    """Return the organizations in which an operation is due."""
    from azdo_pat.organizations import is_of_root

    now = app.runtime.now()
    return [
        operation.entry.organization
        for operation in app.state.unfinished()
        if is_due(operation, now)
        and is_of_root(
            operation.entry.organization.url,
            operation.entry.organization.name,
            app.session.api_root,
        )
    ]


@contextmanager
def stoppable_progress(
    app: App, total: int, label: str
) -> Iterator[tuple[Callable[[], None], Callable[[], bool]]]:
    """Show progress, and let Ctrl-C end what is done to many tokens after those under way.

    Gives what is to be called after each token, which raises KeyboardInterrupt then; and what
    tells whether Ctrl-C was pressed.
    """
    with app.runtime.progress(total, label) as show, ctrl_c_noted() as stopped:

        def done() -> None:
            show()
            if stopped():
                raise KeyboardInterrupt

        yield done, stopped


def say_failures(app: App, changes: Sequence[Change]) -> None:
    """Say on stderr what failed, or is still to be done."""
    for change in changes:
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
            f"{len(failed)} of {len(changes)} tokens could not be brought up to date",
            hint="see above; the others were" if len(failed) < len(changes) else "see above",
        )
    # Of one token several things may be left.
    pending = len(
        {(each.pat.org, each.pat.name) for each in changes if each.pending}
        | {(each.organization.name, each.name) for each in left}
    )
    if pending:
        raise PendingError(
            f"something is still to be done for {pending} token{'s' * (pending > 1)}",
            hint="see above; the next run tries again",
        )
