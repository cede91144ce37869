"""Waits for calls that block, so that Ctrl-C ends the wait on every system, or a time limit does.

Python on Windows notices Ctrl-C only between two of its own steps: not while a call of the system
waits for a server, a program or another thread.
"""

import math
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Protocol, TypeVar

Result = TypeVar("Result")

NOTICED_WITHIN: Final = 0.1
"""Seconds that Ctrl-C may take where it does not interrupt a wait."""


class Waits(Protocol):
    """Tells a listener what is waited for while a block runs, so that it may tell the user."""

    def __call__(
        self, what: str, seconds: float | None = None, /
    ) -> AbstractContextManager[object]:
        """Return the context of the wait.

        Args:
            what: what is waited for, in words: `waiting for dev.azure.com`.
            seconds: after which an attempt is repeated, if that is waited for.
        """


def unheard(_what: str, _seconds: float | None = None) -> AbstractContextManager[object]:
    """Tell no one; see `Waits`."""
    return nullcontext()


class TimeLimitError(Exception):
    """The call did not return in time. It may still be running, on a thread of its own."""


def interruptible(work: Callable[[], Result]) -> Result:
    """Return what `work` returns, or raise what it raises; let Ctrl-C end the wait for it.

    On Windows the work then goes on, on a thread of its own, until it or the program ends. So a
    request may still arrive after the interrupt, as one can that was on its way.
    """
    if sys.platform == "win32" and threading.current_thread() is threading.main_thread():
        return within(math.inf, work)
    return work()


def slept(
    seconds: float, sleep: Callable[[float], None], is_cancelled: Callable[[], bool] | None
) -> bool:
    """Sleep, and return whether to the end: it ends early once `is_cancelled` returns True."""
    if is_cancelled is None:
        sleep(seconds)
        return True
    left = seconds
    while left > 0:
        if is_cancelled():
            return False
        sleep(min(left, NOTICED_WITHIN))
        left -= NOTICED_WITHIN
    return True


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return what `work` returns, or raise what it raises, within that many seconds.

    The thread is a daemon: a call that never returns does not keep the program from ending.

    Raises:
        TimeLimitError: the time is over.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
            errors.append(error)

    thread = threading.Thread(target=run, name="pat-waiting", daemon=True)
    thread.start()
    end = time.monotonic() + seconds
    while thread.is_alive() and (left := end - time.monotonic()) > 0:
        thread.join(min(left, NOTICED_WITHIN))
    if thread.is_alive():
        raise TimeLimitError
    if errors:
        raise errors[0]
    return results[0]
