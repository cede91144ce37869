"""Messages shared by the commands that create or change tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.errors import PatError, PendingError
from azdo_pat.naming import as_argument

if TYPE_CHECKING:
    from datetime import datetime

    from azdo_pat.cli.app import App
    from azdo_pat.models import Pat
    from azdo_pat.output.secret_format import SecretFormat
    from azdo_pat.results import Created


def say_created(app: App, created: Created) -> None:
    """Report on stderr that a token was created, with warnings about it."""
    pat = created.pat
    where = pat.org or "all organizations"
    kept = f"; its secret is in the keyring: pat get {as_argument(pat.name)}" if pat.stored else ""
    app.runtime.messages.notice(f"created {pat.name!r} in {where}{kept}")
    if created.shortened:
        warn_shortened(app, pat, created.requested_expiry)
    if created.undelivered:
        app.runtime.messages.warn(
            f"its secret could not be delivered to every target: {created.undelivered}"
        )
    if created.replaced is not None:
        warn_replaced(app, created.replaced)


def warn_replaced(app: App, identifier: str) -> None:
    """Warn that a token whose only secret was overwritten is still active."""
    app.runtime.messages.warn(
        "the token whose secret was overwritten is not revoked; to revoke it, run: pat revoke"
        f" {identifier}"
    )


def warn_shortened(app: App, pat: Pat, requested: datetime) -> None:
    """Warn that the service granted a shorter lifetime than requested."""
    granted = f"{pat.expires:%Y-%m-%d %H:%M} UTC" if pat.expires else "an unknown time"
    app.runtime.messages.warn(
        f"a policy shortened the lifetime: the token expires {granted}, not"
        f" {requested:%Y-%m-%d %H:%M} UTC as requested"
    )


def print_secret(app: App, created: Created, secret_format: SecretFormat) -> None:
    """Print the secret of a new token in the requested format.

    Raises:
        PatError: it could not be written, and is stored nowhere.
    """
    from azdo_pat.results import StoredSecret

    held = StoredSecret(pat=created.pat, secret=created.secret, org_url=app.organization.url)
    try:
        app.runtime.render.secret(held, secret_format)
    except OSError as error:
        if created.pat.stored:
            raise
        raise PatError(
            f"the secret could not be written ({error.strerror})",
            hint="leave out --no-store to store it in the keyring",
        ) from error


def not_delivered(tokens: int) -> PendingError:
    """Return the error for new secrets that are stored but not delivered everywhere."""
    return PendingError(
        "the new secret is in the keyring, but not delivered everywhere"
        if tokens == 1
        else f"{tokens} new secrets are in the keyring, but not delivered everywhere",
        hint="a token that is replaced lives on; mend what stands in the way, then run: pat renew",
    )
