"""ensure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import command
from azdo_pat.cli.complete import complete_recipes, complete_scopes
from azdo_pat.cli.delivering import deliver_option, not_delivered, parsed_deliveries
from azdo_pat.cli.global_options import option
from azdo_pat.cli.refused import is_refused, key, marks
from azdo_pat.cli.secret_options import secret_options
from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App
    from azdo_pat.models import Organization
    from azdo_pat.output.secret_format import SecretFormat
    from azdo_pat.results import Ensured
    from azdo_pat.services.ensure import Wanted


@command("ensure")
@click.argument("name", metavar="NAME")
@option(
    "--scope",
    "scopes",
    metavar="S",
    multiple=True,
    shell_complete=complete_scopes,
    help="What it may do: code_write, vso.code_write, or full. Repeatable.",
)
@option(
    "--for",
    "recipes",
    metavar="RECIPE",
    multiple=True,
    shell_complete=complete_recipes,
    help="The least scopes for a job: git, packages, agent… (pat scopes --recipes).",
)
@option("--expires", metavar="SPAN|DATE", help="Its life, where it has to be made: 12h, 30d, 1y.")
@option("--renew-before", metavar="SPAN", help="Rotate it so long before its end [third of life].")
@deliver_option
@secret_options("Print the secret, in this form")
@option("--verify", is_flag=True, help="Ask the service whether it takes the secret.")
@option("--allow-unknown-scope", is_flag=True, help="Pass on scopes that pat does not know.")
def ensure_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    name: str,
    *,
    scopes: tuple[str, ...],
    recipes: tuple[str, ...],
    expires: str | None,
    renew_before: str | None,
    deliveries: tuple[str, ...],
    secret_format: SecretFormat | None,
    verify: bool,
    allow_unknown_scope: bool,
) -> None:
    """See to it that a token called NAME is there, with these scopes and some life left.

    It is made if its secret is not here, and rotated if it is near its end or has other scopes.
    Otherwise it is kept, and neither network nor sign-in is needed. As often as it is run, and by
    however many at once, one token comes of it.

    \b
    Examples:
      pat ensure ci --for packages --expires 7d --renew-before 2d
      export AZURE_DEVOPS_EXT_PAT=$(pat ensure ci --scope code --as token)
    """
    from dataclasses import replace

    from azdo_pat.naming import checked_name
    from azdo_pat.scopes import parse_scopes
    from azdo_pat.services.ensure import as_wanted

    checked_name(name)
    wanted = _wanted(
        app,
        name,
        parse_scopes(scopes, recipes=recipes, allow_unknown=allow_unknown_scope),
        expires=expires,
        renew_before=renew_before,
    )._replace(deliveries=parsed_deliveries(deliveries))
    render = app.render if secret_format is None else None  # a mistake in --query is found first
    organization = _organization(app, name)
    ensured, before = None, app.state.find(organization.url, name)
    refused = is_refused(app, before)
    verify = verify or refused
    if not verify:
        ensured = as_wanted(
            organization, wanted, state=app.state, secrets=app.secrets, now=app.now()
        )
    if ensured is not None:
        from azdo_pat.journal import Deliver

        undelivered = [
            each.failure.message
            for each in app.finish_what_is_due()
            if each.failure
            and isinstance(each.operation, Deliver)
            and each.operation.entry.name == name
        ]
        ensured = replace(ensured, undelivered="; ".join(undelivered))
    else:
        ensured = _seen_to(app, organization, wanted, verify=verify)
    if refused and before is not None:
        marks(app).remove(key(before))  # it works after all, or is replaced
    _say(app, ensured, organization)
    if render is not None:
        render.ensured(ensured)
    elif secret_format is None or secret_format.form == "token":
        app.out.write(ensured.secret.reveal() + "\n")
        app.out.flush()
    else:
        _print(app, ensured, secret_format, organization)
    if ensured.undelivered:
        raise not_delivered(1)
    if ensured.rotated is not None:
        from azdo_pat.cli.rotate import conclude

        conclude([ensured.rotated], 0, 1)


def _wanted(
    app: App, name: str, scopes: tuple[str, ...], *, expires: str | None, renew_before: str | None
) -> Wanted:
    from azdo_pat.expiry import parse_expiry, parse_span
    from azdo_pat.services.ensure import Wanted

    now = app.now()
    margin = None if renew_before is None else parse_span(renew_before, now)
    end = parse_expiry(str(app.setting("expires")) if expires is None else expires, now)
    if margin is not None and now + margin >= end:
        raise UsageError(
            f"with --renew-before {renew_before} a token would be due as soon as it is made",
            hint="give it a longer life (--expires), or a shorter span",
        )
    return Wanted(name=name, scopes=scopes, expires=end, renew_before=margin)


def _organization(app: App, name: str) -> Organization:
    """Return the organization at hand; without one, that of the only such token here."""
    from azdo_pat.services.ensure import where_known

    if app.located[0] is None:
        known = where_known(name, app.state, app.api_root)
        if known is not None:
            return known
    return app.organization


def _seen_to(app: App, organization: Organization, wanted: Wanted, *, verify: bool) -> Ensured:
    from azdo_pat.cli.signals import ending_politely
    from azdo_pat.services.ensure import ensure

    with ending_politely():
        return ensure(organization, wanted, app.maker, verify=verify)


def _say(app: App, ensured: Ensured, organization: Organization) -> None:
    """Say on stderr what it took."""
    if ensured.created is not None:
        from azdo_pat.cli.notices import say_created

        say_created(app, ensured.created)
    elif ensured.rotated is not None:
        from azdo_pat.cli.rotate import say_rotated

        say_rotated(app, ensured.rotated)
    elif ensured.outcome == "delivered" and ensured.undelivered:
        app.messages.warn(
            f"{ensured.pat.name!r} is not delivered everywhere: {ensured.undelivered}"
        )
    elif ensured.outcome == "delivered":
        app.messages.notice(f"delivered {ensured.pat.name!r} in {organization.name}")
    else:
        app.messages.notice(f"kept {ensured.pat.name!r} in {organization.name}")


def _print(
    app: App, ensured: Ensured, secret_format: SecretFormat, organization: Organization
) -> None:
    from azdo_pat.results import StoredSecret

    held = StoredSecret(
        pat=ensured.pat,
        secret=ensured.secret,
        org_url=organization.url,
        outcome=str(ensured.outcome),
    )
    app.render.secret(held, secret_format)
