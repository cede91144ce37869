"""The global options, which every command accepts before or after its name."""

from __future__ import annotations

import os
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click
from click.core import ParameterSource

from azdo_pat import __version__
from azdo_pat.formats import Format

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from azdo_pat.models import Secret


class GlobalOptions(NamedTuple):
    """The values of the global options; None if not given.

    Attributes:
        sources: where each value came from, an option or a variable; absent for defaults.
        access_token: the value of `PAT_ACCESS_TOKEN`; see `access_token_withheld`.
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
    """Remove the access token from this process's environment while the block runs; yield it.

    No child process then inherits it: the user's commands, git, az, a browser, or what a library
    starts. The token acts for the user, and no other program needs it.
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
    """A global option, which the environment can also set as `PAT_` and its name."""

    def __init__(self, *args: Any, **attributes: Any) -> None:  # noqa: ANN401  # click's signature
        super().__init__(*args, **attributes)
        longest = max(self.opts, key=len)
        self.envvar = "PAT_" + longest.lstrip("-").upper().replace("-", "_")


def global_options(*, root: bool) -> list[click.Parameter]:
    """Return the global options of `pat` itself, or their copies for a command.

    Only those of `pat` read the environment. The copies, which follow the name of a command, do
    not, so that an option before the name overrides the environment.
    """
    kind = _GlobalOption if root else click.Option
    shown: list[click.Parameter] = [
        kind(["--org"], metavar="NAME|URL", help="Organization name or URL."),
        kind(["-o", "--output"], type=click.Choice([*map(str, Format)]), help="Output format."),
        kind(
            ["--query"],
            metavar="JMESPATH",
            help="JMESPath expression that selects part of the JSON.",
        ),
        kind(["-q", "--quiet"], is_flag=True, default=None, help="Print no notices on stderr."),
        kind(["-v", "--verbose"], is_flag=True, default=None, help="Print more details on stderr."),
        kind(
            ["--debug"],
            is_flag=True,
            default=None,
            help="Print everything on stderr, except secrets.",
        ),
        kind(["--no-input"], is_flag=True, default=None, help="Never prompt; fail instead."),
        kind(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            help="When to use colors.",
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
    """Return the options with those given in this context merged over them."""
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
