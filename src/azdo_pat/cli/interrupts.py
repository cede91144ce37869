"""Handle signals that end the program while an operation must be completed first."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    Handler = Callable[[int, FrameType | None], object] | int | None

ENDING: Final = tuple(
    signal.Signals[name]
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if name in signal.Signals.__members__
)
"""The signals that end a program on this system; the first is that of Ctrl-C.

Windows sends SIGBREAK when the console is closed, or Ctrl-Break pressed.
"""
_pressed: list[int] = []
_ONE_PRESS: Final = 1.0
"""Seconds within which Ctrl-C, pressed again, means the same."""


def record_and_interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, as Python does by default, and record it."""
    _pressed.append(number)
    signal.default_int_handler(number, frame)


def is_from_interrupt(error: BaseException) -> bool:
    """Return whether an error was caused by Ctrl-C.

    A module that is interrupted during its import may raise an error of its own instead.
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
def interruptible_once() -> Iterator[None]:
    """Raise KeyboardInterrupt for the first signal that ends the program, and ignore later ones.

    A later signal must not stop the cleanup, which ends because every request has a time limit.
    SIGQUIT and SIGKILL still work.
    """
    before = {number: signal.getsignal(number) for number in ENDING}

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    try:
        for number in ENDING:
            if before[number] is not signal.SIG_IGN:  # nohup
                signal.signal(number, interrupt)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def later_interrupt(after: Handler) -> Handler:
    """Return a handler of Ctrl-C that interrupts once: when it is pressed after more than a second.

    Pressed several times, it means one thing: what it has ended already.

    Args:
        after: the handler that Ctrl-C has then.
    """
    begun = time.monotonic()

    def interrupt(number: int, frame: FrameType | None) -> None:
        if time.monotonic() - begun > _ONE_PRESS:
            signal.signal(signal.SIGINT, after)
            record_and_interrupt(number, frame)

    return interrupt


@contextmanager
def ctrl_c_recorded() -> Iterator[Callable[[], bool]]:
    """Record Ctrl-C while the block runs instead of raising KeyboardInterrupt.

    Running operations must complete and be reported, however often Ctrl-C is pressed. Yields a
    function that returns whether it was pressed. If it was, it is ignored for a second after the
    block, too: pressed several times, it must not take away the report.
    """
    pressed = threading.Event()
    before = signal.signal(signal.SIGINT, lambda _signal, _frame: pressed.set())
    try:
        yield pressed.is_set
    finally:
        is_pressed = pressed.is_set() and before is not signal.SIG_IGN
        signal.signal(signal.SIGINT, later_interrupt(before) if is_pressed else before)
