"""End a run: report an error on stderr, and convert every outcome into an exit code."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from azdo_pat.cli.interrupts import is_from_interrupt
from azdo_pat.cli.standard_streams import OutputError, discard_unwritten, terminal
from azdo_pat.errors import CancelledError, ExitCode, PatError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def exit_code(run: Callable[[], object], args: Sequence[str]) -> int:
    """Run the command, report an error if it fails, and return the exit code.

    Args:
        run: runs the command; may return an exit code.
        args: the arguments of the program. An error in them can occur before `-o` is parsed, so
            how to report it is read from them as they are.
    """
    try:
        code = run()
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_left()
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        cause = error.__cause__
        # click turns every EOFError into Abort; only at its own prompts is there no cause.
        return _failed(cause, args) if isinstance(cause, EOFError) else _interrupted(error, args)
    except Exception as error:  # noqa: BLE001  # the one place that turns failures into codes
        return _interrupted(error, args) if is_from_interrupt(error) else _failed(error, args)
    return code if isinstance(code, int) else ExitCode.DONE


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Exit quietly on a broken pipe, before click treats it as a failure."""
    try:
        yield
    except BrokenPipeError:
        raise click.exceptions.Exit(_reader_left()) from None


def _reader_left() -> int:
    """Return success when the reader of stdout has closed it (`pat list | head`)."""
    discard_unwritten(sys.stdout)
    return ExitCode.DONE


def _interrupted(error: BaseException, args: Sequence[str]) -> int:
    # The ^C and the prompt stand on this line; click has ended it if it turned the interrupt into
    # an Abort, but not at its own prompts, where there is no cause.
    is_ended = isinstance(error, click.Abort) and error.__cause__ is not None
    if sys.stderr.isatty() and not is_ended:
        click.echo(err=True)
    known = error if isinstance(error, CancelledError) else CancelledError("interrupted")
    _report(known, args)
    return ExitCode.INTERRUPTED


def _failed(error: Exception, args: Sequence[str]) -> int:
    from azdo_pat.cli import error_display  # not needed on success

    if error_display.in_detail(args):
        _print_traceback(error)
    known = _as_pat_error(error)
    _report(known, args)
    return known.exit_code


def _report(error: PatError, args: Sequence[str]) -> None:
    from azdo_pat.cli import error_display
    from azdo_pat.output.messages import Messages  # --help needs no messages

    messages = Messages(
        err=sys.stderr,
        quiet=False,
        verbose=False,
        debug=False,
        color=error_display.in_color(args),
        terminal=terminal(sys.stderr, os.environ),
    )
    messages.error(error, as_json=error_display.as_json(args))


def _print_traceback(error: Exception) -> None:
    """Print the traceback with secrets masked and control characters escaped."""
    import traceback  # only --debug needs it

    from azdo_pat.output.escape import visible
    from azdo_pat.redaction import masked

    text = masked("".join(traceback.format_exception(error)).removesuffix("\n"))
    for line in text.split("\n"):
        click.echo(visible(line), err=True)


def _as_pat_error(error: Exception) -> PatError:
    match error:
        case PatError():
            return error
        case click.ClickException():
            return _usage(error)
        case OutputError():
            return PatError(
                f"cannot write to standard output: {error.strerror or error}",
                hint="only the output is lost: what the command has changed stays changed",
            )
        case OSError():
            return _refused_by_system(error)
        case _:
            return PatError(
                f"internal error: {type(error).__name__}",
                hint="this is a bug in pat: run the command again with --debug and report the"
                " output",
            )


def _usage(error: click.ClickException) -> UsageError:
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "pat"
    _name_variable(error)
    if isinstance(error, click.NoSuchOption):
        return _no_such_option(error, path)
    # click breaks some of its messages into lines.
    message = " ".join(error.format_message().split()).rstrip(".")
    return UsageError(message, hint=f"for usage, run: {path} --help")


def _no_such_option(error: click.NoSuchOption, path: str) -> UsageError:
    from azdo_pat.near_names import near_names  # only a mistake needs it

    params = error.ctx.command.get_params(error.ctx) if error.ctx else []
    near = near_names(error.option_name, [name for each in params for name in each.opts])
    proposal = f". Did you mean {near[0]}?" if near else ""
    message = f"No such option {error.option_name!r}{proposal}"
    return UsageError(message, hint=f"for usage, run: {path} --help")


def _name_variable(error: click.ClickException) -> None:
    """Make the error name the environment variable that a bad value came from."""
    if not isinstance(error, click.BadParameter) or error.param is None or error.ctx is None:
        return
    source = error.ctx.get_parameter_source(error.param.name or "")
    if source is ParameterSource.ENVIRONMENT and isinstance(error.param.envvar, str):
        error.param_hint = error.param.envvar


def _refused_by_system(error: OSError) -> PatError:
    """Return the error for an OSError, quoting the system: the cause is not known."""
    from azdo_pat.output.escape import visible  # only a failure needs it

    where = "" if error.filename is None else f" ({visible(os.fsdecode(error.filename))})"
    reason = error.strerror or str(error) or type(error).__name__
    return PatError(
        f"the operating system refused an operation: {reason}{where}",
        hint="for details, run the command again with --debug; to find the cause, run: pat doctor",
    )
