"""Write the pages that are made from the program, or check that they are up to date.

Usage: python docs/generate.py [--check]
"""

import argparse
import difflib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from azdo_pat.cli.main import pat
from reliability import PAGE, reliability

REFERENCE = Path(__file__).parent / "reference" / "commands.md"
HEAD = """\
# Commands

<!-- Written by docs/generate.py from the commands themselves; change the help texts there. -->

The arguments and options of each command; `pat COMMAND --help` shows the same in the terminal. The
options of `pat` itself can be given before or after the name of every command.
[The contract](contract.md) describes what all commands have in common: streams, exit codes, names
and times.
"""


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


def reference(root: click.Group) -> str:
    """Return the page on a root command and all its subcommands, as Markdown."""
    everywhere = {tuple(parameter.opts) for parameter in root.params}
    sections = [HEAD]
    for context in contexts(root):
        shared = everywhere if context.parent else set()
        sections.append("\n".join(_section(context, shared)))
    return "\n".join(sections)


def _section(context: click.Context, shared: set[tuple[str, ...]]) -> Iterator[str]:
    """Yield the lines on one command, without the options that all commands share."""
    command = context.command
    yield f"## `{context.command_path}`"
    yield ""
    yield from _prose(inspect.cleandoc(command.help or ""))
    yield "```text"
    yield " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield "```"
    yield ""
    own = [parameter for parameter in command.params if tuple(parameter.opts) not in shared]
    variables = any(parameter.envvar for parameter in own)
    rows = [row for parameter in own if (row := _row(parameter, context, variables=variables))]
    if rows:
        yield f"| argument or option | description |{' environment |' if variables else ''}"
        yield f"| --- | --- |{' --- |' if variables else ''}"
        yield from rows
        yield ""


def _prose(text: str) -> Iterator[str]:
    """Yield a help text's lines; indented lines in a preformatted paragraph are examples."""
    for paragraph in text.split("\n\n"):
        kept = paragraph.startswith("\b\n")
        lines = paragraph.removeprefix("\b\n").splitlines()
        examples = [line.strip() for line in lines if kept and line.startswith(" ")]
        yield from (line for line in lines if line.strip() not in examples)
        yield ""
        if examples:
            yield from ["```sh", *examples, "```", ""]


def _row(parameter: click.Parameter, context: click.Context, *, variables: bool) -> str | None:
    """Return a parameter's row in the table; None for a parameter without help."""
    record = parameter.get_help_record(context)
    if record is None or not record[1]:
        return None
    names, text = record
    variable = f"`{parameter.envvar}`" if parameter.envvar else ""
    return f"| `{_cell(names)}` | {_cell(text)} |{f' {variable} |' if variables else ''}"


def _cell(text: str) -> str:
    """Return a text for a table cell, with `|` escaped."""
    return " ".join(text.split()).replace("|", "\\|")


def main() -> int:
    """Write the pages, or print how they differ; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    check = parser.parse_args().check
    differ = False
    for page, fresh in ((REFERENCE, reference(pat)), (PAGE, reliability())):
        if not check:
            page.parent.mkdir(exist_ok=True)
            page.write_text(fresh, "utf-8")
            continue
        kept = page.read_text("utf-8") if page.exists() else ""
        sys.stdout.writelines(
            difflib.unified_diff(
                kept.splitlines(keepends=True), fresh.splitlines(keepends=True), "kept", "fresh"
            )
        )
        differ = differ or kept != fresh
    return int(differ)


if __name__ == "__main__":
    sys.exit(main())
