"""Define the command `scopes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import command
from azdo_pat.cli.completers import complete_recipes
from azdo_pat.errors import NotFoundError
from azdo_pat.near_names import did_you_mean

if TYPE_CHECKING:
    from azdo_pat.cli.app import App


@command("scopes")
@click.argument("word", metavar="[WORD]", required=False)
@click.option(
    "--for",
    "recipe",
    metavar="RECIPE",
    shell_complete=complete_recipes,
    help="Only the scopes of this recipe.",
)
@click.option("--recipes", is_flag=True, help="List the recipes for --for instead of the scopes.")
def scopes_command(app: App, word: str | None, *, recipe: str | None, recipes: bool) -> None:
    """List the scopes that a token can have. With WORD, list only those that contain it.

    \b
    Examples:
      pat scopes packaging
      pat scopes --recipes
      pat scopes --for agent
    """
    from azdo_pat.scopes import RECIPES, SCOPES, search
    from azdo_pat.scopes import recipe as recipe_named

    render = app.runtime.render
    if recipes:
        wanted = (word or "").casefold()
        render.show_all(
            [
                each
                for each in RECIPES
                if wanted in each.name.casefold() or wanted in each.summary.casefold()
            ]
        )
        return
    found = search(word) if word else SCOPES
    if recipe is not None:
        values = recipe_named(recipe).scopes
        found = tuple(scope for scope in found if scope.value in values)
    if not found:
        near = did_you_mean(word or "", [scope.value for scope in SCOPES], similarity=0.7)
        raise NotFoundError(
            f"no scope matches {word!r}", hint=f"{near}to list all scopes, run: pat scopes"
        )
    render.show_all(found)
