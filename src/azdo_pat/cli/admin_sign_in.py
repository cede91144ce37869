"""How the commands of `admin` sign in: as the user, or with a personal access token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from azdo_pat.cli.completers import complete_tokens
from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App

with_token: Final = click.option(
    "--with",
    "admin_token",
    metavar="TOKEN",
    shell_complete=complete_tokens,
    help="Sign in with this stored token, by name or id, instead of as the user.",
)


def signed_in(app: App, token: str | None) -> App:
    """Return the program with the sign-in that is given: `--with`, `PAT_ADMIN_TOKEN`, the user's.

    Raises:
        SignInError: none is given, and no user is signed in.
        NotFoundError: the secret of the token is not stored here.
        UsageError: a token is given without an organization, or the variable holds none.
    """
    if token is not None:
        from azdo_pat.services.stored_secrets import get

        organization, name, secret = get(token, app)
        app = app if app.session.located[0] else app.at(organization)
        app.session.use_pat(secret, f"the stored token {name!r}")
        return app
    given = app.runtime.options.admin_token
    if given is None or not given.reveal().strip():
        app.session.access_token()
        return app
    from azdo_pat.services.stored_secrets import read_secret

    if app.session.located[0] is None:
        raise UsageError(
            "no organization given, and the token in PAT_ADMIN_TOKEN does not tell one",
            hint="add --org NAME",
        )
    app.session.use_pat(read_secret(given.reveal()), "PAT_ADMIN_TOKEN")
    return app
