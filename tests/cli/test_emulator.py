"""The lines that `pat emulator` prints for a shell."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from drivers import PROGRAM, Installed

ADDRESS = r"http://127\.0\.0\.1:\d+"
SH = rf"PAT_API_URL={ADDRESS}"
FISH = rf"set -gx PAT_API_URL '{ADDRESS}'"
POWERSHELL = rf"\$env:PAT_API_URL = '{ADDRESS}'"


@pytest.mark.posix("what every shell has")
def test_a_sandbox_has_key_vaults(home: Path) -> None:
    script = (
        f"{PROGRAM} create ci --scope code -q -o none && {PROGRAM} rotate ci -q -o none"
        " --deliver keyvault:contoso-ci/pat && echo delivered"
    )
    ran = Installed({"HOME": str(home)})("sandbox", "sh", "-c", script)
    assert (ran.exit_code, ran.stdout.strip()) == (0, "delivered"), ran.stderr


@pytest.mark.parametrize(
    ("args", "line"),
    [
        ((), POWERSHELL if os.name == "nt" else SH),
        (("--shell", "sh"), SH),
        (("--users", "10", "--shell", "fish"), FISH),
        (("--shell", "powershell"), POWERSHELL),
    ],
)
def test_the_lines_suit_the_shell(args: tuple[str, ...], line: str) -> None:
    with subprocess.Popen(
        [PROGRAM, "emulator", *args],
        env=Installed({}).environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    ) as emulator:
        try:
            assert emulator.stdout is not None
            assert re.fullmatch(rf"{line}\n", emulator.stdout.readline())
        finally:
            emulator.kill()
