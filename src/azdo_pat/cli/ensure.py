"""Define the command `ensure`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli import options
from azdo_pat.cli.command import command
from azdo_pat.cli.completers import complete_tokens
from azdo_pat.cli.interrupts import interruptible_once
from azdo_pat.cli.secret_options import secret_options
from azdo_pat.cli.token_messages import (
    conclude_rotations,
    not_delivered,
    say_created,
    say_delivered,
    say_rotated,
    say_taken_over,
)
from azdo_pat.dates import local_minute
from azdo_pat.errors import PendingError, UsageError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App
    from azdo_pat.models import Organization
    from azdo_pat.output.secret_request import SecretRequest
    from azdo_pat.results.tokens import Ensured
    from azdo_pat.services.ensure import Wanted


@command("ensure")
@click.argument("name", metavar="NAME", shell_complete=complete_tokens)
@options.new_scope
@options.recipe
@options.expires(help="Lifetime or expiry of a new token: 12h, 30d, 1y.")
@click.option(
    "--renew-before",
    metavar="SPAN",
    help="Rotate the token this long before it expires [a third of its lifetime].",
)
@options.grace
@options.deliver
@secret_options("Print the secret in this format")
@options.verify(help="Ask the service whether it accepts the secret.")
@options.unknown_scope
def ensure_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    name: str,
    *,
    scopes: tuple[str, ...],
    recipes: tuple[str, ...],
    expires: str | None,
    renew_before: str | None,
    grace: str | None,
    deliveries: tuple[str, ...],
    secret_request: SecretRequest | None,
    verify: bool,
    allow_unknown_scope: bool,
) -> None:
    """Ensure a token called NAME exists with these scopes and enough lifetime left.

    The token is created if its secret is not stored here, and rotated if it is due or its scopes
    differ. Otherwise it is kept, and neither the network nor a sign-in is needed. Repeated and
    concurrent runs create a single token.

    \b
    Examples:
      pat ensure ci --for packages --expires 7d --renew-before 2d
      pat ensure ci --scope code --as token
    """
    from azdo_pat.expiry import parse_grace
    from azdo_pat.naming import checked_name
    from azdo_pat.scopes import parse_scopes
    from azdo_pat.services.ensure import ensure, place_of

    checked_name(name)
    wanted = _wanted(
        app,
        name,
        parse_scopes(scopes, recipes=recipes, allow_unknown=allow_unknown_scope),
        expires=expires,
        renew_before=renew_before,
    )._replace(
        deliveries=options.parsed_deliveries(app, deliveries),
        grace=None if grace is None else parse_grace(grace, app.now()),
    )
    render = (
        app.runtime.render if secret_request is None else None
    )  # reports a mistake in --query before any change
    organization = place_of(name, app)
    with interruptible_once():
        ensured = ensure(organization, wanted, app, verify=verify)
    has_table = secret_request is None and app.runtime.shows_tables
    _say(app, ensured, organization, has_table=has_table)
    if render is not None:
        render.show(ensured)
    elif secret_request is None or secret_request.form == "token":
        app.runtime.out.write(ensured.secret.reveal() + "\n")
        app.runtime.out.flush()
    else:
        _print(app, ensured, secret_request, organization)
    if ensured.undelivered:
        raise not_delivered(1)
    if ensured.unrevoked:
        raise PendingError(
            "a token that was replaced could not be revoked yet",
            hint="the next command that signs in tries again",
        )
    if ensured.rotated is not None:
        conclude_rotations([ensured.rotated], 0, 1)


def _wanted(
    app: App, name: str, scopes: tuple[str, ...], *, expires: str | None, renew_before: str | None
) -> Wanted:
    from azdo_pat.expiry import parse_span
    from azdo_pat.services.ensure import Wanted

    now = app.runtime.now()
    window = None if renew_before is None else parse_span(renew_before, now)
    end = options.expiry_or_default(app, expires, now)
    if window is not None and now + window >= end:
        raise UsageError(
            f"with --renew-before {renew_before} a token would be due as soon as it is created",
            hint="use a longer lifetime (--expires) or a shorter span",
        )
    return Wanted(name=name, scopes=scopes, expires=end, renew_before=window)


def _say(app: App, ensured: Ensured, organization: Organization, *, has_table: bool) -> None:
    """Report on stderr what was done."""
    if ensured.created is not None:
        say_created(app, ensured.created, has_table=has_table)
    elif ensured.rotated is not None:
        say_rotated(app, ensured.rotated, has_table=has_table)
    elif ensured.outcome == "taken over":
        _say_taken_over(app, ensured, organization)
    elif ensured.outcome == "delivered":
        say_delivered(app, ensured.pat)
        if ensured.undelivered:
            app.runtime.messages.warn(
                f"{ensured.pat.name!r} could not be delivered to every target:"
                f" {ensured.undelivered}"
            )
    else:
        where = "" if has_table else f" in {organization.name}"
        app.runtime.messages.notice(f"kept {ensured.pat.name!r}{where}")


def _say_taken_over(app: App, ensured: Ensured, organization: Organization) -> None:
    messages, name = app.runtime.messages, ensured.pat.name
    say_taken_over(app, name, organization.name, ensured.taken_from)
    if ensured.old_until is not None:
        messages.notice(
            f"the token that was stored until now will be revoked by the first command that signs"
            f" in after {local_minute(ensured.old_until)}"
        )
    if ensured.unrevoked:
        messages.warn(
            f"the token that was stored until now could not be revoked yet: {ensured.unrevoked}"
        )
    if ensured.undelivered:
        messages.warn(f"{name!r} could not be delivered to every target: {ensured.undelivered}")


def _print(
    app: App, ensured: Ensured, secret_request: SecretRequest, organization: Organization
) -> None:
    from azdo_pat.results.tokens import StoredSecret

    held = StoredSecret(
        pat=ensured.pat,
        secret=ensured.secret,
        org_url=organization.url,
        outcome=str(ensured.outcome),
    )
    app.runtime.render.secret(held, secret_request)
