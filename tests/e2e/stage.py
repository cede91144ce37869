"""What the end-to-end tests do besides running `pat`: look into the keyring, use a secret, wait."""

import base64
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, TypeVar
from urllib.parse import urlsplit

from drivers import PROGRAM, TIME_LIMIT, Emulator, Environment, Installed, Result, told

Found = TypeVar("Found")

CRON = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LOGNAME": "ada"}
"""What cron gives to what it runs (crontab(5)), beside HOME."""


def until(condition: Callable[[], Found], what: str, limit: float = 20.0) -> Found:
    """Wait until a condition gives something true, and return that."""
    deadline = time.monotonic() + limit
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {limit:g} s: {what}"
        time.sleep(0.02)
    return found


def start(
    pat: Installed, *args: str, env: Environment | None = None, stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[str]:
    """Start the installed `pat`; `finish` waits for its end."""
    return subprocess.Popen(
        [PROGRAM, *args],
        env=pat.environment(env),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def read_line(stream: IO[str] | None) -> str:
    """Read one line of a process, and not more: `finish` would not see what lies in a buffer."""
    assert stream is not None
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(stream.fileno(), 1)):
        line += byte
    return line.decode()


def finish(process: subprocess.Popen[str]) -> Result:
    """Wait for the end of a process and return what it left behind."""
    try:
        stdout, stderr = process.communicate(timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return told(Result(exit_code=process.returncode, stdout=stdout, stderr=stderr))


def shell(pat: Installed, line: str, *args: str, env: Environment | None = None) -> Result:
    """Run a line of bash that finds `pat` on its PATH; its `$1` and on are `args`."""
    environment = pat.environment(env)
    environment["PATH"] = f"{PROGRAM.parent}{os.pathsep}{environment['PATH']}"
    return told(captured(["bash", "-c", line, "bash", *args], environment))


def captured(
    words: Sequence[str | Path], environment: Mapping[str, str], *, cwd: Path | None = None
) -> Result:
    """Run another program to its end, with no terminal; return what it left behind."""
    ran = subprocess.run(
        words,
        env=environment,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT,
        check=False,
    )
    return Result(exit_code=ran.returncode, stdout=ran.stdout, stderr=ran.stderr)


def run(command: Sequence[str | Path], env: Mapping[str, str], cwd: Path, *, code: int = 0) -> str:
    """Run it; it must end with this code; return what it said."""
    ran = captured(command, env, cwd=cwd)
    assert ran.exit_code == code, ran.stderr
    return ran.stdout + ran.stderr


def in_keyring(
    environment: Mapping[str, str], emulator: Emulator, name: str, *, org: str = "contoso"
) -> str | None:
    """Return the secret that the Secret Service holds under a name, as another program reads it."""
    attributes = ["service", f"azdo-pat:{emulator.url}/{org}", "username", name]
    found = subprocess.run(
        ["secret-tool", "lookup", *attributes],
        env=dict(environment),
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT,
        check=False,
    )
    assert found.stderr == ""
    return found.stdout if found.returncode == 0 else None


def accepts(emulator: Emulator, secret: str, *, org: str = "contoso") -> bool:
    """Tell whether the service takes this secret, as git would send it."""
    credentials = base64.b64encode(f":{secret}".encode()).decode()
    connection = HTTPConnection(urlsplit(emulator.url).netloc, timeout=TIME_LIMIT)
    try:
        connection.request(
            "GET",
            f"/{org}/_apis/connectionData",
            headers={"Authorization": f"Basic {credentials}", "X-TFS-FedAuthRedirect": "Suppress"},
        )
        status = connection.getresponse().status
    finally:
        connection.close()
    assert status in {200, 401}
    return status == 200


def active(emulator: Emulator, name: str) -> list[str]:
    """Return the ids of the active tokens of that name."""
    return [
        token["authorizationId"]
        for token in emulator.tokens
        if token["displayName"] == name and token["status"] == "active"
    ]


def posts(emulator: Emulator) -> int:
    """Count the requests so far that would make a token."""
    return sum(
        each["method"] == "POST" and each["path"].endswith("/tokens/pats")
        for each in emulator.requests
    )


def create(pat: Installed, name: str, expires: str = "12h") -> None:
    words = ("create", name, "--scope", "code", "--expires", expires, "-q", "-o", "none")
    assert pat(*words).exit_code == 0
