"""A time limit around a call that has none of its own."""

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

Result = TypeVar("Result")

_INTERRUPTIBLE: Final = 0.1
"""Seconds that Ctrl-C may take: Windows does not interrupt the wait for a thread."""


class TimeLimitError(Exception):
    """The call did not return in time. It may still be running, on a thread of its own."""


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

    thread = threading.Thread(target=run, name="pat-deadline", daemon=True)
    thread.start()
    end = time.monotonic() + seconds
    while thread.is_alive() and (left := end - time.monotonic()) > 0:
        thread.join(min(left, _INTERRUPTIBLE))
    if thread.is_alive():
        raise TimeLimitError
    if errors:
        raise errors[0]
    return results[0]
