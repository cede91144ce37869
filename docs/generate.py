"""Write the pages, man pages and pictures that are made from the program, or check them.

Usage: python docs/generate.py [--check]
"""

import argparse
import difflib
import inspect
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import click

from azdo_pat.cli.main import pat
from command_tree import contexts, own_parameters
from manual import manual
from messages import PAGE as MESSAGES
from messages import message_index
from pictures import pictures
from reliability import PAGE, reliability

REFERENCE = Path(__file__).parent / "reference" / "commands.md"
WRITTEN_WHOLE = (Path(__file__).parent / "man", Path(__file__).parent / "images" / "terminal")
"""Folders in which there is nothing else."""
HEAD = """\
# Commands

<!-- Written by docs/generate.py from the commands themselves; change the help texts there. -->

The arguments and options of each command; `pat COMMAND --help` shows the same in the terminal. The
options of `pat` itself can be given before or after the name of every command.
[The contract](contract.md) describes what all commands have in common: streams, exit codes, names
and times.
"""


def reference(root: click.Group) -> str:
    """Return the page on a root command and all its subcommands, as Markdown."""
    sections = [HEAD, "\n".join(_overview(root))]
    sections += ["\n".join(_section(context)) for context in contexts(root)]
    return "\n".join(sections)


def _overview(root: click.Group) -> Iterator[str]:
    """Yield a table of the commands and what they do."""
    yield "| command | what it does |"
    yield "| --- | --- |"
    for context in contexts(root):
        if context.parent and context.parent.command is root:
            path = context.command_path
            summary = _cell(context.command.get_short_help_str(limit=1000))
            yield f"| [`{path}`](#{path.replace(' ', '-')}) | {summary} |"
    yield ""


def _section(context: click.Context) -> Iterator[str]:
    """Yield the lines on one command, without the options that all commands share."""
    command = context.command
    yield f"## `{context.command_path}`"
    yield ""
    yield from _prose(inspect.cleandoc(command.help or ""))
    yield "```text"
    yield " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield "```"
    yield ""
    own = list(own_parameters(context))
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


def written() -> Iterator[tuple[Path, str]]:
    """Yield each file that is made from the program, and its content."""
    yield REFERENCE, reference(pat)
    yield PAGE, reliability()
    yield MESSAGES, message_index()
    yield from manual()
    if sys.platform != "win32":  # has no pseudo-terminal that pexpect knows
        yield from pictures()


def main() -> int:
    """Write the files, or print how they differ; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    check = parser.parse_args().check
    fresh = dict(written())
    folders = WRITTEN_WHOLE if sys.platform != "win32" else WRITTEN_WHOLE[:1]
    kept = {
        path: path.read_text("utf-8")
        for path in chain(fresh, *(folder.glob("*") for folder in folders))
        if path.exists()
    }
    if not check:
        for path in kept.keys() - fresh.keys():
            path.unlink()
        for path, content in fresh.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, "utf-8")
        return 0
    for path in sorted(kept.keys() | fresh.keys()):
        sys.stdout.writelines(
            difflib.unified_diff(
                kept.get(path, "").splitlines(keepends=True),
                fresh.get(path, "").splitlines(keepends=True),
                f"kept/{path.name}",
                f"fresh/{path.name}",
            )
        )
    return int(kept != fresh)


if __name__ == "__main__":
    sys.exit(main())
