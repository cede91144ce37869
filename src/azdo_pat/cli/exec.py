"""Define the command `exec`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from azdo_pat.cli.command import Command, command
from azdo_pat.cli.completers import complete_tokens
from azdo_pat.cli.secret_options import checked_names
from azdo_pat.command_lines import quoted
from azdo_pat.dates import local_date
from azdo_pat.errors import NoCommandError, NotExecutableError, UsageError
from azdo_pat.executables import command_line, find_program, require_program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.models import Organization, Secret


class _ExecCommand(Command):
    """A command that leaves everything after `--` to the program to run."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse only the arguments before `--`; see click."""
        before, behind = args, []
        if "--" in args:
            place = args.index("--")
            before, behind = args[:place], args[place + 1 :]
        rest = super().parse_args(ctx, list(before))
        ctx.params["words"] = tuple(behind)
        return rest

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Add the command after `--` to the usage line; see click."""
        return [*super().collect_usage_pieces(ctx), "-- COMMAND..."]


@command("exec", _ExecCommand)
@click.argument("text", metavar="[TOKEN]", required=False, shell_complete=complete_tokens)
@click.option(
    "--var",
    "variables",
    metavar="NAME[=TOKEN]",
    multiple=True,
    help="Variable to set to the secret; NAME=TOKEN takes another token. Repeatable.",
)
@click.option(
    "--for",
    "program",
    metavar="PROGRAM",
    help="Set the variables of PROGRAM: az, terraform, npm, nuget, twine, agent, git"
    " [from COMMAND].",
)
@click.option(
    "--feed", "feeds", metavar="URL", multiple=True, help="Feed URL, for nuget. Repeatable."
)
def exec_command(  # one argument for each option
    app: App,
    text: str | None,
    *,
    variables: tuple[str, ...],
    program: str | None,
    feeds: tuple[str, ...],
    words: tuple[str, ...],
) -> None:
    """Run COMMAND with the secret of TOKEN in its environment, and nowhere else.

    Without --var, the secret goes into the variables that COMMAND reads if pat knows the program,
    otherwise into AZURE_DEVOPS_EXT_PAT. The exit code is that of COMMAND.

    \b
    Examples:
      pat exec ci -- az devops project list
      pat exec infra -- terraform plan
      pat exec ci --var SYSTEM_TOKEN -- python build.py
      pat exec --var READ=reader --var WRITE=writer -- make publish
    """
    if not words:
        raise UsageError(
            "no command given", hint="put the command after --, for example: pat exec ci -- env"
        )
    plain = tuple(each for each in variables if "=" not in each)
    others = [tuple(each.split("=", 1)) for each in variables if "=" in each]
    names = checked_names(plain)
    checked_names(tuple(name for name, _ in others))
    if text is None and (plain or program or not others):
        raise UsageError(
            "no token given", hint="run: pat exec TOKEN -- COMMAND…; or use --var NAME=TOKEN"
        )
    if names and program:
        raise UsageError("--var and --for cannot be combined", hint="leave out one of them")
    if program is not None or feeds:
        _check_program(program)
    found: dict[str, str] = {}
    for name, token in others:
        found[name] = _found(app, token)[1].reveal()
    if text is not None:
        organization, secret = _found(app, text)
        found |= dict.fromkeys(names, secret.reveal())
        if not names and (program or not others):
            found |= _by_program(app, organization, secret, program or "", feeds, words)
    _replace_process(words, found, app.runtime.environment)


def _check_program(program: str | None) -> None:
    from azdo_pat.tools.variables import PROGRAMS

    if program is not None and program not in PROGRAMS:
        raise UsageError(
            f"pat does not know which variables {program!r} reads",
            hint=f"it knows {', '.join(PROGRAMS)}; for other programs, use --var NAME",
        )


def _by_program(  # what variables are made of
    app: App,
    organization: Organization,
    secret: Secret,
    program: str,
    feeds: Sequence[str],
    words: Sequence[str],
) -> dict[str, str]:
    from azdo_pat.tools.variables import PROGRAMS, Given, program_of

    known = program or program_of(words[0], feeds=feeds)
    return PROGRAMS[known](Given(secret, organization, feeds, app.runtime.environment, words))


def _found(app: App, text: str) -> tuple[Organization, Secret]:
    """Return a stored secret, with a warning if it has expired or the service refused it."""
    from azdo_pat.command_lines import pat_command
    from azdo_pat.services.refused_tokens import refusal
    from azdo_pat.services.stored_secrets import get

    organization, name, secret = get(text, app)
    entry = app.state.find(organization.url, name)
    if entry is not None and entry.expires is not None and entry.expires <= app.runtime.now():
        app.runtime.messages.warn(
            f"{name!r} expired on {local_date(entry.expires)}; to replace it, run:"
            f" {pat_command('rotate', name)}"
        )
    elif entry is not None and (problem := refusal(entry, secret, app)):
        app.runtime.messages.warn(problem)
    return organization, secret


def _program(name: str, environment: Mapping[str, str]) -> str:
    """Return the path of the command's program.

    Raises:
        PatError: there is none that can be run.
    """
    try:
        return require_program(name, environment)
    except FileNotFoundError:
        hint = "check that it is on the PATH"
        if here := find_program(f"{os.curdir}{os.sep}{name}", environment):
            hint = f"to run the one in the current folder, write {quoted(here)}"
        raise NoCommandError(f"program {name!r} not found", hint=hint) from None
    except OSError as error:
        raise NotExecutableError(
            f"{name} cannot be run: it is not a program",
            hint="check that it is a file, and that it is executable",
        ) from error


def _replace_process(
    words: Sequence[str], secrets: Mapping[str, str], own: Mapping[str, str]
) -> NoReturn:
    """Replace this process with the command or, on Windows, wait for it.

    Args:
        words: the command.
        secrets: the variables that are set for it.
        own: the user's environment; its PATH is searched, even if a secret is in that variable.

    Raises:
        PatError: it cannot be run.
    """
    program = _program(words[0], own)
    environment = {**own, **secrets}
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        if os.name == "nt":
            sys.exit(_run_and_wait([program, *words[1:]], environment))
        for name in ("SIGPIPE", "SIGXFSZ"):  # which Python ignores, and the command would, too
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        os.execve(program, list(words), dict(environment))  # noqa: S606  # what the user asks for
    except ValueError as error:
        raise UsageError(
            f"{words[0]} cannot be run: {error}",
            hint="run the program that the batch file starts, or give the argument in a file",
        ) from error
    except OSError as error:
        raise NotExecutableError(
            f"{words[0]} cannot be run: {error.strerror}",
            hint="check that it is a program built for this machine",
        ) from error


def _run_and_wait(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the command and return its exit code; Windows cannot replace a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the command
    return subprocess.run(  # noqa: S603  # as above
        command_line(words, environment), env=dict(environment), check=False
    ).returncode
