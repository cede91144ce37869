"""Build `pat` as a bundle: as a single folder, and as a zip archive for one version of Python.

    python release/bundle.py FOLDER

needs the dependency group `release`, and the project installed with all its extras; it writes
`FOLDER/pat/` with the program, and `FOLDER/pat.pyz`.
"""

import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
EXTRAS = "[emulator,github,report]"
STARTED = "__main__.py"


def build_folder(target: Path) -> None:
    """Build the single folder `target`/pat with PyInstaller.

    A single file would unpack a program that handles secrets into the system's temporary folder at
    each start, so there is none.
    """
    with tempfile.TemporaryDirectory() as scratch:
        run(
            *("PyInstaller", "--onedir", "--name=pat", "--noconfirm", "--log-level=WARN"),
            "--collect-submodules=azdo_pat",  # commands are imported by name
            "--collect-data=azdo_pat",
            "--collect-submodules=keyring.backends",  # so are these
            "--copy-metadata=azdo-pat",  # keyring finds backends by their entry points
            "--copy-metadata=keyring",
            *documentation(),
            *(f"--distpath={target}", f"--workpath={scratch}", f"--specpath={scratch}"),
            str(HERE / "start.py"),
        )


def documentation() -> Iterator[str]:
    """Yield the options that add the pages that the wheel has, too."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    for page, place in shared.items():
        if place.startswith("share/doc/"):
            is_file = page.endswith(".md")
            yield f"--add-data={HERE.parent / page}:{Path(place).parent if is_file else place}"


def build_archive(target: Path) -> None:
    """Build the zip archive `target`/pat.pyz with shiv, and give it our `__main__.py`."""
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch, "pat.pyz")
        entry = "azdo_pat.__main__:bundled"
        run("shiv", "--quiet", "-e", entry, "-o", str(made), f"{HERE.parent}{EXTRAS}")
        archive = target / made.name
        with zipfile.ZipFile(made) as theirs, archive.open("wb") as file:
            file.write(b"#!/usr/bin/env python%d.%d\n" % sys.version_info[:2])
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as ours:
                for each in theirs.infolist():
                    if each.filename != STARTED:
                        ours.writestr(each, theirs.read(each), zipfile.ZIP_DEFLATED)
                ours.write(HERE / "archive_main.py", STARTED)
        archive.chmod(0o755)


def run(module: str, *arguments: str) -> None:
    """Run a program of this Python's packages."""
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(build, folder) for build in (build_folder, build_archive)]:
            done.result()
