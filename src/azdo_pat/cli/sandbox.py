"""A throw-away place to try `pat` in, and the tour through it."""

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
from typing import TYPE_CHECKING, Final, Self, TextIO

from azdo_pat.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType, TracebackType

_TRIES: Final = 40
_PAUSE: Final = 0.05
_GRACE: Final = 5.0
"""Seconds that a command has to end itself when it is told to."""
_KEYRING: Final = "azdo_pat.store.sandbox_keyring.SandboxKeyring"
_NOT_TAKEN_ALONG: Final = ("PAT_", "AZURE_", "XDG_", "PYTHON_KEYRING_", "GIT_")

TOUR: Final = (
    ("Make a token for git. The secret goes into the keyring.", "pat create demo --for git"),
    ("There it is, among the tokens that the emulator comes with.", "pat list"),
    ("Everything about it.", "pat show demo"),
    (
        "The secret, on request only: here as the header that curl wants.",
        "pat get demo --as header",
    ),
    (
        "It lies in the keyring, where other programs find it too.",
        'keyring get "azdo-pat:$PAT_API_URL/$PAT_ORG" demo',
    ),
    ("Give it a longer life.", "pat update demo --expires 90d"),
    ("Scripts get JSON.", "pat list --name demo -o json"),
    ("Take it away again: on the service and in the keyring.", "pat revoke demo --yes"),
    ("It is gone.", "pat get demo"),
)
_EXPECTED_TO_FAIL: Final = {"pat get demo": 3}


class Sandbox:
    """A folder with a home, a keyring and a state of its own, removed at the end.

    Args:
        exported: the variables that make `pat` use the emulator.
        environment: the user's own, of which only what is harmless is taken along.
        warn: told, at the end, of a folder that could not be removed.
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
        """Make the folder, and see to its removal if the program is told to end."""
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), _leave)
        self._folder = Path(tempfile.mkdtemp(prefix="pat-sandbox-"))
        try:
            self._home.mkdir()
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
        """Remove the folder, whatever signal comes meanwhile and whoever still writes there."""
        del kind, error, traceback
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_IGN)
        for _ in range(_TRIES):
            shutil.rmtree(self._folder, ignore_errors=True)
            time.sleep(_PAUSE)  # a program of the same terminal may just be writing its last
            if not self._folder.exists():
                return
        self._warn(f"something still writes to {self._folder}: end it, and remove the folder")

    @property
    def _home(self) -> Path:
        return self._folder / "home"

    @property
    def shell(self) -> tuple[str, ...]:
        """The user's shell."""
        return (self._own.get("SHELL") or self._own.get("COMSPEC") or "/bin/sh",)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of what runs inside."""
        kept = {
            name: value
            for name, value in self._own.items()
            if not name.upper().startswith(_NOT_TAKEN_ALONG)
        }
        if "GITHUB_ENV" in kept:  # `--as github-actions` writes there, for the steps that follow
            kept["GITHUB_ENV"] = str(self._folder / "github-env")
        programs = str(Path(sys.executable).parent)
        return {
            **kept,
            **self._exported,
            "HOME": str(self._home),
            "USERPROFILE": str(self._home),
            "PATH": os.pathsep.join([programs, self._own.get("PATH", "")]),
            "PAT_CONFIG_DIR": str(self._folder / "config"),
            "PAT_STATE_DIR": str(self._folder / "state"),
            "PAT_KEYRING": _KEYRING,
            "PYTHON_KEYRING_BACKEND": _KEYRING,
            "PAT_THROWAWAY_KEYRING": str(self._folder / "keyring.json"),
            "PAT_SANDBOX": str(self._folder),
        }

    def run(self, words: Sequence[str]) -> int:
        """Run a command inside to its end and return its exit status.

        Ctrl-C is the command's to handle, as it would be without the sandbox.

        Raises:
            NotFoundError: there is no such program.
            UsageError: it cannot be run.
        """
        environment = self.environment
        program = shutil.which(words[0], path=environment["PATH"])
        if program is None:
            raise NotFoundError(f"there is no program {words[0]!r}", hint="is it on the PATH?")
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        held = _Held()
        try:
            process = subprocess.Popen(  # noqa: S603  # running what the user asks for is the job
                [program, *words[1:]],
                env=environment,
                # An ignored signal would stay ignored in the child.
                preexec_fn=_mind_interrupts if os.name == "posix" else None,  # noqa: PLW1509  # one plain call, before any thread of the child's
            )
            try:
                held.let_go()
                code = process.wait()
            except BaseException:
                _end(process)
                raise
        except OSError as error:
            raise UsageError(f"{words[0]} cannot be run: {error.strerror}") from error
        finally:
            held.let_go()
            signal.signal(signal.SIGINT, before)
        return code if code >= 0 else 128 - code


class _Held:
    """Signals that end the program, kept back while a command is started.

    One that came in the middle of that would leave a command behind that nobody ends.
    """

    def __init__(self) -> None:
        self._came: list[int] = []
        self._before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._came.append(number)

    def let_go(self) -> None:
        """Do what was done with them before, also with one that came meanwhile.

        Raises:
            SystemExit: one came.
        """
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        if self._came:
            sys.exit(128 + self._came.pop())


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command politely, and by force where it does not mind."""
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def play_tour(sandbox: Sandbox, out: TextIO) -> int:
    """Play the main job: each step as one would type it, and what it really prints.

    Returns:
        0, or 1 where a step did not do what the tour says.
    """
    environment = {**sandbox.environment, "COLUMNS": sandbox.environment.get("COLUMNS", "80")}
    wrong = []
    for remark, line in TOUR:
        out.write(f"\n# {remark}\n$ {line}\n")
        out.flush()
        words = _expanded(line, environment)
        program = shutil.which(words[0], path=environment["PATH"])
        if program is None:
            raise NotFoundError(f"there is no program {words[0]!r}", hint="is pat installed whole?")
        done = subprocess.run(  # noqa: S603  # the tour's own lines
            [program, *words[1:]],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        out.write(done.stdout)
        if done.returncode != _EXPECTED_TO_FAIL.get(line, 0):
            wrong.append(line)
    out.write(
        "\n# That was the main job. All of it is removed now. With an account of your own:\n"
        "#   pat login\n#   pat create laptop --for git --org YOUR-ORGANIZATION\n"
    )
    out.flush()
    if wrong:
        out.write(f"\n# These steps went wrong: {'; '.join(wrong)}\n")
    return 1 if wrong else 0


def _expanded(line: str, environment: Mapping[str, str]) -> list[str]:
    words = shlex.split(line)
    for name in ("PAT_API_URL", "PAT_ORG"):
        words = [word.replace(f"${name}", environment[name]) for word in words]
    return words


def _mind_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
