"""The global options, which every command accepts before or after its name."""

from __future__ import annotations

import os
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click
from click.core import ParameterSource

from azdo_pat import __version__
from azdo_pat.cli.completers import complete_organizations
from azdo_pat.formats import Format

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from azdo_pat.models import Secret


class GlobalOptions(NamedTuple):
    """The values of the global options; None if not given.

    Attributes:
        sources: where each value came from, an option or a variable; absent for defaults.
        access_token: the value of `PAT_ACCESS_TOKEN`; see `credentials_withheld`.
        admin_token: the value of `PAT_ADMIN_TOKEN`, likewise.
        key_vault_token: the value of `PAT_KEYVAULT_ACCESS_TOKEN`, likewise.
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
    admin_token: Secret | None = None
    key_vault_token: Secret | None = None


_NAMES: Final = tuple(
    name
    for name in GlobalOptions._fields
    if name not in {"sources", "access_token", "admin_token", "key_vault_token"}
)
_ACCESS_TOKEN: Final = "PAT_ACCESS_TOKEN"  # noqa: S105  # the name of a variable
_ADMIN_TOKEN: Final = "PAT_ADMIN_TOKEN"  # noqa: S105  # as above
_KEY_VAULT_TOKEN: Final = "PAT_KEYVAULT_ACCESS_TOKEN"  # noqa: S105  # as above


@contextmanager
def credentials_withheld(options: GlobalOptions) -> Iterator[GlobalOptions]:
    """Remove the credentials of `pat` itself from this process's environment while the block runs.

    No child process then inherits them: the user's commands, git, az, a browser, or what a library
    starts. They act for the user, and no other program needs them.

    Yields:
        The options with the credentials that are set.
    """
    given = {
        variable: text
        for variable in (_ACCESS_TOKEN, _ADMIN_TOKEN, _KEY_VAULT_TOKEN)
        if (text := os.environ.pop(variable, None)) is not None
    }
    if not given:
        yield options
        return
    from azdo_pat.models import Secret  # --help needs none

    secrets = {variable: Secret(text) for variable, text in given.items()}
    try:
        yield options._replace(
            access_token=secrets.get(_ACCESS_TOKEN),
            admin_token=secrets.get(_ADMIN_TOKEN),
            key_vault_token=secrets.get(_KEY_VAULT_TOKEN),
        )
    finally:
        os.environ.update(given)


def global_options(*, root: bool) -> list[click.Parameter]:
    """Return the global options of `pat` itself, or their copies for a command.

    Only those of `pat` read the environment. The copies, which follow the name of a command, do
    not, so that an option before the name overrides the environment.
    """
    options = [
        click.Option(
            ["--org"],
            metavar="NAME|URL",
            help="Organization name or URL.",
            shell_complete=complete_organizations,
        ),
        click.Option(
            ["-o", "--output"], type=click.Choice([*map(str, Format)]), help="Output format."
        ),
        click.Option(
            ["--query"],
            metavar="JMESPATH",
            help="JMESPath expression that selects part of the JSON.",
        ),
        _switch("-q", "--quiet", help="Print no notices on stderr."),
        _switch("-v", "--verbose", help="Print more details on stderr."),
        _switch("--debug", help="Print requests and tracebacks on stderr, without secrets."),
        _switch("--no-input", help="Never prompt; fail instead."),
        click.Option(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            help="When to use colors.",
        ),
    ]
    if root:
        for each in options:
            each.envvar = _variable(str(each.name))
    version = click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_version,
        help="Show the version.",
    )
    return [*options, version]


def _switch(*names: str, help: str) -> click.Option:  # noqa: A002  # click's name for it
    return click.Option(names, is_flag=True, default=None, help=help)


def _variable(name: str) -> str:
    return f"PAT_{name.upper()}"


def merged_options(ctx: click.Context) -> GlobalOptions:
    """Return the global options given in this context merged over those of the context above."""
    options = ctx.obj if isinstance(ctx.obj, GlobalOptions) else GlobalOptions()
    values: dict[str, Any] = {}
    sources = dict(options.sources)
    for name in _NAMES:
        value = ctx.params.pop(name, None)
        source = ctx.get_parameter_source(name)
        if value is None or source in {None, ParameterSource.DEFAULT}:
            continue
        values[name] = value
        typed = source is not ParameterSource.ENVIRONMENT
        sources[name] = "--" + name.replace("_", "-") if typed else _variable(name)
    return options._replace(**values, sources=sources)


def _show_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001  # click's signature
    if value and not ctx.resilient_parsing:
        from azdo_pat.installation import kind

        form = kind()
        click.echo(f"pat {__version__} ({form})" if form else f"pat {__version__}")
        ctx.exit()
