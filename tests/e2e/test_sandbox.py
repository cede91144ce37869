"""`pat sandbox` and `pat emulator`: they do their work and leave nothing behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from azdo_pat.install_commands import adding
from drivers import PROGRAM, TIME_LIMIT, Installed, Result, need, posix_only
from e2e.stage import captured, finish, read_line, start
from store.keyring_service import KeyringService

posix_only("signals and terminals")
assert sys.platform != "win32"  # mypy reads no further

NO_EXTRA = """\
import sys


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"trustme", "werkzeug"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Blocker())
"""


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def alone(temporary: Path) -> Installed:
    """Run `pat` as a newcomer would, with nothing set, and a folder for temporary files."""
    return Installed({"TMPDIR": str(temporary), "COLUMNS": None})


def everything_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_the_file_of_a_runner_is_not_touched(alone: Installed, tmp_path: Path) -> None:
    own = tmp_path / "env"
    create = ("pat", "create", "x", "--scope", "code", "--as", "github-actions")
    result = alone("sandbox", *create, env={"GITHUB_ENV": str(own)})
    assert (result.exit_code, own.exists()) == (0, False)


def test_the_tour(alone: Installed, temporary: Path, home: Path) -> None:
    before = everything_below(home)
    started = time.monotonic()
    tour = finish(start(alone, "sandbox", "--tour"))
    seconds = time.monotonic() - started
    assert (tour.exit_code, tour.stderr) == (0, "")
    assert seconds < 20, "10 on a machine that does nothing else"
    steps = re.split(r"^# .*\n\$ ", tour.stdout, flags=re.MULTILINE)[1:]
    commands = [step.partition("\n")[0] for step in steps]
    assert [re.sub(r"http://127\.0\.0\.1:\d+", "URL", command) for command in commands] == [
        "pat create demo --for git",
        "pat list",
        "pat show demo",
        "pat get demo --as header",
        "keyring get azdo-pat:URL/contoso demo",
        "pat update demo --expires 90d",
        "pat list --name demo -o json",
        "pat revoke demo --yes",
        "pat get demo",
    ]
    output = dict(zip(commands, (step.partition("\n")[2] for step in steps), strict=True))
    assert "created 'demo' in contoso" in output[commands[0]]
    assert re.search(r"^ *demo +[0-9a-f]{8} +code_write", output["pat list"], re.MULTILINE)
    assert re.search(r"^Secret +in the keyring", output["pat show demo"], re.MULTILINE)
    assert re.match(r"Authorization: Basic [A-Za-z0-9+/=]+\n", output[commands[3]])
    assert re.match(r"[A-Za-z0-9]{84}\n", output[commands[4]])
    assert '"name": "demo"' in output[commands[6]]
    assert "revoked 1 token (demo)" in output[commands[7]]
    assert "no secret is stored under 'demo'" in output[commands[8]]
    assert max(map(len, output["pat list"].splitlines())) <= 80
    assert everything_below(temporary) == []
    assert everything_below(home) == before


@pytest.mark.parametrize(
    ("words", "code", "stdout"),
    [
        (("true",), 0, ""),
        (("sh", "-c", "exit 7"), 7, ""),
        (("sh", "-c", "kill -TERM $$"), 128 + signal.SIGTERM, ""),
        (("sh", "-c", "kill -KILL $$"), 128 + signal.SIGKILL, ""),
        (
            ("printf", "%s\\n", "--tour", "-o", "json", "-q", "--help", "--version", "--org", "x"),
            0,
            "--tour\n-o\njson\n-q\n--help\n--version\n--org\nx\n",
        ),
        (("--", "printf", "%s\\n", "--", "-h"), 0, "--\n-h\n"),
        (("pat", "get", "nope"), 3, ""),
        (("pat", "--version"), 0, None),
        (("env", "PAT_KEYRING=keyring.backends.SecretService.Keyring", "pat", "get", "x"), 7, ""),
        (("env", "-u", "PAT_KEYRING", "pat", "create", "x", "--for", "git"), 7, ""),
        (
            ("sh", "-c", "pat create x --for git --as token >/dev/null && command -v keyring"),
            0,
            None,
        ),
        (("sh", "-c", 'cd "$HOME" && ls -A && test -d "$PAT_SANDBOX"'), 0, ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_runs_inside(
    alone: Installed, temporary: Path, words: tuple[str, ...], code: int, stdout: str | None
) -> None:
    ran = alone("sandbox", *words)
    assert ran.exit_code == code, ran.stderr
    assert stdout is None or ran.stdout == stdout
    assert everything_below(temporary) == []


@pytest.mark.parametrize(
    ("words", "code"), [(("no-such-program",), 3), (("--tour", "ls"), 2), (("--nope", "ls"), 3)]
)
def test_a_command_that_cannot_run(
    alone: Installed, temporary: Path, words: tuple[str, ...], code: int
) -> None:
    ran = alone("sandbox", *words)
    assert (ran.exit_code, ran.stdout) == (code, "")
    assert ran.stderr.startswith("pat: ")
    assert everything_below(temporary) == []


def test_input_reaches_the_command_and_the_shell(alone: Installed) -> None:
    assert alone("sandbox", "cat", stdin="through\n").stdout == "through\n"
    script = "echo in $PAT_ORG\npat list --query 'length(@)' -o json\nexit 5\n"
    shell = alone("sandbox", stdin=script, env={"SHELL": "/bin/sh"})
    assert (shell.exit_code, shell.stdout) == (5, "in contoso\n4\n")


EXPORTS = "export PAT_ORG=evil PAT_OUTPUT=csv GIT_DIR=/x RC=$HOME\n"
SETS = {
    ".bashrc": f"PS1='mine> '; {EXPORTS}",
    ".zshenv": "ZDOTDIR=$HOME/.config/zsh\n",
    ".config/zsh/.zshrc": f"PROMPT='mine> '; {EXPORTS}",
    ".shrc": f"PS1='mine> '; {EXPORTS}",
    ".config/fish/config.fish": "function fish_prompt; echo -n 'mine> '; end\n"
    "set -gx PAT_ORG evil; set -gx PAT_OUTPUT csv; set -gx GIT_DIR /x; set -gx RC $HOME\n",
}
"""Start files, each with a prompt, and with variables that the sandbox must not get."""


@pytest.mark.parametrize("program", ["bash", "zsh", "fish", "dash"])
def test_the_users_shell_says_that_it_is_in_the_sandbox(
    program: str, alone: Installed, temporary: Path, home: Path, request: pytest.FixtureRequest
) -> None:
    need(request.config, [] if shutil.which(program) else [program])
    for name, text in SETS.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, "utf-8")
    before = everything_below(home)
    terminal = alone.on_terminal(
        "sandbox",
        env={"SHELL": shutil.which(program), "HOME": str(home), "ENV": str(home / ".shrc")},
    )
    terminal.expect(re.escape("(pat sandbox) ") + ".*mine> ")
    terminal.sendline('env > "$HOME/seen"; cp "$HOME/seen" "$RC/seen"; echo do"ne"')
    terminal.expect("done")
    terminal.expect(re.escape("(pat sandbox) "))
    terminal.sendline("exit 5")
    terminal.expect("left the sandbox")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 5
    lines = (home / "seen").read_text("utf-8").splitlines()
    seen = dict(line.split("=", 1) for line in lines if "=" in line)
    assert (seen["RC"], seen["PAT_ORG"]) == (str(home), "contoso")
    assert seen["HOME"].startswith(str(temporary))
    assert {"PAT_OUTPUT", "GIT_DIR"} & set(seen) == set()
    assert [path for path in everything_below(temporary) if path.startswith("pat-")] == []
    assert set(everything_below(home)) - {*before, "seen"} == set()


FISH = ".config/fish/config.fish"
START_FILES = {"bash": ".bashrc", "zsh": ".zshrc", "fish": FISH, "dash": ".shrc"}
UNUSUAL = [
    ("bash", "set -e; false"),
    ("bash", "if then"),
    ("bash", "command -v env && exec env -u SHELL {bash} --norc"),
    ("zsh", "setopt errexit; false"),
    ("zsh", "[[ -n $HOME ]] && exec {bash} --norc"),
    ("fish", "return 3"),
    ("dash", "if then"),
    ("dash", "exec {bash} --norc"),
    *[(program, "sleep 60") for program in START_FILES],
]
"""Ends of start files: by themselves, in another program, and by the user's Ctrl-C."""


@pytest.mark.parametrize(("program", "end"), UNUSUAL)
def test_a_start_file_that_does_not_end_leaves_the_sandbox_its_variables(
    program: str,
    end: str,
    alone: Installed,
    temporary: Path,
    home: Path,
    request: pytest.FixtureRequest,
) -> None:
    need(request.config, [] if shutil.which(program) else [program])
    file = home / START_FILES[program]
    file.parent.mkdir(parents=True, exist_ok=True)
    body = end.replace("{bash}", shutil.which("bash") or "")
    file.write_text(f"echo be\\gun\nexport PAT_ORG=evil\n{body}\n", "utf-8")
    terminal = alone.on_terminal(
        "sandbox",
        env={"SHELL": shutil.which(program), "HOME": str(home), "ENV": str(home / ".shrc")},
    )
    if end == "sleep 60":
        terminal.expect("begun")
        time.sleep(0.2)
        terminal.sendintr()
    if "exec" not in end:
        terminal.expect(re.escape("(pat sandbox) "))
    terminal.sendline('echo "in $HOME, $PAT_ORG"; exit')
    terminal.expect(r"in (/\S+), (\w+)")
    assert isinstance(terminal.match, re.Match)
    found_home, organization = terminal.match.groups()
    assert found_home.startswith(str(temporary))
    assert organization == "contoso"
    terminal.expect(pexpect.EOF)
    terminal.close()


def test_a_start_file_that_ends_the_shell_is_told(alone: Installed, home: Path) -> None:
    (home / ".bashrc").write_text("exit 4\n", "utf-8")
    env = {"SHELL": shutil.which("bash"), "HOME": str(home), "COLUMNS": "300"}
    terminal = alone.on_terminal("sandbox", env=env)
    terminal.expect_exact("the start file of your shell did not finish")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 4


def test_what_is_the_users_own_stays_out(
    temporary: Path, home: Path, gnome_keyring: KeyringService
) -> None:
    """A user with settings, a session keyring and an account, who tries the sandbox."""
    mine = {
        **gnome_keyring.environment,
        "TMPDIR": str(temporary),
        "PAT_ACCESS_TOKEN": "mine",
        "PAT_ORG": "my-own",
        "PAT_KEYRING": "keyring.backends.SecretService.Keyring",
        "PAT_OUTPUT": "tsv",
        "AZURE_CONFIG_DIR": str(home / "azure"),
        "GIT_DIR": str(home / "git"),
    }
    del mine["PATH"]
    pat = Installed(mine)
    before = {name: (home / name).stat().st_mtime_ns for name in everything_below(home)}
    inside = pat("sandbox", "sh", "-c", "pat create x --for git -o json && env && pwd")
    assert inside.exit_code == 0, inside.stderr
    document, _, variables = inside.stdout.partition("\n}\n")
    assert '"org": "contoso"' in document
    shown = dict(line.split("=", 1) for line in variables.splitlines() if "=" in line)
    assert shown["PAT_KEYRING"] == "azdo_pat.store.sandbox_keyring.SandboxKeyring"
    assert shown["HOME"] != str(home)
    assert "PAT_OUTPUT" not in shown
    assert [name for name in shown if name.startswith(("AZURE_", "GIT_"))] == []
    found = subprocess.run(
        ["secret-tool", "search", "--all", "application", "Python keyring library"],
        env=gnome_keyring.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""
    assert {name: (home / name).stat().st_mtime_ns for name in everything_below(home)} == before


def test_ctrl_c_is_the_commands_own(alone: Installed, temporary: Path) -> None:
    script = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done"
    terminal = alone.on_terminal("sandbox", "sh", "-c", script)
    terminal.expect("ready")
    assert everything_below(temporary) != []
    terminal.sendintr()
    terminal.expect("caught")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 9
    assert everything_below(temporary) == []


def test_ctrl_c_ends_what_does_not_mind_it(alone: Installed, temporary: Path) -> None:
    terminal = alone.on_terminal("sandbox", "sh", "-c", "echo ready; exec sleep 60")
    terminal.expect("ready")
    terminal.sendintr()
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 130
    assert everything_below(temporary) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_of_it(alone: Installed, temporary: Path, number: signal.Signals) -> None:
    sandbox = start(alone, "sandbox", "sh", "-c", "echo $$; exec sleep 60")
    child = int(read_line(sandbox.stdout))
    sandbox.send_signal(number)
    assert finish(sandbox) == Result(exit_code=128 + number, stdout="", stderr="")
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert everything_below(temporary) == []


def test_a_command_that_ignores_a_signal_is_ended_all_the_same(
    alone: Installed, temporary: Path
) -> None:
    script = "trap '' TERM; echo $$; while :; do sleep 0.1; done"
    sandbox = start(alone, "sandbox", "sh", "-c", script)
    child = int(read_line(sandbox.stdout))
    started = time.monotonic()
    sandbox.send_signal(signal.SIGTERM)
    assert finish(sandbox).exit_code == 128 + signal.SIGTERM
    assert 5 <= time.monotonic() - started < 15
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert everything_below(temporary) == []


WRITER = """\
import os, shutil
remove = shutil.rmtree
def remove_and_write(folder, **options):
    remove(folder, **options)
    os.makedirs(folder)
shutil.rmtree = remove_and_write
"""


def test_what_still_writes_to_the_folder_is_told(
    alone: Installed, temporary: Path, tmp_path: Path
) -> None:
    """A program makes the folder again each time that it was removed, and is never too late."""
    (tmp_path / "sitecustomize.py").write_text(WRITER, "utf-8")
    ran = alone("sandbox", "sh", "-c", "exit 3", env={"PYTHONPATH": str(tmp_path)})
    (folder,) = temporary.iterdir()
    assert ran == Result(
        exit_code=3,
        stdout="",
        stderr=f"pat: warning: a program still writes to {folder}: stop it, then remove the"
        " folder\n",
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_tour(alone: Installed, temporary: Path, number: signal.Signals) -> None:
    tour = start(alone, "sandbox", "--tour")
    assert read_line(tour.stdout) == "\n"
    tour.send_signal(number)
    assert finish(tour).exit_code == 128 + number
    assert everything_below(temporary) == []


@contextmanager
def emulating(pat: Installed, *args: str, ends: signal.Signals = signal.SIGTERM) -> Iterator[str]:
    """Run `pat emulator` while the block runs; give what it printed for a shell to eval."""
    process = start(pat, "emulator", *args)
    try:
        lines = [read_line(process.stdout) for _ in range(14)]
        assert process.poll() is None
        yield "".join(lines)
    finally:
        process.send_signal(ends)
        result = finish(process)
    assert (result.exit_code, result.stdout) == (0, "")
    assert re.fullmatch(
        r"listening on http://127\.0\.0\.1:\d+; press Ctrl-C to stop\n", result.stderr
    )


def evaluated(pat: Installed, exports: str, command: str) -> Result:
    """Run a line of a shell behind the exports, as a user's terminal would."""
    words = ["sh", "-c", f'eval "$1"\n{command}', "sh", exports]
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    return captured(words, pat.environment({"PATH": path}))


@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGINT])
def test_the_export_lines_make_pat_use_the_emulator(alone: Installed, ends: signal.Signals) -> None:
    with emulating(alone, "--port", "0", ends=ends) as exports:
        names = re.findall(r"^export (\w+)$", exports, re.MULTILINE)
        beside = ("AUTHORITY", "CA_BUNDLE", "KEYVAULT_URL", "KEYVAULT_ACCESS_TOKEN")
        assert names == [f"PAT_{name}" for name in ("API_URL", "ACCESS_TOKEN", "ORG", *beside)]
        counted = evaluated(alone, exports, "pat list -o json --query 'length(@)'")
        assert counted == Result(exit_code=0, stdout="4\n", stderr="")


def port_of(exports: str) -> str:
    found = re.search(r"PAT_API_URL=http://127\.0\.0\.1:(\d+)$", exports, re.MULTILINE)
    assert found is not None
    return found[1]


def test_a_port_that_is_taken(alone: Installed) -> None:
    with emulating(alone) as exports:
        second = alone("emulator", "--port", port_of(exports))
        assert (second.exit_code, second.stdout) == (2, "")
        assert port_of(exports) in second.stderr


def test_the_port_asked_for_is_free_again_at_once(alone: Installed) -> None:
    with emulating(alone) as exports:
        port = port_of(exports)
        assert evaluated(alone, exports, "pat list").exit_code == 0
    with emulating(alone, "--port", port) as exports:
        assert port_of(exports) == port


def test_its_tokens_survive_a_restart_in_a_file(alone: Installed, tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "emulator.json"))
    make = "pat create kept --for git --no-store --as token"
    with emulating(alone, *state) as exports:
        port = port_of(exports)
        secret = evaluated(alone, exports, make).stdout.strip()
        assert len(secret) == 84
        assert secret not in (tmp_path / "emulator.json").read_text("utf-8")
    with emulating(alone, *state, "--port", port) as again:
        # The access token of the first run is good still: it is the same service.
        for each in (exports, again):
            names = evaluated(alone, each, "pat list -o json --query '[].name'").stdout
            assert '"kept"' in names


def test_a_state_file_that_is_none(alone: Installed, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{", "utf-8")
    for name in ("broken.json", "no/such/folder/state.json"):
        refused = alone("emulator", "--state", str(tmp_path / name))
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert str(tmp_path / name) in refused.stderr
    assert (tmp_path / "broken.json").read_text("utf-8") == "{"


@pytest.mark.parametrize("args", [("emulator",), ("sandbox", "--tour"), ("sandbox", "true")])
def test_without_the_emulators_library(
    alone: Installed, temporary: Path, tmp_path: Path, args: tuple[str, ...]
) -> None:
    (tmp_path / "sitecustomize.py").write_text(NO_EXTRA, "utf-8")
    ran = alone(*args, env={"PYTHONPATH": str(tmp_path)})
    assert (ran.exit_code, ran.stdout) == (2, "")
    what, hint = ran.stderr.splitlines()
    assert what.startswith("pat: the emulator ")
    assert "not installed" in what
    assert hint.endswith(f", run: {adding('trustme', 'werkzeug')}")
    assert everything_below(temporary) == []


def test_a_full_disk_is_told(alone: Installed) -> None:
    """The tour that cannot be shown ends, and ends in failure."""
    process = subprocess.run(
        ["sh", "-c", '"$0" sandbox --tour >/dev/full', str(PROGRAM)],
        env=alone.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT,
        check=False,
    )
    assert process.returncode == 1
    assert process.stderr.startswith("pat: cannot write to standard output")
