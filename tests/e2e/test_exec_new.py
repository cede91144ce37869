"""`pat exec --new`: signals, a terminal, and a process that is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pexpect
import pytest

from drivers import PROGRAM, Emulator, Installed, posix_only
from e2e.stage import finish, posts, read_line, shell, until

posix_only("signals and terminals")
assert sys.platform != "win32"  # mypy reads no further

NEW = ("exec", "--new", "--scope", "code", "--")
linux_tells_who_sent_a_signal = pytest.mark.skipif(
    sys.platform != "linux", reason="Python does not tell elsewhere who sent a signal"
)
WAITS = "echo r; while :; do sleep 0.05; done"


@pytest.fixture
def emulator(emulator: Emulator) -> Emulator:
    emulator.remove_tokens()
    return emulator


def start(pat: Installed, *command: str) -> subprocess.Popen[str]:
    """Run a command with a new token, in a session of its own: no key of a terminal reaches it."""
    return subprocess.Popen(
        [PROGRAM, *NEW, *command],
        env=pat.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )


def statuses(emulator: Emulator) -> list[str]:
    return [each["status"] for each in emulator.tokens]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_is_the_commands(
    number: signal.Signals, pat_process: Installed, emulator: Emulator
) -> None:
    running = start(pat_process, "sh", "-c", f"trap 'exit 7' {number.name[3:]}; {WAITS}")
    assert read_line(running.stdout) == "r\n"
    assert statuses(emulator) == ["active"]
    running.send_signal(number)
    result = finish(running)
    assert (result.exit_code, result.stderr) == (7, "")
    assert statuses(emulator) == ["revoked"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_by_the_signal_that_ended_the_command(
    number: signal.Signals, pat_process: Installed, emulator: Emulator
) -> None:
    running = start(pat_process, "sh", "-c", WAITS)
    assert read_line(running.stdout) == "r\n"
    running.send_signal(number)
    result = finish(running)
    assert (result.exit_code, result.stderr) == (-number, "")
    assert statuses(emulator) == ["revoked"]


def test_other_ends(pat_process: Installed, emulator: Emulator) -> None:
    quit_ = "pat exec --new --scope code -- sh -c 'kill -QUIT $$'; echo $?"
    assert shell(pat_process, quit_).stdout == f"{128 + signal.SIGQUIT}\n"
    piped = "pat exec --new --scope code -- yes | head -1; echo ${PIPESTATUS[0]}"
    assert shell(pat_process, piped).stdout == f"y\n{128 + signal.SIGPIPE}\n"
    assert statuses(emulator) == ["revoked", "revoked"]


def press(terminal: "pexpect.spawn[str]") -> None:
    terminal.sendintr()


def send_to_pat_alone(terminal: "pexpect.spawn[str]") -> None:
    """As `kill -INT` does, and a program that ends the one that it has started."""
    assert terminal.pid is not None
    os.kill(terminal.pid, signal.SIGINT)


@pytest.mark.parametrize(
    "interrupt",
    [press, pytest.param(send_to_pat_alone, marks=linux_tells_who_sent_a_signal)],
)
def test_ctrl_c_reaches_the_command_once(
    interrupt: Callable[["pexpect.spawn[str]"], None], pat_process: Installed, emulator: Emulator
) -> None:
    """And pat waits for a command that goes on."""
    code = (
        "import signal, time\n"
        "came = []\n"
        "signal.signal(signal.SIGINT, lambda *_: came.append(1))\n"
        "print('ready', input('name? '))\n"
        "while not came: time.sleep(0.01)\n"
        "time.sleep(0.3)\n"
        "print(f'came {len(came)}')\n"
    )
    terminal = pat_process.on_terminal(*NEW, sys.executable, "-c", code)
    terminal.expect_exact("name? ")
    terminal.sendline("Ada")
    terminal.expect_exact("ready Ada")
    interrupt(terminal)
    terminal.expect_exact("came 1")
    rest = terminal.read()
    terminal.close()
    assert (terminal.exitstatus, terminal.signalstatus, rest.strip()) == (0, None, "")
    assert statuses(emulator) == ["revoked"]


def test_ctrl_c_before_the_command(pat_process: Installed, emulator: Emulator) -> None:
    emulator.fail("POST */tokens/pats delay=500ms")
    running = start(pat_process, "echo", "ran")
    until(lambda: posts(emulator) or running.poll() is not None, "the request is under way")
    running.send_signal(signal.SIGINT)
    result = finish(running)
    assert (result.exit_code, result.stdout) == (130, "")
    assert "pat: interrupted" in result.stderr
    until(lambda: statuses(emulator), "the service makes it all the same")
    assert pat_process("list", "-q", "-o", "none").exit_code == 0
    assert statuses(emulator) == ["revoked"]


def test_no_signal_stops_the_revocation(pat_process: Installed, emulator: Emulator) -> None:
    emulator.fail("DELETE * delay=700ms")
    running = start(pat_process, "sh", "-c", "exit 3")

    def is_revoking() -> bool:
        return any(each["method"] == "DELETE" for each in emulator.requests)

    until(is_revoking, "the revocation is under way")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        running.send_signal(number)
        time.sleep(0.02)
    result = finish(running)
    assert (result.exit_code, result.stderr) == (3, "")
    assert statuses(emulator) == ["revoked"]


@pytest.mark.parametrize(("status", "code"), [(0, 130), (3, 3)])
def test_ctrl_c_stops_a_revocation_that_takes_long(
    status: int, code: int, pat_process: Installed, emulator: Emulator
) -> None:
    """It is pressed when the line says what is waited for, and leaves the token to the next run."""
    emulator.fail("DELETE * delay=60s")
    command = ("sh", "-c", f"printf unfinished; exit {status}")
    terminal = pat_process.on_terminal(*NEW, *command, env={"COLUMNS": "200", "NO_COLOR": "1"})
    terminal.expect(r"unfinished {200}\r. waiting for 127\.0\.0\.1")
    terminal.sendintr()
    (token,) = emulator.tokens
    identifier = token["authorizationId"]
    terminal.expect_exact(f"the command has ended with exit code {status}, but its token")
    terminal.expect_exact("may still be active: its revocation was interrupted")
    terminal.expect_exact(f"to revoke it now, run: pat revoke {identifier} --org contoso")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert (terminal.exitstatus, terminal.signalstatus) == (code, None)
    assert statuses(emulator) == ["active"]
    emulator.heal()
    assert f"({identifier}), which was made for one command" in pat_process("list").stderr
    assert statuses(emulator) == ["revoked"]


def test_the_next_run_revokes_what_a_killed_one_has_left(
    pat_process: Installed, emulator: Emulator
) -> None:
    """Also while the command itself still runs."""
    running = start(pat_process, "sh", "-c", "echo r; exec sleep 60")
    assert read_line(running.stdout) == "r\n"
    assert pat_process("list", "-q", "-o", "none").exit_code == 0
    assert statuses(emulator) == ["active"]
    running.kill()
    running.wait()
    (token,) = emulator.tokens
    said = pat_process("list", "-o", "none").stderr
    assert f"({token['authorizationId']}), which was made for one command" in said
    assert statuses(emulator) == ["revoked"]
    os.killpg(running.pid, signal.SIGKILL)  # the command, which is of its session
    finish(running)
