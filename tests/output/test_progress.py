import io
from concurrent.futures import ThreadPoolExecutor

import pytest

from azdo_pat.output.progress import progress


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


def test_nobody_looking_nothing_is_written() -> None:
    err = io.StringIO()
    with progress(err, lambda: 3, "Revoking", enabled=False) as step:
        step()
    assert err.getvalue() == ""


def test_a_bar_counts_what_many_threads_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()
    label = "Revoking [all]\x1b[2J"
    with progress(err, lambda: 20, label, enabled=True) as step, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: step(), range(20)))
    assert r"Revoking [all]\x1b[2J" in err.getvalue()
    assert "\x1b[2J" not in err.getvalue()
    assert "20/20" in err.getvalue()


def test_a_number_that_is_known_only_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err, total = Terminal(), None
    with progress(err, lambda: total, "Reading", enabled=True) as step:
        step()
        total = 2
        step()
    assert "0/?" in err.getvalue()
    assert "2/2" in err.getvalue()


def test_the_bar_is_gone_when_the_work_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()

    def work() -> None:
        with progress(err, lambda: 2, "Revoking", enabled=True) as step:
            step()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert err.getvalue().endswith("\x1b[2K")  # the line is erased, and the cursor
    assert "\x1b[?25h" in err.getvalue()  # is shown again
