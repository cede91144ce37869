"""login, logout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import command
from azdo_pat.cli.global_options import option
from azdo_pat.cli.web_browser import has_browser
from azdo_pat.errors import StoreError, UsageError

if TYPE_CHECKING:
    from azdo_pat.auth.client import Client, Granted
    from azdo_pat.cli.app import App
    from azdo_pat.models import AccessToken, Secret


@command("login")
@option("--tenant", metavar="TENANT", help="Tenant: its id or domain [that of the organization].")
@option("--account", metavar="NAME", help="Sign-in name to propose.")
@option("--device-code", is_flag=True, help="Show a code to enter in a browser anywhere.")
@option("--client-id", metavar="ID", help="Application to sign in with [the Azure CLI's].")
def login_command(
    app: App, *, tenant: str | None, account: str | None, device_code: bool, client_id: str | None
) -> None:
    """Sign in with Microsoft Entra, and remember it.

    It opens the browser; where there is none, as over SSH, it shows a code to enter in one
    elsewhere. What is remembered lies in the keyring, never in plain text, and is renewed by
    itself for weeks. Several accounts can be signed in side by side: the one that was used with
    an organization is used with it again.

    \b
    Examples:
      pat login
      pat login --org contoso --account ada@contoso.example
      pat login --device-code
    """
    from azdo_pat.auth.claims import inspect
    from azdo_pat.auth.saved_sign_in import NAME
    from azdo_pat.services.sign_in import SignInMethod, sign_in

    _require_somebody(app, device_code=device_code)
    by_code = device_code or not has_browser(app.environment)
    located, _ = app.located
    organization = located.url if located is not None and located.hosted else ""
    safe = _safe_place(app)
    client = app.entra_client(tenant=tenant, client_id=client_id)

    def have_signed_in(cache: Secret | None, claims: str) -> Granted:
        entra = app.entra(client, cache)
        if by_code:
            if not device_code:
                app.messages.notice("no browser here: signing in with a code")
            return entra.by_device_code(claims=claims, show=lambda *shown: _show_code(app, *shown))
        app.messages.notice("waiting for the sign-in in your browser; Ctrl-C ends it")
        return entra.by_browser(
            account=account or "",
            claims=claims,
            show=lambda address: app.messages.warn(f"no browser could be opened; open {address}"),
        )

    def look(token: Secret) -> AccessToken:
        return inspect(token.reveal(), source=NAME, now=app.now())

    way = SignInMethod(sign_in=have_signed_in, inspect=look, organization=organization, safe=safe)
    signed_in = sign_in(way, app.memory)
    app.messages.notice(f"signed in as {signed_in.user}{_at(client)}")
    app.render.signed_in(signed_in)
    if app.options.access_token:
        app.messages.warn("PAT_ACCESS_TOKEN is set and comes first: unset it to use this sign-in")
    if not signed_in.remembered:
        raise StoreError(
            "the sign-in ends with this command: there is no safe place to remember it in",
            hint="pat never keeps it in plain text; set a keyring up, sign in to the Azure CLI"
            " (az login), or put an access token into PAT_ACCESS_TOKEN",
        )


@command("logout")
def logout_command(app: App) -> None:
    """Forget every sign-in of pat login on this machine.

    Tokens and their secrets stay. The access token itself ends by itself, within the hour.
    """
    if app.memory.forget():
        app.messages.notice("signed out: nothing of pat login is remembered any more")
    else:
        app.messages.notice("nobody was signed in by pat login")
    if app.options.access_token:
        app.messages.warn("PAT_ACCESS_TOKEN is still set, and signs in all the same")


def _require_somebody(app: App, *, device_code: bool) -> None:
    """Refuse to wait for somebody who is not there."""
    if app.may_ask or (device_code and not app.must_not_ask):
        return
    hint = "in CI, put an access token into PAT_ACCESS_TOKEN, or sign in to the Azure CLI"
    if not app.must_not_ask:
        hint = f"pat login --device-code shows a code to enter elsewhere; {hint}"
    raise UsageError("signing in needs somebody, and nobody is here to do it", hint=hint)


def _safe_place(app: App) -> bool:
    """Try the keyring before anybody signs in; say so where it cannot be used."""
    try:
        app.secrets.check()
    except StoreError as error:
        app.messages.warn(f"{error.message}; this sign-in will not be remembered")
        return False
    return True


def _show_code(app: App, address: str, code: str) -> None:
    # Also with --quiet: without it nobody can sign in.
    click.echo(f"open {address} and enter the code {_plain(code)}", file=app.err)


def _plain(text: str) -> str:
    from azdo_pat.output.plain import visible

    return visible(text)


def _at(client: Client) -> str:
    return "" if client.tenant == "organizations" else f" in the tenant {client.tenant}"
