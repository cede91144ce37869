"""Messages shared by the commands that create or change tokens."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from azdo_pat.command_lines import pat_command
from azdo_pat.dates import local_minute
from azdo_pat.errors import PartialError, PatError, PendingError

AUDITING_MAY_BE_OFF: Final = (
    "it has none at all while Log Audit Events is off (organization settings > Policies)"
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from azdo_pat.cli.app import App
    from azdo_pat.models import Pat
    from azdo_pat.output.secret_request import SecretRequest
    from azdo_pat.results.tokens import Created, Rotated


def say_created(app: App, created: Created, *, has_table: bool) -> None:
    """Report on stderr that a token was created, with warnings about it.

    `has_table` says that its table is written to the same terminal, and need not be repeated.
    """
    pat = created.pat
    get = _get(app, pat)
    if has_table:
        words = f"created {pat.name!r}"
        more = f"; to print its secret, run: {get}"
    else:
        words = f"created {pat.name!r} in {pat.org or 'all organizations'}"
        more = f"; its secret is in the keyring: {get}"
    app.runtime.messages.done(f"{words}{more if pat.stored else ''}")
    warn_shortened(app, pat, created.shortened_from)
    say_delivered(app, pat)
    if created.undelivered:
        app.runtime.messages.warn(
            f"its secret could not be delivered to every target: {created.undelivered}"
        )
    if created.replaced is not None:
        warn_replaced(app, created.replaced)


def say_rotated(app: App, rotated: Rotated, *, has_table: bool) -> None:
    """Report on stderr the new token and what happened to the old one.

    `has_table` says that its table is written to the same terminal, and need not be repeated.
    """
    from azdo_pat.results.tokens import OldTokenOutcome

    new, old = rotated.created.pat, rotated.replaced
    ended = {
        OldTokenOutcome.REVOKED: "is revoked",
        OldTokenOutcome.KEPT: "stays active",
        OldTokenOutcome.EXPIRED: "had expired",
        OldTokenOutcome.LATER: f"will be revoked by the first command that signs in after"
        f" {local_minute(rotated.due)}"
        if rotated.due
        else "",
        OldTokenOutcome.PENDING: "could not be revoked yet",
        OldTokenOutcome.UNDELIVERED: "stays active",
    }[rotated.old]
    get = _get(app, new)
    app.runtime.messages.done(
        f"rotated {new.name!r}: the old token {old.id} {ended}; to print the new secret, run: {get}"
        if has_table
        else f"rotated {new.name!r} in {new.org or app.organization.name}: its new secret is in the"
        f" keyring ({get}); the old token {old.id} {ended}"
    )
    if rotated.waits_for_readers and rotated.old is OldTokenOutcome.LATER:
        app.runtime.messages.notice(
            "the secret is in a vault, which is read later by those who use it, so the old token"
            " stays active for a day; --grace sets another time, --grace none revokes it at once"
        )
    warn_shortened(app, new, rotated.created.shortened_from)
    say_delivered(app, new)
    if not old.stored and rotated.old not in {OldTokenOutcome.KEPT, OldTokenOutcome.EXPIRED}:
        app.runtime.messages.notice(
            "the old secret was not in this keyring: programs that use the old secret need the"
            " new one"
        )
    if rotated.old is OldTokenOutcome.PENDING:
        app.runtime.messages.warn(
            f"the old token {old.id} could not be revoked yet: {rotated.reason}"
        )
    if rotated.old is OldTokenOutcome.UNDELIVERED:
        app.runtime.messages.warn(
            f"the new secret could not be delivered to every target: {rotated.reason}"
        )


def _get(app: App, pat: Pat) -> str:
    """Return the command that prints a secret; it names the organization if the user had to."""
    is_named = app.runtime.options.sources.get("org") == "--org"
    return pat_command("get", pat.name, options=("--org", pat.org) if is_named and pat.org else ())


def say_delivered(app: App, pat: Pat) -> None:
    """Report on stderr to which targets the current secret of a token was delivered."""
    # The token is made, and its secret is to be shown next, even if the state is locked now.
    with suppress(PatError):
        known = app.state.find_by_id(pat.id) if pat.id else ()
        entries = [each for each in known if each.renewal.deliveries]
        if not entries:
            return
        from azdo_pat.renewal import DeliveryState
        from azdo_pat.services.destinations import destinations_of

        for each in (target for entry in entries for target in destinations_of(entry, app)):
            if each.state is DeliveryState.DELIVERED:
                app.runtime.messages.done(f"delivered {each.name!r} to {each.target.place}")


def say_taken_over(app: App, name: str, org: str, place: str) -> None:
    """Report on stderr that the token which a vault holds is now stored here, too."""
    app.runtime.messages.done(
        f"took over {name!r} in {org} from {place}, where another machine has delivered it"
    )


def warn_replaced(app: App, identifier: str) -> None:
    """Warn that a token whose only secret was overwritten is still active."""
    app.runtime.messages.warn(
        "the token whose secret was overwritten is not revoked; to revoke it, run: pat revoke"
        f" {identifier}"
    )


def warn_shortened(app: App, pat: Pat, requested: datetime | None) -> None:
    """Warn that the service granted an earlier expiry than requested, unless that is None."""
    if requested is None:
        return
    granted = local_minute(pat.expires) if pat.expires else "an unknown time"
    app.runtime.messages.warn(
        f"a policy shortened the lifetime: the token expires {granted}, not"
        f" {local_minute(requested)} as requested"
    )


def print_secret(app: App, created: Created, secret_request: SecretRequest) -> None:
    """Print the secret of a new token in the requested format.

    Raises:
        PatError: it could not be written, and is stored nowhere.
    """
    from azdo_pat.results.tokens import StoredSecret

    held = StoredSecret(pat=created.pat, secret=created.secret, org_url=app.organization.url)
    try:
        app.runtime.render.secret(held, secret_request)
    except OSError as error:
        if created.pat.stored:
            raise
        raise PatError(
            f"the secret could not be written ({error.strerror})",
            hint="leave out --no-store to store it in the keyring",
        ) from error


def conclude_rotations(done: Sequence[Rotated], failed: int, of: int) -> None:
    """Raise the error for the exit code of the rotations, if any."""
    from azdo_pat.results.tokens import OldTokenOutcome

    if failed:
        raise PartialError(
            f"{failed} of {of} tokens could not be rotated",
            hint="see above; the others were rotated" if failed < of else "see above",
        )
    if undelivered := sum(each.old is OldTokenOutcome.UNDELIVERED for each in done):
        raise not_delivered(undelivered)
    pending = sum(each.old is OldTokenOutcome.PENDING for each in done)
    if pending:
        raise PendingError(
            "the new token is in use, but the old one could not be revoked yet"
            if of == 1
            else f"{pending} old tokens could not be revoked yet",
            hint="the next command that signs in (for example pat list) will revoke"
            f" {'it' if of == 1 else 'them'}",
        )


def not_delivered(tokens: int) -> PendingError:
    """Return the error for new secrets that are stored but not delivered everywhere."""
    return PendingError(
        "the new secret is in the keyring, but not delivered everywhere"
        if tokens == 1
        else f"{tokens} new secrets are in the keyring, but not delivered everywhere",
        hint="fix the cause, then run: pat renew; until then, a token that was replaced stays"
        " active",
    )
