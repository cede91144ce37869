"""Define the command `migrate`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from azdo_pat.cli import options
from azdo_pat.cli.bulk import stoppable_progress
from azdo_pat.cli.command import command
from azdo_pat.cli.completers import complete_tokens
from azdo_pat.cli.confirmation import Question, confirm_shown, count
from azdo_pat.cli.migrate_messages import (
    after_grace,
    conclude_migration,
    in_number,
    say_migrated,
    say_olds,
    say_planned,
    warn_full_access,
    warn_unlisted,
)
from azdo_pat.command_lines import quoted
from azdo_pat.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from azdo_pat.cli.app import App
    from azdo_pat.models import Organization, Pat
    from azdo_pat.results.plans import Migration


@command("migrate")
@click.argument("texts", metavar="[TOKEN]...", nargs=-1, shell_complete=complete_tokens)
@click.option("--all", "every", is_flag=True, help="Migrate every global token.")
@click.option(
    "--to",
    "targets",
    metavar="ORG",
    multiple=True,
    help="An organization that uses the token. Repeatable.",
)
@click.option("--to-all", is_flag=True, help="Create a token in each of your organizations.")
@options.scope(help="Scope of the new tokens [the global token's scopes]. Repeatable.")
@options.expires(help="Lifetime or expiry of the new tokens: 30d, 1y.")
@click.option(
    "--name",
    "name_format",
    metavar="FORMAT",
    default="{name}",
    help="Name of the new tokens, from {name} and {org} [{name}].",
)
@click.option(
    "--revoke-old", is_flag=True, help="Revoke the global token once all new tokens are in place."
)
@click.option(
    "--grace",
    metavar="SPAN",
    help="With --revoke-old: revoke it after this span: 1h, 2d, or none [the remembered one].",
)
@options.yes(help="Do not ask for confirmation.")
@options.dry_run(help="Only show the plan.")
def migrate_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    texts: tuple[str, ...],
    *,
    every: bool,
    targets: tuple[str, ...],
    to_all: bool,
    scopes: tuple[str, ...],
    expires: str | None,
    name_format: str,
    revoke_old: bool,
    grace: str | None,
    yes: bool,
    dry_run: bool,
) -> None:
    """Replace tokens that are valid in all organizations with one for each organization.

    All such global tokens stop working on 2026-12-01. Each TOKEN is a name, an id, or the first 8
    or more characters of an id. The service does not tell which organizations use a token, so name
    them with --to.

    The new tokens have the same name and scopes, and their secrets are stored in the keyring. A
    token that exists already is kept, so after a failure, run the same command again. The global
    token is not revoked, unless you add --revoke-old and each organization has its token.

    \b
    Examples:
      pat migrate "old laptop" --to contoso --to fabrikam
      pat migrate --all --to-all --dry-run
      pat migrate deploy --to contoso --scope build --revoke-old --grace 2d
    """
    from azdo_pat.expiry import parse_grace
    from azdo_pat.scopes import parse_scopes
    from azdo_pat.services.migrate import migrate, to_revoke
    from azdo_pat.services.migrate_plan import MigrateRequest, plan

    _require_consistent(texts, targets, every=every, to_all=to_all)
    if grace and not revoke_old:
        raise UsageError(
            "--grace needs --revoke-old",
            hint="the global token is not revoked; add --revoke-old, or leave out --grace",
        )
    given = parse_scopes(scopes) if scopes else None
    end = options.expiry_or_default(app, expires, app.now())
    span = None if grace is None else parse_grace(grace, app.now())
    render = app.runtime.render  # a mistake in --query is found before anything is made
    olds, missing = _found(app, texts, given)
    if not olds:
        render.show_all(())
        app.runtime.messages.notice("you have no global tokens: nothing to migrate")
        return
    request = MigrateRequest(
        organizations=_organizations(app, olds, targets, to_all=to_all),
        expires=end,
        scopes=given,
        name=name_format,
        revoke_old=revoke_old,
        grace=span,
    )
    warn_full_access(app, olds, given)
    warn_unlisted(app, olds)
    todo = plan(olds, request, app)
    planned = [step.planned for step in todo.steps]
    revocations = to_revoke(todo, request)
    if dry_run:
        say_planned(app, planned, revocations)
        render.show_all(planned)
        conclude_migration(app, planned, (), missing)
        return
    if not yes:
        _ask(app, planned, revocations)
    migrated = migrate(todo, request, partial(stoppable_progress, app, "migrating"))
    render.show_all(migrated.migrations)
    say_migrated(app, migrated.migrations)
    say_olds(app, migrated)
    conclude_migration(
        app, migrated.migrations, migrated.olds, missing, interrupted=migrated.interrupted
    )


def _require_consistent(
    texts: Sequence[str], targets: Sequence[str], *, every: bool, to_all: bool
) -> None:
    """Check that it is clear which tokens and which organizations are meant.

    Raises:
        UsageError: it is not.
    """
    if every and texts:
        raise UsageError("TOKEN cannot be combined with --all", hint="leave out one of them")
    if not every and not texts:
        raise UsageError(
            "no token given",
            hint="name a token, or add --all; to list global tokens, run: pat list --global",
        )
    if targets and to_all:
        raise UsageError("--to cannot be combined with --to-all", hint="leave out one of them")


def _found(
    app: App, texts: Sequence[str], scopes: tuple[str, ...] | None
) -> tuple[Sequence[Pat], int]:
    """Find the tokens; warn about each that is not found, and return how many there are.

    Raises:
        NotFoundError: none was found.
        PatError: a single token was named, and it was not found.
    """
    from azdo_pat.services.global_tokens import GlobalTokens

    tokens = GlobalTokens(app)
    if not texts:
        return tokens.in_use(), 0
    olds, failures = tokens.find_each(texts, scopes)
    if failures and len(set(texts)) == 1:
        raise failures[0]
    for failure in failures:
        app.runtime.messages.warn(failure.one_line)
    if not olds:
        raise NotFoundError(
            f"none of the {len(failures)} tokens was found",
            hint="to list global tokens, run: pat list --global",
        )
    return olds, len(failures)


def _organizations(
    app: App, olds: Sequence[Pat], targets: Sequence[str], *, to_all: bool
) -> tuple[Organization, ...]:
    """Return the organizations that get a token, each once.

    Raises:
        UsageError: none is named, and the user cannot be asked.
        RefusedError: one is Azure DevOps Server.
    """
    from azdo_pat.organizations import organization
    from azdo_pat.services.unsupported_server import no_lifecycle

    if to_all:
        return _own(app)
    if not targets:
        return _chosen(app, olds)
    for text in targets:
        if "," in text and "://" not in text:
            names = " ".join(f"--to {quoted(name.strip())}" for name in text.split(","))
            raise UsageError(
                f"{text!r} is not one organization",
                hint=f"give --to once for each organization: {names}",
            )
    found = [organization(text, root=app.session.api_root) for text in targets]
    for each in found:
        if not each.hosted:
            raise no_lifecycle(each)
    return tuple({each.url: each for each in found}.values())


def _own(app: App) -> tuple[Organization, ...]:
    """Return the user's organizations.

    Raises:
        NotFoundError: the service lists none, as for a guest.
    """
    found = app.organization_cache.all()
    if not found:
        raise NotFoundError(
            "the service lists no organization of yours", hint="name each with --to ORG"
        )
    return found


def _chosen(app: App, olds: Sequence[Pat]) -> tuple[Organization, ...]:
    """Let the user choose among their organizations.

    Raises:
        UsageError: the user cannot be asked.
    """
    from azdo_pat.output.escape import visible

    tokens = repr(olds[0].name) if len(olds) == 1 else f"these {len(olds)} tokens"
    which = f"which organizations use {tokens}"
    if not app.runtime.may_ask:
        hint = "name them with --to ORG, or add --to-all"
        if app.runtime.options.sources.get("org") == "--org":
            hint += "; --org does not select them"
        raise UsageError(f"it is not known {which}, and pat cannot ask here", hint=hint)
    known = _own(app)
    for number, each in enumerate(known, 1):
        app.runtime.messages.notice(f"{number:3}  {each.name}")

    def chosen(answer: str) -> tuple[Organization, ...]:
        words = answer.replace(",", " ").split()
        if words == ["all"]:
            return known
        by_word = {str(number): each for number, each in enumerate(known, 1)}
        by_word |= {each.name: each for each in known}
        wrong = [word for word in words if word.lower() not in by_word]
        if wrong or not words:
            raise click.BadParameter(f"{wrong[0]} is not in the list" if wrong else "choose one")
        return tuple(dict.fromkeys(by_word[word.lower()] for word in words))

    answer: tuple[Organization, ...] = click.prompt(
        visible(f"W{which[1:]}? Numbers or names, or all"), value_proc=chosen, err=True
    )
    return answer


def _ask(
    app: App, planned: Sequence[Migration], revocations: Sequence[tuple[Pat, timedelta]]
) -> None:
    """Show the plan and ask for confirmation, unless there is nothing to do."""
    new = [each.pat for each in planned if each.outcome == "planned"]
    if not new and not revocations:
        return
    parts = [f"create {in_number(len(new))}"] if new else []
    if revocations:
        olds = count([old for old, _ in revocations])
        parts.append(f"revoke {olds} in all your organizations{after_grace(revocations)}")
    text = ", then ".join(parts)
    unseen = [old for old, _ in revocations if not _is_stored(app, old)]
    loss = ""
    if unseen:
        loss = f"the secret of {unseen[0].name!r} is"
        if len(unseen) > 1:
            loss = f"the secrets of {len(unseen)} global tokens are"
        those = "it" if len(unseen) == 1 else "them"
        loss += f" not stored here: programs that use {those} will stop working"
    question = Question(
        text=f"{f'{loss}. ' if loss else ''}{text[0].upper()}{text[1:]}?",
        effect=f"pat would {text}{f', and {loss}' if loss else ''}",
        hint="add --yes to confirm, or --dry-run to see the plan",
        declined="nothing was changed",
    )
    confirm_shown(app, lambda: app.runtime.preview.show_all(planned), question)


def _is_stored(app: App, old: Pat) -> bool:
    """Return whether the secret of a global token is stored here, for any organization."""
    entries = app.state.find_by_id(old.id) if old.id else ()
    return any(each.stored for each in entries)
