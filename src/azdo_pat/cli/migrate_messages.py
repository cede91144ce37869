"""Report what `pat migrate` did, and end with its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.bulk import needs_total
from azdo_pat.cli.token_messages import not_delivered
from azdo_pat.command_lines import pat_command
from azdo_pat.dates import in_words, local_minute
from azdo_pat.errors import ExitCode, PartialError, PendingError, SignInError
from azdo_pat.models import Status, are_global_tokens_stopped, global_tokens_stop
from azdo_pat.operations.deps import service_now
from azdo_pat.results.plans import Migration, MigrationOutcome
from azdo_pat.results.tokens import OldTokenOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from azdo_pat.cli.app import App
    from azdo_pat.models import Pat
    from azdo_pat.results.plans import GlobalTokenOutcome
    from azdo_pat.services.migrate import Migrated


def warn_full_access(app: App, olds: Sequence[Pat], scopes: tuple[str, ...] | None) -> None:
    """Warn that tokens with full access would be replaced with others with full access."""
    from azdo_pat.scopes import FULL_ACCESS

    for old in olds:
        if FULL_ACCESS in old.scopes and FULL_ACCESS in (scopes or old.scopes):
            app.runtime.messages.warn(
                f"{old.name!r} has full access, and so would each new token; to give the new"
                " tokens only what they need, add --scope (to list scopes, run: pat scopes)"
            )


def warn_unlisted(app: App, olds: Sequence[Pat]) -> None:
    """Warn of tokens of which nothing is known but what the user typed."""
    for old in olds:
        if _is_unlisted(old):
            app.runtime.messages.warn(
                f"the service lists no global token {old.name!r}: pat could not check that there"
                " is one, and cannot revoke it"
            )


def _is_unlisted(old: Pat) -> bool:
    return old.id is None and old.status is Status.UNKNOWN


def say_planned(
    app: App, planned: Sequence[Migration], revocations: Sequence[tuple[Pat, timedelta]]
) -> None:
    """Report on stderr what a run would create and revoke."""
    text = f"{in_number(sum(each.outcome == 'planned' for each in planned))} would be created"
    if revocations:
        text += f", and {in_number(len(revocations))} would be revoked{after_grace(revocations)}"
    app.runtime.messages.notice(f"{text} (dry run)")


def after_grace(revocations: Sequence[tuple[Pat, timedelta]]) -> str:
    """Return after which grace period tokens are revoked; empty for at once."""
    spans = dict.fromkeys(in_words(span) for _, span in revocations if span)
    return f" (after {' or '.join(spans)})" if spans else ""


def in_number(number: int) -> str:
    """Return a number of tokens as text."""
    return "1 token" if number == 1 else f"{number} tokens"


def say_migrated(app: App, migrations: Sequence[Migration]) -> None:
    """Report on stderr what was created, and what failed or is still to be done."""
    if len(migrations) > 1:
        for each in migrations:
            if each.failure is not None:
                app.runtime.messages.warn(f"{_where(each)}: {each.failure.one_line}")
    for each in migrations:
        if each.undelivered:
            app.runtime.messages.warn(
                f"{_where(each)}: its secret could not be delivered to every target:"
                f" {each.undelivered}"
            )
    counts = dict.fromkeys((str(each.outcome) for each in migrations), 0)
    for each in migrations:
        counts[str(each.outcome)] += 1
    failed = any(each.failure or each.undelivered for each in migrations)
    tell = app.runtime.messages.notice if failed else app.runtime.messages.done
    if needs_total(app, len(migrations)):
        tell(", ".join(f"{outcome} {number}" for outcome, number in counts.items()))


def say_olds(app: App, migrated: Migrated) -> None:
    """Report on stderr what became of each global token."""
    for each in migrated.olds:
        done = all(
            migration.outcome in {MigrationOutcome.CREATED, MigrationOutcome.KEPT}
            for migration in migrated.migrations
            if migration.old == each.old
        )
        if not _is_unlisted(each.old):
            _say_old(app, each, done=done)


def _say_old(app: App, ended: GlobalTokenOutcome, *, done: bool) -> None:
    old = ended.old
    token = f"the global token {old.name!r}" + (f" ({old.id})" if old.id else "")
    messages = app.runtime.messages
    stop = global_tokens_stop(service_now(app))
    match ended.outcome:
        case OldTokenOutcome.REVOKED:
            messages.done(f"{token} is revoked")
        case OldTokenOutcome.LATER if ended.due:
            messages.notice(
                f"{token} will be revoked by the first command that signs in after"
                f" {local_minute(ended.due)}"
                + (f", but {stop}" if are_global_tokens_stopped(ended.due) else "")
            )
        case OldTokenOutcome.PENDING:
            messages.warn(f"{token} could not be revoked yet: {ended.reason}")
        case OldTokenOutcome.UNDELIVERED:
            messages.warn(f"{token} is not revoked: {ended.reason}")
        case _ if done and old.id:
            messages.notice(
                f"{token} is not revoked, and {stop}; when nothing uses it any more, run:"
                f" {pat_command('revoke', old.id)}"
            )
        case _:
            messages.notice(f"{token} is not revoked, and {stop}")


def conclude_migration(
    app: App,
    migrations: Sequence[Migration],
    olds: Sequence[GlobalTokenOutcome],
    missing: int,
    *,
    interrupted: bool = False,
) -> None:
    """End with the code for how it went.

    `missing` is the number of tokens that were named and not found.
    """
    if interrupted:
        done = sum(each.outcome == "created" for each in migrations)
        app.runtime.messages.warn(f"interrupted: {done} of {len(migrations)} tokens are created")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    failures = [each.failure for each in migrations if each.failure]
    whole = len(migrations) + missing
    if failures and (
        whole == 1 or (len(failures) == whole and isinstance(failures[0], SignInError))
    ):
        raise failures[0]
    if failed := len(failures) + missing:
        raise PartialError(
            f"{failed} of {whole} tokens could not be migrated",
            hint="see above; when the cause is fixed, run the same command again",
        )
    if undelivered := sum(bool(each.undelivered) for each in migrations):
        raise not_delivered(undelivered)
    pending = [each for each in olds if each.outcome == "pending"]
    if pending:
        raise PendingError(
            "the new tokens are in place, but a global token could not be revoked yet",
            hint="to try again, run the same command again",
        )
    if any(each.outcome == "undelivered" for each in olds):
        raise PendingError(
            "the new tokens are in place, but not each secret works yet",
            hint="when the cause is fixed, run the same command again",
        )


def _where(migration: Migration) -> str:
    return f"{migration.pat.name} in {migration.org}"
