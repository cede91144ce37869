"""The entry points of the installed programs, tuned for short runs (garbage collection, exit).

Both figures are of `pat list -o json`; benchmarks/ measures them.
"""

import os
import signal

_INTERRUPTED = 130


def _end_at_once(_number: int, _frame: object) -> None:
    os._exit(_INTERRUPTED)


if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # nohup: it is ignored
    # Until the command runs there is nothing to complete or roll back, and a traceback of imports
    # helps no one. Set first, as the scripts that start the program import this module first.
    signal.signal(signal.SIGINT, _end_at_once)

import atexit  # noqa: E402  # see above
import gc  # noqa: E402  # as above
import sys  # noqa: E402  # as above
from typing import Final  # noqa: E402  # as above

_OBJECTS_BETWEEN_COLLECTIONS: Final = 100_000


def git_credential_pat() -> None:
    """Run `pat git-credential`, by the name under which git looks for its helper `pat`."""
    sys.argv[1:1] = ["git-credential"]
    main()


def cargo_credential_pat() -> None:
    """Run `pat cargo-credential`, as a program that cargo can start."""
    sys.argv[1:1] = ["cargo-credential"]
    main()


def bundled() -> None:
    """Run `pat` in a bundle, or the module that it was started for; see `installation`."""
    from azdo_pat import installation  # noqa: PLC0415  # of no use to a package

    installation.restore_environment(os.environ)
    if module := installation.module_to_run(sys.argv[1:]):
        import runpy  # noqa: PLC0415  # seldom needed

        runpy.run_module(module, run_name="__main__")
    else:
        main()


def main() -> None:
    """Run the root command, which exits with the exit code of the contract."""
    # Imports create tens of thousands of objects that stay alive. Scanning them for garbage
    # after every 700, Python's default, takes a twentieth of the run.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    _use_time_zone_of_windows()
    from azdo_pat.cli.interrupts import record_and_interrupt  # noqa: PLC0415  # as above
    from azdo_pat.cli.main import pat  # noqa: PLC0415  # from its import on, the line above pays

    ends_at_once = signal.getsignal(signal.SIGINT) is _end_at_once
    try:
        if ends_at_once:
            signal.signal(signal.SIGINT, record_and_interrupt)
        pat.main(sys.argv[1:], prog_name="pat")
    except KeyboardInterrupt:  # between two lines of that which would say so
        os._exit(_INTERRUPTED)
    except SystemExit as end:
        if ends_at_once:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done, and said
        if isinstance(end.code, int):
            _leave(end.code)
        raise


def _use_time_zone_of_windows() -> None:
    """Make the C library of Windows ignore TZ, as the rest of Windows does.

    Git Bash sets it to a name such as Europe/Berlin, which the library takes for UTC.
    """
    if sys.platform == "win32" and (name := os.environ.pop("TZ", None)):
        import ctypes  # noqa: PLC0415  # seldom needed

        ctypes.cdll.ucrtbase._tzset()  # noqa: SLF001  # this is its name
        os.environ["TZ"] = name  # for the programs that are started


def _leave(code: int) -> None:
    """Exit like Python does, but without deallocating every object.

    Deallocation takes an eighth of the run, and the system frees the memory anyway. If the
    streams cannot be flushed this returns, so that Python exits as usual and reports the error.
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
