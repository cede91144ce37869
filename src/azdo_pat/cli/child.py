"""Find and run the command that a user asks for, and pass on to it the signals that `pat` gets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NoReturn, Self

from azdo_pat.cli.interrupts import later_interrupt
from azdo_pat.cli.standard_streams import is_in_foreground
from azdo_pat.command_lines import quoted
from azdo_pat.errors import NoCommandError, NotExecutableError, UsageError
from azdo_pat.executables import find_program, require_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType, TracebackType

    from azdo_pat.cli.interrupts import Handler


def _known(*names: str) -> tuple[signal.Signals, ...]:
    return tuple(signal.Signals[name] for name in names if name in signal.Signals.__members__)


_OF_KEYS: Final = _known("SIGINT", "SIGQUIT", "SIGBREAK")
"""The signals that keys of the terminal send, to all programs that run in it.

On Windows nothing else sends them: events of the console go to `pat` and the command alike (source:
GenerateConsoleCtrlEvent).
"""
_PASSED_ON: Final = (*_OF_KEYS, *_known("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"))
_ENDS_QUIETLY: Final = _known("SIGINT", "SIGTERM", "SIGHUP")
"""The signals by which `pat` ends as its child has; others may write the memory to a file."""
_LOOKS_AGAIN: Final = 1.0
"""Seconds after which a wait for signals looks whether another thread has got one."""


def program_path(name: str, environment: Mapping[str, str]) -> str:
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


@contextmanager
def failures_told(program: str) -> Iterator[None]:
    """Say why a program could not be started.

    Raises:
        PatError: it could not.
    """
    try:
        yield
    except ValueError as error:
        raise UsageError(
            f"{program} cannot be run: {error}",
            hint="run the program that the batch file starts, or give the argument in a file",
        ) from error
    except OSError as error:
        raise NotExecutableError(
            f"{program} cannot be run: {error.strerror}",
            hint="check that it is a program built for this machine",
        ) from error


class Child:
    """A command that `pat` starts and waits for.

    Inside the context, signals go to the command. They do not end `pat` itself, not even after the
    command: its token is still to be revoked then. But Ctrl-C, pressed again, interrupts that.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._before: dict[int, Handler] = {}

    def __enter__(self) -> Self:
        """Do nothing: until the command is started, signals have the effect that they had."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give signals the effect that they had before."""
        del kind, error, traceback
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def start(self, prepared: str | Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a command; from now on signals are its own.

        Args:
            prepared: what `executables.command_line` returned for it.
            environment: the environment variables of the command.

        Raises:
            OSError: it cannot be started.
        """
        number: int
        for number in _PASSED_ON:
            if (before := signal.getsignal(number)) is not signal.SIG_IGN:  # nohup
                self._before[number] = before
                signal.signal(number, self._pass_on)
        if sys.platform != "win32":
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it takes the status with it
        try:
            self._process = subprocess.Popen(prepared, env=dict(environment))  # noqa: S603  # what the user asks for
        except BaseException:
            self._ignore_signals()
            raise
        if sys.platform != "win32":
            for number in self._early:
                self._send(self._process, number)

    def wait(self) -> int:
        """Return how the command ended, as `subprocess` tells it, once it has ended.

        From then on, signals are ignored; Ctrl-C for a second, as it may have been for the command,
        and then it raises KeyboardInterrupt once.
        """
        if self._process is None:
            return 0
        try:
            return self._waited(self._process)
        finally:
            self._ignore_signals()
            if signal.SIGINT in self._before:
                signal.signal(signal.SIGINT, later_interrupt(signal.SIG_IGN))

    def _waited(self, process: subprocess.Popen[bytes]) -> int:
        if sys.platform == "linux":
            awaited = {*self._before, signal.SIGCHLD}
            before = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
            try:
                while (status := process.poll()) is None:
                    came = signal.sigtimedwait(awaited, _LOOKS_AGAIN)
                    if came and came.si_signo != signal.SIGCHLD:
                        # Only the kernel itself sends one with a code above 0 (sigaction(2)).
                        self._send_unless(process, came.si_signo, by_key=came.si_code > 0)
                return status
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        else:  # Python has no sigtimedwait on macOS
            return process.wait()

    def _ignore_signals(self) -> None:
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        if self._process is None:
            self._early.append(number)
        else:
            self._send_unless(self._process, number, by_key=is_in_foreground())

    def _send_unless(self, process: subprocess.Popen[bytes], number: int, *, by_key: bool) -> None:
        """Send the command a signal, unless a key has: many take two for "at once"."""
        if not (by_key and number in _OF_KEYS):
            self._send(process, number)

    def _send(self, process: subprocess.Popen[bytes], number: int) -> None:
        # A program of another user, such as sudo, cannot be sent signals. It goes on.
        with suppress(PermissionError):
            process.send_signal(number)


def exit_code_of(status: int) -> int:
    """Return the exit code by which a shell tells how a program ended."""
    if sys.platform == "win32":
        return status - (1 << 32) if status >= 1 << 31 else status  # as exit codes are signed
    else:  # noqa: RET505 - mypy reads the branches of one system only
        return status if status >= 0 else 128 - status


def end_as(status: int) -> NoReturn:
    """End this program as its child has ended.

    A shell whose loop is interrupted, or systemd when it stops a service, looks at the signal.

    Args:
        status: as `Child.wait` returns it.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform != "win32" and -status in _ENDS_QUIETLY:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(exit_code_of(status))
