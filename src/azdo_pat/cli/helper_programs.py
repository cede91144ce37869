"""Find and check the programs that work with `pat`: its credential helpers, and keyring."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import NotFoundError
from azdo_pat.executables import captured, find_program
from azdo_pat.installation import bundle
from azdo_pat.redaction import without_credentials

if TYPE_CHECKING:
    from azdo_pat.cli.app import App
    from azdo_pat.results.tools import SetupResult
    from azdo_pat.services.tool_setup.wiring import SetupRequest
    from azdo_pat.tools.tool import Guidance, Tool

_BACKEND: Final = "azdo_pat.keyring_backend"
_UNKNOWN_OPTION: Final = 2
"""The exit code of argparse."""


def with_own_programs(request: SetupRequest) -> SetupRequest:
    """Return the request with what tools must run to ask `pat`.

    Raises:
        NotFoundError: the helpers are not there, so git could not start them either.
    """
    if words := bundle():
        return request._replace(bundle=words)
    return request._replace(programs=str(_programs_folder()))


def _programs_folder() -> Path:
    """Return the folder that `pat` and its credential helpers are installed in.

    Raises:
        NotFoundError: the helpers are not there, so git could not start them either.
    """
    # Prefer the folder `pat` was started from: pipx keeps its links there across upgrades.
    for folder in (Path(sys.argv[0]).absolute().parent, scripts_folder()):
        if find_program(str(folder / "git-credential-pat"), os.environ):
            return folder
    raise NotFoundError(
        "git-credential-pat, which was installed with pat, is missing from its folder",
        hint="reinstall pat with pipx, uv or pip",
    )


def scripts_folder() -> Path:
    """Return the folder with the programs of this Python's packages."""
    if sys.platform == "win32":
        import sysconfig  # slow to import, and the same folder elsewhere

        folder = Path(sysconfig.get_path("scripts"))
    else:
        folder = Path(sys.executable).parent
    return folder


def show_guidance(app: App, advice: Guidance) -> SetupResult:
    """Print the guidance for a program whose files need no change.

    Raises:
        NotFoundError: it is not installed, or `pat` is not in its environment.
    """
    from azdo_pat.results.tools import SetupOutcome, SetupResult

    if advice.needs_backend:
        program = find_program(advice.name, app.runtime.environment)
        if program is None:
            raise NotFoundError(
                f"{advice.name} is not on the PATH",
                hint=f"to install it with pat, run: {_with_pat(advice.name, None)}",
            )
        python = _python_of(Path(program))
        if python is None or _run(app, str(python), "-c", f"import {_BACKEND}")[0] != 0:
            raise NotFoundError(
                f"{advice.name} asks keyring in its own environment, where pat is not installed"
                f" ({program})",
                hint=f"to install pat there, run: {_with_pat(advice.name, python)}",
            )
    app.runtime.messages.notice(advice.text)
    return SetupResult(tool=advice.name, file="", outcome=SetupOutcome.UNCHANGED)


def _with_pat(program: str, python: Path | None) -> str:
    """Return the command that installs `pat` for a program to import, and what it leaves open.

    Args:
        program: its name.
        python: the Python that runs it, if it is there and that is known.
    """
    from azdo_pat.install_commands import adding, is_virtual, program_with, source

    known = source()
    package = known or "FOLDER"
    if python is not None and is_virtual(python):
        command = adding(package, to=python)
    else:  # Python's own folder, which pip may not change, has a program of the system
        command = program_with(program, package)
    return command if known else f"{command}; FOLDER is a clone of pat's repository"


def _python_of(program: Path) -> Path | None:
    """Return the Python that runs a script; None if its file does not tell."""
    python = ""
    with suppress(OSError, UnicodeDecodeError):
        content = program.read_bytes()
        # On Windows, a launcher has the line between itself and the zip archive of the script.
        pattern = rb".*#!([^\r\n]+)\s+PK\x03\x04" if content[:2] == b"MZ" else rb"#!([^\n]*)"
        if found := re.match(pattern, content, re.DOTALL):
            python = found[1].decode().strip().strip('"')
    # If the path is too long for a `#!` line, pip writes a shell command, which has spaces.
    if not python or (" " in python and sys.platform != "win32"):
        return None
    return Path(python)


def warn_of_variables(app: App, tool: Tool, feed: str) -> None:
    """Warn about environment variables that override the tool's file."""
    for name, same in tool.outranked_by(feed).items():
        if app.runtime.environment.get(name) and app.runtime.environment[name] != same:
            app.runtime.messages.warn(
                f"{name} is set and overrides the setup of {tool.name}: unset {name} here, and"
                f" where {tool.name} runs"
            )


def check_keyring_program(app: App, tool: Tool) -> None:
    """Check that the keyring program that the tool runs can use `pat`; warn if it is too old.

    Raises:
        NotFoundError: the keyring program cannot use `pat`, or is not installed.
    """
    alone = app.runtime.environment.get("PYTHON_KEYRING_BACKEND", "")
    if alone and not alone.startswith((_BACKEND, "keyring.backends.chainer.")):
        raise NotFoundError(
            f"PYTHON_KEYRING_BACKEND is set to {alone}, and keyring asks only that backend",
            hint=f"unset PYTHON_KEYRING_BACKEND here, and where {tool.name} runs",
        )
    program = find_program(tool.asks, app.runtime.environment)
    said, old, python = "", False, None
    if program is not None:
        python = _python_of(Path(program))
        said = _run(app, program, "--list-backends")[1]
        probe = (tool.asks_with, "--list-backends")
        old = bool(tool.asks_with) and _run(app, program, *probe)[0] == _UNKNOWN_OPTION
    age = f"{tool.name} 26.3 and later need {tool.asks} 25.2.1 or later"
    if _BACKEND not in said:
        problem = "is not on the PATH" if program is None else f"does not know pat ({program})"
        problem += f"; {age}" if old else ""
        problem += "; this pat is a bundle, which keyring cannot import" if bundle() else ""
        raise NotFoundError(
            f"{tool.name} asks the program {tool.asks}, which {problem}",
            hint=f"to install it with pat, run: {_with_pat(tool.asks, python)}",
        )
    if old:
        app.runtime.messages.warn(
            f"{program} is too old: {age}; to upgrade it, run: pipx upgrade {tool.asks}"
        )


def _run(app: App, program: str, *args: str) -> tuple[int, str]:
    """Run a program of the user; return its exit code and output, or -1 and nothing."""
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        ran = captured(
            [program, *args],
            without_credentials(app.runtime.environment),
            folder=Path(program).parent,  # Python imports modules from its working folder
            seconds=30,
        )
        return ran.returncode, ran.stdout.decode("utf-8", "replace")
    return -1, ""
