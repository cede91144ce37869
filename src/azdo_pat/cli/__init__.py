"""Define the root command, load commands lazily, and turn every outcome into an exit code.

Commands are imported when they are used, so that `--help` imports click alone.
"""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NoReturn, TextIO, cast

import click
from click.core import ParameterSource

from azdo_pat import __version__
from azdo_pat.cli.global_options import GlobalOptions, global_options, merge
from azdo_pat.cli.signals import comes_of_an_interrupt
from azdo_pat.cli.streams import (
    OutputError,
    fill_in_closed,
    let_go,
    tell_output_errors,
    tolerate_unencodable,
)
from azdo_pat.errors import CancelledError, ExitCode, PatError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMMANDS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "Managing tokens": {
        "create": ("create", "Create a token and store its secret in the keyring."),
        "list": ("listing", "List your tokens."),
        "show": ("listing", "Show one token."),
        "get": ("secret", "Print a stored secret."),
        "update": ("update", "Change a token's name, scopes or expiry."),
        "ensure": ("ensure", "Ensure a token exists with enough lifetime left. For scripts."),
        "rotate": ("rotate", "Replace a token with a new one and revoke the old one."),
        "renew": ("renew", "Rotate every stored token that is due. For cron."),
        "apply": ("apply", "Create, rotate or keep the tokens declared in a file."),
        "revoke": ("revoke", "Revoke tokens."),
        "import": ("secret", "Store a secret that was created elsewhere."),
        "forget": ("secret", "Delete a stored secret without revoking its token."),
        "scopes": ("scopes", "List scopes and recipes."),
    },
    "Using tokens": {
        "exec": ("exec_", "Run a command with a secret in its environment."),
        "setup": ("setup", "Configure git, npm, pip, NuGet, Maven… to use a token."),
        "git-credential": ("git_credential", "Answer git's requests for credentials."),
        "cargo-credential": ("cargo_credential", "Answer cargo's requests for credentials."),
    },
    "Signing in": {
        "login": ("login", "Sign in with Microsoft Entra."),
        "logout": ("login", "Delete the saved sign-in."),
        "status": ("status", "Show the sign-in, organization and keyring in use."),
    },
    "Monitoring": {
        "doctor": ("doctor", "Diagnose problems; --fix repairs what it can."),
    },
    "Trying out and configuring": {
        "sandbox": ("emulator", "Try pat against an emulator; --tour demonstrates it."),
        "emulator": ("emulator", "Run a local emulator of Azure DevOps tokens."),
        "config": ("config", "Read and change settings."),
        "completion": ("completion", "Print a shell completion script."),
    },
}

_EPILOG: Final = (
    "Try it without an account: pat sandbox --tour. Each of these options can also be set in the"
    " environment as PAT_OPTION, for example PAT_ORG."
)


class Root(click.Group):
    """The root group, which loads commands lazily and turns every outcome into an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, in the order of the help; see click."""
        del ctx
        return [name for section in COMMANDS.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module that holds the command; see click."""
        del ctx
        for section in COMMANDS.values():
            if cmd_name in section:
                module = importlib.import_module(f"azdo_pat.cli.{section[cmd_name][0]}")
                command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
                if not isinstance(command, click.Command):
                    msg = f"{cmd_name} is not a command"
                    raise TypeError(msg)
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name, or suggest a similar one; see click."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if args[0].startswith("-"):
                raise
            from difflib import get_close_matches  # only a mistake needs it

            near = get_close_matches(args[0], self.list_commands(ctx), n=1)
            proposal = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"No such command {args[0]!r}.{proposal}", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in sections without importing them; see click."""
        del ctx
        for title, section in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name, summary) for name, (_, summary) in section.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Collect the global options and run the command; see click."""
        ctx.obj = merge(GlobalOptions(), ctx)
        with _reader_may_leave():
            return super().invoke(ctx)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401  # click's signature
    ) -> click.Context:
        """Parse the arguments, which may already end the program (`--help`); see click."""
        with _reader_may_leave():
            return super().make_context(info_name, args, parent, **extra)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002  # click's signature
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002  # click's signature
        **extra: Any,  # noqa: ANN401  # click's signature
    ) -> NoReturn:
        """Run the command and exit the process; the only way out of the program."""
        del standalone_mode
        given = list(sys.argv[1:] if args is None else args)
        fill_in_closed()
        tolerate_unencodable()
        tell_output_errors(sys.stdout)
        if "_PAT_COMPLETE" in os.environ:
            importlib.import_module(
                "azdo_pat.cli.completion_scripts"
            )  # has one that click does not know
        with _commanding_no_pipeline():
            code = self._ended(
                given,
                {
                    "prog_name": prog_name,
                    "complete_var": complete_var,
                    "windows_expand_args": windows_expand_args,
                    **extra,
                },
            )
            for stream in (sys.stdout, sys.stderr):
                let_go(stream)
        sys.exit(code if isinstance(code, int) else ExitCode.DONE)

    def _ended(self, given: list[str], extra: dict[str, Any]) -> object:
        """Run the command and report an error if it fails.

        Returns:
            The exit code, or something else on success.
        """
        ending = _Ending(given)
        try:
            code = super().main(given, standalone_mode=False, **extra)
            sys.stdout.flush()
        except BrokenPipeError:
            code = _reader_left()
        except click.exceptions.Exit as error:
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt) as error:
            cause = error.__cause__
            # click turns every EOFError into Abort; only at its own prompts is there no cause.
            code = ending.failed(cause) if isinstance(cause, EOFError) else ending.interrupted()
        except Exception as error:  # noqa: BLE001  # the one place that turns failures into codes
            code = ending.interrupted() if comes_of_an_interrupt(error) else ending.failed(error)
        return code


class _Ending:
    """Reports why the program ends, in the format that the arguments ask for.

    It reads the raw arguments, because an error in them can occur before `-o` is parsed.
    """

    def __init__(self, args: Sequence[str]) -> None:
        self._args = args

    def interrupted(self) -> int:
        """Report that the user interrupted the program."""
        if sys.stderr.isatty():
            click.echo(err=True)  # the ^C and the prompt stand on this line
        self._say(CancelledError("interrupted"))
        return ExitCode.INTERRUPTED

    def failed(self, error: Exception) -> int:
        """Report an error and return its exit code."""
        from azdo_pat.cli import output_options  # not needed on success

        if output_options.in_detail(self._args):
            _print_traceback(error)
        if isinstance(error, click.exceptions.NoArgsIsHelpError) and not output_options.as_json(
            self._args
        ):
            click.echo(error.format_message(), err=True)
            return ExitCode.USAGE
        if isinstance(error, PatError):
            known = error
        elif isinstance(error, click.ClickException):
            known = _usage(error)
        elif isinstance(error, OutputError):
            known = PatError(
                f"cannot write to standard output: {error.strerror or error}",
                hint="the changes that the command makes are made; only its output is lost",
            )
        elif isinstance(error, OSError):
            known = _refused_by_system(error)
        else:
            known = PatError(
                f"internal error: {type(error).__name__}",
                hint="this is a bug in pat: run the command again with --debug and report the"
                " output",
            )
        self._say(known)
        return known.exit_code

    def _say(self, error: PatError) -> None:
        from azdo_pat.cli import output_options
        from azdo_pat.output.messages import Messages  # --help needs no messages

        color = output_options.in_color(self._args)
        messages = Messages(err=sys.stderr, quiet=False, verbose=False, debug=False, color=color)
        messages.error(error, as_json=output_options.as_json(self._args))


def _refused_by_system(error: OSError) -> PatError:
    """Return the error for an OSError, quoting the system: the cause is not known."""
    from azdo_pat.output.escape import visible  # only a failure needs it

    where = "" if error.filename is None else f" ({visible(os.fsdecode(error.filename))})"
    reason = error.strerror or str(error) or type(error).__name__
    return PatError(
        f"the operating system refused an operation: {reason}{where}",
        hint="to see which one, run the command again with --debug; to find the cause, run:"
        " pat doctor",
    )


def _print_traceback(error: Exception) -> None:
    """Print the traceback with secrets masked and control characters escaped."""
    import traceback  # only --debug needs it

    from azdo_pat.output.escape import visible
    from azdo_pat.redaction import masked

    text = masked("".join(traceback.format_exception(error)).removesuffix("\n"))
    for line in text.split("\n"):
        click.echo(visible(line), err=True)


def _usage(error: click.ClickException) -> UsageError:
    """Convert a usage error of click into a `UsageError`."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return UsageError("no command given", hint="for usage, run: pat --help")
    path = context.command_path if context else "pat"
    _name_variable(error)
    # click breaks some of its messages into lines.
    message = " ".join(error.format_message().split()).rstrip(".")
    return UsageError(message, hint=f"for usage, run: {path} --help")


def _name_variable(error: click.ClickException) -> None:
    """Make the error name the environment variable that a bad value came from."""
    if not isinstance(error, click.BadParameter) or error.param is None or error.ctx is None:
        return
    source = error.ctx.get_parameter_source(error.param.name or "")
    if source is ParameterSource.ENVIRONMENT and isinstance(error.param.envvar, str):
        error.param_hint = error.param.envvar


@contextmanager
def _reader_may_leave() -> Iterator[None]:
    """Exit quietly on a broken pipe, before click treats it as a failure."""
    try:
        yield
    except BrokenPipeError:
        raise click.exceptions.Exit(_reader_left()) from None


def _reader_left() -> int:
    """Return success when the reader of stdout has closed it (`pat list | head`)."""
    let_go(sys.stdout)
    return ExitCode.DONE


@contextmanager
def _commanding_no_pipeline() -> Iterator[None]:
    """Neutralize logging commands in all output, if this is a step of a CI pipeline."""
    if not any(os.environ.get(name) for name in ("TF_BUILD", "GITHUB_ACTIONS")):
        yield
        return
    from azdo_pat.output.sanitize import SanitizedText  # only a pipeline needs it

    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", SanitizedText(stream)) for stream in streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams


pat = Root(
    "pat",
    params=global_options(root=True),
    help="Manage Azure DevOps personal access tokens: create them, store their secrets in the"
    f" keyring, rotate and revoke them.\n\nVersion {__version__}.",
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
