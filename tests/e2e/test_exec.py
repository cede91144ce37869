"""`pat exec`: a secret in the environment of one process, and nowhere else."""

import base64
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from drivers import PROGRAM, Emulator, Installed, posix_only, put_program
from e2e.stage import finish, read_line, shell, start

posix_only("signals and terminals")
assert sys.platform != "win32"  # mypy reads no further

SHOW = "import json, os, sys; json.dump(dict(os.environ), sys.stdout)"


@pytest.fixture
def secret(pat: Installed) -> str:
    """Store a token named `ci`; return its secret."""
    assert pat("create", "ci", "--scope", "code").exit_code == 0
    return pat("get", "ci").stdout.strip()


def environment(pat: Installed, *args: str, command: str = sys.executable) -> dict[str, str]:
    """Return the environment that a command gets, as far as `pat` added to it."""
    result = pat("exec", *args, "--", command, "-c", SHOW)
    assert (result.exit_code, result.stderr) == (0, "")
    found: dict[str, str] = json.loads(result.stdout)
    before = pat.environment()
    return {name: text for name, text in found.items() if before.get(name) != text}


def test_the_command_has_it_and_nobody_else(pat: Installed, secret: str) -> None:
    assert environment(pat, "ci")["AZURE_DEVOPS_EXT_PAT"] == secret
    assert environment(pat, "ci", "--var", "A", "--var", "B") | {"LC_CTYPE": ""} == {
        "A": secret,
        "B": secret,
        "LC_CTYPE": "",  # Python's own
    }
    shown = pat("exec", "ci", "--", "ps", "-o", "args=", "-p", "1", "-p", str(2))
    assert secret not in shown.stdout
    words = pat("exec", "ci", "--", "cat", "/proc/self/cmdline")
    assert words.stdout == "cat\0/proc/self/cmdline\0"


def test_several_tokens(pat: Installed, secret: str) -> None:
    assert pat("create", "other", "--scope", "build").exit_code == 0
    other = pat("get", "other").stdout.strip()
    found = environment(pat, "ci", "--var", "MINE", "--var", "YOURS=other")
    assert (found["MINE"], found["YOURS"]) == (secret, other)
    found = environment(pat, "--var", "A=ci", "--var", "B=other")
    assert (found["A"], found["B"]) == (secret, other)
    assert "AZURE_DEVOPS_EXT_PAT" not in found


VARIABLES = (
    (("--for", "terraform"), {"AZDO_PERSONAL_ACCESS_TOKEN", "AZDO_ORG_SERVICE_URL"}),
    (("--for", "npm"), {"NPM_TOKEN", "NPM_TOKEN_BASE64"}),
    (("--for", "twine"), {"TWINE_USERNAME", "TWINE_PASSWORD"}),
    (
        ("--for", "agent"),
        {
            "VSTS_AGENT_INPUT_URL",
            "VSTS_AGENT_INPUT_AUTH",
            "VSTS_AGENT_INPUT_TOKEN",
            "AZP_URL",
            "AZP_TOKEN",
        },
    ),
    (
        ("--for", "git"),
        {f"GIT_CONFIG_{each}" for each in ("COUNT", "KEY_0", "VALUE_0", "KEY_1", "VALUE_1")},
    ),
)


def test_the_variables_of_a_program(pat: Installed, secret: str, emulator: Emulator) -> None:
    for args, names in VARIABLES:
        found = environment(pat, "ci", *args)
        assert set(found) - {"LC_CTYPE"} == names
        assert secret in found.values() or "git" in args
        urls = {text for name, text in found.items() if name.endswith("URL")}
        assert urls <= {f"{emulator.url}/contoso"}


def test_the_program_is_known_by_its_name(pat: Installed, secret: str, tmp_path: Path) -> None:
    for name in ("terraform", "tofu"):
        (tmp_path / name).symlink_to("/usr/bin/env")
        result = pat("exec", "ci", "--", str(tmp_path / name))
        assert f"AZDO_PERSONAL_ACCESS_TOKEN={secret}\n" in result.stdout
        assert "AZURE_DEVOPS_EXT_PAT" not in result.stdout


def test_nuget_wants_its_feeds(pat: Installed, secret: str, emulator: Emulator) -> None:
    refused = pat("exec", "ci", "--for", "nuget", "--", "env")
    assert refused.exit_code == 2
    assert "add --feed https://pkgs.dev.azure.com/" in refused.stderr
    base = f"{emulator.url}/contoso/_packaging"
    feeds = [f"{base}/{name}/nuget/v3/index.json" for name in ("a", "b")]
    for other in (
        "https://evil.example/v3/index.json",
        f"{base}/../../fabrikam/_packaging/a/nuget/v3/index.json",
        f"{emulator.url}/fabrikam/_packaging/a/nuget/v3/index.json",
        "https://[",
    ):
        refused = pat("exec", "ci", "--for", "nuget", "--feed", other, "--", "env")
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "is not a feed of contoso" in refused.stderr
    found = environment(pat, "ci", "--for", "nuget", "--feed", feeds[0], "--feed", feeds[1])
    assert json.loads(found["VSS_NUGET_EXTERNAL_FEED_ENDPOINTS"]) == {
        "endpointCredentials": [
            {"endpoint": feed, "username": "pat", "password": secret} for feed in feeds
        ]
    }


def test_status_and_signals_are_the_commands(pat: Installed, secret: str) -> None:
    assert secret
    assert pat("exec", "ci", "--", "sh", "-c", "exit 42").exit_code == 42
    running = start(
        pat,
        "exec",
        "ci",
        "--",
        "sh",
        "-c",
        "trap 'exit 7' TERM; echo r; while :; do sleep 0.1; done",
    )
    assert read_line(running.stdout) == "r\n"
    running.send_signal(signal.SIGTERM)
    assert finish(running).exit_code == 7
    piped = shell(pat, "pat exec ci -- yes | head -1; echo ${PIPESTATUS[0]}")
    assert piped.stdout.splitlines() == ["y", str(128 + signal.SIGPIPE)]


def test_options_of_the_command_are_the_commands(pat: Installed, secret: str) -> None:
    assert secret
    result = pat("exec", "ci", "--", "echo", "--help", "--", "-o", "json")
    assert result.stdout == "--help -- -o json\n"


REFUSED: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("ci",), 2, "no command given"),
    (("--", "env"), 2, "no token given"),
    (("nope", "--", "env"), 3, "no secret is stored under 'nope'"),
    (("ci", "--var", "A-B", "--", "env"), 2, "'A-B' is not a valid variable name"),
    (("ci", "--var", "A", "--for", "az", "--", "env"), 2, "--var and --for cannot be combined"),
    (("ci", "--for", "emacs", "--", "env"), 2, "which variables 'emacs' reads"),
    (("ci", "--", "no-such-program"), 127, "program 'no-such-program' not found"),
)


def test_what_is_refused(pat: Installed, secret: str) -> None:
    for args, code, message in REFUSED:
        result = pat("exec", *args)
        assert (result.exit_code, result.stdout) == (code, ""), args
        assert message in result.stderr
        assert secret not in result.stderr


@pytest.mark.parametrize("command", ["/etc/passwd", "/etc", "./plain", "plain"])
def test_what_is_there_and_no_program(
    command: str, pat: Installed, secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert secret
    (tmp_path / "plain").write_text("")
    monkeypatch.chdir(tmp_path)
    path = f"{tmp_path}:{pat.environment()['PATH']}"
    as_env = subprocess.run(["env", command], env={"PATH": path}, capture_output=True, check=False)
    result = pat("exec", "ci", "--", command, env={"PATH": path})
    assert result.exit_code == as_env.returncode == 126
    assert f"{command} cannot be run" in result.stderr


@pytest.mark.parametrize("path", ["", ".", "bin:"])
def test_nothing_of_the_current_folder_unless_it_is_said(
    path: str, pat: Installed, secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert secret
    put_program(tmp_path / "tool", "print('ran')")
    monkeypatch.chdir(tmp_path)
    refused = pat("exec", "ci", "--", "tool", env={"PATH": path})
    assert (refused.exit_code, refused.stdout) == (127, "")
    assert "to run the one in the current folder, write ./tool" in refused.stderr
    assert pat("exec", "ci", "--", "./tool", env={"PATH": path}).stdout == "ran\n"


def test_a_secret_in_a_variable_of_the_shells(pat: Installed, secret: str) -> None:
    assert secret
    assert pat("exec", "--var", "PATH=ci", "--", "true").exit_code == 0


def test_what_cannot_be_run(pat: Installed, secret: str, tmp_path: Path) -> None:
    assert secret
    program = tmp_path / "broken"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o755)
    result = pat("exec", "ci", "--", str(program))
    assert result.exit_code == 126
    assert "Exec format error" in result.stderr


def test_an_expired_token_is_told(pat: Installed, secret: str) -> None:
    subprocess.run(
        [PROGRAM, "import", "old", "--expires", "2020-01-01T00:00:00Z"],
        env=pat.environment(),
        input=secret,
        capture_output=True,
        text=True,
        check=True,
    )
    result = pat("exec", "old", "--", "true")
    assert (result.exit_code, result.stderr) == (
        0,
        "pat: warning: 'old' expired on 2020-01-01; to replace it, run: pat rotate old\n",
    )


class Case(NamedTuple):
    """A repository, what git has set already (for which part of the URL), and what stays of it."""

    path: str
    held: tuple[tuple[str, str], ...] = ()
    beside: frozenset[str] = frozenset()


CASES = (
    Case("contoso/_git/app"),
    Case("Contoso/_git/app"),
    Case("contoso/_git/app", (("", "Authorization: Basic b2xk"),)),
    Case(
        "contoso/p/_git/app",
        (("contoso/p/", "authorization: Bearer old"), ("", "X-Mine: 1")),
        frozenset({"1"}),
    ),
    Case("fabrikam/_git/app", (("", "Authorization: Basic b2xk"),)),
)


@pytest.mark.parametrize("case", CASES)
def test_git_signs_in_once(
    case: Case, pat: Installed, secret: str, emulator: Emulator, tmp_path: Path
) -> None:
    path, held, beside = case
    root, git = emulator.url, ["git", "-C", str(tmp_path)]
    with recording_proxy() as (proxy, seen):
        settings = [("http.proxy", proxy)]
        for place, text in held:
            key = f"http.{root}/{place}.extraHeader" if place else "http.extraHeader"
            settings.append((key, text))
        subprocess.run([*git, "init", "-q"], env=pat.environment(), check=True)
        for setting in settings:
            subprocess.run([*git, "config", "--add", *setting], env=pat.environment(), check=True)
        listed = pat("exec", "ci", "--", *git, "ls-remote", f"{root}/{path}", env={"no_proxy": ""})
    assert listed.exit_code != 0
    basic = base64.b64encode(f"pat:{secret}".encode()).decode()
    ours = ["Basic b2xk"] if path.startswith("fabrikam") else [f"Basic {basic}"]
    assert seen
    assert [headers.get_all("Authorization") for headers in seen] == [ours] * len(seen)
    assert {text for headers in seen for text in headers.get_all("X-Mine") or ()} == beside


@contextmanager
def recording_proxy() -> Iterator[tuple[str, list[Message]]]:
    """Run a proxy that finds nothing; yield its URL and the headers of what came."""
    seen: list[Message] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the base's
            seen.append(self.headers)
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
            thread.join()
