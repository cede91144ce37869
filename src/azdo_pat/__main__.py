"""The program, and what it does not spend time on: looking for garbage, tidying up at the end.

Both figures are of `pat list -o json`; benchmarks/ measures them.
"""

import atexit
import gc
import os
import sys
from typing import Final

_OBJECTS_BETWEEN_COLLECTIONS: Final = 100_000


def git_credential_pat() -> None:
    """Run `pat git-credential`, by the name under which git looks for its helper `pat`."""
    sys.argv[1:1] = ["git-credential"]
    main()


def cargo_credential_pat() -> None:
    """Run `pat cargo-credential`, as a program that cargo can start."""
    sys.argv[1:1] = ["cargo-credential"]
    main()


def main() -> None:
    """Run the root command; it ends the process with the exit code of the contract."""
    # Imports make tens of thousands of objects that all stay. To look through them for garbage
    # at every 700th, as Python does by default, takes a twentieth of the time.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    from azdo_pat.cli import pat  # noqa: PLC0415  # from its import on, the line above pays

    try:
        pat.main(sys.argv[1:], prog_name="pat")
    except SystemExit as end:
        if isinstance(end.code, int):
            _leave(end.code)
        raise


def _leave(code: int) -> None:
    """End the process, having done all that Python does then but to take apart every object.

    That takes an eighth of the time, and the system takes the memory back as a whole. Where the
    streams cannot be flushed this returns, for Python to end as it does and to say so.
    """
    atexit._run_exitfuncs()  # noqa: SLF001  # coverage, logging: they must not be left out
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    os._exit(code)


if __name__ == "__main__":
    main()
