"""Define the command `create`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli import options
from azdo_pat.cli.command import command
from azdo_pat.cli.interrupts import interruptible_once
from azdo_pat.cli.secret_options import secret_options
from azdo_pat.cli.token_messages import print_secret, say_created
from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App
    from azdo_pat.output.secret_request import SecretRequest


@command("create")
@click.argument("name", metavar="NAME")
@options.new_scope
@options.recipe
@options.expires(help="Lifetime (12h, 30d, 2w, 3mo, 1y) or expiry date.")
@secret_options("Print the secret in this format")
@click.option(
    "--no-store", is_flag=True, help="Do not store the secret in the keyring; needs --as."
)
@options.replace(help="Overwrite a secret that is stored under NAME.")
@click.option("--fail-if-shortened", is_flag=True, help="Fail if a policy shortens the lifetime.")
@options.unknown_scope
@click.option(
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
    secret_request: SecretRequest | None,
    no_store: bool,
    replace: bool,
    fail_if_shortened: bool,
    allow_unknown_scope: bool,
    all_orgs: bool,
) -> None:
    """Create a token called NAME and store its secret in the keyring.

    pat tests the keyring before it creates the token, and reads the stored secret back before it
    reports success, so it never leaves an active token whose secret is lost.

    \b
    Examples:
      pat create laptop --for git --expires 90d
      pat create ci --scope code --scope packaging --as token
    """
    from azdo_pat.naming import checked_name
    from azdo_pat.operations.issue import CreateRequest
    from azdo_pat.scopes import parse_scopes
    from azdo_pat.services.create import create, refuse_global

    if all_orgs:
        raise refuse_global(app.now())
    if no_store and secret_request is None:
        raise UsageError(
            "--no-store needs --as",
            hint="the secret would be lost; to print it, add --as token",
        )
    if no_store and app.runtime.options.query is not None:
        raise UsageError(
            "--query and --no-store cannot be combined",
            hint="--query could leave out the secret, which would be lost; leave out one of the"
            " two",
        )
    request = CreateRequest(
        name=checked_name(name),
        scopes=parse_scopes(scopes, recipes=recipes, allow_unknown=allow_unknown_scope),
        expires=options.expiry_or_default(app, expires, app.runtime.now()),
        store=not no_store,
        replace=replace,
        fail_if_shortened=fail_if_shortened,
    )
    render = app.runtime.render  # a mistake in --query is found before anything is made
    with interruptible_once():
        created = create(
            app.organization,
            request,
            app,
            lambda made: print_secret(app, made, secret_request) if secret_request else None,
        )
    has_table = secret_request is None and app.runtime.shows_tables
    say_created(app, created, has_table=has_table)
    if secret_request is None:
        render.show(created.pat)
    elif created.pat.stored:
        print_secret(app, created, secret_request)
