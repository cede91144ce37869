"""Find the token for a package feed, for callers that have no command line (cargo, keyring)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.cli.app import App
from azdo_pat.cli.global_options import GlobalOptions
from azdo_pat.services import feed_secret

if TYPE_CHECKING:
    from azdo_pat.models import Secret


def secret_for_feed(protocol: str, host: str, path: str) -> Secret | None:
    """Return the secret of the stored token that can read packages at this URL, or None.

    Raises:
        PatError: as for `services.feed_secret`.
    """
    app = App(GlobalOptions())
    chosen = app.environment.get("PAT_PACKAGES_TOKEN") or app.runtime.file_values.get(
        "packages-token"
    )
    return feed_secret.secret_for_feed(
        (protocol, host, path), app, chosen=str(chosen) if chosen else None
    )
