"""Define the command `config`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from azdo_pat.cli.command import Group
from azdo_pat.cli.completers import complete_settings
from azdo_pat.errors import NotFoundError

if TYPE_CHECKING:
    from azdo_pat.cli.app import App


@click.group("config", cls=Group)
def config_command() -> None:
    """Read and change settings: defaults for options, kept in a file.

    Options on the command line override the environment, which overrides the file.

    \b
    Examples:
      pat config list
      pat config set org contoso
      pat config unset org
    """


@config_command.command("list", short_help="List all settings.")
@click.pass_obj
def config_list(app: App) -> None:
    """List all settings, their values, and where each value comes from.

    \b
    Examples:
      pat config list
      pat config list -o json
    """
    from azdo_pat.config.settings import KEYS

    app.runtime.render.show_all([app.runtime.explained(key.name) for key in KEYS])


@config_command.command("get", short_help="Print a setting.")
@click.argument("key", metavar="KEY", shell_complete=complete_settings)
@click.pass_obj
def config_get(app: App, key: str) -> None:
    """Print the value of the setting KEY. Exits with 3 if KEY is not set.

    \b
    Examples:
      pat config get org
    """
    value = app.runtime.setting(key)
    if value is None:
        raise NotFoundError(f"{key} is not set", hint=f"to set it, run: pat config set {key} VALUE")
    from azdo_pat.output.escape import visible

    app.runtime.out.write(
        (str(value).lower() if isinstance(value, bool) else visible(str(value))) + "\n"
    )


@config_command.command("set", short_help="Change a setting.")
@click.argument("key", metavar="KEY", shell_complete=complete_settings)
@click.argument("value", metavar="VALUE")
@click.pass_obj
def config_set(app: App, key: str, value: str) -> None:
    """Set KEY to VALUE in the configuration file; the rest of the file stays as it is.

    \b
    Examples:
      pat config set org contoso
      pat config set expires 30d
    """
    from azdo_pat.config.editing import set_value
    from azdo_pat.config.settings import key_named, parse_value

    parsed = parse_value(key_named(key), value, where="")
    _try_out(app, key, value)
    set_value(app.runtime.config_file, key, parsed)
    app.runtime.messages.done(f"set {key} in {app.runtime.config_file}")
    source = app.runtime.explained(key).source
    if source not in {"config file", "default"}:
        app.runtime.messages.notice(f"{source} overrides it")


@config_command.command("unset", short_help="Remove a setting.")
@click.argument("key", metavar="KEY", shell_complete=complete_settings)
@click.pass_obj
def config_unset(app: App, key: str) -> None:
    """Remove KEY from the configuration file.

    \b
    Examples:
      pat config unset org
    """
    from azdo_pat.config.editing import unset_value

    if not unset_value(app.runtime.config_file, key):
        raise NotFoundError(
            f"{key} is not set in {app.runtime.config_file}",
            hint="to see what is set, run: pat config list",
        )
    app.runtime.messages.done(f"removed {key} from {app.runtime.config_file}")


def _try_out(app: App, key: str, value: str) -> None:
    """Check a value as the first command that uses it would."""
    if key == "org":
        from azdo_pat.organizations import organization

        organization(value, root=app.session.api_root)
    elif key == "expires":
        from azdo_pat.expiry import parse_expiry

        parse_expiry(value, app.runtime.now())
