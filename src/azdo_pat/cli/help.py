"""Define the command `help`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import command
from azdo_pat.cli.completers import complete_commands
from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App


@command("help")
@click.argument("names", metavar="[COMMAND]...", nargs=-1, shell_complete=complete_commands)
@click.option("--all", "everything", is_flag=True, help="Show all commands and global options.")
@click.pass_context
def help_command(ctx: click.Context, app: App, names: tuple[str, ...], *, everything: bool) -> None:
    """Show how to use pat, or one COMMAND of it.

    \b
    Examples:
      pat help create
      pat help admin list
      pat help --all
    """
    del app
    if everything and names:
        raise UsageError("--all takes no command", hint="leave out --all to see one command")
    from azdo_pat.cli.main import pat

    page = ctx.find_root()
    for name in names:
        page = _below(page, name)
    text = pat.full_help(page) if everything else page.get_help()
    click.echo(text, color=page.color)


def _below(parent: click.Context, name: str) -> click.Context:
    """Return the context of a command below another one.

    Raises:
        click.UsageError: there is none of that name.
    """
    if not isinstance(parent.command, click.Group):
        raise click.UsageError(f"{parent.command_path} has no commands below it.", parent)
    _, found, _ = parent.command.resolve_command(parent, [name])
    if found is None:
        raise click.UsageError(f"No such command {name!r}.", parent)
    return found.context_class(found, parent=parent, info_name=name)
