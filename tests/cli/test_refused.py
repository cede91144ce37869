"""A token that git was refused with counts as due."""

import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cli.stage import held, names
from drivers import Emulator, InProcess, Installed

ENSURE = ("ensure", "ci", "--scope", "code", "--expires", "30d")
OFFLINE = {"PAT_ACCESS_TOKEN": None, "PATH": "/nowhere"}


def asked(emulator: Emulator, secret: str) -> str:
    """Return what git says to a helper of a password that was refused."""
    parts = urlsplit(emulator.url)
    lines = {
        "protocol": parts.scheme,
        "host": parts.netloc,
        "path": "contoso/_git/app",
        "username": "pat",
        "password": secret,
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items()) + "\n"


@pytest.fixture
def secret(pat: InProcess) -> str:
    """Make a token; return its secret."""
    assert pat(*ENSURE).exit_code == 0
    return pat("get", "ci").stdout.strip()


@pytest.fixture
def refuse(pat: InProcess, emulator: Emulator, secret: str) -> Callable[[], None]:
    """Return a function that tells pat that git was refused with the token."""

    def erase() -> None:
        assert pat("git-credential", "erase", stdin=asked(emulator, secret)).exit_code == 0

    return erase


def revoke_elsewhere(pat: InProcess | Installed, emulator: Emulator, tmp_path: Path) -> None:
    identifier = str(held(emulator, "ci")["authorizationId"])
    elsewhere = {"PAT_STATE_DIR": str(tmp_path / "other")}
    result = pat("revoke", identifier, "--yes", env=elsewhere)
    assert result.exit_code == 0, result.stderr


def test_ensure_makes_another(
    pat: InProcess, emulator: Emulator, refuse: Callable[[], None], tmp_path: Path
) -> None:
    revoke_elsewhere(pat, emulator, tmp_path)
    assert "kept" in pat(*ENSURE).stderr  # nobody knows yet
    refuse()
    result = pat(*ENSURE)
    assert (result.exit_code, "created" in result.stderr) == (0, True), result.stderr
    assert names(emulator) == ["ci"]
    again = pat(*ENSURE, env=OFFLINE)
    assert "kept" in again.stderr


def test_ensure_keeps_one_that_works_after_all(
    pat: InProcess, emulator: Emulator, refuse: Callable[[], None]
) -> None:
    refuse()
    assert "kept" in pat(*ENSURE).stderr
    asked = len(emulator.requests)
    assert "kept" in pat(*ENSURE, env=OFFLINE).stderr
    assert len(emulator.requests) == asked


def test_apply_makes_another(
    pat: InProcess, emulator: Emulator, refuse: Callable[[], None], tmp_path: Path
) -> None:
    file = tmp_path / "tokens.toml"
    file.write_text('[[token]]\nname = "ci"\nscopes = ["code"]\nexpires = "30d"\n', "utf-8")
    assert "kept 1" in pat("apply", str(file)).stderr
    refuse()
    assert "kept 1" in pat("apply", str(file)).stderr
    revoke_elsewhere(pat, emulator, tmp_path)
    refuse()
    assert "rotate" in pat("apply", str(file), "--dry-run").stdout
    assert pat("apply", str(file)).exit_code == 0
    assert names(emulator) == ["ci"]
    assert "kept 1" in pat("apply", str(file)).stderr


def test_renew_asks_and_reports(
    pat: InProcess, emulator: Emulator, refuse: Callable[[], None], tmp_path: Path
) -> None:
    refuse()
    assert pat("renew").exit_code == 0
    assert pat("renew", env=OFFLINE).exit_code == 0  # it works after all: nothing is due
    revoke_elsewhere(pat, emulator, tmp_path)
    refuse()
    result = pat("renew")
    assert result.exit_code == 9
    assert "it was revoked" in result.stderr


def test_exec_says_so(pat_process: Installed, emulator: Emulator, tmp_path: Path) -> None:
    assert pat_process(*ENSURE).exit_code == 0
    secret = pat_process("get", "ci").stdout.strip()
    command = ("exec", "ci", "--", sys.executable, "-c", "")
    assert "accept" not in pat_process(*command).stderr
    revoke_elsewhere(pat_process, emulator, tmp_path)
    assert pat_process("git-credential", "erase", stdin=asked(emulator, secret)).exit_code == 0
    result = pat_process(*command)
    assert result.exit_code == 0
    assert "contoso does not accept 'ci' any more: pat ensure ci --scope vso.code" in result.stderr
