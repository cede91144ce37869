"""Base classes of commands, with their help pages: usage, purpose, examples, then the details."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from azdo_pat.cli.shared_options import global_options
from azdo_pat.installation import documentation
from azdo_pat.near_names import near_names
from azdo_pat.output.palette import Paint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDEST: Final = 100
"""Columns of a help page at most: longer lines are hard to read."""
_NARROWEST: Final = 36
_HYPHEN: Final = "\x00"
"""Stands for a hyphen while lines are laid out: click would break `variable-group` there."""

GUIDES: Final = {
    "admin": "guides/admin.md",
    "apply": "guides/apply.md",
    "cargo-credential": "tools/cargo.md",
    "check": "guides/expiry.md",
    "completion": "guides/completion.md",
    "deliver": "guides/deliver.md",
    "doctor": "guides/trouble.md",
    "emulator": "emulator.md",
    "ensure": "guides/scripts.md",
    "exec": "guides/scripts.md",
    "explain": "guides/unexpected-token.md",
    "get": "guides/scripts.md",
    "git-credential": "tools/git.md",
    "import": "guides/import.md",
    "login": "guides/sign-in.md",
    "logout": "guides/sign-in.md",
    "migrate": "guides/global-tokens.md",
    "renew": "guides/renew.md",
    "revoke": "guides/revoke.md",
    "rotate": "guides/rotate.md",
    "status": "guides/sign-in.md",
}
"""The page on each command that has one, below the folder `docs`."""


def guide(name: str) -> str | None:
    """Return the path of the page on a command; None if the documentation is not installed."""
    return documentation(GUIDES.get(name, "start.md"))


class Context(click.Context):
    """A context whose help pages have colors where the terminal and the user want them.

    Args:
        given: the arguments of the program, which may hold `--color`; for the root command.
    """

    def __init__(self, *args: Any, given: Sequence[str] = (), **extra: Any) -> None:  # noqa: ANN401  # click's signature
        super().__init__(*args, **extra)
        self.given = given if self.parent is None else getattr(self.parent, "given", ())

    def make_formatter(self) -> click.HelpFormatter:
        """Return a formatter, and let click keep its colors or remove none; see click."""
        from azdo_pat.cli.error_display import help_in_color

        self.color = help_in_color(self.given, sys.stdout)
        return Page(colored=self.color)


class Page(click.HelpFormatter):
    """A help page: headings are bold, and what can be typed has its color."""

    def __init__(self, *, colored: bool) -> None:
        import shutil  # only a page needs it

        columns = shutil.get_terminal_size().columns
        super().__init__(width=min(max(columns, _NARROWEST), _WIDEST) - 2)
        self._colored = colored

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the usage; see click."""
        super().write_usage(prog, args, prefix or f"{self._bold('Usage:')} ")

    def write_heading(self, heading: str) -> None:
        """Write a heading; see click."""
        super().write_heading(self._bold(heading))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write terms and what they mean; see click."""
        kept = [(self.typed(term), text.replace("-", _HYPHEN)) for term, text in rows]
        super().write_dl(kept, col_max, col_spacing)

    def write_text(self, text: str) -> None:
        """Write paragraphs; see click."""
        super().write_text(text.replace("-", _HYPHEN))

    def getvalue(self) -> str:
        """Return the page; see click."""
        return super().getvalue().replace(_HYPHEN, "-")

    def write_lines(self, lines: Iterable[str]) -> None:
        """Write lines as they are, each to be typed."""
        for line in lines:
            self.write(f"{'':>{self.current_indent}}{self.typed(line)}\n")

    def typed(self, text: str) -> str:
        """Return a text that can be typed, in its color."""
        return Paint.COMMAND.on(text) if self._colored else text

    def _bold(self, text: str) -> str:
        # ECMA-48, "Select Graphic Rendition": 1 is bold, 22 neither bold nor faint.
        return f"\x1b[1m{text}\x1b[22m" if self._colored else text


class _Parts(NamedTuple):
    """The parts of a help text."""

    purpose: str
    examples: list[str]
    details: list[str]


def _parts(text: str) -> _Parts:
    """Take a help text apart; its examples are a preformatted paragraph under `Examples:`."""
    examples: list[str] = []
    paragraphs = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b\nExample"):
            examples += [line.strip() for line in paragraph.splitlines()[2:]]
        else:
            paragraphs.append(paragraph)
    return _Parts(paragraphs[0], examples, paragraphs[1:])


class Documented(click.Command):
    """A command whose help begins with what most users look for."""

    context_class = Context

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the page; see click."""
        parts = _parts(self.help or "")
        self.format_usage(ctx, formatter)
        self.format_purpose(formatter)
        if parts.examples and isinstance(formatter, Page):
            with formatter.section("Examples"):
                formatter.write_lines(parts.examples)
        if parts.details:
            with formatter.section("Details"):
                formatter.write_text("\n\n".join(parts.details))
        self.format_options(ctx, formatter)
        self.format_epilog(ctx, formatter)

    def format_purpose(self, formatter: click.HelpFormatter) -> None:
        """Write what the command does."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(self.purpose)

    @property
    def purpose(self) -> str:
        """What the command does: the first paragraph of its help."""
        return _parts(self.help or "").purpose

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of the command and the names of the global options; see click."""
        shared = [each.opts[-1] for each in global_options(root=False)]
        # Arguments are explained in the text of the help, by their names.
        own = [
            record
            for each in self.get_params(ctx)
            if isinstance(each, click.Option) and each.opts[-1] not in shared
            if (record := each.get_help_record(ctx))
        ]
        with formatter.section("Options"):
            formatter.write_dl(own)
        with formatter.section("Global options (described in pat help --all)"):
            formatter.write_text(" ".join(shared))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name the page of the documentation, in one piece; see click."""
        if page := guide("".join(ctx.command_path.split()[1:2])):
            with formatter.section("Documentation"):
                formatter.write(f"{'':>{formatter.current_indent}}{page}\n")


class DocumentedGroup(Documented, click.Group):
    """Commands under a name, which alone shows their help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Show the help if there are no arguments; see click."""
        return super().parse_args(ctx, args if args or ctx.resilient_parsing else ["--help"])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name, or suggest a similar one; see click."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if args[0].startswith("-"):
                raise
            near = near_names(args[0], self.list_commands(ctx))
            proposal = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"No such command {args[0]!r}.{proposal}", ctx) from error

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands first, then the options; see click."""
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)
