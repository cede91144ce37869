"""Find the token for a package feed, for callers that have no command line (cargo, keyring)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.cli.app import App
from azdo_pat.cli.global_options import GlobalOptions
from azdo_pat.cli.refused_tokens import is_refused, organization_of, works
from azdo_pat.errors import RefusedError
from azdo_pat.naming import as_argument
from azdo_pat.tools.selection import at_place, for_packages

if TYPE_CHECKING:
    from azdo_pat.models import Secret


def secret_for_feed(protocol: str, host: str, path: str) -> Secret | None:
    """Return the secret of the stored token that can read packages there, or None.

    Raises:
        RefusedError: the token has expired, or the service refuses it.
        PatError: the state file or the keyring cannot be used.
    """
    app = App(GlobalOptions())
    secret_format = app.runtime.environment.get(
        "PAT_PACKAGES_TOKEN"
    ) or app.runtime.file_values.get("packages-token")
    stored = [entry for entry in app.state.stored() if entry.stored]
    entries = at_place(stored, protocol, host, path, api_root=app.session.api_root, feeds=True)
    expired = refused = None
    for entry in for_packages(entries, str(secret_format) if secret_format else None):
        if entry.expires is not None and entry.expires <= app.runtime.now():
            expired = expired or entry
            continue
        secret = app.session.secrets.get(entry.org_url, entry.name)
        if secret is None:
            continue
        if not is_refused(app, entry) or works(app, entry, organization_of(app, entry), secret):
            return secret
        refused = refused or entry
    if refused is not None:
        raise RefusedError(
            f"{refused.org} no longer accepts the token {refused.name!r}",
            hint=f"run: pat create {as_argument(refused.name)} --for packages --replace",
        )
    if expired is not None:
        raise RefusedError(
            f"the token {expired.name!r} for packages of {expired.org} has expired",
            hint=f"run: pat rotate {as_argument(expired.name)}",
        )
    return None
