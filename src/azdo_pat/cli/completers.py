"""Complete arguments in the shell, without network requests and without errors."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from azdo_pat.errors import PatError

if TYPE_CHECKING:
    import click


def complete_scopes(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    """Return matching scopes, with and without `vso.`."""
    from azdo_pat.scopes import SCOPES

    values = [scope.value for scope in SCOPES]
    values += [value.removeprefix("vso.") for value in values] + ["full"]
    return sorted({value for value in values if value.startswith(begun.lower())})


def complete_recipes(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    """Return matching recipes."""
    from azdo_pat.scopes import RECIPES

    return [recipe.name for recipe in RECIPES if recipe.name.startswith(begun.lower())]


def complete_tools(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    """Return matching tools of `pat setup`."""
    from azdo_pat.tools.registry import OFFERED

    return [tool.name for tool in OFFERED if tool.name.startswith(begun.lower())]


def complete_tokens(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    """Return matching names of tokens known on this machine."""
    from azdo_pat.cli.app import App
    from azdo_pat.cli.global_options import GlobalOptions

    with suppress(PatError):
        known = App(GlobalOptions()).state.stored()
        return sorted({each.name for each in known if each.name.startswith(begun)})
    return []


def complete_settings(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    """Return matching keys of settings."""
    from azdo_pat.config.settings import KEYS

    return [key.name for key in KEYS if key.name.startswith(begun)]


def complete_commands(ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    """Return matching commands below those that are already typed."""
    import click

    group: click.Command | None = ctx.find_root().command
    for name in ctx.params.get("names") or ():
        group = group.get_command(ctx, name) if isinstance(group, click.Group) else None
    names = group.list_commands(ctx) if isinstance(group, click.Group) else []
    return [name for name in names if name.startswith(begun)]
