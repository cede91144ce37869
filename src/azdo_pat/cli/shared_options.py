"""Declare the global options, which every command accepts before or after its name."""

from __future__ import annotations

import click

from azdo_pat import __version__
from azdo_pat.cli.completers import complete_organizations
from azdo_pat.cli.global_options import variable_of
from azdo_pat.formats import Format


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
            each.envvar = variable_of(str(each.name))
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


def _show_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001  # click's signature
    if value and not ctx.resilient_parsing:
        from azdo_pat.installation import kind

        form = kind()
        click.echo(f"pat {__version__} ({form})" if form else f"pat {__version__}")
        ctx.exit()
