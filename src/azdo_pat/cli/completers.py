"""Complete arguments in the shell, without network requests and without errors.

Each completion has a description, which zsh, fish and PowerShell show.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from azdo_pat.errors import PatError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click
    from click.shell_completion import CompletionItem


def complete_scopes(
    _ctx: click.Context, _param: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Return matching scopes, with and without `vso.`."""
    from azdo_pat.scopes import SCOPES

    whole = {scope.value: scope.name for scope in SCOPES}
    short = {value.removeprefix("vso."): name for value, name in whole.items()}
    return _beginning(begun.lower(), sorted({**whole, **short, "full": "Full access"}.items()))


def complete_recipes(
    _ctx: click.Context, _param: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Return matching recipes."""
    from azdo_pat.scopes import RECIPES

    return _beginning(begun.lower(), ((recipe.name, recipe.summary) for recipe in RECIPES))


def complete_tools(
    _ctx: click.Context, _param: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Return matching tools of `pat setup`."""
    from azdo_pat.tools.registry import OFFERED

    return _beginning(begun.lower(), ((tool.name, "") for tool in OFFERED))


def complete_tokens(
    _ctx: click.Context, _param: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Return matching names of tokens known on this machine."""
    from azdo_pat.cli.app import App
    from azdo_pat.cli.global_options import GlobalOptions

    with suppress(PatError):
        places: dict[str, list[str]] = {}
        for each in App(GlobalOptions()).state.stored():
            places.setdefault(each.name, []).append(each.org)
        known = {name: ", ".join(dict.fromkeys(orgs)) for name, orgs in places.items()}
        return _beginning(begun, sorted(known.items()))
    return []


def complete_organizations(
    _ctx: click.Context, _param: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Return matching organizations known on this machine."""
    from azdo_pat.cli.app import App
    from azdo_pat.cli.global_options import GlobalOptions
    from azdo_pat.services.known_organizations import known_organizations

    known = known_organizations(App(GlobalOptions()))
    return _beginning(begun.lower(), ((name, "") for name in known))


def complete_settings(
    _ctx: click.Context, _param: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Return matching keys of settings."""
    from azdo_pat.config.settings import KEYS

    return _beginning(begun, ((key.name, key.summary) for key in KEYS))


def complete_commands(
    ctx: click.Context, _param: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Return matching commands below those that are already typed."""
    import click

    place = ctx.find_root()
    for name in ctx.params.get("names") or ():
        group = place.command
        found = group.get_command(place, name) if isinstance(group, click.Group) else None
        if found is None:
            return []
        place = click.Context(found, place, name)
    if not isinstance(place.command, click.Group):
        return []
    return place.command.shell_complete(place, begun)


def _beginning(begun: str, described: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    """Return those that begin like what is typed, and that can be typed."""
    from click.shell_completion import CompletionItem

    return [
        CompletionItem(name, help=text or None)
        for name, text in described
        if name.startswith(begun) and name.isprintable()
    ]
