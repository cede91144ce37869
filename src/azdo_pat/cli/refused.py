"""Tokens that a program was refused with: git says so, and the service has not been asked since.

Such a token counts as due. The mark is of the very secret: a new one has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.errors import PatError, SignInError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App
    from azdo_pat.models import Organization, Secret, StoredPat
    from azdo_pat.store.marker_files import MarkerFiles


def marks(app: App) -> MarkerFiles:
    """Return all such marks of this machine."""
    from azdo_pat.store.marker_files import MarkerFiles

    return MarkerFiles(app.state_folder / "refused")


def key(entry: StoredPat) -> str:
    """Return what the mark of a token's secret is called."""
    return f"{entry.name!r} in {entry.org_url}: {entry.fingerprint or entry.id}"


def is_refused(app: App, entry: StoredPat | None) -> bool:
    """Tell whether a program was refused with it."""
    return entry is not None and marks(app).since(key(entry)) is not None


def organization_of(app: App, entry: StoredPat) -> Organization:
    """Return the organization of a token that is known here."""
    from azdo_pat.models import Organization
    from azdo_pat.organizations import is_of_root

    hosted = is_of_root(entry.org_url, entry.org, app.api_root)
    return Organization(name=entry.org, url=entry.org_url, hosted=hosted)


def works(app: App, entry: StoredPat, organization: Organization, secret: Secret) -> bool:
    """Ask the service; a token that works again is not doubted any more.

    Raises:
        PatError: the service does not answer.
    """
    try:
        app.directory.check_secret(organization, secret)
    except SignInError:
        return False
    marks(app).remove(key(entry))
    return True


def warn_if_refused(app: App, entry: StoredPat, organization: Organization, secret: Secret) -> None:
    """Say where a secret that is about to be used will only be refused; ask the service first."""
    if not is_refused(app, entry):
        return
    from azdo_pat.naming import as_argument

    try:
        if works(app, entry, organization, secret):
            return
    except PatError as error:
        app.messages.warn(
            f"a program was refused with {entry.name!r}; whether it works is not known"
            f" ({error.message})"
        )
        return
    # `rotate` does not replace one that was revoked; `ensure` replaces any.
    scopes = "".join(f" --scope {scope}" for scope in entry.scopes)
    name = as_argument(entry.name)
    step = f"pat ensure {name}{scopes}" if scopes else f"pat import {name} --replace"
    app.messages.warn(f"{entry.org} does not accept {entry.name!r} any more: {step}")
