"""Define the commands that need neither a sign-in nor a keyring: scopes, config, completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import get_completion_class

from azdo_pat.cli.command import Group, command
from azdo_pat.cli.complete import complete_recipes, complete_settings
from azdo_pat.cli.completion_scripts import PowerShellComplete, QuotingBashComplete
from azdo_pat.cli.global_options import option
from azdo_pat.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App


@command("scopes")
@click.argument("word", metavar="[WORD]", required=False)
@option(
    "--for",
    "recipe",
    metavar="RECIPE",
    shell_complete=complete_recipes,
    help="Only the scopes of this recipe.",
)
@option("--recipes", is_flag=True, help="List the recipes for --for instead of the scopes.")
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
        render.recipes(
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
        raise NotFoundError(
            f"no scope matches {word!r}", hint="to list all scopes, run: pat scopes"
        )
    render.scopes(found)


@click.group("config", cls=Group)
def config_command() -> None:
    """Read and change settings: defaults for options, kept in a file.

    An option on the command line overrides the environment, and the environment the file.
    """


@config_command.command("list", short_help="List all settings.")
@click.pass_obj
def config_list(app: App) -> None:
    """List all settings, their values, and where each value comes from."""
    from azdo_pat.config.settings import KEYS

    app.runtime.render.settings([app.runtime.explained(key.name) for key in KEYS])


@config_command.command("get", short_help="Print a setting.")
@click.argument("key", metavar="KEY", shell_complete=complete_settings)
@click.pass_obj
def config_get(app: App, key: str) -> None:
    """Print the value of the setting KEY. Ends with exit code 3 if it is not set."""
    value = app.runtime.setting(key)
    if value is None:
        raise NotFoundError(f"{key} is not set", hint=f"to set it, run: pat config set {key} VALUE")
    from azdo_pat.output.plain import visible

    app.runtime.out.write(
        (str(value).lower() if isinstance(value, bool) else visible(str(value))) + "\n"
    )


@config_command.command("set", short_help="Change a setting.")
@click.argument("key", metavar="KEY", shell_complete=complete_settings)
@click.argument("value", metavar="VALUE")
@click.pass_obj
def config_set(app: App, key: str, value: str) -> None:
    """Set KEY to VALUE in the configuration file; the rest of the file stays as it is."""
    from azdo_pat.config.editing import set_value
    from azdo_pat.config.settings import key_named, parse_value

    parsed = parse_value(key_named(key), value, where="")
    _try_out(app, key, value)
    set_value(app.runtime.config_file, key, parsed)
    app.runtime.messages.notice(f"set {key} in {app.runtime.config_file}")
    source = app.runtime.explained(key).source
    if source not in {"config file", "default"}:
        app.runtime.messages.notice(f"{source} overrides it")


@config_command.command("unset", short_help="Remove a setting.")
@click.argument("key", metavar="KEY", shell_complete=complete_settings)
@click.pass_obj
def config_unset(app: App, key: str) -> None:
    """Remove KEY from the configuration file."""
    from azdo_pat.config.editing import unset_value

    if not unset_value(app.runtime.config_file, key):
        raise NotFoundError(
            f"{key} is not set in {app.runtime.config_file}",
            hint="to see what is set, run: pat config list",
        )
    app.runtime.messages.notice(f"removed {key} from {app.runtime.config_file}")


def _try_out(app: App, key: str, value: str) -> None:
    """Check a value as the first command that uses it would."""
    if key == "org":
        from azdo_pat.organizations import organization

        organization(value, root=app.session.api_root)
    elif key == "expires":
        from azdo_pat.expiry import parse_expiry

        parse_expiry(value, app.runtime.now())


@command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
@click.pass_context
def completion_command(ctx: click.Context, app: App, shell: str) -> None:
    """Print the completion script for SHELL: bash, zsh, fish or powershell.

    \b
    Examples:
      pat completion bash > ~/.local/share/bash-completion/completions/pat
      pat completion fish > ~/.config/fish/completions/pat.fish
      pat completion powershell | Out-String | Invoke-Expression
    """
    ours = {"bash": QuotingBashComplete, "powershell": PowerShellComplete}
    kind = ours.get(shell) or get_completion_class(shell)
    if kind is None:
        raise UsageError(f"there is no completion for {shell}")
    root = ctx.find_root().command
    app.runtime.out.write(kind(root, {}, "pat", "_PAT_COMPLETE").source() + "\n")
