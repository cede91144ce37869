"""The options that every command takes, before or behind its name."""

from __future__ import annotations

import os
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click
from click.core import ParameterSource

from azdo_pat import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from azdo_pat.models import Secret

FORMATS: Final = ("table", "json", "jsonl", "csv", "tsv", "none")


class GlobalOptions(NamedTuple):
    """What the global options say; None and False where they say nothing.

    Attributes:
        sources: where each value came from: an option, a variable; absent for the default.
        access_token: what `PAT_ACCESS_TOKEN` held; see `access_token_withheld`.
    """

    org: str | None = None
    output: str | None = None
    query: str | None = None
    quiet: bool | None = None
    verbose: bool | None = None
    debug: bool | None = None
    no_input: bool | None = None
    color: str | None = None
    sources: Mapping[str, str] = MappingProxyType({})
    access_token: Secret | None = None


NAMES: Final = tuple(
    name for name in GlobalOptions._fields if name not in {"sources", "access_token"}
)
_ACCESS_TOKEN: Final = "PAT_ACCESS_TOKEN"  # noqa: S105  # the name of a variable


@contextmanager
def access_token_withheld() -> Iterator[Secret | None]:
    """Take the access token out of this process's environment while the block runs; give it.

    What is started then inherits it from nowhere: the user's own commands, git, az, a browser,
    what a library starts. It acts for the user, and no other program needs it.
    """
    given = os.environ.pop(_ACCESS_TOKEN, None)
    if given is None:
        yield None
        return
    from azdo_pat.models import Secret  # --help needs none

    try:
        yield Secret(given)
    finally:
        os.environ[_ACCESS_TOKEN] = given


class _GlobalOption(click.Option):
    """A global option, which can also be set in the environment, as `PAT_` and its name."""

    def __init__(self, *args: Any, **attributes: Any) -> None:  # noqa: ANN401  # click's signature
        super().__init__(*args, **attributes)
        longest = max(self.opts, key=len)
        self.envvar = "PAT_" + longest.lstrip("-").upper().replace("-", "_")


def option(*declarations: str, **attributes: Any) -> Callable[[Any], Any]:  # noqa: ANN401  # click's signature
    """Declare an option of a command, which the environment never sets; see `click.option`.

    A variable that is left set must not confirm, choose or rename anything.
    """
    return click.option(*declarations, **attributes)


def global_options(*, root: bool) -> list[click.Parameter]:
    """Return the global options: those of `pat` itself, which the environment can set, or copies.

    The copies of a command stand behind its name; they take nothing from the environment, so
    that what stands before the name wins over it.
    """
    kind = _GlobalOption if root else click.Option
    shown: list[click.Parameter] = [
        kind(["--org"], metavar="NAME|URL", help="Organization."),
        kind(["-o", "--output"], type=click.Choice(FORMATS), help="Form of the output."),
        kind(["--query"], metavar="JMESPATH", help="Show only this part of the JSON."),
        kind(["-q", "--quiet"], is_flag=True, default=None, help="No notices on stderr."),
        kind(["-v", "--verbose"], is_flag=True, default=None, help="Say more on stderr."),
        kind(["--debug"], is_flag=True, default=None, help="Say everything, secrets left out."),
        kind(["--no-input"], is_flag=True, default=None, help="Never ask; fail instead."),
        kind(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            help="When to use colour.",
        ),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help="Show the version.",
        ),
    ]
    return shown


def merge(options: GlobalOptions, ctx: click.Context) -> GlobalOptions:
    """Lay what was given here over what was given before."""
    values: dict[str, Any] = {}
    sources = dict(options.sources)
    for name in NAMES:
        value = ctx.params.pop(name, None)
        source = ctx.get_parameter_source(name)
        if value is None or source in {None, ParameterSource.DEFAULT}:
            continue
        values[name] = value
        flag = "--" + name.replace("_", "-")
        variable = "PAT_" + name.upper()
        sources[name] = variable if source is ParameterSource.ENVIRONMENT else flag
    return options._replace(**values, sources=sources)


def _show_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001  # click's signature
    if value and not ctx.resilient_parsing:
        click.echo(f"pat {__version__}")
        ctx.exit()
