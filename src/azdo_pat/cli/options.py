"""The options that several commands share, each declared once.

A partial declaration lacks the help, which each command words for itself:
`@options.dry_run(help="Only show the plan.")`.

None of them can be set in the environment: a forgotten variable must not confirm, select or
rename anything.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from azdo_pat.cli.completers import complete_recipes, complete_scopes
from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from azdo_pat.cli.app import App
    from azdo_pat.delivery_targets import Delivery


dry_run: Final = partial(click.option, "--dry-run", is_flag=True)
expires: Final = partial(click.option, "--expires", metavar="SPAN|DATE")
name_filter: Final = partial(click.option, "--name", "names", metavar="GLOB", multiple=True)
replace: Final = partial(click.option, "--replace", is_flag=True)
scope: Final = partial(
    click.option, "--scope", "scopes", metavar="S", multiple=True, shell_complete=complete_scopes
)
verify: Final = partial(click.option, "--verify", is_flag=True)
yes: Final = partial(click.option, "--yes", is_flag=True)

new_scope: Final = scope(help="Scope: code_write, vso.code_write, or full. Repeatable.")
recipe: Final = click.option(
    "--for",
    "recipes",
    metavar="RECIPE",
    multiple=True,
    shell_complete=complete_recipes,
    help="Scopes that a job needs: git, packages, agent... (pat scopes --recipes). Repeatable.",
)
unknown_scope: Final = click.option(
    "--allow-unknown-scope", is_flag=True, help="Accept scopes that pat does not know."
)
deliver: Final = click.option(
    "--deliver",
    "deliveries",
    metavar="TARGET",
    multiple=True,
    help="Deliver the secret to TARGET, now and on each rotation: command:LINE, file:PATH,"
    " file:PATH|NAME={token}, keyvault:VAULT/NAME, vault:MOUNT/PATH#FIELD,"
    " variable-group:PROJECT/GROUP#VARIABLE, service-connection:PROJECT/NAME, or"
    " github:OWNER/REPO#NAME. Repeatable; none removes all.",
)

grace: Final = click.option(
    "--grace",
    metavar="SPAN",
    help="Revoke the old token only after this span, now and on each rotation: 1h, 2d; none"
    " revokes it at once [1d if the secret is in a vault, or else none].",
)


def expiry_or_default(app: App, text: str | None, now: datetime) -> datetime:
    """Return the expiry from `--expires`, or from the setting if the option was not given.

    Raises:
        UsageError: the value is malformed, or in the past.
    """
    from azdo_pat.expiry import parse_expiry

    return parse_expiry(str(app.runtime.setting("expires")) if text is None else text, now)


def parsed_deliveries(app: App, texts: tuple[str, ...]) -> tuple[Delivery, ...] | None:
    """Parse the values of `--deliver`; None if it was not given.

    Raises:
        UsageError: a value is malformed, or the working folder does not exist.
    """
    if not texts:
        return None
    if texts == ("none",):
        return ()
    from azdo_pat.deliveries.parsing import WrittenIn, from_text

    try:
        folder = Path.cwd()
    except OSError as error:
        raise UsageError(
            f"the working folder cannot be used: {error.strerror or error}",
            hint="change to a folder that exists: deliveries run in the working folder",
        ) from error
    where = WrittenIn(folder, app.runtime.environment)
    return tuple(dict.fromkeys(from_text(text, where) for text in texts))
