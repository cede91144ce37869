"""Define the commands `create` and `update`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import command
from azdo_pat.cli.complete import complete_recipes, complete_scopes, complete_tokens
from azdo_pat.cli.confirmation import Question, confirm
from azdo_pat.cli.global_options import option
from azdo_pat.cli.notices import print_secret, say_created, warn_shortened
from azdo_pat.cli.secret_options import secret_options
from azdo_pat.cli.signals import ending_politely
from azdo_pat.errors import UsageError
from azdo_pat.naming import as_argument

if TYPE_CHECKING:
    from azdo_pat.cli.app import App
    from azdo_pat.output.secret_format import SecretFormat


@command("create")
@click.argument("name", metavar="NAME")
@option(
    "--scope",
    "scopes",
    metavar="S",
    multiple=True,
    shell_complete=complete_scopes,
    help="Scope: code_write, vso.code_write, or full. Repeatable.",
)
@option(
    "--for",
    "recipes",
    metavar="RECIPE",
    multiple=True,
    shell_complete=complete_recipes,
    help="Scopes that a job needs: git, packages, agent… (pat scopes --recipes). Repeatable.",
)
@option("--expires", metavar="SPAN|DATE", help="Lifetime (12h, 30d, 2w, 3mo, 1y) or expiry date.")
@secret_options("Print the secret in this format")
@option("--no-store", is_flag=True, help="Do not store the secret in the keyring; needs --as.")
@option("--replace", is_flag=True, help="Overwrite a secret that is stored under NAME.")
@option("--fail-if-shortened", is_flag=True, help="Fail if a policy shortens the lifetime.")
@option("--allow-unknown-scope", is_flag=True, help="Accept scopes that pat does not know.")
@option(
    "--all-orgs",
    is_flag=True,
    help="Refused: tokens for all organizations stop working on 2026-12-01.",
)
def create_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    name: str,
    *,
    scopes: tuple[str, ...],
    recipes: tuple[str, ...],
    expires: str | None,
    secret_format: SecretFormat | None,
    no_store: bool,
    replace: bool,
    fail_if_shortened: bool,
    allow_unknown_scope: bool,
    all_orgs: bool,
) -> None:
    """Create a token called NAME and store its secret in the keyring.

    pat tests the keyring before it creates the token, and reads the stored secret back before it
    reports the token: no active token is left whose secret is lost.

    \b
    Examples:
      pat create laptop --for git --expires 90d
      pat create ci --scope code --scope packaging --as token
    """
    from azdo_pat.expiry import parse_expiry
    from azdo_pat.naming import checked_name
    from azdo_pat.operations.context import CreateRequest
    from azdo_pat.scopes import parse_scopes
    from azdo_pat.services.create import create, refuse_global

    if all_orgs:
        raise refuse_global()
    if no_store and secret_format is None:
        raise UsageError(
            "--no-store needs --as",
            hint="the secret would be lost; to print it, add --as token",
        )
    if no_store and app.runtime.options.query is not None:
        raise UsageError(
            "--query and --no-store cannot be combined",
            hint="--query could leave out the secret, which would be lost; leave out one of them",
        )
    request = CreateRequest(
        name=checked_name(name),
        scopes=parse_scopes(scopes, recipes=recipes, allow_unknown=allow_unknown_scope),
        expires=parse_expiry(
            str(app.runtime.setting("expires")) if expires is None else expires, app.runtime.now()
        ),
        store=not no_store,
        replace=replace,
        fail_if_shortened=fail_if_shortened,
    )
    render = app.runtime.render  # a mistake in --query is found before anything is made
    with ending_politely():
        created = create(
            app.organization,
            request,
            app.deps,
            lambda made: print_secret(app, made, secret_format) if secret_format else None,
        )
    say_created(app, created)
    if secret_format is None:
        render.pat(created.pat)
    elif created.pat.stored:
        print_secret(app, created, secret_format)


@command("update")
@click.argument("token", metavar="TOKEN", shell_complete=complete_tokens)
@option("--name", metavar="NAME", help="New name; a stored secret moves to it.")
@option(
    "--scope",
    "scopes",
    metavar="S",
    multiple=True,
    shell_complete=complete_scopes,
    help="New scope; replaces all old ones. Repeatable.",
)
@option("--expires", metavar="SPAN|DATE", help="New lifetime, counted from now, or expiry date.")
@option("--allow-unknown-scope", is_flag=True, help="Accept scopes that pat does not know.")
@option("--yes", is_flag=True, help="Do not ask, even for a token valid in all organizations.")
@option("--dry-run", is_flag=True, help="Only show the result.")
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
    from azdo_pat.services.update import plan, update

    changes = PatChanges(
        display_name=None if name is None else checked_name(name),
        scopes=parse_scopes(scopes, allow_unknown=allow_unknown_scope) if scopes else None,
        valid_to=None if expires is None else parse_expiry(expires, app.runtime.now()),
    )
    if changes == PatChanges():
        raise UsageError("no change given", hint="add --name, --scope or --expires")
    render = app.runtime.render
    pat = app.browser.find(app.organization, [token])[0]
    where = "all your organizations" if pat.is_global else app.organization.name
    if dry_run:
        planned = plan(app.organization, pat, changes)
        app.runtime.messages.notice(f"{pat.name!r} would be changed in {where} (dry run)")
        render.pat(planned)
        return
    if pat.is_global and not yes:
        question = Question(
            text=f"Change {pat.name} in all your organizations?",
            effect=f"{pat.name} would be changed in all your organizations",
            hint="add --yes to confirm, or --dry-run to see the result",
            declined="nothing was changed",
        )
        confirm(app, [pat], question)
    updated = update(app.organization, pat, changes, app.deps)
    if updated.requested_expiry is not None and updated.shortened:
        warn_shortened(app, updated.pat, updated.requested_expiry)
    app.runtime.messages.notice(f"updated {updated.pat.name!r} in {where}")
    if updated.left_behind:
        app.runtime.messages.notice(
            f"kept the secret stored under {pat.name!r}, as it may belong to another token; if it"
            f" belongs to this one, run: pat get {as_argument(pat.name)} | pat import"
            f" {as_argument(pat.name)} --id {pat.id}"
        )
    render.pat(updated.pat)
