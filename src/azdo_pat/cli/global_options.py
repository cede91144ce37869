"""The values of the global options, which every command accepts before or after its name."""

from __future__ import annotations

import os
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from click.core import ParameterSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import click

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


def variable_of(name: str) -> str:
    """Return the environment variable of a global option."""
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
        sources[name] = "--" + name.replace("_", "-") if typed else variable_of(name)
    return options._replace(**values, sources=sources)
