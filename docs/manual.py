"""Write the man pages, one for each command, from the commands themselves; see man(7)."""

import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from azdo_pat import __version__
from azdo_pat.cli.main import pat
from command_tree import contexts, own_parameters

FOLDER: Final = Path(__file__).parent / "man"
CONTRACT: Final = Path(__file__).parent / "reference" / "contract.md"
ESCAPES: Final = str.maketrans(
    {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}
)
GLOBAL: Final = (
    "The options of pat itself can be given before or after the name of every command. pat(1) "
    "describes them, and the exit codes."
)


def manual() -> Iterator[tuple[Path, str]]:
    """Yield the file and the content of each man page."""
    for context in contexts(pat):
        yield FOLDER / f"{_name(context)}.1", "\n".join([*_page(context), ""])


def _page(context: click.Context) -> Iterator[str]:
    command = context.command
    prose, examples = _paragraphs(command.help or "")
    yield '.\\" Written by docs/generate.py from the help texts of the commands.'
    # No date: the version says which program a page is about.
    yield f'.TH {_text(_name(context).upper())} 1 "" "pat {__version__}" "Manual of pat"'
    yield from (".SH NAME", f"{_text(_name(context))} \\- {_text(_summary(command))}")
    yield from (".SH SYNOPSIS", ".ad l", ".nh", _synopsis(context), ".hy", ".ad")
    yield ".SH DESCRIPTION"
    yield from _joined(prose)
    yield from _commands(context)
    options = [line for each in own_parameters(context) for line in _option(each, context)]
    if options:
        yield from (".SH OPTIONS", *options)
    if context.parent:
        yield from (".PP", *_filled(GLOBAL))
    else:
        yield ".SH EXIT STATUS"
        yield from _exit_codes()
    if examples:
        yield from (".SH EXAMPLES", ".nf", *map(_text, examples), ".fi")
    if context.parent:
        yield from (".SH SEE ALSO", _reference(context.parent))


def _name(context: click.Context) -> str:
    return context.command_path.replace(" ", "-")


def _summary(command: click.Command) -> str:
    """Return what a command does, without the full stop that a list of man pages does not have."""
    sentence = command.get_short_help_str(limit=1000).rstrip(".")
    return sentence[:1].lower() + sentence[1:]


def _synopsis(context: click.Context) -> str:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    return f"\\fB{_text(context.command_path)}\\fR {_text(pieces)}"


def _paragraphs(text: str) -> tuple[list[list[str]], list[str]]:
    """Return the paragraphs of a help text, as lines of roff, and its examples.

    click keeps the lines of a paragraph that begins with a backspace character.
    """
    prose, examples = [], list[str]()
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        kept = paragraph.startswith("\b\n")
        lines = paragraph.removeprefix("\b\n").splitlines()
        if kept and re.match(r"Examples?:$", lines[0]):
            examples += [line.strip() for line in lines[1:]]
        elif kept:
            prose.append([".nf", *map(_text, lines), ".fi"])
        else:
            prose.append([*_filled(" ".join(lines))])
    return prose, examples


def _joined(paragraphs: Sequence[Sequence[str]]) -> Iterator[str]:
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield ".PP"
        yield from paragraph


def _commands(context: click.Context) -> Iterator[str]:
    below = [each for each in contexts(context.command, context.parent) if each.parent]
    own = [each for each in below if each.parent and each.parent.command is context.command]
    if own:
        yield ".SH COMMANDS"
    for each in own:
        yield from (".TP", _reference(each))
        yield from _filled(each.command.get_short_help_str(limit=1000))


def _option(parameter: click.Parameter, context: click.Context) -> Iterator[str]:
    record = parameter.get_help_record(context)
    if record is None or not record[1]:
        return
    names, text = record
    yield ".TP"
    yield (
        re.sub(r"(?<![\w-])(--?[\w-]+)", lambda found: f"\0{found[1]}\1", names)
        .translate(ESCAPES)
        .replace("\0", "\\fB")
        .replace("\1", "\\fR")
    )
    variable = f" Environment: {parameter.envvar}." if parameter.envvar else ""
    yield from _filled(text + variable)


def _exit_codes() -> Iterator[str]:
    """Yield the table of the contract, as a list."""
    table = CONTRACT.read_text("utf-8").partition("## Exit codes\n")[2].partition("\n## ")[0]
    for code, meaning in re.findall(r"^\| (\d+) \| ([^|]+) \|", table, re.MULTILINE):
        plain = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", meaning).replace("`", "")
        yield from (".TP", f"\\fB{code}\\fR", *_filled(plain))


def _reference(context: click.Context) -> str:
    return f"\\fB{_text(_name(context))}\\fR(1)"


def _filled(text: str) -> Iterator[str]:
    """Yield a text as short lines of roff, which its readers fill."""
    return map(_text, textwrap.wrap(text, 72, break_long_words=False, break_on_hyphens=False))


def _text(text: str) -> str:
    """Return a line of text as roff, which any reader shows as it is, and that can be copied."""
    escaped = text.translate(ESCAPES)
    escaped = "".join(each if each.isascii() else f"\\[u{ord(each):04X}]" for each in escaped)
    return f"\\&{escaped}" if escaped.startswith((".", "\\(aq")) else escaped
