"""Define the commands `login` and `logout`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import command
from azdo_pat.cli.web_browser import has_browser
from azdo_pat.errors import StoreError, UsageError

if TYPE_CHECKING:
    from azdo_pat.auth.client import Client, Granted
    from azdo_pat.cli.app import App
    from azdo_pat.models import Secret


@command("login")
@click.option("--tenant", metavar="TENANT", help="Tenant id or domain [that of the organization].")
@click.option("--account", metavar="NAME", help="Sign-in name to suggest.")
@click.option(
    "--device-code", is_flag=True, help="Show a code to enter in a browser on any device."
)
@click.option(
    "--client-id", metavar="ID", help="Id of the application to sign in with [the Azure CLI's]."
)
def login_command(
    app: App, *, tenant: str | None, account: str | None, device_code: bool, client_id: str | None
) -> None:
    """Sign in with Microsoft Entra and save the sign-in.

    Opens the browser. Without one, for example over SSH, shows a code to enter in a browser
    elsewhere. The sign-in is saved in the keyring, never in plain text, and renews itself for
    weeks. Several accounts can be signed in at once: pat uses the account that was last used with
    the organization.

    \b
    Examples:
      pat login
      pat login --org contoso --account ada@contoso.example
      pat login --device-code
    """
    from azdo_pat.services.sign_in import sign_in

    _require_user(app, device_code=device_code)
    by_code = device_code or not has_browser(app.runtime.environment)
    safe = _safe_place(app)
    client = app.session.entra_client(tenant=tenant, client_id=client_id)

    def have_signed_in(cache: Secret | None, claims: str) -> Granted:
        entra = app.session.entra(client, cache)
        if by_code:
            if not device_code:
                app.runtime.messages.notice("no browser found: signing in with a code")
            return entra.by_device_code(claims=claims, show=lambda *shown: _show_code(app, *shown))
        return entra.by_browser(
            account=account or "",
            claims=claims,
            show=lambda address: _show_address(app, address),
            unopened=lambda: app.runtime.messages.warn(
                "could not open a browser: open the address above"
            ),
        )

    signed_in = sign_in(have_signed_in, app.session.memory, app, safe=safe)
    who = "" if app.runtime.shows_tables else f" as {signed_in.user}{_at(client)}"
    app.runtime.messages.done(f"signed in{who}")
    app.runtime.render.show(signed_in)
    if app.runtime.options.access_token:
        app.runtime.messages.warn(
            "PAT_ACCESS_TOKEN is set and takes precedence: unset it to use this sign-in"
        )
    if not signed_in.remembered:
        raise StoreError(
            "the sign-in was not saved: there is no safe place to store it",
            hint="pat never saves it in plain text; set up a keyring, sign in to the Azure CLI"
            " (az login), or set PAT_ACCESS_TOKEN to an access token",
        )


@command("logout")
def logout_command(app: App) -> None:
    """Delete every sign-in that pat login saved on this machine.

    Tokens and their secrets stay. The current access token expires by itself within the hour.

    \b
    Example:
      pat logout
    """
    if app.session.memory.forget():
        app.runtime.messages.done("signed out: every saved sign-in is deleted")
    else:
        app.runtime.messages.notice("there was no saved sign-in")
    if app.runtime.options.access_token:
        app.runtime.messages.warn("PAT_ACCESS_TOKEN is still set and still signs you in")


def _require_user(app: App, *, device_code: bool) -> None:
    """Check that there is a user who can sign in.

    Raises:
        UsageError: there is none.
    """
    if app.runtime.may_ask or (device_code and not app.runtime.must_not_ask):
        return
    hint = "in CI, set PAT_ACCESS_TOKEN to an access token, or sign in to the Azure CLI"
    if not app.runtime.must_not_ask:
        hint = f"to sign in on another device, run: pat login --device-code; {hint}"
    raise UsageError("signing in needs a user, but pat cannot ask one here", hint=hint)


def _safe_place(app: App) -> bool:
    """Test the keyring before the sign-in; warn and return False if it cannot be used."""
    try:
        app.secrets.check()
    except StoreError as error:
        app.runtime.messages.warn(f"{error.message}; this sign-in will not be saved")
        return False
    return True


def _show_address(app: App, address: str) -> None:
    # Also with --quiet: the browser may not open, or another one than the user wants.
    click.echo(f"opening in your browser: {_plain(address)}", file=app.runtime.err)
    app.runtime.messages.notice("to sign in without a browser here, run: pat login --device-code")
    app.runtime.messages.notice("waiting for the sign-in; press Ctrl-C to cancel")


def _show_code(app: App, address: str, code: str) -> None:
    # Also with --quiet: the user cannot sign in without it.
    click.echo(f"open {_plain(address)} and enter the code {_plain(code)}", file=app.runtime.err)
    if app.runtime.err.isatty():
        app.runtime.messages.notice("waiting for the sign-in; press Ctrl-C to cancel")


def _plain(text: str) -> str:
    from azdo_pat.output.escape import visible

    return visible(text)


def _at(client: Client) -> str:
    return "" if client.tenant == "organizations" else f" in the tenant {client.tenant}"
