"""Define the command `revoke`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from azdo_pat.cli import options
from azdo_pat.cli.bulk import needs_total, stoppable_progress
from azdo_pat.cli.command import command
from azdo_pat.cli.completers import complete_tokens
from azdo_pat.cli.confirmation import Question, confirm, count
from azdo_pat.cli.recovery_messages import say_remaining_copies
from azdo_pat.command_lines import pat_command
from azdo_pat.errors import (
    ExitCode,
    NotFoundError,
    PartialError,
    PatError,
    PendingError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.models import Pat
    from azdo_pat.services.revoke import Revoked


@command("revoke")
@click.argument("texts", metavar="[TOKEN]...", nargs=-1, shell_complete=complete_tokens)
@options.name_filter(help="Revoke tokens whose name matches. Repeatable.")
@options.scope(help="Revoke tokens with this scope. Repeatable.")
@click.option("--expired", is_flag=True, help="Revoke expired tokens instead of active ones.")
@options.yes(help="Do not ask for confirmation.")
@options.dry_run(help="Only show what would be revoked.")
def revoke_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    texts: tuple[str, ...],
    *,
    names: tuple[str, ...],
    scopes: tuple[str, ...],
    expired: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Revoke tokens for good, and delete their secrets from the keyring.

    Each TOKEN is a name, an id, or the first 8 or more characters of an id. Instead of naming
    tokens, select them with --name, --scope and --expired; a token must match all of these. Tokens
    valid in all organizations are revoked only if you name them.

    \b
    Examples:
      pat revoke laptop
      pat revoke --name "ci-*" --dry-run
      pat revoke --expired --yes
    """
    from azdo_pat.services.revoke import plan, revoke

    if texts and (names or scopes or expired):
        raise UsageError(
            "TOKEN cannot be combined with --name, --scope or --expired",
            hint="leave out one of them",
        )
    render = app.runtime.render
    not_found = 0
    if texts:
        pats, not_found = _named(app, texts)
    else:
        pats, not_found = _selected(app, names, scopes, expired=expired)
    if dry_run:
        living = _living(pats)
        app.runtime.messages.notice(f"{count(living)} would be revoked{_where(living)} (dry run)")
        render.show_all(plan(pats))
        _complain(not_found, len(pats) + not_found)
        return
    if not pats:
        render.show_all(())
        _complain(not_found, not_found)
        app.runtime.messages.notice("nothing to revoke")
        return
    if not yes and _living(pats):
        _ask(app, _living(pats))
    deliveries = {
        each.id: each.renewal.deliveries for each in app.state.stored(app.organization.url)
    }
    progress = partial(stoppable_progress, app, "revoking")
    revoked = revoke(app.organization, pats, app, progress)
    render.show_all(revoked.items)
    for item in revoked.items:
        if item.pat.status == "revoked":
            say_remaining_copies(
                app.runtime.messages,
                item.pat.name,
                deliveries.get(item.pat.id, ()),
                "no longer works",
            )
    _conclude(app, revoked, not_found)


def _named(app: App, texts: Sequence[str]) -> tuple[Sequence[Pat], int]:
    """Find the named tokens; warn about each that is not found, and return how many."""
    from azdo_pat.services.find_tokens import TokenFinder

    pats, failures = TokenFinder(app).find_each(app.organization, texts)
    if failures and len(set(texts)) == 1:
        raise failures[0]
    for failure in failures:
        app.runtime.messages.warn(failure.one_line)
    if not pats:
        raise NotFoundError(
            f"none of the {len(failures)} tokens was found",
            hint="to list all tokens, run: pat list --status all",
        )
    return pats, len(failures)


def _complain(failed: int, of: int, *, certain: bool = True) -> None:
    """Raise PartialError if some of the tokens failed."""
    if failed:
        raise PartialError(
            f"{failed} of {of} tokens could not be"
            f" {'revoked' if certain else 'confirmed as revoked'}",
            hint="the others are revoked; to see what is left, run: pat list"
            if failed < of
            else "see above",
        )


def _selected(
    app: App, names: tuple[str, ...], scopes: Sequence[str], *, expired: bool
) -> tuple[Sequence[Pat], int]:
    """Find the tokens that match the filters; return also how many could not be read."""
    from azdo_pat.models import Status
    from azdo_pat.scopes import parse_scopes
    from azdo_pat.services.find_tokens import Filters
    from azdo_pat.services.revoke import selected

    if not (names or scopes or expired):
        raise UsageError(
            "no token given",
            hint="name a token, or select tokens with --name, --scope or --expired",
        )
    filters = Filters(
        statuses=(Status.EXPIRED if expired else Status.ACTIVE,),
        names=names,
        scopes=parse_scopes(scopes, allow_unknown=True) if scopes else (),
        doubtful=True,
    )
    own, left_out = selected(app.organization, filters, app)
    for pat in left_out:
        why = "cannot be read in full" if pat.unread else "is valid in all organizations"
        how = f" ({pat_command('revoke', pat.id)})" if pat.id else ""
        tell = app.runtime.messages.warn if pat.unread else app.runtime.messages.notice
        tell(f"skipped because it {why}: {pat.name or 'name unknown'}{how}")
    return own, sum(bool(pat.unread) for pat in left_out)


def _ask(app: App, pats: Sequence[Pat]) -> None:
    """Show the tokens to be revoked and ask for confirmation."""
    where = _where(pats) or f" in {app.organization.name}"
    question = Question(
        text=f"Revoke {count(pats)}{where}?",
        effect=f"{count(pats)} would be revoked{_where(pats)}",
        hint="add --yes to confirm, or --dry-run to see the tokens",
        declined="nothing was revoked",
    )
    confirm(app, pats, question)


def _where(pats: Sequence[Pat]) -> str:
    """Return a phrase naming the tokens that are valid in all organizations; empty for none."""
    everywhere = [pat.name for pat in pats if pat.is_global]
    if not everywhere:
        return ""
    if len(everywhere) == len(pats):
        return " in all your organizations"
    return f", {len(everywhere)} of them in all your organizations ({', '.join(everywhere)})"


def _conclude(app: App, revoked: Revoked, not_found: int) -> None:
    """Report the result and raise the error for its exit code."""
    done = len(revoked.items) - revoked.failed
    if revoked.interrupted:
        app.runtime.messages.warn(f"interrupted: {done} of {len(revoked.items)} tokens are revoked")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    for item in revoked.items:
        if item.error:
            doubt = "; it may be revoked nevertheless; to check, run: pat list" * item.doubtful
            app.runtime.messages.warn(
                f"{item.pat.name} ({item.pat.id or 'id unknown'}): {item.error}{doubt}"
            )
    doubtful = any(item.doubtful for item in revoked.items)
    _complain(revoked.failed + not_found, len(revoked.items) + not_found, certain=not doubtful)
    pending: Sequence[PatError] = [
        PendingError(
            f"{item.pat.name} is revoked, but its secret could not be deleted from the keyring:"
            f" {item.left_in_keyring}",
            # By its id: another secret may be stored under the name by then.
            hint="the secret no longer works; to delete it later, run:"
            f" {pat_command('revoke', item.pat.id or item.pat.name)}",
        )
        for item in revoked.left_in_keyring
    ]
    for error in pending:
        raise error
    gone = [item.pat for item in revoked.items if item.outcome == "revoked"]
    before = [item.pat for item in revoked.items if item.outcome != "revoked"]
    words = [f"revoked {count(gone)}{_where(gone)}"] if gone else []
    words += [f"already revoked: {count(before)}"] if before else []
    if needs_total(app, len(revoked.items)) or _where(gone):
        app.runtime.messages.done("; ".join(words))
    for item in revoked.items:
        if item.pat.stored:
            app.runtime.messages.notice(
                f"kept the secret stored under {item.pat.name!r}: the service still accepts it"
            )


def _living(pats: Sequence[Pat]) -> list[Pat]:
    """Return the tokens that are not revoked yet."""
    return [pat for pat in pats if pat.status != "revoked"]
