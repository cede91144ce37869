"""This checkout and what it needs, installed in the Windows Python."""

import shutil
import subprocess
import sys
import tempfile
import tomllib
from itertools import chain
from pathlib import Path

from windows.wine import Machine, download

ROOT = Path(__file__).resolve().parents[2]
FOR_WINDOWS = ("colorama", "pywin32-ctypes", "tzdata")
"""What dependencies want on Windows only.

pip, told to download for another platform, looks at the markers of this one. So what they ask
for is named here; pip on Windows, which installs without an index, fails if one is missing.
"""


class Checkout:
    """Puts the checkout on the machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._wheels = machine.folder / "wheels"
        self._copy = machine.drive / "src"
        self._installed = machine.python_home / "installed.txt"

    def install(self) -> None:
        """Install the wheel of the checkout, its dependencies and those of its tests; copy it.

        Raises:
            subprocess.CalledProcessError: if pip cannot.
        """
        self._copy_files()
        self._install_requirements(requirements())
        with tempfile.TemporaryDirectory(dir=self._machine.folder) as folder:
            pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder)
            subprocess.run([*pip, str(ROOT)], check=True)
            (wheel,) = Path(folder).glob("*.whl")
            self._machine.pip_install("--force-reinstall", "--no-deps", windows_path(wheel))

    def _install_requirements(self, wanted: list[str]) -> None:
        text = "\n".join(wanted)
        if self._installed.exists() and self._installed.read_text("utf-8") == text:
            return
        print("installing what pat and its tests need", flush=True)
        shutil.rmtree(self._wheels, ignore_errors=True)
        download(self._wheels, *wanted, *FOR_WINDOWS)
        self._machine.pip_install(f"--find-links={windows_path(self._wheels)}", *wanted, "tzdata")
        self._installed.write_text(text, "utf-8")

    def _copy_files(self) -> None:
        shutil.rmtree(self._copy, ignore_errors=True)
        listing = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others"]
        ran = subprocess.run(
            [*listing, "--exclude-standard"], stdout=subprocess.PIPE, text=True, check=True
        )
        for name in filter(None, ran.stdout.split("\0")):
            if (source := ROOT / name).exists():  # not deleted since
                target = self._copy / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)


def requirements() -> list[str]:
    """Return what the project and its tests require, as pyproject.toml has it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return [
        *project["project"]["dependencies"],
        *chain(*project["project"]["optional-dependencies"].values()),
        *project["dependency-groups"]["tests"],
    ]


def windows_path(path: Path) -> str:
    """Return the path by which Windows programs find a file of this machine."""
    return "Z:" + str(path).replace("/", "\\")
