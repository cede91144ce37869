"""The signals that end the program."""

import signal

import pytest

from azdo_pat.cli.interrupts import ENDING, interruptible_once


@pytest.mark.parametrize("number", ENDING)
def test_each_interrupts_once(number: signal.Signals) -> None:
    inherited = signal.signal(number, signal.SIG_DFL)  # under nohup, SIGHUP is ignored
    try:
        with interruptible_once():
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
            signal.raise_signal(number)  # the cleanup goes on
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, inherited)
