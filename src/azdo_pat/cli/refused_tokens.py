"""Tokens that the service refused when a program used them, as git reported.

Such a token counts as due until the service accepts it. The marker names the secret's
fingerprint, so a new secret has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.errors import PatError, SignInError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App
    from azdo_pat.models import Organization, Secret, StoredPat
    from azdo_pat.store.marker_files import MarkerFiles


def marks(app: App) -> MarkerFiles:
    """Return the markers of refused tokens on this machine."""
    from azdo_pat.store.marker_files import MarkerFiles

    return MarkerFiles(app.runtime.state_folder / "refused")


def key(entry: StoredPat) -> str:
    """Return the key of the marker for a token's secret."""
    return f"{entry.name!r} in {entry.org_url}: {entry.fingerprint or entry.id}"


def is_refused(app: App, entry: StoredPat | None) -> bool:
    """Return whether the service refused the token when a program used it."""
    return entry is not None and marks(app).since(key(entry)) is not None


def organization_of(app: App, entry: StoredPat) -> Organization:
    """Return the organization of a token in the local state."""
    from azdo_pat.models import Organization
    from azdo_pat.organizations import is_of_root

    hosted = is_of_root(entry.org_url, entry.org, app.session.api_root)
    return Organization(name=entry.org, url=entry.org_url, hosted=hosted)


def works(app: App, entry: StoredPat, organization: Organization, secret: Secret) -> bool:
    """Return whether the service accepts the secret; if so, remove its marker.

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
    """Warn if a secret was refused before and the service still does not accept it."""
    if not is_refused(app, entry):
        return
    from azdo_pat.naming import as_argument

    try:
        if works(app, entry, organization, secret):
            return
    except PatError as error:
        app.runtime.messages.warn(
            f"the service refused {entry.name!r} when a program used it; whether it works now is"
            f" not known ({error.message})"
        )
        return
    # `rotate` does not replace one that was revoked; `ensure` replaces any.
    scopes = "".join(f" --scope {scope}" for scope in entry.scopes)
    name = as_argument(entry.name)
    step = f"pat ensure {name}{scopes}" if scopes else f"pat import {name} --replace"
    app.runtime.messages.warn(
        f"{entry.org} no longer accepts {entry.name!r}; to replace it, run: {step}"
    )
