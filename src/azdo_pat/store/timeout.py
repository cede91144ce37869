"""A time limit around a call that has none of its own."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class TimeLimitError(Exception):
    """The call did not return in time. It may still be running, on a thread of its own."""


class _Call(Generic[Result]):
    """One call, and how it ended."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work = work
        self._results: list[Result] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._results.append(self._work())
        # Every exception of the call is raised in the thread that waits for it.
        except BaseException as error:  # noqa: BLE001 - raised again by `result`
            self._error = error

    def result(self) -> Result:
        if self._error is not None:
            raise self._error
        return self._results[0]


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return what `work` returns, or raise what it raises, within that many seconds.

    The thread is a daemon: a call that never returns does not keep the program from ending.

    Raises:
        TimeLimitError: the time is over.
    """
    call = _Call(work)
    thread = threading.Thread(target=call.run, name="pat-deadline", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeLimitError
    return call.result()
