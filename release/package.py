"""Build sdist and wheel, judge them, and install the wheel on each supported Python that is here.

    python release/package.py FOLDER

needs the dependency group `release`; it writes the two files to FOLDER, which it empties first.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PINNED = (
    "--only-binary",
    ":all:",
    "--require-hashes",
    "--requirement",
    str(ROOT / "pipelines" / "requirements.txt"),
)
FOR_TESTS = ("tests/test_docs.py", "tests/test_commands.py", "tests/test_packaging.py")
"""Tests that need files from all over the sdist."""


def build(target: Path) -> tuple[Path, Path]:
    """Build the sdist, and the wheel from it; check that the repository gives the same wheel."""
    shutil.rmtree(target, ignore_errors=True)
    run("build", "--no-isolation", "--outdir", str(target), str(ROOT))
    (sdist,), (wheel,) = target.glob("*.tar.gz"), target.glob("*.whl")
    with tempfile.TemporaryDirectory() as scratch:
        run("build", "--no-isolation", "--wheel", "--outdir", scratch, str(ROOT))
        (direct,) = Path(scratch).glob("*.whl")
        check(contents(direct) == contents(wheel), "the sdist builds another wheel")
    return sdist, wheel


def contents(wheel: Path) -> dict[str, bytes]:
    """Return the files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def judge(sdist: Path, wheel: Path) -> None:
    """Let twine and check-wheel-contents judge the files."""
    run("twine", "check", "--strict", str(sdist), str(wheel))
    run("check_wheel_contents", str(wheel))
    files = contents(wheel)
    roots = {name.split("/")[0].removesuffix(".dist-info").split("-")[0] for name in files}
    check(roots == {"azdo_pat"}, f"the wheel holds {sorted(roots)}")
    check("azdo_pat/py.typed" in files, "py.typed is missing")


def start_tests(sdist: Path) -> None:
    """Unpack the sdist, and run some of its tests in it."""
    with tempfile.TemporaryDirectory() as scratch:
        with tarfile.open(sdist) as archive:
            archive.extractall(scratch, filter="data")
        (unpacked,) = Path(scratch).iterdir()
        os.environ["PYTHONPATH"] = str(unpacked / "src")
        run("pytest", "-q", "-n", "auto", *FOR_TESTS, folder=unpacked)


def install(wheel: Path) -> None:
    """Install the wheel in an empty environment of each supported Python, and start `pat`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for line in project["classifiers"]:
        version = line.removeprefix("Programming Language :: Python :: ")
        if version[:2] != "3." or (python := interpreter(f"python{version}")) is None:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            subprocess.run([python, "-m", "venv", scratch], check=True)
            folder = Path(scratch, "Scripts" if sys.platform == "win32" else "bin")
            for command in (
                ["python", "-m", "pip", "install", "--quiet", *PINNED],
                ["python", "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)],
                ["python", "-m", "pip", "check"],
                ["pat", "--version"],
                ["pat", "list", "--stored", "-o", "json"],
            ):
                name, *rest = command
                subprocess.run([folder / name, *rest], check=True, env=empty(scratch))
            check(
                Path(scratch, "share/man/man1/pat-create.1").is_file(), "the man pages are missing"
            )
            help_page = subprocess.run(
                [folder / "pat", "help", "check"],
                check=True,
                env=empty(scratch),
                stdout=subprocess.PIPE,
                encoding="utf-8",
            ).stdout
            page = help_page.rpartition("Documentation:\n")[2].strip()
            check(page != "" and Path(page).is_file(), f"no page of the documentation: {page}")
        print(f"installed and started on Python {version}", flush=True)


def interpreter(name: str) -> str | None:
    """Return the path of a Python that starts; pyenv has programs of those that are not chosen."""
    program = shutil.which(name)
    if program is None or subprocess.run([program, "-c", ""], check=False).returncode:
        print(f"{name} is not here", flush=True)
        return None
    return program


def empty(folder: str) -> dict[str, str]:
    """Return an environment in which `pat` finds nothing of the user's."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PAT_")}
    null = "keyring.backends.null.Keyring"
    return {**kept, "PAT_STATE_DIR": folder, "PAT_CONFIG_DIR": folder, "PAT_KEYRING": null}


def run(module: str, *arguments: str, folder: Path = ROOT) -> None:
    """Run a program of this Python's packages."""
    subprocess.run([sys.executable, "-m", module, *arguments], cwd=folder, check=True)


def check(fact: bool, otherwise: str) -> None:  # noqa: FBT001  # as assert takes it
    """Exit with a message if something is not as it should be."""
    if not fact:
        sys.exit(otherwise)


if __name__ == "__main__":
    sdist, wheel = build(Path(sys.argv[1]).absolute())
    judge(sdist, wheel)
    install(wheel)
    start_tests(sdist)
