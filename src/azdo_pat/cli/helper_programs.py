"""Find and check the programs that work with `pat`: its credential helpers, and keyring."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import NotFoundError
from azdo_pat.redaction import without_access_token

if TYPE_CHECKING:
    from azdo_pat.cli.app import App
    from azdo_pat.results import SetupResult
    from azdo_pat.tools.tool import Guidance, Tool

_BACKEND: Final = "azdo_pat.keyring_backend"
_UNKNOWN_OPTION: Final = 2
"""The exit code of argparse."""


def programs_folder() -> Path:
    """Return the folder that holds the programs of `pat`.

    Raises:
        NotFoundError: they are not installed, so git could not start them either.
    """
    # First where `pat` was started: what pipx and others put there stays when they upgrade it.
    for folder in (Path(sys.argv[0]).absolute().parent, Path(sys.executable).parent):
        if shutil.which("git-credential-pat", path=str(folder)):
            return folder
    raise NotFoundError(
        "git-credential-pat, which was installed with pat, is missing from its folder",
        hint="reinstall pat with pipx, uv or pip",
    )


def show_guidance(app: App, advice: Guidance) -> SetupResult:
    """Print the guidance for a program whose files need no change.

    Raises:
        NotFoundError: it is not installed, or `pat` is not in its environment.
    """
    from azdo_pat.results import SetupOutcome, SetupResult

    if advice.needs_backend:
        program = shutil.which(advice.name, path=app.runtime.environment.get("PATH"))
        if program is None:
            raise NotFoundError(
                f"{advice.name} is not on the PATH", hint=f"run: pipx install {advice.name}"
            )
        if not _knows_pat(app, Path(program)):
            raise NotFoundError(
                f"{advice.name} asks keyring in its own environment, where pat is not installed"
                f" ({program})",
                hint=f"run: pipx inject {advice.name} azdo-pat; or install azdo-pat there with pip",
            )
    app.runtime.messages.notice(advice.text)
    return SetupResult(tool=advice.name, file="", outcome=SetupOutcome.UNCHANGED)


def _knows_pat(app: App, program: Path) -> bool:
    """Return whether the Python that runs a script has `pat` installed."""
    python = ""
    with suppress(OSError, UnicodeDecodeError):
        first = program.read_bytes().partition(b"\n")[0].decode()
        python = first.removeprefix("#!").strip() if first.startswith("#!") else ""
    # pip writes a longer one where the path is too long for the system.
    if not python or " " in python:
        return False
    return _run(app, python, "-c", f"import {_BACKEND}")[0] == 0


def warn_of_variables(app: App, tool: Tool, feed: str) -> None:
    """Warn about environment variables that override the tool's file."""
    for name, same in tool.outranked_by(feed).items():
        if app.runtime.environment.get(name) and app.runtime.environment[name] != same:
            app.runtime.messages.warn(
                f"{name} is set and overrides what was set up for {tool.name}: unset it, also where"
                " the tool runs"
            )


def check_keyring_program(app: App, tool: Tool) -> None:
    """Check that the program that the tool asks can use `pat`; warn if it is too old.

    Raises:
        NotFoundError: it cannot, or is not installed.
    """
    alone = app.runtime.environment.get("PYTHON_KEYRING_BACKEND", "")
    if alone and not alone.startswith((_BACKEND, "keyring.backends.chainer.")):
        raise NotFoundError(
            f"PYTHON_KEYRING_BACKEND is set to {alone}, and keyring asks only that backend",
            hint="unset it, also where the tool runs",
        )
    program = shutil.which(tool.asks, path=app.runtime.environment.get("PATH"))
    if program is not None and not Path(program).is_absolute():
        program = None  # the folder that one stands in is no place to run programs from
    said, old = "", False
    if program is not None:
        said = _run(app, program, "--list-backends")[1]
        probe = (tool.asks_with, "--list-backends")
        old = bool(tool.asks_with) and _run(app, program, *probe)[0] == _UNKNOWN_OPTION
    age = f"{tool.name} 26.3 and later reject it, because it is older than {tool.asks} 25.2.1"
    if _BACKEND not in said:
        problem = "is not on the PATH" if program is None else f"does not know pat ({program})"
        problem += f"; {age}" if old else ""
        raise NotFoundError(
            f"{tool.name} asks the program {tool.asks}, which {problem}",
            hint="run: pipx install keyring && pipx inject keyring azdo-pat",
        )
    if old:
        app.runtime.messages.warn(f"{program}: {age}; to upgrade it, run: pipx upgrade {tool.asks}")


def _run(app: App, program: str, *args: str) -> tuple[int, str]:
    """Run a program of the user; return its exit code and output, or -1 and nothing."""
    with suppress(OSError, subprocess.SubprocessError, UnicodeDecodeError):
        ran = subprocess.run(  # noqa: S603  # what the user's tool runs, too
            [program, *args],
            cwd=Path(program).parent,  # Python looks for modules where it stands
            env=without_access_token(app.runtime.environment),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return ran.returncode, ran.stdout
    return -1, ""
