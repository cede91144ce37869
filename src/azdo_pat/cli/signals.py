"""Signals that end the program, at a moment when something must be brought to its end first."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_ENDING: Final = ("SIGINT", "SIGTERM", "SIGHUP")
_pressed: list[int] = []


def note_and_interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, as Python does by itself, and note that it was raised."""
    _pressed.append(number)
    signal.default_int_handler(number, frame)


def comes_of_an_interrupt(error: BaseException) -> bool:
    """Tell whether an error is what became of Ctrl-C.

    A module whose import it strikes may raise an error of its own in its place.
    """
    if _pressed and isinstance(error, ImportError):
        return True
    cause: BaseException | None = error
    passed = set[int]()  # an error that is raised again may lead back to itself
    while cause is not None and id(cause) not in passed:
        if isinstance(cause, KeyboardInterrupt):
            return True
        passed.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return False


@contextmanager
def ending_politely() -> Iterator[None]:
    """Raise KeyboardInterrupt for the first signal that asks the program to end, and once only.

    What is cleaned up then must not be stopped by another one: every request has its time limit,
    so that it comes to an end. SIGQUIT and SIGKILL still do what they do.
    """
    numbers = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    try:
        for number in numbers:
            if before[number] is not signal.SIG_IGN:  # nohup
                signal.signal(number, interrupt)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ctrl_c_noted() -> Iterator[Callable[[], bool]]:
    """Note Ctrl-C while the block runs, instead of raising it wherever the program may be.

    What is under way must end and be reported, also for who presses it again. Gives what tells
    whether it was pressed.
    """
    pressed = threading.Event()
    before = signal.signal(signal.SIGINT, lambda _signal, _frame: pressed.set())
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)
