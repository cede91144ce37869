"""The signals that end the program."""

import signal
from collections.abc import Iterator

import pytest

from azdo_pat.cli import interrupts
from azdo_pat.cli.interrupts import ENDING, ctrl_c_recorded, interruptible_once


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


@pytest.fixture
def _usual_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_usual_handler")
def test_ctrl_c_pressed_several_times_does_not_take_away_the_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ctrl_c_recorded() as pressed:
        signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)
    assert pressed()
    monkeypatch.setattr(interrupts, "_ONE_PRESS", -1.0)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("_usual_handler")
def test_ctrl_c_is_what_it_was_after_work_that_it_did_not_stop() -> None:
    with ctrl_c_recorded() as pressed:
        pass
    assert not pressed()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
