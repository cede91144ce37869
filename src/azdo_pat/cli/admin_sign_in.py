"""How the commands of `admin` sign in: as the user, or with a personal access token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from azdo_pat.cli.completers import complete_tokens
from azdo_pat.errors import RefusedError, UsageError
from azdo_pat.organizations import HOSTED_ROOT, is_of_root

if TYPE_CHECKING:
    from azdo_pat.cli.app import App
    from azdo_pat.models import Organization

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
        RefusedError: the token is stored for another service than the one that is asked.
        UsageError: the variable does not contain a token, or no organization is given with it.
    """
    if token is not None:
        from azdo_pat.services.stored_secrets import get

        organization, name, secret = get(token, app)
        if app.session.located[0] is None:
            _require_of_root(organization, name, app.session.api_root)
            app = app.at(organization)
        app.session.use_pat(secret, f"the stored token {name!r}")
        return app
    given = app.runtime.options.admin_token
    if given is None or not given.reveal().strip():
        app.session.applications = True  # not documented whether the service lets them
        app.session.access_token()
        return app
    from azdo_pat.services.stored_secrets import read_secret

    if app.session.located[0] is None:
        raise UsageError(
            "no organization given, and the token in PAT_ADMIN_TOKEN does not tell one",
            hint="add --org NAME",
        )
    try:
        secret = read_secret(given.reveal())
    except UsageError as error:
        raise UsageError(
            "PAT_ADMIN_TOKEN is not a token: it contains spaces or other characters that no token"
            " has",
            hint="set it to the token alone, without quotes",
        ) from error
    app.session.use_pat(secret, "PAT_ADMIN_TOKEN")
    return app


def _require_of_root(organization: Organization, name: str, root: str | None) -> None:
    """Check that a secret is sent to the service that it is stored for.

    Raises:
        RefusedError: the organization would be asked at `PAT_API_URL`, where any program may
            listen.
    """
    if not is_of_root(organization, root):
        raise RefusedError(
            f"the token {name!r} is stored for {organization.url}, not for {root or HOSTED_ROOT}",
            hint="set PAT_API_URL to the service that the token is of, or unset it",
        )
