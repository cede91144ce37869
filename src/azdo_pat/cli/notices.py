"""What commands that make or change tokens have to say alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.errors import PatError
from azdo_pat.naming import as_argument

if TYPE_CHECKING:
    from datetime import datetime

    from azdo_pat.cli.app import App
    from azdo_pat.models import Pat
    from azdo_pat.output.secret_format import SecretFormat
    from azdo_pat.results import Created


def say_created(app: App, created: Created) -> None:
    """Say on stderr what was made, and what the user may not expect of it."""
    pat = created.pat
    where = pat.org or "all organizations"
    kept = f"; its secret is in the keyring: pat get {as_argument(pat.name)}" if pat.stored else ""
    app.messages.notice(f"created {pat.name!r} in {where}{kept}")
    if created.shortened:
        warn_shortened(app, pat, created.requested_expiry)
    if created.undelivered:
        app.messages.warn(f"it is not delivered everywhere: {created.undelivered}")
    if created.replaced is not None:
        warn_replaced(app, created.replaced)


def warn_replaced(app: App, identifier: str) -> None:
    """Say that a token lives on whose only secret was overwritten."""
    app.messages.warn(
        f"the token whose secret was replaced is not revoked by this: pat revoke {identifier}"
    )


def warn_shortened(app: App, pat: Pat, requested: datetime) -> None:
    """Say that the service granted less than was asked for."""
    granted = f"{pat.expires:%Y-%m-%d %H:%M} UTC" if pat.expires else "an unknown time"
    app.messages.warn(
        f"a policy shortened its life: it ends {granted}, and {requested:%Y-%m-%d %H:%M} UTC was"
        " asked for"
    )


def print_secret(app: App, created: Created, secret_format: SecretFormat) -> None:
    """Print the secret of a new token in the form wished.

    Raises:
        PatError: it could not be written, and is stored nowhere.
    """
    from azdo_pat.results import StoredSecret

    held = StoredSecret(pat=created.pat, secret=created.secret, org_url=app.organization.url)
    try:
        app.render.secret(held, secret_format)
    except OSError as error:
        if created.pat.stored:
            raise
        raise PatError(
            f"the secret could not be written ({error.strerror})",
            hint="leave out --no-store to have it in the keyring",
        ) from error
