"""Base classes of all commands: they accept the global options and pass the `App` on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import click

from azdo_pat.cli.app import App
from azdo_pat.cli.documented import Documented, DocumentedGroup
from azdo_pat.cli.global_options import credentials_withheld, merged_options
from azdo_pat.cli.shared_options import global_options
from azdo_pat.errors import NoOrganizationError
from azdo_pat.near_names import did_you_mean
from azdo_pat.services.known_organizations import known_organizations

Function = TypeVar("Function", bound=Callable[..., object])


class Command(Documented):
    """A command whose function gets the `App` as its first argument."""

    @cached_property
    def _shared(self) -> list[click.Parameter]:
        # Made for the command that runs, not for each of its module: 0.4 ms apiece.
        return global_options(root=False)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters and the global ones; see click."""
        return [*super().get_params(ctx), *self._shared]

    def invoke(self, ctx: click.Context) -> object:
        """Merge the global options after the name over those before it, and run; see click."""
        with credentials_withheld(merged_options(ctx)) as options:
            ctx.obj = app = App(options)
            try:
                return super().invoke(ctx)
            except NoOrganizationError as error:
                near = did_you_mean(error.organization, known_organizations(app))
                error.hint = f"{near}{error.hint}"
                raise


class Group(DocumentedGroup):
    """A group of commands that also accepts the global options after its name."""

    command_class = Command

    def __init__(self, *args: Any, **attributes: Any) -> None:  # noqa: ANN401  # click's signature
        super().__init__(*args, **attributes)
        self.params = [*self.params, *global_options(root=False)]

    def invoke(self, ctx: click.Context) -> object:
        """Merge the global options after the name over those before it, and run; see click."""
        ctx.obj = merged_options(ctx)
        return super().invoke(ctx)


def command(
    name: str,
    kind: type[Command] = Command,
    **attributes: Any,  # noqa: ANN401  # click's signature
) -> Callable[[Function], click.Command]:
    """Declare a command; see `click.command`. Its function gets the `App` first."""

    def declare(function: Function) -> click.Command:
        return click.command(name, cls=kind, **attributes)(click.pass_obj(function))

    return declare
