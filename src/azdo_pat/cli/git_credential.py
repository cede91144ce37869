"""Define the command `git-credential`."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from azdo_pat.cli import options
from azdo_pat.cli.command import command

if TYPE_CHECKING:
    from datetime import datetime

    from azdo_pat.cli.app import App
    from azdo_pat.gitcredential import CredentialRequest


@command("git-credential")
@click.argument("operation", metavar="OPERATION")
def git_credential_command(app: App, operation: str) -> None:
    """Answer git's requests for credentials. To configure git, run: pat setup git.

    OPERATION is get, store or erase. git sends the details on stdin (gitcredentials(7)).

    For dev.azure.com, ORG.visualstudio.com, and servers whose tokens were imported, git gets a
    stored token of the organization, with its expiry. A token that is due is rotated first. For
    all other hosts there is no answer, and git asks its next helper.

    If the service refuses the token, pat keeps it, finds out the reason, and tells you.

    \b
    Example:
      echo url=https://dev.azure.com/contoso | pat git-credential get
    """
    from azdo_pat.gitcredential import LARGEST, read
    from azdo_pat.services.git_helper import accept, refuse

    asked = read(sys.stdin.buffer.read(LARGEST + 1))
    if operation == "get":
        _get(app, asked)
    elif operation == "store":
        accept(asked, app)
    elif operation == "erase" and (problem := refuse(asked, app)):
        app.runtime.messages.warn(problem)
    # Newer versions of git may send other operations, which a helper must ignore.


def _get(app: App, asked: CredentialRequest) -> None:
    from azdo_pat.gitcredential import written
    from azdo_pat.services.git_helper import answer

    chosen = app.environment.get("PAT_GIT_TOKEN") or app.runtime.file_values.get("git-token")
    given = answer(
        asked, app, chosen=str(chosen) if chosen else None, new_expiry=partial(_new_expiry, app)
    )
    for entry in given.renewed:
        app.runtime.messages.done(f"renewed {entry.name!r} in {entry.org}")
    for problem in given.problems:
        app.runtime.messages.warn(problem)
    app.runtime.verbatim_out.write(written(given.attributes))
    app.runtime.out.flush()


def _new_expiry(app: App) -> datetime | None:
    """Return the expiry of a new token; None if the user does not want tokens to be renewed."""
    if not app.runtime.setting("git-renew"):
        return None
    return options.expiry_or_default(app, None, app.now())
