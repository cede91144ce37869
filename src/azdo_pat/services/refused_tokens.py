"""Tokens that the service refused when a program used them, as git reported.

Such a token counts as due until the service accepts it. The marker names the secret's
fingerprint, so a new secret has none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from azdo_pat.errors import PatError, SignInError
from azdo_pat.organizations import is_of_root
from azdo_pat.store.marker_files import MarkerFiles

if TYPE_CHECKING:
    from azdo_pat.models import Organization, Secret, StoredPat
    from azdo_pat.operations.deps import Deps


def refusals(deps: Deps) -> MarkerFiles:
    """Return the markers of refused tokens on this machine; see `marker_key`."""
    return MarkerFiles(deps.state_folder / "refused")


def marker_key(entry: StoredPat) -> str:
    """Return the key of the marker for a token's secret."""
    return f"{entry.name!r} in {entry.org_url}: {entry.fingerprint or entry.id}"


def was_refused(entry: StoredPat | None, deps: Deps) -> bool:
    """Return whether the service refused the token when a program used it."""
    return entry is not None and refusals(deps).since(marker_key(entry)) is not None


def organization_of(entry: StoredPat, deps: Deps) -> Organization:
    """Return where to try a token: at its own URL, if it is not of the current API root."""
    organization = entry.organization
    return replace(organization, hosted=is_of_root(organization, deps.session.api_root))


def still_works(entry: StoredPat, secret: Secret, deps: Deps) -> bool:
    """Return whether the service accepts the secret; if so, remove its marker.

    Raises:
        PatError: the service does not answer.
    """
    try:
        deps.directory.check_secret(organization_of(entry, deps), secret)
    except SignInError:
        return False
    refusals(deps).remove(marker_key(entry))
    return True


def refusal(entry: StoredPat, secret: Secret, deps: Deps) -> str:
    """Return what to tell the user of a secret that was refused before; empty if it works."""
    if not was_refused(entry, deps):
        return ""
    from azdo_pat.command_lines import pat_command  # noqa: PLC0415 - mostly none was refused

    try:
        if still_works(entry, secret, deps):
            return ""
    except PatError as error:
        return (
            f"the service refused {entry.name!r} when a program used it; it is unknown whether it"
            f" works now ({error.message})"
        )
    # `rotate` does not replace one that was revoked; `ensure` replaces any.
    scopes = [word for scope in entry.scopes for word in ("--scope", scope)]
    verb, options = ("ensure", scopes) if scopes else ("import", ["--replace"])
    step = pat_command(verb, entry.name, options=options)
    return f"{entry.org} no longer accepts {entry.name!r}; to replace it, run: {step}"
