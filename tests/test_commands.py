"""Every command loads, explains itself and is in the reference."""

import re
from pathlib import Path

import click
import pytest

from azdo_pat.cli.main import pat as root
from command_tree import contexts
from drivers import Pat
from generate import REFERENCE

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
    "help",
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


@pytest.mark.parametrize("args", [(), ("--help",), ("help",)], ids=" ".join)
def test_the_first_page_fits_a_small_terminal(pat: Pat, args: tuple[str, ...]) -> None:
    page = pat(*args)
    assert (page.exit_code, page.stderr) == (0, "")
    lines = page.stdout.splitlines()
    assert len(lines) < 24, "a line is left for the prompt"
    shown = {line.split()[0] for line in lines if line.startswith("  ")}
    main = {"login", "create", "setup", "list", "get", "check", "rotate", "renew", "revoke"}
    assert main - shown == set()
    assert {*NAMES} - {*page.stdout.split()} == set()


def test_a_group_alone_shows_its_help(pat: Pat) -> None:
    for group in ("admin", "config"):
        assert pat(group) == pat(group, "--help")
        assert pat(group).exit_code == 0


def test_help_of_everything_names_each_command_and_global_option(pat: Pat) -> None:
    page = pat("help", "--all").stdout
    words = {line.split()[0] for line in page.splitlines() if line.startswith("  ")}
    assert {*NAMES} - words == set()
    assert [option for option in EVERYWHERE if option not in page] == []


@pytest.mark.parametrize("names", [("create",), ("admin",), ("admin", "list")], ids=" ".join)
def test_help_of_a_command_is_that_of_its_option(pat: Pat, names: tuple[str, ...]) -> None:
    assert pat("help", *names) == pat(*names, "--help")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("creat",), "No such command 'creat'. Did you mean create?"),
        (("xyzzy",), "No such command 'xyzzy'"),
        (("admin", "lsit"), "No such command 'lsit'. Did you mean list?"),
        (("create", "x"), "pat create has no commands below it"),
        (("--all", "create"), "--all takes no command"),
    ],
    ids=str,
)
def test_help_of_nothing(pat: Pat, names: tuple[str, ...], message: str) -> None:
    result = pat("help", *names)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"pat: {message}\n")


@each_command
def test_each_command_has_an_example_after_its_purpose(name: str, pat: Pat) -> None:
    for context in family(name):
        page = pat(*context.command_path.split()[1:], "--help").stdout
        headings = [line for line in page.splitlines() if line.endswith(":") and line[0] != " "]
        assert headings[0] == "Examples:", context.command_path
        examples = page.partition("\nExamples:\n")[2].partition("\n\n")[0]
        assert "pat " in examples, context.command_path


@each_command
def test_the_page_that_help_names_exists(name: str, pat: Pat) -> None:
    page = Path(pat(name, "--help").stdout.rpartition("Documentation:\n")[2].strip())
    assert page.is_file(), page
    assert page.is_relative_to(REFERENCE.parents[1])


@pytest.mark.parametrize(
    ("args", "env", "colored"),
    [
        (("create", "--help"), {}, False),
        (("create", "--help", "--color", "always"), {}, True),
        (("--color=always", "create", "--help"), {"NO_COLOR": "1"}, True),
        (("help", "create"), {"PAT_COLOR": "always"}, True),
        (("--color", "never"), {"PAT_COLOR": "always"}, False),
    ],
    ids=str,
)
def test_help_has_colors_where_they_are_wanted(
    pat: Pat, args: tuple[str, ...], env: dict[str, str], *, colored: bool
) -> None:
    page = pat(*args, env=env).stdout
    assert ("\x1b[1mUsage:\x1b[22m" in page, "\x1b" in page) == (colored, colored)


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
    lines = result.stdout.splitlines()
    lines = [line for line in lines if not line.endswith(".md")]  # a path is in one piece
    bad = [line for line in lines if len(line) > 80 or re.search(r"\w-$", line)]
    assert (result.exit_code, result.stderr, bad) == (0, "", []), "too long, or broken in a word"


def test_help_fits_40_columns(pat: Pat) -> None:
    lines = pat("help", env={"COLUMNS": "40"}).stdout.splitlines()
    whole = ("Documentation: ", "Other ")  # a path in one piece, and a heading
    assert [line for line in lines if len(line) > 40 and not line.startswith(whole)] == []
