"""The clipboard of a real X server, and what happens where there is none."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyperclip
import pytest

from azdo_pat.errors import UsageError
from azdo_pat.models import Secret
from azdo_pat.output.clipboard import copy
from drivers import need

SECRET = "s3cret-é"
PROGRAM = """\
import sys
from azdo_pat.models import Secret
from azdo_pat.output.clipboard import copy
copy(Secret(sys.stdin.read()), clear_after=float(sys.argv[1]))
print("done")
"""


@pytest.fixture
def display(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Start an X server without a screen and make it the display of this process."""
    need(request.config, [name for name in ("Xvfb", "xclip") if shutil.which(name) is None])
    command = [
        "Xvfb",
        "-displayfd",
        "1",
        "-screen",
        "0",
        "640x480x8",
        "-nolisten",
        "tcp",
        "-noreset",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            name = f":{server.stdout.readline().strip()}"
            monkeypatch.setenv("DISPLAY", name)
            yield name
        finally:
            server.terminate()


def clipboard() -> str:
    """Return what is on the clipboard, without pyperclip; empty where nothing is."""
    command = ["xclip", "-selection", "clipboard", "-o"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def put(text: str) -> None:
    """Put something on the clipboard, as the user would."""
    subprocess.run(
        ["xclip", "-selection", "clipboard"],
        input=text,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def start(seconds: float) -> subprocess.CompletedProcess[str]:
    """Copy the secret in a process of its own, as `pat get --copy | cat` would."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(seconds)],
        input=SECRET,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )


def run(seconds: float) -> float:
    """Copy the secret; return how long a reader of the output waited."""
    started = time.monotonic()
    done = start(seconds)
    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)
    return time.monotonic() - started


def processes() -> str:
    """Return the arguments of all processes."""
    command = ["ps", "-eo", "args"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def wait_for(text: str, *, seconds: float) -> None:
    until = time.monotonic() + seconds
    while clipboard() != text:
        assert time.monotonic() < until, f"still: {clipboard()!r}"
        time.sleep(0.1)


@pytest.mark.e2e
@pytest.mark.usefixtures("display")
def test_the_secret_is_there_and_then_it_is_not() -> None:
    waited = run(3)
    assert clipboard() == SECRET
    assert waited < 3  # the pipe was closed although xclip and the clearing process live on
    wait_for("", seconds=10)


@pytest.mark.e2e
@pytest.mark.usefixtures("display")
def test_what_the_user_copied_since_is_left_alone() -> None:
    run(1)
    put("a shopping list")
    time.sleep(2)
    assert clipboard() == "a shopping list"


@pytest.mark.e2e
@pytest.mark.usefixtures("display")
def test_no_secret_is_in_the_arguments_of_a_process() -> None:
    run(2)
    listed = processes()
    assert "azdo_pat.output.clipboard" in listed
    assert SECRET not in listed
    wait_for("", seconds=10)


@pytest.mark.e2e
@pytest.mark.usefixtures("display")
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc here")
def test_the_clearing_process_has_no_access_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAT_ACCESS_TOKEN", "bearer-of-a-test")
    monkeypatch.setenv("PAT_MARK_OF_THIS_TEST", "1")
    run(2)
    environments = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may have ended, or be another user's
            if b"azdo_pat.output.clipboard" in (process / "cmdline").read_bytes():
                environments.append((process / "environ").read_bytes())
    ours = [each for each in environments if b"PAT_MARK_OF_THIS_TEST=1" in each]
    assert len(ours) == 1
    assert b"bearer-of-a-test" not in ours[0]
    wait_for("", seconds=10)


@pytest.mark.e2e
def test_a_display_that_is_not_there_is_no_clipboard(
    display: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", f"{display}99")
    done = start(60)
    assert done.stderr.splitlines()[-1] == ("azdo_pat.errors.UsageError: no usable clipboard found")
    assert SECRET not in done.stderr


def test_no_clipboard_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("copy", "paste"):  # to be put back afterwards
        monkeypatch.setattr(pyperclip, name, getattr(pyperclip, name))
    pyperclip.set_clipboard("no")
    with pytest.raises(UsageError, match="no usable clipboard") as caught:
        copy(Secret(SECRET))
    others = sys.platform in {"darwin", "win32"}
    assert caught.value.hint == (
        "try again; over SSH and in jobs, leave out --copy"
        if others
        else "install xclip, xsel or wl-clipboard, or leave out --copy"
    )
