"""A time limit around a call that has none of its own."""

import _thread
import threading
import time

import pytest

from azdo_pat.store.timeout import within


def test_ctrl_c_ends_the_wait() -> None:
    """Windows interrupts no wait for a thread; nor does this way to interrupt, on any system."""
    released = threading.Event()
    threading.Timer(0.3, _thread.interrupt_main).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        within(30, lambda: released.wait(40))
    released.set()
    assert time.monotonic() - started < 15
