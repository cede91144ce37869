"""Define the command `exec`."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import click

from azdo_pat.cli import options
from azdo_pat.cli.child import Child, end_as, failures_told, program_path
from azdo_pat.cli.command import Command, command
from azdo_pat.cli.completers import complete_tokens
from azdo_pat.cli.secret_options import checked_names
from azdo_pat.dates import local_date
from azdo_pat.errors import UsageError
from azdo_pat.executables import command_line

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
    "purposes",
    metavar="PROGRAM|RECIPE",
    multiple=True,
    help="Set the variables of PROGRAM: az, terraform, npm, nuget, twine, agent, git"
    " [from COMMAND]. With --new: scopes that a job needs (pat scopes --recipes). Repeatable.",
)
@click.option(
    "--feed", "feeds", metavar="URL", multiple=True, help="Feed URL, for nuget. Repeatable."
)
@click.option(
    "--new",
    is_flag=True,
    help="Create a token for COMMAND, and revoke it when COMMAND has ended.",
)
@options.new_scope
@options.expires(help="Lifetime (12h, 2d) or expiry date of the new token [1h].")
@options.unknown_scope
def exec_command(  # noqa: PLR0913  # one argument for each option
    app: App,
    text: str | None,
    *,
    variables: tuple[str, ...],
    purposes: tuple[str, ...],
    feeds: tuple[str, ...],
    new: bool,
    scopes: tuple[str, ...],
    expires: str | None,
    allow_unknown_scope: bool,
    words: tuple[str, ...],
) -> None:
    """Run COMMAND with the secret of TOKEN in its environment, and nowhere else.

    Without --var, the secret goes into the variables that COMMAND reads if pat knows the program,
    otherwise into AZURE_DEVOPS_EXT_PAT. The exit code is that of COMMAND.

    With --new, pat creates a token for COMMAND, stores its secret nowhere, and revokes it when
    COMMAND has ended, also by a failure or a signal. If pat itself is killed, the next command that
    signs in revokes it.

    \b
    Examples:
      pat exec ci -- az devops project list --org https://dev.azure.com/contoso
      pat exec infra -- terraform plan
      pat exec ci --var SYSTEM_TOKEN -- python build.py
      pat exec --var READ=reader --var WRITE=writer -- make publish
      pat exec --new --for packages-publish -- npm publish
    """
    if not words:
        raise UsageError(
            "no command given", hint="put the command after --, for example: pat exec ci -- env"
        )
    wanted = _wanted(variables, programs=() if new else purposes, feeds=feeds)
    for_new = bool(scopes) or expires is not None or allow_unknown_scope
    _check_origin(text, needed=wanted.needs_token, new=new, for_new=for_new)
    _check_program(wanted.program)
    if new:
        _check_recipes(purposes)
        from azdo_pat.cli.exec_new import request_of, run_with_new_token

        request = request_of(app, words[0], scopes, purposes, expires, allow_unknown_scope)
        of_others = wanted.of_others(app)
        run_with_new_token(
            app,
            words,
            request,
            lambda secret: of_others | wanted.of_token(app, app.organization, secret, words),
        )
    _replace_process(words, wanted.of_stored(app, text, words), app.runtime.environment)


class _Wanted(NamedTuple):
    """Which variables the command gets.

    Attributes:
        names: those that get the secret of the command's token, by `--var NAME`.
        others: those that get another token's secret, with that token, by `--var NAME=TOKEN`.
        program: whose variables get the secret, by `--for`; None if COMMAND tells.
        feeds: for NuGet.
    """

    names: Sequence[str]
    others: Sequence[tuple[str, str]]
    program: str | None
    feeds: Sequence[str]

    @property
    def needs_token(self) -> bool:
        """Whether the command needs a token besides those that variables name."""
        return bool(self.names or self.program is not None or not self.others)

    def of_others(self, app: App) -> dict[str, str]:
        """Return the variables with the secrets of other tokens."""
        return {name: _found(app, token)[1].reveal() for name, token in self.others}

    def of_stored(self, app: App, text: str | None, words: Sequence[str]) -> dict[str, str]:
        """Return all variables; the command's token is a stored one, or there is none."""
        variables = self.of_others(app)
        if text is not None:
            organization, secret = _found(app, text)
            if self.needs_token:
                variables |= self.of_token(app, organization, secret, words)
        return variables

    def of_token(
        self, app: App, organization: Organization, secret: Secret, words: Sequence[str]
    ) -> dict[str, str]:
        """Return the variables with the secret of the command's token."""
        if self.names:
            return dict.fromkeys(self.names, secret.reveal())
        from azdo_pat.tools.variables import PROGRAMS, Given, program_of

        known = self.program or program_of(words[0], feeds=self.feeds)
        given = Given(secret, organization, self.feeds, app.runtime.environment, words)
        return PROGRAMS[known](given)


def _wanted(variables: Sequence[str], *, programs: Sequence[str], feeds: Sequence[str]) -> _Wanted:
    """Read the options that say which variables the command gets.

    Raises:
        UsageError: a name is not valid, or two options exclude each other.
    """
    parts = [each.partition("=") for each in variables]
    names = checked_names(tuple(name for name, sign, _ in parts if not sign))
    others = [(name, token) for name, sign, token in parts if sign]
    checked_names(tuple(name for name, _ in others))
    if names and programs:
        raise UsageError("--var and --for cannot be combined", hint="leave out one of them")
    return _Wanted(names, others, programs[-1] if programs else None, feeds)


def _check_origin(text: str | None, *, needed: bool, new: bool, for_new: bool) -> None:
    """Check where the token comes from.

    Args:
        text: the token that is named; None for none.
        needed: a token is needed besides those that variables name.
        new: one is to be created.
        for_new: there are options for that.
    """
    if new and text is not None:
        raise UsageError(
            f"--new creates a token, so {text!r} is not used",
            hint="leave out TOKEN or --new, and put the command after --",
        )
    if for_new and not new:
        raise UsageError(
            "--scope, --expires and --allow-unknown-scope are for a new token",
            hint="to create one for this command, use --new instead of TOKEN",
        )
    if needed and text is None and not new:
        raise UsageError(
            "no token given",
            hint="run: pat exec TOKEN -- COMMAND…; or use --var NAME=TOKEN, or --new",
        )


def _check_program(program: str | None) -> None:
    if program is None:
        return
    from azdo_pat.tools.variables import PROGRAMS

    if program not in PROGRAMS:
        raise UsageError(
            f"pat does not know which variables {program!r} reads",
            hint=f"it knows {', '.join(PROGRAMS)}; for other programs, use --var NAME",
        )


def _check_recipes(names: Sequence[str]) -> None:
    from azdo_pat.scopes import RECIPES
    from azdo_pat.tools.variables import PROGRAMS

    for name in names:
        if name in PROGRAMS and all(name != each.name for each in RECIPES):
            raise UsageError(
                f"{name!r} is a program; with --new, --for takes what the token is for",
                hint="for example --for packages; to list all, run: pat scopes --recipes",
            )


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
    program = program_path(words[0], own)
    environment = {**own, **secrets}
    sys.stdout.flush()
    sys.stderr.flush()
    with failures_told(words[0]):
        if os.name == "nt":  # which cannot replace a process
            with Child() as child:
                child.start(command_line([program, *words[1:]], environment), environment)
                end_as(child.wait())
        for name in ("SIGPIPE", "SIGXFSZ"):  # which Python ignores, and the command would, too
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        os.execve(program, list(words), dict(environment))  # noqa: S606  # what the user asks for
