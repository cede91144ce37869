"""How this `pat` is installed: as a package with its programs, or as a bundle of one program.

A bundle is a single folder (PyInstaller) or a zip archive (shiv), with Python's packages inside.
Other programs can start it, but cannot import its modules or find its helpers on the PATH.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

_OF_THE_BOOTLOADER: Final = "_PYI_"
"""The prefix of the variables in which PyInstaller's bootloader keeps its state."""
_MODULE: Final = "-m"
_PAGES: Final = "share/doc/azdo-pat"
"""Where the wheel puts the documentation, below the folder that it is installed to."""


def bundle() -> tuple[str, ...]:
    """Return the words that start this bundle; none if `pat` is installed as a package.

    An archive is started with the Python that runs it now, because the compiled libraries in it
    fit no other.

    Sources: PyInstaller's manual, "Run-time Information"; `shiv/bootstrap` in shiv's repository.
    """
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    if "_bootstrap" in sys.modules:  # shiv's own package, at the top of its archives
        archive = sys.modules["__main__"].__loader__.archive  # type: ignore[union-attr]  # a zipimporter
        return (sys.executable, os.path.abspath(archive))  # noqa: PTH100  # pathlib is slow to import
    return ()


def kind() -> str:
    """Return what `pat --version` calls this installation; empty for a package."""
    return {0: "", 1: "single folder", 2: "zip archive"}[len(bundle())]


def running_module(name: str) -> list[str]:
    """Return the words that run one of `pat`'s modules as a program."""
    # -P: a folder that happens to be called azdo_pat where the user stands is not ours.
    return [*(bundle() or (sys.executable, "-P")), _MODULE, name]


def module_to_run(arguments: Sequence[str]) -> str | None:
    """Return the module that a bundle was started for; see `running_module`."""
    match arguments:
        case [option, name] if option == _MODULE and name.startswith("azdo_pat."):
            return name
        case _:
            return None


def documentation(page: str) -> str | None:
    """Return the path of a page of the documentation on this machine; None if it is not here.

    Args:
        page: its path below the folder `docs`.
    """
    package = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  # as above
    # A checkout first; then upward from Python's packages, as each way to install has its layout:
    # PREFIX/lib/python3.x/site-packages/azdo_pat needs most steps.
    places = ["../../docs", *(f"{'../' * steps}{_PAGES}" for steps in range(1, 5))]
    paths = (os.path.normpath(f"{package}/{place}/{page}") for place in places)
    return next(filter(os.path.isfile, paths), None)


def restore_environment(environment: MutableMapping[str, str]) -> None:
    """Restore the environment that PyInstaller's bootloader has changed for this process.

    Programs that `pat` starts would otherwise load the libraries of the bundle instead of the
    system's (PyInstaller's manual, "LD_LIBRARY_PATH / LIBPATH considerations").
    """
    for name in [each for each in environment if each.startswith(_OF_THE_BOOTLOADER)]:
        del environment[name]
    if getattr(sys, "frozen", False) and sys.platform not in {"win32", "darwin"}:
        environment.pop("LD_LIBRARY_PATH", None)
        if before := environment.pop("LD_LIBRARY_PATH_ORIG", None):
            environment["LD_LIBRARY_PATH"] = before
