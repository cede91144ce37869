"""Define the command `git-credential`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from azdo_pat.cli import options
from azdo_pat.cli.command import command
from azdo_pat.cli.refused_tokens import is_refused, key, marks, organization_of, works

if TYPE_CHECKING:
    from azdo_pat.cli.app import App
    from azdo_pat.gitcredential import CredentialRequest
    from azdo_pat.models import Secret, StoredPat
    from azdo_pat.services.git_helper import Helper
    from azdo_pat.store.marker_files import MarkerFiles


@command("git-credential")
@click.argument("operation", metavar="OPERATION")
def git_credential_command(app: App, operation: str) -> None:
    """Answer git, which asks for a token by itself: pat setup git lets it.

    OPERATION is get, store or erase; git says the rest on stdin (gitcredentials(7)).

    For dev.azure.com, ORG.visualstudio.com, and servers whose tokens were imported, git gets the
    stored token of that organization which it may use; its end is told to git, and it is renewed
    before that comes. For all other hosts there is no answer, and git goes on to its next helper.

    A token that git was refused with is not deleted: it is looked at, and you are told why.
    """
    from azdo_pat.gitcredential import LARGEST, read

    asked = read(sys.stdin.buffer.read(LARGEST + 1))
    if operation == "get":
        _get(app, asked)
    elif operation == "store":
        _store(app, asked)
    elif operation == "erase":
        _erase(app, asked)
    # Later gits may know more operations; a helper does not mind (gitcredentials(7)).


def _get(app: App, asked: CredentialRequest) -> None:
    from azdo_pat.gitcredential import written
    from azdo_pat.services.git_helper import answer

    given = answer(asked, _helper(app))
    for note in given.notes:
        app.runtime.messages.warn(note)
    app.runtime.verbatim_out.write(written(given.attributes))
    app.runtime.out.flush()


def _store(app: App, asked: CredentialRequest) -> None:
    """Remember that a token is good, after all; `pat` has it already."""
    doubted = marks(app)
    if not doubted:
        return
    from azdo_pat.services.git_helper import used

    entry = used(asked, _helper(app))
    if entry is not None:
        doubted.remove(key(entry))


def _erase(app: App, asked: CredentialRequest) -> None:
    """Forget that a token was good, and say why git was refused; the token stays."""
    from azdo_pat.services.git_helper import of_place, used, why_refused

    if asked.credential is not None:
        _renew_sign_in(app, asked.credential)
        return
    helper = _helper(app)
    entry = used(asked, helper)
    if entry is not None and asked.password is not None:
        marks(app).put(key(entry))
        app.runtime.messages.warn(why_refused(entry, asked.password, helper))
    elif asked.password is not None and of_place(asked, helper):
        app.runtime.messages.warn(
            "git was refused with a password that pat does not hold; try again"
        )


def _renew_sign_in(app: App, refused: Secret) -> None:
    """Get another access token in place of the one that git was refused with.

    It may have been rejected before its end, and git would get it again until then.

    Raises:
        SignInError: the user is not signed in any more.
        PatError: there is no other without the user, or Entra cannot be asked.
    """
    token = app.session.access_token()
    if token.secret != refused:
        return
    said = f"git was refused with the access token from {token.source}"
    if app.session.renewed_token(token, "") is None:
        app.runtime.messages.warn(f"{said}: {token.anew}")
    else:
        app.runtime.messages.warn(f"{said}; a new one is there: try again")


def _helper(app: App) -> Helper:
    from azdo_pat.services.git_helper import Helper

    chosen = app.runtime.environment.get("PAT_GIT_TOKEN") or app.runtime.file_values.get(
        "git-token"
    )
    return Helper(
        entries=[entry for entry in app.state.stored() if entry.stored],
        chosen=str(chosen) if chosen else None,
        now=app.runtime.now(),
        api_root=app.session.api_root,
        secret=lambda entry: app.session.secrets.get(entry.org_url, entry.name),
        is_doubted=lambda entry: is_refused(app, entry),
        works=lambda entry, secret: works(app, entry, organization_of(app, entry), secret),
        renews=lambda: bool(app.runtime.setting("git-renew")),
        failed_at=lambda entry: _failed(app).since(key(entry)),
        renewed=lambda entry: _renewed(app, entry),
        bearer=app.session.access_token,
    )


def _failed(app: App) -> MarkerFiles:
    """Return the marks of the tokens that could not be renewed."""
    from azdo_pat.store.marker_files import MarkerFiles

    return MarkerFiles(app.runtime.state_folder / "renewals")


def _renewed(app: App, entry: StoredPat) -> StoredPat | None:
    from azdo_pat.services.git_renewal import renew_for_git

    organization = organization_of(app, entry)
    renewed = renew_for_git(
        organization,
        entry,
        options.expiry_or_default(app, None, app.runtime.now()),
        state=app.state,
        in_line=app.in_line,
        maker=lambda: app.at(organization).maker,
        mark_failed=lambda: _failed(app).put(key(entry)),
    )
    if renewed:
        app.runtime.messages.notice(f"renewed {entry.name!r} in {organization.name}")
    return app.state.find(entry.org_url, entry.name)
