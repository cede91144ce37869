"""The root command: which module holds which command, and how the program ends.

Commands are imported when they are used, so that help costs the import of click alone.
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
    "Life of a token": {
        "create": ("tokens", "Make a token and put its secret in the keyring."),
        "list": ("listing", "List your tokens."),
        "show": ("listing", "Show one token."),
        "get": ("secret", "Print a stored secret."),
        "update": ("tokens", "Rename a token or change its scopes or its end."),
        "ensure": ("ensure", "See to it that a token is there; for scripts."),
        "rotate": ("rotate", "Replace a token by a new one, and revoke the old one."),
        "renew": ("renew", "Rotate all that is near its end; for cron."),
        "apply": ("apply", "Make the tokens that a file declares be so."),
        "revoke": ("revoke", "Revoke tokens."),
        "import": ("secret", "Store a secret that was made elsewhere."),
        "forget": ("secret", "Take a secret out of the keyring."),
        "scopes": ("local", "List the scopes and the recipes."),
    },
    "Using tokens": {
        "exec": ("exec_", "Run a command with a secret in its environment."),
        "setup": ("setup", "Make git, npm, pip, NuGet, Maven… use a token."),
        "git-credential": ("git_credential", "Answer git, which asks for a token by itself."),
        "cargo-credential": ("cargo_credential", "Answer cargo likewise."),
    },
    "Signing in": {
        "login": ("login", "Sign in with Microsoft Entra."),
        "logout": ("login", "Forget the sign-in."),
        "status": ("status", "Show sign-in and organization and keyring."),
    },
    "Watching": {
        "doctor": ("doctor", "Say why something does not work; --fix mends it."),
    },
    "Trying and automating": {
        "sandbox": ("emulator", "Try pat with an emulator; --tour shows the main job."),
        "emulator": ("emulator", "Run a local Azure DevOps for tokens."),
        "config": ("local", "Read and change the settings."),
        "completion": ("local", "Print the completion script for a shell."),
    },
}

_EPILOG: Final = (
    "Try it without an account: pat sandbox --tour. Every option can be set in the environment"
    " as PAT_OPTION, as in PAT_ORG."
)


class Root(click.Group):
    """The group `pat`: loads commands lazily, and turns every end into an exit code."""

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
                    msg = f"{cmd_name} is no command"
                    raise TypeError(msg)
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name; propose near ones otherwise; see click."""
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
        """Write the commands in sections, without importing any; see click."""
        del ctx
        for title, section in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name, summary) for name, (_, summary) in section.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Take the global options, then run the command; see click."""
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
        """Read the arguments, which may be all there is to do, as for `--help`; see click."""
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
        """Run the command and end the process; every way out of the program is here."""
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
        """Run the command, and say why it ends where that is not as it should.

        Returns:
            The exit code; something else for a good end.
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
            # click takes every EOFError for the user's wish; at its own prompts it names no cause.
            code = ending.failed(cause) if isinstance(cause, EOFError) else ending.interrupted()
        except Exception as error:  # noqa: BLE001  # the one place that turns failures into codes
            code = ending.interrupted() if comes_of_an_interrupt(error) else ending.failed(error)
        return code


class _Ending:
    """Says why the program ends, in the form that the arguments ask for.

    The arguments are looked at by themselves: a mistake in them can come before `-o` is known.
    """

    def __init__(self, args: Sequence[str]) -> None:
        self._args = args

    def interrupted(self) -> int:
        """Say that the user stopped it."""
        if sys.stderr.isatty():
            click.echo(err=True)  # the ^C and the prompt stand on this line
        self._say(CancelledError("interrupted"))
        return ExitCode.INTERRUPTED

    def failed(self, error: Exception) -> int:
        """Say what went wrong, and return the code for it."""
        from azdo_pat.cli import output_options  # a good end needs none of it

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
                f"standard output cannot be written: {error.strerror or error}",
                hint="whatever the command was to change is changed; only its output is lost",
            )
        elif isinstance(error, OSError):
            known = _refused_by_system(error)
        else:
            known = PatError(
                f"internal error: {type(error).__name__}",
                hint="this is a fault of pat itself: run it again with --debug and report what"
                " it says",
            )
        self._say(known)
        return known.exit_code

    def _say(self, error: PatError) -> None:
        from azdo_pat.cli import output_options
        from azdo_pat.output.messages import Messages  # --help needs no talk

        color = output_options.in_color(self._args)
        messages = Messages(err=sys.stderr, quiet=False, verbose=False, debug=False, color=color)
        messages.error(error, as_json=output_options.as_json(self._args))


def _refused_by_system(error: OSError) -> PatError:
    """Return the error for what the system refused, in its own words: the cause is not known."""
    from azdo_pat.output.plain import visible  # only a failure needs it

    where = "" if error.filename is None else f" ({visible(os.fsdecode(error.filename))})"
    reason = error.strerror or str(error) or type(error).__name__
    return PatError(
        f"the operating system refused an operation: {reason}{where}",
        hint="run it again with --debug to see which one, and pat doctor to look for the cause",
    )


def _print_traceback(error: Exception) -> None:
    """Print the traceback, harmless to a terminal and without secrets: it quotes what it met."""
    import traceback  # only --debug needs it

    from azdo_pat.output.plain import visible
    from azdo_pat.redaction import masked

    text = masked("".join(traceback.format_exception(error)).removesuffix("\n"))
    for line in text.split("\n"):
        click.echo(visible(line), err=True)


def _usage(error: click.ClickException) -> UsageError:
    """Turn click's complaint about the command line into ours."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return UsageError("what is to be done?", hint="pat --help lists the commands")
    path = context.command_path if context else "pat"
    _name_variable(error)
    # click breaks some of its messages into lines.
    message = " ".join(error.format_message().split()).rstrip(".")
    return UsageError(message, hint=f"{path} --help shows what it takes")


def _name_variable(error: click.ClickException) -> None:
    """Let the error blame the variable that a bad value came from, not the option."""
    if not isinstance(error, click.BadParameter) or error.param is None or error.ctx is None:
        return
    source = error.ctx.get_parameter_source(error.param.name or "")
    if source is ParameterSource.ENVIRONMENT and isinstance(error.param.envvar, str):
        error.param_hint = error.param.envvar


@contextmanager
def _reader_may_leave() -> Iterator[None]:
    """Turn a broken pipe into a quiet end, before click takes it for a failure."""
    try:
        yield
    except BrokenPipeError:
        raise click.exceptions.Exit(_reader_left()) from None


def _reader_left() -> int:
    """End quietly when the reader of stdout has seen enough (`pat list | head`)."""
    let_go(sys.stdout)
    return ExitCode.DONE


@contextmanager
def _commanding_no_pipeline() -> Iterator[None]:
    """Let no text that is written act on the machine of a pipeline, if this is one."""
    if not any(os.environ.get(name) for name in ("TF_BUILD", "GITHUB_ACTIONS")):
        yield
        return
    from azdo_pat.output.defused import SanitizedText  # only a pipeline needs it

    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", SanitizedText(stream)) for stream in streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams


pat = Root(
    "pat",
    params=global_options(root=True),
    help="Manage Azure DevOps personal access tokens: make them, keep their secrets in the"
    f" keyring, revoke them.\n\nVersion {__version__}.",
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
