"""The programs beside `pat`: those that tools start, and those that start tools."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import NotFoundError
from azdo_pat.homes import home_folder
from azdo_pat.redaction import without_access_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azdo_pat.cli.app import App
    from azdo_pat.results import SetupResult
    from azdo_pat.tools.tool import Guidance, Tool

_BACKEND: Final = "azdo_pat.keyring_backend"
_UNKNOWN_OPTION: Final = 2
"""The exit code of argparse."""


def programs() -> Path:
    """Return the folder with the programs of `pat`, as the user has them.

    Raises:
        NotFoundError: they are nowhere; then git could not start them either.
    """
    # First where `pat` was started: what pipx and others put there stays when they upgrade it.
    for folder in (Path(sys.argv[0]).absolute().parent, Path(sys.executable).parent):
        if shutil.which("git-credential-pat", path=str(folder)):
            return folder
    raise NotFoundError(
        "git-credential-pat, which was installed with pat, is not beside it",
        hint="install pat again, with pipx, uv or pip",
    )


def own_home() -> Path:
    """Return the home of the user's account, whatever HOME says."""
    if sys.platform == "win32":  # where HOME is not asked
        return home_folder()
    import os
    import pwd

    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:  # a user id alone, as in a container
        return home_folder()


def advised(app: App, advice: Guidance) -> SetupResult:
    """Say what to do for a program whose files stay as they are.

    Raises:
        NotFoundError: it is not here, or `pat` is not installed beside it.
    """
    from azdo_pat.results import SetupOutcome, SetupResult

    if advice.needs_backend:
        program = shutil.which(advice.name, path=app.environment.get("PATH"))
        if program is None:
            raise NotFoundError(
                f"{advice.name} is not on the PATH", hint=f"pipx install {advice.name}"
            )
        if not _knows_pat(Path(program), app.environment):
            raise NotFoundError(
                f"{advice.name} asks keyring in its own environment, where pat is not ({program})",
                hint=f"pipx inject {advice.name} azdo-pat; or pip install it there",
            )
    app.messages.notice(advice.text)
    return SetupResult(tool=advice.name, file="", outcome=SetupOutcome.UNCHANGED)


def _knows_pat(program: Path, environment: Mapping[str, str]) -> bool:
    """Tell whether the Python that runs a script has `pat` installed."""
    with suppress(OSError, subprocess.SubprocessError, UnicodeDecodeError):
        first = program.read_bytes().partition(b"\n")[0].decode()
        python = first.removeprefix("#!").strip() if first.startswith("#!") else ""
        # pip writes a longer one where the path is too long for the system.
        if python and " " not in python:
            ran = subprocess.run(  # noqa: S603  # the Python of the user's own tool
                [python, "-c", f"import {_BACKEND}"],
                cwd=Path(python).parent,  # where it stands it looks for modules, too
                env=without_access_token(environment),
                capture_output=True,
                timeout=30,
                check=False,
            )
            return ran.returncode == 0
    return False


def warn_of_variables(app: App, tool: Tool, feed: str) -> None:
    """Say it where the environment has a variable that counts more than the tool's file."""
    for name, same in tool.outranked_by(feed).items():
        if app.environment.get(name) and app.environment[name] != same:
            app.messages.warn(
                f"{name} is set, and {tool.name} goes by that and not by what was set up: unset it,"
                " where the tool runs too"
            )


def check_asked(app: App, tool: Tool) -> None:
    """Hold that the program that the tool asks knows `pat`; say so where it is too old.

    Raises:
        NotFoundError: it does not, or is not there.
    """
    alone = app.environment.get("PYTHON_KEYRING_BACKEND", "")
    if alone and not alone.startswith((_BACKEND, "keyring.backends.chainer.")):
        raise NotFoundError(
            f"PYTHON_KEYRING_BACKEND is set to {alone}, and keyring asks that one alone",
            hint="unset it, where the tool runs too",
        )
    program = shutil.which(tool.asks, path=app.environment.get("PATH"))
    if program is not None and not Path(program).is_absolute():
        program = None  # the folder that one stands in is no place to run programs from
    said, old = "", False
    if program is not None:
        said = _asked(app, program, "--list-backends")[1]
        probe = (tool.asks_with, "--list-backends")
        old = bool(tool.asks_with) and _asked(app, program, *probe)[0] == _UNKNOWN_OPTION
    age = f"{tool.name} 26.3 and later refuse it, as it is older than {tool.asks} 25.2.1"
    if _BACKEND not in said:
        problem = "is not on the PATH" if program is None else f"({program}) does not know pat"
        problem += f"; {age}" if old else ""
        raise NotFoundError(
            f"{tool.name} asks the program {tool.asks}, and that {problem}",
            hint="pipx install keyring && pipx inject keyring azdo-pat",
        )
    if old:
        app.messages.warn(f"{program}: {age}: upgrade it, as by: pipx upgrade {tool.asks}")


def _asked(app: App, program: str, *args: str) -> tuple[int, str]:
    """Run the program that a tool asks; return its exit code and what it wrote."""
    with suppress(OSError, subprocess.SubprocessError):
        ran = subprocess.run(  # noqa: S603  # the program that the tool will run
            [program, *args],
            cwd=Path(program).parent,
            env=without_access_token(app.environment),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return ran.returncode, ran.stdout
    return -1, ""
