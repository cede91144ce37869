"""Define the command `get`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import command
from azdo_pat.cli.completers import complete_tokens
from azdo_pat.cli.secret_options import secret_options
from azdo_pat.errors import UsageError
from azdo_pat.formats import SecretForm

if TYPE_CHECKING:
    from azdo_pat.cli.app import App
    from azdo_pat.models import Organization, Secret
    from azdo_pat.output.secret_request import SecretRequest
    from azdo_pat.results.tokens import StoredSecret


@command("get")
@click.argument("name", metavar="NAME", shell_complete=complete_tokens)
@secret_options("Print the secret in this format")
@click.option(
    "--copy", is_flag=True, help="Copy the secret to the clipboard for 45 s instead of printing it."
)
def get_command(app: App, name: str, *, secret_request: SecretRequest | None, copy: bool) -> None:
    """Print the secret stored under NAME, alone on stdout. The network is not used.

    NAME may also be the token's id, or its first 8 or more characters.

    Over SSH, --copy asks your terminal to copy the secret, and does not clear it.

    \b
    Examples:
      export AZURE_DEVOPS_EXT_PAT=$(pat get laptop)     # sh
      $env:AZURE_DEVOPS_EXT_PAT = pat get laptop        # PowerShell
      pat get laptop --as header
      pat get ci --as ci --var NPM_PAT     # in a step of a pipeline
    """
    from azdo_pat.services.stored_secrets import get

    # Only -o itself: a default of json in the environment must not change what $(pat get x) is.
    if secret_request is None and app.runtime.options.sources.get("output") == "--output":
        secret_request = _json() if app.runtime.options.output == "json" else None
    form = SecretForm.TOKEN if secret_request is None else secret_request.form
    if app.runtime.options.query is not None and form is not SecretForm.JSON:
        raise UsageError("--query needs JSON", hint="add --as json, or leave out --query")
    if copy and form.is_for_runner:
        raise UsageError(f"--as {form} and --copy cannot be combined", hint="leave out one of them")
    found = get(name, app)
    if copy:
        _copy(app, found, secret_request)
    elif secret_request is None or form is SecretForm.TOKEN:
        app.runtime.verbatim_out.write(found[2].reveal() + "\n")
        app.runtime.out.flush()
    else:
        app.runtime.render.secret(_held(app, found), secret_request)


def _json() -> SecretRequest:
    from azdo_pat.output.secret_request import SecretRequest

    return SecretRequest(SecretForm.JSON)


def _held(app: App, found: tuple[Organization, str, Secret]) -> StoredSecret:
    """Return a secret with the details that its format may need."""
    from azdo_pat.services.stored_secrets import held

    return held(*found, app)


def _copy(
    app: App, found: tuple[Organization, str, Secret], secret_request: SecretRequest | None
) -> None:
    from azdo_pat.models import Secret
    from azdo_pat.output.clipboard import CLEAR_AFTER, copy
    from azdo_pat.output.terminal_clipboard import is_remote

    text = found[2]
    if secret_request is not None:
        from azdo_pat.output.secret_writers import secret_text

        text = Secret(
            secret_text(_held(app, found), secret_request, app.runtime.now(), app.runtime.query)
        )
    remote = is_remote(app.environment)
    # There, the clipboard is that of the machine, not of the one where the user sits.
    if remote and sys.platform in {"darwin", "win32"} and _copied_by_terminal(app, found[1], text):
        return
    try:
        copy(text)
    except UsageError:
        if remote and _copied_by_terminal(app, found[1], text):
            return
        raise
    app.runtime.messages.done(
        f"copied the secret of {found[1]} to the clipboard for {CLEAR_AFTER:.0f} s"
    )


def _copied_by_terminal(app: App, name: str, text: Secret) -> bool:
    """Copy to the clipboard of the user's terminal; return False if there is none to ask."""
    from azdo_pat.output.terminal_clipboard import is_in_tmux, send

    # A job may have the terminal of the session that once started its runner.
    if app.runtime.must_not_ask or not send(text, app.runtime.err, app.environment):
        return False
    app.runtime.messages.notice(
        f"sent the secret of {name} to the clipboard of your terminal; pat cannot see whether it"
        " arrived there, and does not clear it"
    )
    if is_in_tmux(app.environment):
        app.runtime.messages.notice("tmux passes it on only if its option allow-passthrough is on")
    return True
