"""Calls that block."""

import _thread
import os
import signal
import sys
import threading
import time

import pytest

from azdo_pat.waiting import interruptible, within


def test_ctrl_c_ends_the_wait() -> None:
    """Windows interrupts no wait for a thread; nor does this way to interrupt, on any system."""
    released = threading.Event()
    threading.Timer(0.3, _thread.interrupt_main).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        within(30, lambda: released.wait(40))
    released.set()
    assert time.monotonic() - started < 15


def test_a_call_is_interruptible_on_every_system() -> None:
    released = threading.Event()
    press = threading.Timer(0.3, _thread.interrupt_main)
    if sys.platform != "win32":  # where only a real signal interrupts a call
        press = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    press.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interruptible(lambda: released.wait(40))
    released.set()
    assert time.monotonic() - started < 15


def test_an_error_is_raised_where_it_is_waited_for() -> None:
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 // 0)
