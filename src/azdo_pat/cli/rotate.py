"""Define the command `rotate`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from azdo_pat.cli import options
from azdo_pat.cli.command import command
from azdo_pat.cli.completers import complete_tokens
from azdo_pat.cli.confirmation import Question, confirm, count
from azdo_pat.cli.interrupts import interruptible_once
from azdo_pat.cli.secret_options import secret_options
from azdo_pat.cli.token_messages import conclude_rotations, print_secret, say_rotated
from azdo_pat.errors import (
    CancelledError,
    ExitCode,
    PatError,
    UsageError,
)
from azdo_pat.results.tokens import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.models import Pat
    from azdo_pat.output.secret_request import SecretRequest
    from azdo_pat.results.tokens import Rotated
    from azdo_pat.services.rotate import RotateRequest, RotateStep


@command("rotate")
@click.argument(
    "texts", metavar="TOKEN...", nargs=-1, required=True, shell_complete=complete_tokens
)
@options.expires(help="New lifetime or expiry [the old token's lifetime].")
@secret_options("Print the new secret in this format")
@options.grace
@click.option("--keep-old", is_flag=True, help="Do not revoke the old token.")
@options.yes(help="Do not ask, even if the old secret is not stored here.")
@options.dry_run(help="Only show what would be rotated.")
@options.deliver
def rotate_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    texts: tuple[str, ...],
    *,
    expires: str | None,
    secret_request: SecretRequest | None,
    grace: str | None,
    keep_old: bool,
    yes: bool,
    dry_run: bool,
    deliveries: tuple[str, ...],
) -> None:
    """Replace TOKEN with a new one of the same name and scopes, and revoke the old one.

    The old token stays active until the new secret is in the keyring and the service has accepted
    it. If the old token cannot be revoked then, the exit code is 8, and the next command that
    signs in revokes it. If the old secret is not stored here, another program may use it, and pat
    asks first. Tokens valid in all organizations cannot be rotated.

    --deliver copies the new secret to a delivery target before the old token is revoked: the
    standard input of a command, or a file. Every later rotation delivers to that target again.

    \b
    Examples:
      pat rotate laptop
      pat rotate ci --expires 90d --grace 1h
      pat rotate ci --deliver "command:gh secret set AZURE_PAT"
      pat rotate ci --deliver "file:.env|AZURE_PAT={token}"
    """
    from azdo_pat.expiry import parse_expiry, parse_grace
    from azdo_pat.services.rotate import RotateRequest, plan

    if grace is not None and keep_old:
        raise UsageError(
            "--grace and --keep-old cannot be combined",
            hint="--grace revokes the old token later, and --keep-old never revokes it; leave"
            " out one of them",
        )
    if len(set(texts)) > 1:
        _require_one(secret_request, deliveries)
    request = RotateRequest(
        expires=None if expires is None else parse_expiry(expires, app.now()),
        otherwise=options.expiry_or_default(app, None, app.now()),
        keep_old=keep_old,
        grace=None if grace is None else parse_grace(grace, app.now()),
        deliveries=options.parsed_deliveries(app, deliveries),
    )
    render = app.runtime.render  # a mistake in --query is found before anything is made
    steps, problems = plan(app.organization, texts, request, app)
    for problem in problems:
        app.runtime.messages.warn(problem)
    if dry_run:
        app.runtime.messages.notice(
            f"{count([each.pat for each in steps])} would be rotated (dry run)"
        )
        render.show_all([each.change(app.organization) for each in steps])
        conclude_rotations((), len(problems), len(steps) + len(problems))
        return
    unseen = [each.pat for each in steps if each.unseen]
    if unseen and not yes:
        _ask(app, unseen)
    if len(set(texts)) > 1:
        _rotate_each(app, steps, request, len(problems))
        return
    has_table = secret_request is None and app.runtime.shows_tables
    rotated = _rotated(app, steps[0], request, has_table=has_table)
    if secret_request:
        print_secret(app, rotated.created, secret_request)
    else:
        render.show(rotated.created.pat)
    conclude_rotations([rotated], 0, 1)


def _require_one(secret_request: SecretRequest | None, deliveries: tuple[str, ...]) -> None:
    """Check that no option was given that is for a single token.

    Raises:
        UsageError: one was.
    """
    if secret_request:
        raise UsageError(
            "--as is for one token", hint="rotate one token at a time, or leave out --as"
        )
    if deliveries:
        raise UsageError(
            "--deliver is for one token",
            hint="rotate one token at a time, each with its own --deliver",
        )


def _ask(app: App, pats: Sequence[Pat]) -> None:
    """Ask for confirmation to revoke tokens that something else uses."""
    whose = f"the secret of {pats[0].name!r} is"
    if len(pats) > 1:
        whose = f"the secrets of {len(pats)} tokens are"
    consequence = f"{whose} not stored here: programs that use the old token will stop working"
    question = Question(
        text=f"{consequence}. Rotate {count(pats)} in {app.organization.name}?",
        effect=consequence,
        hint="add --yes to confirm, --dry-run to see what would be rotated, or --keep-old to keep"
        " the old token active",
        declined="nothing was rotated",
    )
    confirm(app, pats, question)


def _rotate_each(
    app: App, steps: Sequence[RotateStep], request: RotateRequest, failed: int
) -> None:
    """Rotate one token after the other, also after failures, until Ctrl-C; show the new ones.

    `failed` is the number of tokens that cannot be rotated.
    """
    from azdo_pat.services.rotate import rotate_failure

    done: list[Rotated] = []
    stopped = False
    for step in steps:
        try:
            done.append(_rotated(app, step, request, has_table=app.runtime.shows_tables))
            stopped = done[-1].reason == INTERRUPTED
        except CancelledError as error:
            app.runtime.messages.warn(f"{step.pat.name or step.pat.id}: {error.message}")
            stopped = True
        except PatError as error:
            failed += 1
            app.runtime.messages.warn(rotate_failure(step.pat, error))
        if stopped:
            break
    app.runtime.render.pats([each.created.pat for each in done])
    if stopped:
        app.runtime.messages.warn(f"interrupted: {len(done)} of {len(steps)} tokens are rotated")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    conclude_rotations(done, failed, len(done) + failed)


def _rotated(app: App, step: RotateStep, request: RotateRequest, *, has_table: bool) -> Rotated:
    from azdo_pat.services.rotate import rotate

    request = replace(request, only_stored=not step.unseen)
    with interruptible_once():
        rotated = rotate(app.organization, step.pat, request, app)
    say_rotated(app, rotated, has_table=has_table)
    return rotated
