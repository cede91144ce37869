"""A secret on a real clipboard."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from drivers import TIME_LIMIT, Installed
from e2e.stage import until


def pasted(pat: Installed, display: str) -> str:
    """Return what the clipboard holds, as another program sees it."""
    ran = subprocess.run(
        ["xclip", "-selection", "clipboard", "-out"],
        env=pat.environment({"DISPLAY": display}),
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT,
        check=False,
    )
    return ran.stdout


def clearing(home: Path) -> dict[int, str]:
    """Return the processes of this test that are to take a secret off the clipboard again."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is somebody else's
            arguments = (process / "cmdline").read_bytes().decode()
            environment = (process / "environ").read_bytes().decode().split("\0")
            if "azdo_pat.output.clipboard" in arguments and f"HOME={home}" in environment:
                found[int(process.name)] = arguments
    return found


@pytest.fixture(autouse=True)
def _nobody_stays_behind(home: Path) -> Iterator[None]:
    yield
    for process in clearing(home):
        os.kill(process, signal.SIGTERM)


@pytest.fixture
def secret(pat: Installed) -> str:
    return pat("create", "ci", "--scope", "vso.code", "--as", "token").stdout.strip()


def test_a_copied_secret_is_on_the_clipboard_and_nowhere_else(
    pat: Installed, display: str, home: Path, secret: str
) -> None:
    copied = pat("get", "ci", "--copy", env={"DISPLAY": display})
    assert (copied.exit_code, copied.stdout) == (0, "")
    assert copied.stderr == "copied the secret of ci to the clipboard for 45 s\n"
    assert pasted(pat, display) == secret
    # tests/output holds that it is taken off again; here, that somebody stays behind to do it.
    (arguments,) = clearing(home).values()
    assert secret not in arguments


def test_the_form_is_copied_that_is_asked_for(pat: Installed, display: str, secret: str) -> None:
    _ = secret
    copied = pat("get", "ci", "--copy", "--as", "header", env={"DISPLAY": display})
    assert (copied.exit_code, copied.stdout) == (0, "")
    assert until(lambda: pasted(pat, display), "it is there").startswith("Authorization: Basic ")


def test_without_a_clipboard_nothing_is_shown(pat: Installed, secret: str) -> None:
    for env in ({}, {"DISPLAY": ":99999"}):
        refused = pat("get", "ci", "--copy", env=env)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert secret not in refused.stderr
        assert refused.stderr.startswith("pat: no usable clipboard found\n")
