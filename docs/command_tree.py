"""The tree of commands, as click knows it: what the reference and the man pages are made of."""

from collections.abc import Iterator

import click


def contexts(
    command: click.Command, parent: click.Context | None = None
) -> Iterator[click.Context]:
    """Yield a context for a command and for each of its subcommands, in the order of the help."""
    name = command.name if parent else "pat"
    context = click.Context(command, parent, name, **command.context_settings)
    yield context
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None and not found.hidden:
                yield from contexts(found, context)


def own_parameters(context: click.Context) -> Iterator[click.Parameter]:
    """Yield the parameters of a command, without those that it shares with all commands."""
    root = context.find_root()
    shared = {tuple(each.opts) for each in root.command.params} if context.parent else set()
    yield from (each for each in context.command.params if tuple(each.opts) not in shared)
