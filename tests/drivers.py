"""Ways to run `pat` as a user would, and to set the stage for it."""

import ctypes
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

import click
import pexpect
import pytest
from click.testing import CliRunner

from azdo_pat.emulator.run import RunningEmulator

PROGRAM = Path(sysconfig.get_path("scripts"), "pat.exe" if sys.platform == "win32" else "pat")
TIME_LIMIT = 300.0 if sys.platform == "win32" else 60.0
"""Seconds for one program; Wine takes some to start one."""

RECORDER = """\
import atexit, json, os, pathlib, sys
atexit.register(
    lambda: pathlib.Path(os.environ["MODULES_FILE"]).write_text(json.dumps(list(sys.modules)))
)
"""

Environment = Mapping[str, str | None]


def in_wine() -> bool:
    """Tell whether this Windows is Wine."""
    return sys.platform == "win32" and hasattr(ctypes.windll.ntdll, "wine_get_version")


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run of `pat` left behind."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:  # noqa: ANN401  # a document of any shape
        """Standard output, as the one JSON document that it is."""
        return json.loads(self.stdout)


def told(result: Result) -> Result:
    """Pass on what a run left behind, unless it is a fault of the program: no test wants one."""
    crashed = result.exit_code == 1 and "Traceback (most recent call last)" in result.stderr
    assert not crashed, result.stderr
    assert "internal error" not in result.stderr, result.stderr
    return result


class Pat(Protocol):
    """A driver: `pat("list", "-o", "json")`."""

    def __call__(self, *args: str, stdin: str = "", env: Environment | None = None) -> Result:
        """Run `pat` to its end.

        Args:
            args: its arguments.
            stdin: what standard input holds; it is never a terminal.
            env: variables on top of the driver's own; None takes one away.
        """


class InProcess:
    """The root command, called in this process: quick."""

    def __init__(self, root: click.Command, env: Environment) -> None:
        self.root = root
        self.env = env

    def __call__(self, *args: str, stdin: str = "", env: Environment | None = None) -> Result:
        """Run it to its end; see `Pat`.

        A run that was interrupted ignores Ctrl-C until its process ends, which here it does not.
        """
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.default_int_handler)
        ran = CliRunner().invoke(self.root, args, input=stdin, env={**self.env, **(env or {})})
        return told(Result(exit_code=ran.exit_code, stdout=ran.stdout, stderr=ran.stderr))


class Installed:
    """The installed program in a process of its own, with nothing of it replaced."""

    def __init__(self, env: Environment, program: Path = PROGRAM) -> None:
        self.env = env
        self.program = program

    def environment(self, env: Environment | None = None) -> dict[str, str]:
        """Return the whole environment of a run: this process' own, and the changes to it."""
        merged = {**os.environ, **self.env, **(env or {})}
        return {name: value for name, value in merged.items() if value is not None}

    def __call__(self, *args: str, stdin: str = "", env: Environment | None = None) -> Result:
        """Run it to its end; see `Pat`."""
        ran = subprocess.run(
            [self.program, *args],
            input=stdin.encode(),  # as it is: a text would get line ends of Windows there
            env=self.environment(env),
            capture_output=True,
            timeout=TIME_LIMIT,
            check=False,
        )
        stdout, stderr = (
            each.decode().replace("\r\n", "\n").replace("\r", "\n")
            for each in (ran.stdout, ran.stderr)
        )
        return told(Result(exit_code=ran.returncode, stdout=stdout, stderr=stderr))

    def modules(self, *args: str, folder: Path, stdin: str = "") -> set[str]:
        """Run it to its end, which must be a good one; return which modules it imported.

        Args:
            args: its arguments.
            folder: where the recorder and its record may lie.
            stdin: what standard input holds.
        """
        recorder = folder / "recorder"
        recorder.mkdir(exist_ok=True)
        (recorder / "sitecustomize.py").write_text(RECORDER, "utf-8")
        record = folder / "modules.json"
        env = {
            "PYTHONPATH": str(recorder),
            "PYTHONDONTWRITEBYTECODE": "1",  # the folder stays as it is from run to run
            "MODULES_FILE": str(record),
        }
        assert self(*args, stdin=stdin, env=env).exit_code == 0
        return set(json.loads(record.read_text("utf-8")))

    def on_terminal(self, *args: str, env: Environment | None = None) -> "pexpect.spawn[str]":
        """Start it on a terminal of 24 lines by 80 columns, to expect from and to type to."""
        if sys.platform == "win32":
            pytest.skip("POSIX: a terminal")
        else:
            terminal = {"TERM": "xterm-256color", **(env or {})}
            return pexpect.spawn(
                str(self.program),
                list(args),
                env=self.environment(terminal),
                encoding="utf-8",
                dimensions=(24, 80),
                timeout=TIME_LIMIT,
            )


class Emulator:
    """A running emulator and what its control endpoint can do to it."""

    def __init__(self, running: RunningEmulator) -> None:
        self.url = running.url
        self.access_token = running.access_token
        self.organization = running.organization
        self.authority = running.authority
        self.vaults = running.vaults
        self.authority_file = running.authority_file

    @property
    def environment(self) -> dict[str, str]:
        """What `pat` needs to find it; without an access token where there is an Entra for one."""
        found = {"PAT_API_URL": self.url, "PAT_ORG": self.organization}
        if self.vaults is not None:
            found["PAT_KEYVAULT_URL"] = self.vaults
        if self.authority is None:
            trusted = {"PAT_CA_BUNDLE": str(self.authority_file)} if self.authority_file else {}
            return {**found, **trusted, "PAT_ACCESS_TOKEN": self.access_token}
        return {
            **found,
            "PAT_AUTHORITY": self.authority,
            "PAT_CA_BUNDLE": str(self.authority_file),
        }

    def fail(self, *faults: str) -> None:
        """Arm faults: `POST */tokens/pats status=503 times=1`."""
        self._control("POST", "faults", {"faults": faults})

    def heal(self) -> None:
        """Take all faults down."""
        self._control("DELETE", "faults")

    def set_vault(self, vault: str, **terms: object) -> None:
        """Make a vault, or change its `tenant`, `access`, `rights`, `resource` or `firewall`."""
        self._control("PUT", "vaults", {"vault": vault, **terms})

    def set_secret(self, vault: str, secret: str, value: str, **draft: object) -> None:
        """Set a secret of a vault, past all rules; with `meanwhile`, around the next request."""
        order = {"vault": vault, "secret": secret, "value": value, **draft}
        self._control("POST", "vault-secrets", order)

    def delete_secret(self, vault: str, secret: str, **order: str) -> None:
        """Delete a secret of a vault; with `meanwhile`, around the next request that sets it."""
        self._control("DELETE", "vault-secrets", {"vault": vault, "secret": secret, **order})

    def vault_secrets(self, vault: str) -> dict[str, list[dict[str, Any]]]:
        """The secrets of a vault by name, each with its versions, oldest first."""
        vaults = self._control("GET", "vaults")["vaults"]
        found: dict[str, list[dict[str, Any]]]
        (found,) = (each["secrets"] for each in vaults if each["vault"] == vault)
        return found

    def set_policies(self, *policies: str) -> None:
        """Switch on these policies, `maximum-lifespan=7`, and no others."""
        self._control("PUT", "policies", policies)

    def spoil(self, token: str = "", **order: object) -> None:
        """Spoil each answer about a token, by name or id, or add `rows` to the list."""
        self._control("POST", "spoilers", {**order, **({"token": token} if token else {})})

    def unspoil(self) -> None:
        """Let every answer be right again."""
        self._control("DELETE", "spoilers")

    def add_tokens(self, count: int = 1, **fields: str | bool) -> list[str]:
        """Add tokens of one kind (`name`, `scope`, `organization`…); return their ids."""
        ids: list[str] = self._control("POST", "tokens", {"count": count, **fields})["ids"]
        return ids

    def invent_users(self, count: int, tokens: int = 5) -> None:
        """Add this many users to contoso, each with up to that many tokens."""
        self._control("PUT", "users", {"count": count, "tokens": tokens})

    def add_with_secret(self, name: str, **fields: str | bool) -> str:
        """Add a token; return its secret."""
        order = {"name": name, "withSecrets": True, **fields}
        secret: str = self._control("POST", "tokens", order)["secrets"][0]
        return secret

    def remove_tokens(self) -> None:
        """Remove every token, those it starts with too."""
        self._control("DELETE", "tokens")

    def add_variable_group(self, name: str, **fields: object) -> int:
        """Add a variable group (`variables`, `project`, `roles`…); return its id."""
        number: int = self._control("POST", "variable-groups", {"name": name, **fields})["id"]
        return number

    def change_variable_group(self, name: str, **fields: object) -> None:
        """Change a group as someone else does; `when="before-write"`: right before its next one."""
        self._control("PUT", "variable-groups", {"name": name, **fields})

    def variables(self, group: str) -> dict[str, str | None]:
        """Return the values of a group as they are kept, secrets too."""
        found = self.variable_group(group)["variables"]
        return {name: found[name]["value"] for name in found}

    def variable_group(self, name: str) -> dict[str, Any]:
        """Return a group as it is kept, with its secrets."""
        found: dict[str, Any]
        every = self._control("GET", "variable-groups")["variableGroups"]
        (found,) = [each for each in every if each["name"] == name]
        return found

    def add_service_connection(self, name: str, **fields: object) -> str:
        """Add a connection (`type`, `scheme`, `parameters`, `project`…); return its id."""
        key: str = self._control("POST", "service-connections", {"name": name, **fields})["id"]
        return key

    def change_service_connection(self, name: str, **fields: object) -> None:
        """Change a connection as someone else does, as `change_variable_group`."""
        self._control("PUT", "service-connections", {"name": name, **fields})

    def parameters(self, connection: str) -> dict[str, str | None]:
        """Return the parameters of a connection as they are kept, confidential ones too."""
        return dict(self.service_connection(connection)["parameters"])

    def service_connection(self, name: str) -> dict[str, Any]:
        """Return a connection as it is kept, with its secrets."""
        found: dict[str, Any]
        every = self._control("GET", "service-connections")["serviceConnections"]
        (found,) = [each for each in every if each["name"] == name]
        return found

    def set_readiness(self, delay: float = 0, failure: str | None = None) -> None:
        """Let connections that are written from now on be ready, or fail, after some seconds."""
        self._control("PUT", "readiness", {"delaySeconds": delay, "failure": failure})

    @property
    def tokens(self) -> list[dict[str, Any]]:
        """All tokens as it holds them, of every user."""
        tokens: list[dict[str, Any]] = self._control("GET", "state")["tokens"]
        return tokens

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Each request that it was sent, in order, without secrets."""
        requests: list[dict[str, Any]] = self._control("GET", "requests")["requests"]
        return requests

    @property
    def clock(self) -> str:
        """Its time."""
        now: str = self._control("GET", "clock")["now"]
        return now

    def advance(self, seconds: float) -> None:
        """Set its clock forward."""
        self._control("POST", "clock", {"advanceSeconds": seconds})

    def long_access_token(self) -> str:
        """Return an access token for the years to come."""
        fields = {"lifetimeSeconds": 10 * 365 * 24 * 3600}
        token: str = self._control("POST", "access-tokens", fields)["accessToken"]
        return token

    def reject_access_tokens(self) -> None:
        """Reject every access token issued so far, with a claims challenge."""
        self._control("DELETE", "access-tokens")

    def revoke_refresh_tokens(self) -> int:
        """Revoke every refresh token that its Entra gave; return how many there were."""
        removed: int = self._control("DELETE", "refresh-tokens")["removed"]
        return removed

    def enter_code(self, code: str, user: str) -> None:
        """Enter a device code as a user would; an empty user declines."""
        assert self.authority is not None
        context = ssl.create_default_context(cafile=str(self.authority_file))
        fields = urlencode({"user_code": code, "user": user}).encode()
        with urlopen(  # noqa: S310  # https to the emulator
            f"{self.authority}/devicelogin", fields, timeout=TIME_LIMIT, context=context
        ) as answer:
            assert "You can close this window" in answer.read().decode()

    def mint(self, kind: str, **fields: str | float) -> str:
        """Make an access token: `user`, `app`, `expired` or `wrong-audience`."""
        token: str = self._control("POST", "access-tokens", {"kind": kind, **fields})["accessToken"]
        return token

    def _control(self, method: str, what: str, body: object = None) -> Any:  # noqa: ANN401  # JSON
        parts = urlsplit(self.url)
        connection = HTTPConnection(parts.netloc, timeout=TIME_LIMIT)
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=str(self.authority_file))
            connection = HTTPSConnection(parts.netloc, timeout=TIME_LIMIT, context=context)
        try:
            connection.request(
                method, f"/_emulator/{what}", json.dumps({} if body is None else body)
            )
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        assert answer.status == 200, text
        return json.loads(text)


class AzureCli:
    """A stand-in for `az` that knows one thing: `az account get-access-token`."""

    def __init__(self, folder: Path) -> None:
        self._answer = folder / "answer.json"
        self._calls = folder / "calls"
        put_program(folder / "az", AZ.format(folder=str(folder)))

    def sign_in(self, *access_tokens: str) -> None:
        """Answer with these, one after the other, and the last one from then on."""
        answers = [
            json.dumps(
                {
                    "accessToken": each,
                    "expiresOn": "2126-11-23 12:00:00.000000",
                    "expires_on": 4951022400,
                    "subscription": "5f1e2d3c-0000-4000-8000-000000000001",
                    "tenant": "5f1e2d3c-0000-4000-8000-000000000002",
                    "tokenType": "Bearer",
                }  # the shape of azure-cli 2.91
            )
            for each in access_tokens
        ]
        self._answer.write_text("\n".join(answers), "utf-8")

    @property
    def calls(self) -> list[str]:
        """The arguments of each call, joined by spaces."""
        return self._calls.read_text("utf-8").splitlines() if self._calls.exists() else []


AZ = """
import pathlib, sys
folder = pathlib.Path({folder!r})
with (folder / "calls").open("a") as calls:
    print(*sys.argv[1:], file=calls)
if sys.argv[1:3] != ["account", "get-access-token"]:
    print("ERROR: it is misspelled or not recognized by the system.", file=sys.stderr)
    sys.exit(2)
if not (folder / "answer.json").exists():
    sys.exit("ERROR: Please run 'az login' to setup account.")
answer, *others = (folder / "answer.json").read_text().splitlines()
if others:
    (folder / "answer.json").write_text("\\n".join(others))
print(answer)
"""


def put_program(file: Path, source: str) -> Path:
    """Write a program in Python that is started by its name; return its own path.

    On Windows it is a batch file, as `az` and `npm` are there.
    """
    if sys.platform == "win32":
        script = file.with_name(f"{file.name}.py")
        script.write_text(source, "utf-8")
        file = file.with_name(f"{file.name}.cmd")
        file.write_text(f'@"{sys.executable}" "{script}" %*\n', "utf-8")
    else:
        file.write_text(f"#!{sys.executable}\n{source}", "utf-8")
        file.chmod(0o755)
    return file


FAILING: Final = f"command:{sys.executable} -c exit(1)"
"""A delivery target whose program is there, and fails."""


def put_writer(folder: Path, place: Path) -> str:
    """Write a program that puts `PAT=SECRET` into a file, and fails while its folder is missing.

    Returns:
        The delivery target that runs it.
    """
    source = f"import sys\nopen({str(place)!r}, 'w').write(f'PAT={{sys.stdin.read()}}\\n')\n"
    return f"command:{put_program(folder / 'put', source)}"


def need_git() -> None:
    """Skip a test on Windows for want of git, which Wine cannot be given."""
    if sys.platform == "win32" and shutil.which("git") is None:
        pytest.skip("git is not installed")


def posix_only(about: str) -> None:
    """Skip a module on Windows, as the mark `posix` does a test.

    Args:
        about: what the module needs that Windows does not have.
    """
    if sys.platform == "win32":
        pytest.skip(f"POSIX: {about}", allow_module_level=True)


def make_fifo(path: Path) -> None:
    """Make a FIFO; skip the test on Windows, which has none."""
    if sys.platform == "win32":
        pytest.skip("POSIX: FIFOs")
    else:
        os.mkfifo(path)


def full_device() -> Path:
    """Return a device that never has room; skip the test where there is none."""
    device = Path("/dev/full")
    if not device.is_char_device():
        pytest.skip(f"there is no {device} here")
    return device


def need(config: pytest.Config, missing: Sequence[str]) -> None:
    """Skip a test for want of programs; with `--require-components`, fail it."""
    if missing:
        reason = f"not installed: {', '.join(missing)}"
        if config.getoption("--require-components"):
            pytest.fail(reason)
        pytest.skip(reason)
