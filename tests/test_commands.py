"""Every command loads, explains itself and is in the reference."""

import click
import pytest

from azdo_pat.cli.main import pat as root
from drivers import Pat, Result
from generate import REFERENCE, contexts

CONTRACT = {
    "admin",
    "apply",
    "completion",
    "config",
    "create",
    "doctor",
    "emulator",
    "ensure",
    "explain",
    "forget",
    "get",
    "import",
    "list",
    "login",
    "logout",
    "migrate",
    "renew",
    "revoke",
    "rotate",
    "sandbox",
    "scopes",
    "show",
    "status",
    "update",
}
TOP = click.Context(root, info_name="pat", **root.context_settings)
NAMES = root.list_commands(TOP)
EVERYWHERE = {parameter.opts[-1] for parameter in root.params}

each_command = pytest.mark.parametrize("name", NAMES)


def family(name: str) -> list[click.Context]:
    """Return the contexts of a command and of those below it."""
    command = root.get_command(TOP, name)
    assert command is not None
    return list(contexts(command, TOP))


def test_the_promised_commands_are_there() -> None:
    assert CONTRACT - set(NAMES) == set()


def test_no_command_at_all_is_a_usage_error_that_shows_the_help(pat: Pat) -> None:
    assert pat() == Result(exit_code=2, stdout="", stderr=pat("--help").stdout)


@each_command
def test_each_command_has_help(name: str) -> None:
    assert [each.command_path for each in family(name) if not each.command.help] == []


@each_command
def test_each_parameter_has_help(name: str) -> None:
    silent = [
        f"{context.command_path} {parameter.human_readable_name}"
        for context in family(name)
        for parameter in context.command.params
        if not getattr(parameter, "hidden", False) and not explained(parameter, context)
    ]
    assert silent == []


def explained(parameter: click.Parameter, context: click.Context) -> bool:
    """Tell whether a parameter has help; an argument may be named in its command's instead."""
    if getattr(parameter, "help", None):
        return True
    named = parameter.make_metavar(context).strip("[].")
    return isinstance(parameter, click.Argument) and named in (context.command.help or "")


@each_command
def test_each_command_is_in_the_reference(name: str) -> None:
    page = REFERENCE.read_text("utf-8")
    missing = []
    for context in family(name):
        section = page.partition(f"## `{context.command_path}`\n")[2].partition("\n## ")[0]
        options = {
            parameter.opts[-1]
            for parameter in context.command.params
            if isinstance(parameter, click.Option) and not parameter.hidden
        }
        missing += [] if section else [context.command_path]
        missing += [option for option in sorted(options - EVERYWHERE) if option not in section]
    assert missing == []


@each_command
def test_an_example_for_sh_has_one_for_powershell(name: str) -> None:
    examples = "\n".join(each.command.help or "" for each in family(name))
    assert examples.count("$(") == examples.count("$env:")


@each_command
def test_help_fits_80_columns(name: str, pat: Pat) -> None:
    result = pat(name, "--help", env={"COLUMNS": "80"})
    too_long = [line for line in result.stdout.splitlines() if len(line) > 80]
    assert (result.exit_code, result.stderr, too_long) == (0, "", [])
