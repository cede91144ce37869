"""Define the commands `import` and `forget`, which change what is stored, not the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli import options
from azdo_pat.cli.command import command
from azdo_pat.cli.completers import complete_tokens
from azdo_pat.cli.secret_input import secret_from_user
from azdo_pat.command_lines import pat_command
from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App
    from azdo_pat.models import Organization, Pat


@command("import")
@click.argument("name", metavar="NAME")
@click.option(
    "--id", "token", metavar="ID", help="Token that the secret belongs to, if you know it."
)
@options.expires(help="Expiry of the token, if you know it; not with --id.")
@options.replace(help="Overwrite another secret that is stored under NAME.")
@click.option("--open", "opens", is_flag=True, help="First open the web page for creating tokens.")
def import_command(  # one argument for each option
    app: App, name: str, *, token: str | None, expires: str | None, replace: bool, opens: bool
) -> None:
    """Store a secret that was created elsewhere under NAME, once the server has accepted it.

    For tokens from the web page and from Azure DevOps Server. pat prompts for the secret; without
    a terminal, it reads stdin to the end. The secret is never an argument, which other users of
    the machine could read.

    A secret does not show which token it belongs to. With --id, pat checks that ID is an active
    token of the organization, and can then rotate, renew and revoke the token together with its
    secret. Without --id, no command overwrites or deletes the secret for a token of that name.

    \b
    Examples:
      pat import office --org https://tfs.example.com/DefaultCollection
      pass show azure | pat import laptop --expires 2026-12-31
      pat get laptop | pat import laptop --id 3f2a9c1e
    """
    from azdo_pat.expiry import parse_moment
    from azdo_pat.naming import checked_name
    from azdo_pat.services.import_forget import ImportRequest, import_secret
    from azdo_pat.services.stored_secrets import read_secret, require_free

    checked_name(name)
    if token is not None and expires is not None:
        raise UsageError(
            "--id and --expires cannot be combined",
            hint="leave out --expires: the service knows when that token expires",
        )
    until = None if expires is None else parse_moment(expires, app.runtime.now())
    render = app.runtime.render
    organization, _ = app.session.located
    if organization is None:
        raise UsageError(
            "no organization given", hint="add --org NAME, or --org with the server's URL"
        )
    if not replace and (app.runtime.may_ask or opens):  # before the user makes a token for nothing
        require_free(organization, name, app.secrets)
    pat = None if token is None else _token_of(app, token)
    if opens:
        _open_page(app, organization)
    wanted = ImportRequest(
        name=name,
        secret=read_secret(
            secret_from_user(app, f"Token for {organization.url}", "pat import NAME")
        ),
        expires=until,
        pat=pat,
        replace=replace,
    )
    before = app.state.find(organization.url, name)
    stored = import_secret(organization, wanted, app)
    where = "" if app.runtime.shows_tables and organization.hosted else f" for {organization.url}"
    app.runtime.messages.done(
        f"stored {name!r}{where}; to print it, run: {pat_command('get', name)}"
    )
    if before is not None and before.id not in {None, stored.id}:
        from azdo_pat.cli.token_messages import warn_replaced

        warn_replaced(app, before.id or "")
    render.show(stored)


def _token_of(app: App, token: str) -> Pat:
    """Return the token that the user says a secret belongs to.

    Raises:
        UsageError: the argument is not an id.
        PatError: there is no such token in the organization, or it cannot be listed.
    """
    from azdo_pat.naming import looks_like_id
    from azdo_pat.services.find_tokens import TokenFinder

    if not looks_like_id(token):
        raise UsageError(
            f"{token!r} is not a token id",
            hint="give the id, or its first 8 or more characters; to see ids, run: pat list",
        )
    return TokenFinder(app).find(app.organization, [token])[0]


def _open_page(app: App, organization: Organization) -> None:
    """Print the URL of the page that creates tokens, and open it if the user can see a browser."""
    from azdo_pat.cli.web_browser import has_browser, open_page

    url = app.directory.token_page(organization)
    app.runtime.messages.notice(f"create the token at {url}")
    if has_browser(app.runtime.environment) and app.runtime.may_show and not open_page(url):
        app.runtime.messages.warn("could not open a browser")


@command("forget")
@click.argument("name", metavar="NAME", shell_complete=complete_tokens)
def forget_command(app: App, name: str) -> None:
    """Delete the secret stored under NAME from the keyring. The token itself is not changed.

    NAME may also be the token's id, or its first 8 or more characters.

    \b
    Examples:
      pat forget laptop
      pat forget laptop --org contoso
    """
    from azdo_pat.cli.recovery_messages import say_remaining_copies
    from azdo_pat.services.import_forget import forget

    organization, forgotten = forget(name, app)
    app.runtime.messages.done(
        f"forgot {forgotten.name!r} for {organization.name}; this does not revoke the token"
    )
    say_remaining_copies(
        app.runtime.messages, forgotten.name, forgotten.renewal.deliveries, "is no longer renewed"
    )
