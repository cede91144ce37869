"""Define the command `deliver`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli import options
from azdo_pat.cli.command import command
from azdo_pat.cli.completers import complete_tokens
from azdo_pat.cli.interrupts import interruptible_once
from azdo_pat.cli.token_messages import say_taken_over
from azdo_pat.errors import PartialError, PendingError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App


@command("deliver")
@click.argument("token", metavar="TOKEN", shell_complete=complete_tokens)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Also overwrite what another machine, user or program has put there.",
)
@options.dry_run(help="Only try whether the secret can be delivered.")
def deliver_command(app: App, token: str, *, overwrite: bool, dry_run: bool) -> None:
    """Deliver the stored secret of TOKEN to its delivery targets again.

    TOKEN is the name of a stored token, its id, or 8 or more characters of the id. A token that
    was waiting to be revoked until the secret is delivered is revoked afterwards, when that is
    due. Delivering twice has the same effect as once. If another machine has put a newer token
    into a vault, that token is stored here and delivered instead.

    \b
    Examples:
      pat deliver ci
      pat deliver ci --dry-run
    """
    from azdo_pat.services.deliver import deliver_again, entry_to_deliver, probe_again
    from azdo_pat.services.stored_secrets import known_organization

    render = app.runtime.render  # a mistake in --query is found before anything is delivered
    entry = entry_to_deliver(app.session.located[0], token, app)
    there = app.at(known_organization(entry, app.session.api_root))
    if dry_run:
        found, errors = probe_again(there.organization, entry, there, overwrite=overwrite)
        render.show_all(found)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            for error in errors:
                app.runtime.messages.warn(error.one_line)
            raise PartialError(
                f"{entry.name!r} cannot be delivered to {len(errors)} of {len(found)} targets",
                hint="see above",
            )
        return
    with interruptible_once():
        delivered = deliver_again(there.organization, entry, there, overwrite=overwrite)
    if delivered.taken_from:
        say_taken_over(app, entry.name, entry.org, delivered.taken_from)
    render.show_all(delivered.destinations)
    reasons = [each.reason for each in delivered.destinations if each.reason]
    for reason in reasons:
        app.runtime.messages.warn(reason)
    if reasons:
        raise PendingError(
            f"{entry.name!r} could not be delivered to {len(reasons)} of"
            f" {len(delivered.destinations)} targets",
            hint="see above; fix the cause, then run the command again; until then, a token that"
            " was replaced stays active",
        )
    if delivered.unrevoked:
        raise PendingError(
            f"a token that {entry.name!r} has replaced could not be revoked yet:"
            f" {delivered.unrevoked}",
            hint="the next command that signs in (for example pat list) will revoke it",
        )
