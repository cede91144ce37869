"""apply."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from azdo_pat.cli.bulk import conclude_changes, makers, say_failures, unfinished_places
from azdo_pat.cli.command import command
from azdo_pat.cli.confirmation import Question, confirm, count
from azdo_pat.cli.global_options import option
from azdo_pat.cli.leftovers import say_where_it_lies
from azdo_pat.cli.refused import is_refused, key, marks
from azdo_pat.cli.signals import ctrl_c_noted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.journal import JournalEntry
    from azdo_pat.models import Organization
    from azdo_pat.renewal import Declaration
    from azdo_pat.results import Change
    from azdo_pat.services.apply import Step


@command("apply")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@option("--prune", is_flag=True, help="Revoke what an earlier apply of FILE made and it lacks now.")
@option("--verify", is_flag=True, help="Ask the service whether it takes what is kept.")
@option("--yes", is_flag=True, help="Do not ask before --prune revokes.")
@option("--dry-run", is_flag=True, help="Only show the plan.")
def apply_command(
    app: App, file: Path, *, prune: bool, verify: bool, yes: bool, dry_run: bool
) -> None:
    """Make the tokens that FILE declares be so.

    Each is made if its secret is not here, rotated if it is near its end or has other scopes,
    delivered if its secret is to go elsewhere, and kept otherwise. While nothing is to be done,
    neither network nor sign-in is needed. FILE is TOML:

    \b
      [[token]]
      name = "ci"
      org = "contoso"
      for = "packages"            # or: scopes = ["packaging"]
      expires = "30d"
      renew_before = "7d"
      deliver = ["file:.env|AZURE_PAT={token}"]

    \b
    Examples:
      pat apply tokens.toml --dry-run
      pat apply tokens.toml --prune --yes
    """
    from azdo_pat.config.declarations import read_declarations
    from azdo_pat.services.apply import plan, to_prune

    now = app.now()
    declared = _placed(
        app, read_declarations(file, expires=str(app.setting("expires")), now=now), file
    )
    render = app.render
    source = str(file.resolve())
    steps: Sequence[Step] = plan(
        declared,
        source,
        state=app.state,
        secrets=app.secrets,
        now=now,
        is_refused=lambda entry: is_refused(app, entry),
    )
    if prune:
        steps = [*steps, *to_prune(declared, source, state=app.state, api_root=app.api_root)]
    if dry_run:
        render.changes([each.change for each in steps])
        return
    _show(app, steps)
    gone = [each.change.pat for each in steps if each.change.action == "revoke"]
    if gone and not yes:
        question = Question(
            text=f"Revoke {count(gone)} that {file} lacks?",
            effect=f"{count(gone)} would be revoked",
            hint="--yes confirms, --dry-run shows what would be done",
            declined="nothing was done",
        )
        confirm(app, gone, question)
    changes, left, interrupted = _applied(app, steps, verify=verify)
    render.changes(changes)
    for step, change in zip(steps, changes, strict=True):
        if step.refused and step.entry is not None and change.outcome in {"kept", "rotated"}:
            marks(app).remove(key(step.entry))
        if change.outcome == "revoked" and step.entry is not None:
            brought = step.entry.renewal.deliveries
            say_where_it_lies(app.messages, change.pat.name, brought, "useless")
    say_failures(app, changes)
    app.messages.notice(_summary(changes))
    conclude_changes(changes, left, interrupted=interrupted)


def _placed(
    app: App, declarations: Sequence[Declaration], file: Path
) -> list[tuple[Organization, Declaration]]:
    """Give each token its organization: the one it names, or the one at hand.

    Raises:
        UsageError: what is named is no organization, or is Azure DevOps Server; or one token
            stands there twice, by two names of its organization.
    """
    from azdo_pat.errors import PatError, UsageError
    from azdo_pat.organizations import organization
    from azdo_pat.services.server import no_lifecycle

    placed: list[tuple[Organization, Declaration]] = []
    seen: dict[tuple[str, str], int] = {}
    for each in declarations:
        try:
            where = organization(each.org, root=app.api_root) if each.org else app.organization
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
                f"{file}, line {each.line}: {each.name!r} is declared in line {before} already",
                hint="give it another name, or leave one out",
            )
        placed.append((where, each))
    return placed


def _show(app: App, steps: Sequence[Step]) -> None:
    """Show the plan on stderr: what is to be done, not what is kept."""
    for step in steps:
        change = step.change
        if change.action != "keep":
            app.messages.notice(
                f"{change.action} {change.pat.name!r} in {change.org}: {change.why}"
            )


def _applied(
    app: App, steps: Sequence[Step], *, verify: bool
) -> tuple[Sequence[Change], Sequence[JournalEntry], bool]:
    """Carry the plan out; return also whether Ctrl-C stopped it."""
    from azdo_pat.services.apply import ApplyDeps, apply
    from azdo_pat.services.parallel import SIDE_BY_SIDE

    busy = [each.organization for each in steps if verify or each.change.action != "keep"]
    tools, left = makers(app, [*busy, *unfinished_places(app)])
    with app.progress(len(steps), "applying") as show, ctrl_c_noted() as stopped:

        def done() -> None:
            show()
            if stopped():
                raise KeyboardInterrupt

        deps = ApplyDeps(state=app.state, exclusive=app.exclusive)
        changes = apply(steps, tools, deps=deps, verify=verify, jobs=SIDE_BY_SIDE, done=done)
        # Other tokens' leftovers are not this file's.
        own = {(each.organization.url, each.change.pat.name) for each in steps}
        left = [each for each in left if (each.organization.url, each.name) in own]
        return _with_left(changes, left), left, stopped()


def _with_left(changes: Sequence[Change], left: Sequence[JournalEntry]) -> Sequence[Change]:
    """Say of each token what an earlier run has left to be done, where nothing else is said."""
    from dataclasses import replace

    reasons = {
        (each.organization.name, each.name): each.reason or "it is still to be done"
        for each in left
    }
    return [
        replace(each, error=reason, pending=True)
        if not each.error and (reason := reasons.get((each.org, each.pat.name)))
        else each
        for each in changes
    ]


def _summary(changes: Sequence[Change]) -> str:
    """Count what became of the tokens: `created 2, kept 5`."""
    counts = {str(each.outcome): 0 for each in changes}
    for each in changes:
        counts[str(each.outcome)] += 1
    words = ", ".join(f"{outcome} {count}" for outcome, count in counts.items())
    return words or "the file declares no token"
