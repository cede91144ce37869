"""Define the root command, which imports each command when it is used.

`--help` imports click alone.
"""

from __future__ import annotations

import importlib
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from azdo_pat.cli.documented import DocumentedGroup, guide
from azdo_pat.cli.exit import exit_code, reader_may_leave
from azdo_pat.cli.global_options import merged_options
from azdo_pat.cli.shared_options import global_options
from azdo_pat.cli.standard_streams import discard_unwritten, prepare, without_pipeline_commands
from azdo_pat.commands import COMMANDS, NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

_MAIN: Final = {
    "Getting started": ("login", "create", "setup", "sandbox"),
    "Working with tokens": ("list", "get", "exec", "check", "rotate", "renew", "revoke"),
}
"""What help begins with: with what stands around it, it fits a terminal of 24 lines."""


class Root(DocumentedGroup):
    """The root group, which imports a command when it is used, and ends the process."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, in the order of the help; see click."""
        del ctx
        return list(NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module that holds the command; see click."""
        del ctx
        for section in COMMANDS.values():
            if cmd_name in section:
                module = importlib.import_module(f"azdo_pat.cli.{section[cmd_name][0]}")
                command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
                if not isinstance(command, click.Command):
                    msg = f"{cmd_name} is not a command"
                    raise TypeError(msg)
                return command
        return None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command, with its summary, without importing it; see click."""
        from click.shell_completion import CompletionItem

        rows = (item for section in COMMANDS.values() for item in section.items())
        found = [
            CompletionItem(name, help=row[1]) for name, row in rows if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the main commands, the names of the others, and where to read on; see click."""
        summaries = {name: row[1] for section in COMMANDS.values() for name, row in section.items()}
        formatter.write_text(self.purpose)
        self.format_usage(ctx, formatter)
        for title, names in _MAIN.items():
            with formatter.section(title):
                formatter.write_dl([(name, summaries.pop(name)) for name in names])
        with formatter.section("Other commands (all: pat help --all; one: pat help COMMAND)"):
            formatter.write_text(" ".join(summaries))
        if page := guide(""):
            formatter.write(f"Documentation: {page}\n")

    def full_help(self, ctx: click.Context) -> str:
        """Return the help with all commands and the global options."""
        formatter = ctx.make_formatter()
        super().format_help(ctx, formatter)
        return formatter.getvalue().rstrip("\n")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in sections without importing them; see click."""
        del ctx
        for title, section in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name, summary) for name, (_, summary) in section.items()])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options that each of them accepts; see click."""
        self.format_commands(ctx, formatter)
        records = [each.get_help_record(ctx) for each in self.get_params(ctx)]
        with formatter.section("Global options, before or after the name of a command"):
            formatter.write_dl([record for record in records if record])
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(
                "Each can also be set in the environment as PAT_OPTION, for example PAT_ORG."
            )

    def invoke(self, ctx: click.Context) -> object:
        """Collect the global options and run the command; see click."""
        ctx.obj = merged_options(ctx)
        with reader_may_leave():
            return super().invoke(ctx)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401  # click's signature
    ) -> click.Context:
        """Parse the arguments, which may already end the program (`--help`); see click."""
        with reader_may_leave():
            return super().make_context(info_name, args, parent, given=tuple(args), **extra)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002  # click's signature
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002  # click's signature
        **extra: Any,  # noqa: ANN401  # click's signature
    ) -> NoReturn:
        """Run the command and exit the process; the only way out of the program."""
        del standalone_mode
        given = list(sys.argv[1:] if args is None else args)
        prepare()
        if "_PAT_COMPLETE" in os.environ:
            importlib.import_module(
                "azdo_pat.cli.completion_scripts"
            )  # has one that click does not know
        run = partial(
            super().main,
            given,
            prog_name,
            complete_var,
            standalone_mode=False,
            windows_expand_args=windows_expand_args,
            **extra,
        )
        with without_pipeline_commands():
            code = exit_code(run, given)
            for stream in (sys.stdout, sys.stderr):
                discard_unwritten(stream)
        sys.exit(code)


pat = Root(
    "pat",
    params=global_options(root=True),
    help="""Manage Azure DevOps personal access tokens, with secrets in the keyring.

    \b
    Examples:
      pat login
      pat create laptop --for git --expires 90d
      pat get laptop
      pat sandbox --tour     # without an account
    """,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
)
