"""Finds programs on the PATH, never in the current folder, and runs batch files safely."""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from azdo_pat.waiting import interruptible

_BATCH: Final = (".bat", ".cmd")
_ENDINGS: Final = ".COM;.EXE;.BAT;.CMD"
_PLAIN: Final = re.compile(r"[\w#$*+./:?@\\-]*[\w#$*+./:?@-]")
"""Arguments that cmd.exe and batch files leave as they are, without quotes."""
_VARIABLE: Final = re.compile("%(?=([^%:]+)[%:])")
_OWN_VARIABLES: Final = frozenset(
    {"CD", "CMDCMDLINE", "CMDEXTVERSION", "COMSPEC", "DATE", "ERRORLEVEL", "PATH", "PATHEXT"}
    | {"HIGHESTNUMANODENUMBER", "PROMPT", "RANDOM", "TIME", "__APPDIR__", "__CD__"}
)
"""Variables that cmd.exe defines itself. Its others have names that begin with `=`."""


def find_program(name: str, environment: Mapping[str, str]) -> str | None:
    """Return the path of a program, or None.

    Relative folders of the PATH are left out, and so is the current folder, where Windows looks
    first: a cloned repository could contain a program named like one of the user's.

    Args:
        name: a name to look for, or a path.
        environment: holds the PATH, and PATHEXT on Windows.
    """
    endings = [""]
    if sys.platform == "win32":
        known = [each for each in environment.get("PATHEXT", _ENDINGS).split(";") if each]
        if not name.lower().endswith(tuple(each.lower() for each in known)):
            endings = known
    for folder in _folders(name, environment):
        for ending in endings:
            file = os.path.join(folder, name + ending)  # noqa: PTH118  # keeps `./`
            if os.path.isfile(file) and os.access(file, os.X_OK):  # noqa: PTH113  # any string
                return file
    return None


def require_program(name: str, environment: Mapping[str, str]) -> str:
    """Return the path of a program; see `find_program`.

    Raises:
        FileNotFoundError: there is none.
        PermissionError: there is a file of that name, which is not a program.
    """
    if program := find_program(name, environment):
        return program
    folders = _folders(name, environment)
    found = name != "" and any(os.path.exists(os.path.join(each, name)) for each in folders)  # noqa: PTH110, PTH118  # as above
    code = errno.EACCES if found else errno.ENOENT
    raise OSError(code, os.strerror(code))


def _folders(name: str, environment: Mapping[str, str]) -> list[str]:
    """Return the folders in which a program may be; for a path, none but its own."""
    if os.path.dirname(name):  # noqa: PTH120  # `./x` and `x` differ in nothing else
        return [""]
    return _path(environment)


def _path(environment: Mapping[str, str]) -> list[str]:
    """Return the absolute folders of the PATH; of the system's own if the variable is not set."""
    path = environment.get("PATH", os.defpath)
    return [each for each in path.split(os.pathsep) if Path(each).is_absolute()]


@contextmanager
def searched_safely() -> Iterator[None]:
    """Keep libraries that start programs by their names out of the current folder, as well."""
    safe = {"PATH": os.pathsep.join(_path(os.environ)) or os.devnull}
    if sys.platform == "win32":
        safe["NODEFAULTCURRENTDIRECTORYINEXEPATH"] = "1"  # its presence is what counts
    before = {name: os.environ.get(name) for name in safe}
    os.environ.update(safe)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def command_line(words: Sequence[str], environment: Mapping[str, str]) -> str | Sequence[str]:
    """Return a command as `subprocess` takes it.

    Windows runs a batch file with cmd.exe, which reads some characters of arguments as its own:
    the argument `b&c` would run `c`.

    Args:
        words: the path of the program, as `find_program` returns it, and its arguments.
        environment: the program's.

    Raises:
        ValueError: the program is a name alone, which the system would look for in the current
            folder; or it is a batch file, and an argument cannot be quoted.
    """
    if not os.path.dirname(words[0]):  # noqa: PTH120  # as in `_folders`
        raise ValueError(f"{words[0]!r} is not a path")
    # The system ignores spaces and dots at the end of a file's name.
    if sys.platform == "win32" and words[0].lower().rstrip(" .").endswith(_BATCH):
        return batch_line(words, environment)
    return words


def batch_line(words: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return the line that runs a batch file in cmd.exe; see `command_line`.

    Quotes hide everything from cmd.exe but variables and line ends. It leaves `%` alone where
    there is no such variable, as in a part of a URL.
    """
    script, *arguments = words
    line = " ".join([f'"{script}"', *map(_batch_argument, arguments)])
    for word in words:
        if re.search("[\r\n\0]", word):
            raise _refused(word, "cmd.exe would cut it at the end of its first line")
    known = {*_OWN_VARIABLES, *map(str.upper, environment)}
    for name in _VARIABLE.findall(line):
        if name.upper() in known or name.startswith("="):
            word = next(each for each in words if "%" in each)
            word = next((each for each in words if f"%{name}" in each), word)
            raise _refused(word, f"cmd.exe would replace %{name}% in it")
    return f'"{_of_windows("cmd.exe")}" /d /e:ON /v:OFF /s /c "{line}"'


def _batch_argument(word: str) -> str:
    """Quote an argument for cmd.exe and the program that the batch file gives it to."""
    if _PLAIN.fullmatch(word):
        return word
    doubled = re.sub(r'(\\*)("|$)', lambda found: found[1] * 2 + found[2] * 2, word)
    return f'"{doubled}"'


def _of_windows(program: str) -> Path:
    """Return the path of a program of the system."""
    return Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", program)


def _refused(word: str, reason: str) -> ValueError:
    return ValueError(f"a batch file cannot be given the argument {word!r}: {reason}")


def kill_with_children(process: subprocess.Popen[bytes]) -> None:
    """Kill a process; on Windows those that it has started, too, as cmd.exe leaves them behind."""
    if sys.platform == "win32":
        killer = _of_windows("taskkill.exe")
        subprocess.run(  # noqa: S603 - of the system
            [killer, "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False
        )
    process.kill()


def captured(
    words: Sequence[str], environment: Mapping[str, str], *, folder: Path | None, seconds: float
) -> subprocess.CompletedProcess[bytes]:
    """Run a program without input; return its status and output.

    On Windows, `subprocess.run` also waits for programs that this one has started, even after a
    timeout. This does not.

    Raises:
        OSError: it cannot be started.
        ValueError: see `command_line`.
        subprocess.TimeoutExpired: it did not end in time, and was killed.
    """
    process = subprocess.Popen(  # noqa: S603 - what the caller has found on the user's PATH
        command_line(words, environment),
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        stdout, stderr = interruptible(lambda: process.communicate(timeout=seconds))
    except BaseException:
        kill_with_children(process)
        process.wait()
        if sys.platform != "win32":  # where threads read them to their ends
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        raise
    return subprocess.CompletedProcess(words, process.returncode, stdout, stderr)
