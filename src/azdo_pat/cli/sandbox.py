"""Run commands in a throw-away home, keyring and state."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Self

from azdo_pat.cli.interrupts import ENDING
from azdo_pat.errors import NotFoundError, UsageError
from azdo_pat.executables import command_line, find_program
from azdo_pat.installation import bundle
from azdo_pat.store.secrets import SANDBOX_BACKEND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType, TracebackType

_TRIES: Final = 40
_PAUSE: Final = 0.05
_GRACE: Final = 5.0
"""Seconds that a command has to end itself when it is told to."""
_LEFT_OUT: Final = ("PAT_", "AZURE_", "XDG_", "PYTHON_KEYRING_", "GIT_")


class Sandbox:
    """A folder with a home, a keyring and a state of its own, removed at the end.

    Args:
        exported: the variables that make `pat` use the emulator.
        environment: the user's own, of which only harmless variables are passed on.
        warn: called if the folder could not be removed.
    """

    def __init__(
        self,
        exported: Mapping[str, str],
        environment: Mapping[str, str],
        warn: Callable[[str], None],
    ) -> None:
        self._exported = exported
        self._warn = warn
        self._own = environment
        self._folder = Path()

    def __enter__(self) -> Self:
        """Create the folder, and ensure that signals that end the program remove it."""
        for number in ENDING[1:]:
            signal.signal(number, _exit_by_signal)
        self._folder = Path(tempfile.mkdtemp(prefix="pat-sandbox-"))
        try:
            self._home.mkdir()
            if words := bundle():
                _write_launcher(self._launchers, words)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the folder, even if signals arrive or a program still writes to it."""
        del kind, error, traceback
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        for _ in range(_TRIES):
            shutil.rmtree(self._folder, ignore_errors=True)
            time.sleep(_PAUSE)  # a program of the same terminal may just be writing its last
            if not self._folder.exists():
                return
        self._warn(f"a program still writes to {self._folder}: stop it, then remove the folder")

    @property
    def _home(self) -> Path:
        return self._folder / "home"

    @property
    def _launchers(self) -> Path:
        return self._folder / "programs"

    @property
    def is_removed(self) -> bool:
        """Whether the folder is gone."""
        return not self._folder.exists()

    def run_shell(self) -> int:
        """Run the user's shell inside the sandbox and return its exit code; see `run`."""
        from azdo_pat.cli.sandbox_shell import shell_start

        start = shell_start(self._folder / "shell", self._own, self._variables)
        code = self.run(start.words, start.variables)
        if sys.stdin.isatty() and start.ready is not None and not start.ready.exists():
            self._warn(
                "the start file of your shell did not finish: it was interrupted, ended the shell,"
                " or started another program in its place, which may have used your own home"
                " folder; for a shell without your settings, run: pat sandbox sh"
            )
        return code

    @property
    def environment(self) -> dict[str, str]:
        """The environment of programs inside the sandbox."""
        kept = {
            name: value
            for name, value in self._own.items()
            if not name.upper().startswith(_LEFT_OUT)
        }
        if "GITHUB_ENV" in kept:  # `--as github-actions` writes there, for the steps that follow
            kept["GITHUB_ENV"] = str(self._folder / "github-env")
        return {**kept, **self._variables}

    @property
    def _variables(self) -> dict[str, str]:
        """The variables that make the sandbox."""
        return {
            **self._exported,
            "HOME": str(self._home),
            "USERPROFILE": str(self._home),
            "APPDATA": str(self._home / "AppData" / "Roaming"),
            "LOCALAPPDATA": str(self._home / "AppData" / "Local"),
            "PATH": os.pathsep.join([str(self._programs), self._own.get("PATH", "")]),
            "PAT_CONFIG_DIR": str(self._folder / "config"),
            "PAT_STATE_DIR": str(self._folder / "state"),
            "PAT_KEYRING": SANDBOX_BACKEND,
            "PYTHON_KEYRING_BACKEND": SANDBOX_BACKEND,
            "PAT_THROWAWAY_KEYRING": str(self._folder / "keyring.json"),
            "PAT_SANDBOX": str(self._folder),
            **_launched(bundle()),
        }

    @property
    def _programs(self) -> Path:
        """The folder where the program `pat` is found first."""
        if bundle():
            return self._launchers
        from azdo_pat.cli.helper_programs import scripts_folder

        return scripts_folder()

    def run(self, words: Sequence[str], more: Mapping[str, str] = MappingProxyType({})) -> int:
        """Run a command inside the sandbox and return its exit code.

        The command handles Ctrl-C itself, as it would without the sandbox.

        Args:
            words: the command and its arguments.
            more: variables above those of the sandbox.

        Raises:
            NotFoundError: there is no such program.
            UsageError: it cannot be run.
        """
        environment = {**self.environment, **more}
        program = find_program(words[0], environment)
        if program is None:
            raise NotFoundError(
                f"program {words[0]!r} not found", hint="check that it is on the PATH"
            )
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        delayed = _DelayedSignals()
        try:
            process = subprocess.Popen(  # noqa: S603  # running what the user asks for is the job
                command_line([program, *words[1:]], environment),
                env=environment,
                # An ignored signal would stay ignored in the child.
                preexec_fn=_default_interrupts if os.name == "posix" else None,  # noqa: PLW1509  # one plain call, before any thread of the child's
            )
            try:
                delayed.restore()
                code = process.wait()
            except BaseException:
                _end(process)
                raise
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UsageError(f"{words[0]} cannot be run: {reason}") from error
        finally:
            delayed.restore()
            signal.signal(signal.SIGINT, before)
        return code if code >= 0 else 128 - code


def _write_launcher(folder: Path, words: Sequence[str]) -> None:
    """Write a program `pat` that starts a bundle, whatever the bundle's file is called."""
    folder.mkdir()
    if sys.platform == "win32":
        # cmd.exe reads the file in a code page that lacks most letters, and expands `%` in it; a
        # variable holds every path, and what is in its value is not expanded again.
        line = " ".join(f'"%{name}%"' for name in _launched(words))
        (folder / "pat.cmd").write_text(f"@{line} %*\n", "ascii")
    else:
        launcher = folder / "pat"
        launcher.write_bytes(os.fsencode(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n'))
        launcher.chmod(0o700)


def _launched(words: Sequence[str]) -> dict[str, str]:
    """Return the variables from which the launcher takes what it starts; on Windows."""
    names = ("PAT_SANDBOX_PROGRAM", "PAT_SANDBOX_ARCHIVE")
    return dict(zip(names, words, strict=False)) if sys.platform == "win32" else {}


class _DelayedSignals:
    """Delays signals that end the program while a command is being started.

    A signal in that moment would leave a command running that no one stops.
    """

    def __init__(self) -> None:
        self._came: list[int] = []
        self._before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
        for number in ENDING[1:]:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._came.append(number)

    def restore(self) -> None:
        """Restore the previous handlers, and exit if a signal arrived meanwhile.

        Raises:
            SystemExit: a signal arrived.
        """
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        if self._came:
            sys.exit(128 + self._came.pop())


def _end(process: subprocess.Popen[bytes]) -> None:
    """Terminate a command, and kill it if it does not exit in time."""
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _default_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _exit_by_signal(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
