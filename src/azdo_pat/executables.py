"""Finds programs on the PATH, never in the current folder, and runs batch files safely."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_BATCH: Final = (".bat", ".cmd")
_NOT_IN_BATCH: Final = '"%\r\n\0'
"""Characters that no quotes hide from cmd.exe."""


def find_program(name: str, environment: Mapping[str, str]) -> str | None:
    """Return the path of a program, or None.

    Relative folders of the PATH are left out, and so is the current folder, where Windows looks
    first: it may be somebody else's project.

    Args:
        name: a name to look for, or a path.
        environment: holds the PATH, and PATHEXT on Windows.
    """
    endings = [""]
    if sys.platform == "win32":
        known = [each for each in environment.get("PATHEXT", ".EXE;.CMD;.BAT").split(";") if each]
        if not name.lower().endswith(tuple(each.lower() for each in known)):
            endings = known
    if os.path.dirname(name):  # noqa: PTH120  # `./x` and `x` differ in nothing else
        folders = [""]
    else:
        folders = [
            each
            for each in environment.get("PATH", "").split(os.pathsep)
            if Path(each).is_absolute()
        ]
    for folder in folders:
        for ending in endings:
            file = os.path.join(folder, name + ending)  # noqa: PTH118  # keeps `./`
            if Path(file).is_file() and os.access(file, os.X_OK):
                return file
    return None


def command_line(words: Sequence[str]) -> str | Sequence[str]:
    """Return a command as `subprocess` takes it.

    Windows runs a batch file with cmd.exe, which reads some characters of arguments as its own:
    the argument `b&c` would run `c`.

    Raises:
        ValueError: it is a batch file, and an argument has a character that cannot be quoted.
    """
    if sys.platform == "win32" and words[0].lower().endswith(_BATCH):
        return _batch_line(words)
    return words


def _batch_line(words: Sequence[str]) -> str:
    for character in _NOT_IN_BATCH:
        if any(character in word for word in words):
            raise ValueError(f"a batch file cannot be given an argument with {character!r}")
    quoted = " ".join(map(_quoted, words))
    return f'"{os.environ.get("COMSPEC", "cmd.exe")}" /e:ON /v:OFF /d /c "{quoted}"'


def _quoted(word: str) -> str:
    """Quote a word if cmd.exe, or the program behind it, reads it otherwise than it stands."""
    if re.fullmatch(r"[\w#$*+\-./:?@\\]+", word):
        return word
    escaping = word[len(word.rstrip("\\")) :]  # backslashes before the quote escape it
    return f'"{word}{escaping}"'


def kill_with_children(process: subprocess.Popen[bytes]) -> None:
    """Kill a process; on Windows those that it has started, too, as cmd.exe leaves them behind."""
    if sys.platform == "win32":
        killer = Path(os.environ["SYSTEMROOT"], "System32", "taskkill.exe")
        subprocess.run(  # noqa: S603 - of the system
            [killer, "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False
        )
    process.kill()


def captured(
    words: Sequence[str], environment: Mapping[str, str], *, folder: Path | None, seconds: float
) -> subprocess.CompletedProcess[bytes]:
    """Run a program without input; return its status and output.

    Unlike `subprocess.run` it does not wait, on Windows, for what the program has started.

    Raises:
        OSError: it cannot be started.
        ValueError: see `command_line`.
        subprocess.TimeoutExpired: it did not end in time, and was killed.
    """
    process = subprocess.Popen(  # noqa: S603 - what the caller has found on the user's PATH
        command_line(words),
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        stdout, stderr = process.communicate(timeout=seconds)
    except BaseException:
        kill_with_children(process)
        process.wait()
        if sys.platform != "win32":  # where threads read them to their ends
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        raise
    return subprocess.CompletedProcess(words, process.returncode, stdout, stderr)
