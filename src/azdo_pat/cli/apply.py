"""Define the command `apply`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from azdo_pat.cli import options
from azdo_pat.cli.bulk import conclude_changes, needs_total, say_consequences, stoppable_progress
from azdo_pat.cli.command import command
from azdo_pat.cli.confirmation import Question, confirm_shown, count
from azdo_pat.cli.lease import held_lease, lease_option, lease_place
from azdo_pat.cli.recovery_messages import say_remaining_copies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.results.plans import Change
    from azdo_pat.services.apply import Step


@command("apply")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--prune",
    is_flag=True,
    help="Revoke tokens that an earlier apply of FILE created and FILE no longer declares.",
)
@lease_option
@options.verify(help="Ask the service whether it accepts the tokens that are kept.")
@options.yes(help="Do not ask before --prune revokes.")
@options.dry_run(help="Only show the plan.")
def apply_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    file: Path,
    *,
    prune: bool,
    lease: str | None,
    verify: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Create, rotate or keep the tokens that FILE declares.

    A token is created if its secret is not stored here, rotated if it is due or its scopes
    differ, delivered if its delivery targets differ, and otherwise kept. If there is nothing to
    do, neither the network nor a sign-in is needed. FILE is TOML:

    \b
      [[token]]
      name = "ci"
      org = "contoso"
      for = "packages"            # or: scopes = ["packaging"]
      expires = "30d"
      renew_before = "7d"
      grace = "2h"                # the old token stays active this long
      deliver = ["file:.env|AZURE_PAT={token}"]

    \b
    Examples:
      pat apply tokens.toml --dry-run
      pat apply tokens.toml --prune --yes
    """
    from azdo_pat.config.declarations import read_declarations
    from azdo_pat.services.apply import apply, placed, plan

    expires = str(app.runtime.setting("expires"))
    declarations = read_declarations(
        file, expires=expires, now=app.now(), environment=app.environment
    )
    declared = placed(declarations, file, app)
    render = app.runtime.render
    where = lease_place(app, lease)
    steps = plan(declared, str(file.resolve()), app, prune=prune)
    if dry_run:
        render.show_all([each.change for each in steps])
        return
    gone = [each.change.pat for each in steps if each.change.action == "revoke"]
    if gone and not yes:
        question = Question(
            text=f"Revoke {count(gone)} not declared in {file}?",
            effect=f"{count(gone)} would be revoked",
            hint="add --yes to confirm, or --dry-run to see what would be done",
            declined="nothing was changed",
        )
        planned = [each.change for each in steps if each.change.action != "keep"]
        confirm_shown(app, lambda: app.runtime.preview.show_all(planned), question)
    with held_lease(app, where if verify or _has_work(app, steps) else None) as before_each:
        if before_each is None:
            render.show_all(())
            return
        progress = partial(stoppable_progress, app, "applying", before=before_each)
        changes, interrupted = apply(steps, app, verify=verify, progress=progress)
    render.show_all(changes)
    for step, change in zip(steps, changes, strict=True):
        if change.outcome == "revoked" and step.entry is not None:
            targets = step.entry.renewal.deliveries
            say_remaining_copies(app.runtime.messages, change.pat.name, targets, "no longer works")
    say_consequences(app, changes)
    tell = app.runtime.messages.notice
    if changes and not interrupted and not any(each.error for each in changes):
        tell = app.runtime.messages.done
    if needs_total(app, len(changes)):
        tell(_summary(changes))
    conclude_changes(changes, interrupted=interrupted)


def _has_work(app: App, steps: Sequence[Step]) -> bool:
    from azdo_pat.operations.recovery import due_here

    return any(each.change.action != "keep" for each in steps) or bool(due_here(app))


def _summary(changes: Sequence[Change]) -> str:
    """Return the number of tokens per outcome: `created 2, kept 5`."""
    counts = {str(each.outcome): 0 for each in changes}
    for each in changes:
        counts[str(each.outcome)] += 1
    words = ", ".join(f"{outcome} {count}" for outcome, count in counts.items())
    return words or "the file declares no tokens"
