"""Run the tests in a Windows Python, on Debian, under Wine.

    nox -s windows                  set up what is missing; the main job and all tests
    nox -s windows -- pytest ARGS   some of the tests only
    nox -s windows -- python ARGS   the Windows Python itself
    nox -s windows -- pat ARGS      the installed pat.exe

Each of them installs this checkout first. Everything is kept in one folder, `AZDO_PAT_WINDOWS`
(a folder in the user's cache if it is not set), which may be deleted at any time.
"""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from windows.checkout import Checkout
from windows.wine import Machine

assert sys.platform == "linux"

EVERYTHING = (
    *("-n", "4", "--dist", "worksteal", "--hypothesis-profile=quick"),
    *("-m", "not e2e and not contract"),
)


def main() -> int:
    """Do what the arguments say; return the exit code."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("AZDO_PAT_WINDOWS") or cache / "azdo-pat-windows")
    folder.mkdir(parents=True, exist_ok=True)
    match sys.argv[1:]:
        case []:
            command = ["python", "-m", "pytest", *EVERYTHING]
        case ["pytest", *args]:
            command = ["python", "-m", "pytest", *args]
        case ["python" | "pat" as program, *args]:
            command = [program, *args]
        case _:
            sys.exit(__doc__)
    with alone(folder / "lock"):
        machine = Machine(folder)
        machine.set_up()
        Checkout(machine).install()
        with machine.display():
            return machine.run(*command)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Wait until no other run uses the folder."""
    with lock.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
