"""Define the command `update`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli import options
from azdo_pat.cli.command import command
from azdo_pat.cli.completers import complete_tokens
from azdo_pat.cli.confirmation import Question, confirm
from azdo_pat.cli.token_messages import warn_shortened
from azdo_pat.command_lines import pat_command
from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App


@command("update")
@click.argument("token", metavar="TOKEN", shell_complete=complete_tokens)
@click.option("--name", metavar="NAME", help="New name, also for the stored secret.")
@options.scope(help="New scope; replaces all old ones. Repeatable.")
@options.expires(help="New lifetime, counted from now, or expiry date.")
@options.unknown_scope
@options.yes(help="Do not ask, even for a token valid in all organizations.")
@options.dry_run(help="Only show the result.")
def update_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    token: str,
    *,
    yes: bool,
    dry_run: bool,
    name: str | None,
    scopes: tuple[str, ...],
    expires: str | None,
    allow_unknown_scope: bool,
) -> None:
    """Change the name, scopes or expiry of TOKEN. Its secret stays the same.

    \b
    Examples:
      pat update laptop --expires 90d
      pat update laptop --name desktop --scope code_write
    """
    from azdo_pat.expiry import parse_expiry
    from azdo_pat.models import PatChanges
    from azdo_pat.naming import checked_name
    from azdo_pat.scopes import parse_scopes
    from azdo_pat.services.find_tokens import TokenFinder
    from azdo_pat.services.update import plan, update

    changes = PatChanges(
        display_name=None if name is None else checked_name(name),
        scopes=parse_scopes(scopes, allow_unknown=allow_unknown_scope) if scopes else None,
        valid_to=None if expires is None else parse_expiry(expires, app.runtime.now()),
    )
    if changes == PatChanges():
        raise UsageError("no change given", hint="add --name, --scope or --expires")
    render = app.runtime.render
    pat = TokenFinder(app).find(app.organization, [token])[0]
    where = "all your organizations" if pat.is_global else app.organization.name
    if dry_run:
        planned = plan(app.organization, pat, changes)
        app.runtime.messages.notice(f"{pat.name!r} would be changed in {where} (dry run)")
        render.show(planned)
        return
    if pat.is_global and not yes:
        question = Question(
            text=f"Change {pat.name} in all your organizations?",
            effect=f"{pat.name} would be changed in all your organizations",
            hint="add --yes to confirm, or --dry-run to see the result",
            declined="nothing was changed",
        )
        confirm(app, [pat], question)
    updated = update(app.organization, pat, changes, app)
    warn_shortened(app, updated.pat, updated.shortened_from)
    told = "" if app.runtime.shows_tables else f" in {where}"
    app.runtime.messages.done(f"updated {updated.pat.name!r}{told}")
    if updated.left_behind:
        app.runtime.messages.notice(
            f"kept the secret stored under {pat.name!r}, as it may belong to another token; if it"
            f" belongs to this token, run: {pat_command('get', pat.name)} |"
            f" {pat_command('import', pat.name, options=('--id', pat.id or ''))}"
        )
    render.show(updated.pat)
