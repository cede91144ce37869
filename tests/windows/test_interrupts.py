"""Ctrl-C, which the console sends to every program that runs in it."""

import subprocess
import sys
import time
from pathlib import Path

from azdo_pat.executables import kill_with_children
from drivers import PROGRAM, Emulator, Installed

HANGS = 60
"""Seconds that a server or a program keeps `pat` waiting, if nothing ends that."""
NEW_CONSOLE = getattr(subprocess, "CREATE_NEW_CONSOLE", 0)
PRESS = """\
import ctypes, sys
kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
kernel32.FreeConsole()
if not kernel32.AttachConsole(int(sys.argv[1])):
    sys.exit(f"AttachConsole: {ctypes.get_last_error()}")
kernel32.SetConsoleCtrlHandler(None, True)  # this program ends by itself
if not kernel32.GenerateConsoleCtrlEvent(0, 0):
    sys.exit(f"GenerateConsoleCtrlEvent: {ctypes.get_last_error()}")
"""


class Running:
    """A `pat` in a console of its own."""

    def __init__(self, pat: Installed, *args: str) -> None:
        self._process = subprocess.Popen(
            [PROGRAM, *args],
            env=pat.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            creationflags=NEW_CONSOLE,
        )

    def wait_for_output(self) -> None:
        """Wait until it has printed something, so that it has started."""
        assert self._process.stdout
        assert self._process.stdout.readline()

    def press(self) -> tuple[int, str, float]:
        """Press Ctrl-C; return the exit code, the messages, and how many seconds that took."""
        press = [sys.executable, "-c", PRESS, str(self._process.pid)]
        try:
            subprocess.run(press, check=True)
            started = time.monotonic()
            _, said = self._process.communicate(timeout=HANGS)
        except BaseException:
            kill_with_children(self._process)
            raise
        return self._process.returncode, said.decode(), time.monotonic() - started


def wait_for_request(emulator: Emulator, method: str) -> None:
    """Wait until a request of that method has arrived."""
    end = time.monotonic() + HANGS
    while not any(each["method"] == method for each in emulator.requests):
        assert time.monotonic() < end
        time.sleep(0.1)


def test_while_a_server_hangs(pat: Installed, emulator: Emulator) -> None:
    emulator.fail(f"GET */tokens/pats delay={HANGS}s")
    running = Running(pat, "list")
    wait_for_request(emulator, "GET")
    code, said, seconds = running.press()
    assert (code, "interrupted" in said, seconds < 15) == (130, True, True), (said, seconds)


def test_while_a_token_is_created(pat: Installed, emulator: Emulator) -> None:
    emulator.fail("POST */tokens/pats delay=5s")
    running = Running(pat, "create", "one", "--scope", "code")
    wait_for_request(emulator, "POST")
    code, said, _ = running.press()
    assert (code, "interrupted" in said) == (130, True), said
    time.sleep(6)  # until the service has created it
    again = pat("create", "one", "--scope", "code", "-o", "json")
    assert again.exit_code == 0, again.stderr
    listed = pat("list", "--name", "one", "-o", "json").json
    assert [each["id"] for each in listed] == [again.json["id"]]


def test_while_a_delivery_hangs(pat: Installed, tmp_path: Path) -> None:
    started = tmp_path / "started"
    script = tmp_path / "hang.py"
    script.write_text(
        f"import pathlib, time; pathlib.Path({str(started)!r}).touch(); time.sleep({HANGS})",
        "utf-8",
    )
    assert pat("create", "one", "--scope", "code").exit_code == 0
    deliver = subprocess.list2cmdline([sys.executable, str(script)])
    running = Running(pat, "rotate", "one", "--yes", "--deliver", f"command:{deliver}")
    end = time.monotonic() + HANGS
    while not started.exists():
        assert time.monotonic() < end
        time.sleep(0.1)
    code, said, seconds = running.press()
    assert (code, seconds < 15) == (8, True), (said, seconds)


def test_the_emulator_stops() -> None:
    running = Running(Installed({}), "emulator", "--port", "0")
    running.wait_for_output()
    code, said, seconds = running.press()
    assert (code, seconds < 15) == (0, True), (said, seconds)


def test_while_a_command_has_a_token_of_its_own(pat: Installed, emulator: Emulator) -> None:
    """The console sends Ctrl-C to the command as well; pat waits for it, and revokes the token."""
    emulator.remove_tokens()
    code = (
        "import sys, time\n"
        "try:\n"
        "    print('ready', flush=True)\n"
        f"    time.sleep({HANGS})\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(7)\n"
    )
    running = Running(pat, "exec", "--new", "--scope", "code", "--", "python", "-c", code)
    running.wait_for_output()
    code_of_it, said, seconds = running.press()
    assert (code_of_it, seconds < 15) == (7, True), (said, seconds)
    assert [each["status"] for each in emulator.tokens] == ["revoked"]
