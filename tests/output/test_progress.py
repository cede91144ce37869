import io
from concurrent.futures import ThreadPoolExecutor

import pytest

from azdo_pat.output.messages import Messages
from azdo_pat.output.progress import progress


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


def test_a_bar_counts_what_many_threads_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()
    label = "Revoking [all]\x1b[2J"
    with progress(err, lambda: 20, label) as bar, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: bar.step(), range(20)))
    assert r"Revoking [all]\x1b[2J" in err.getvalue()
    assert "\x1b[2J" not in err.getvalue()
    assert "20/20" in err.getvalue()


def test_a_number_that_is_known_only_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err, total = Terminal(), None
    with progress(err, lambda: total, "Reading") as bar:
        bar.step()
        total = 2
        bar.step()
    assert "0/?" in err.getvalue()
    assert "2/2" in err.getvalue()


def test_a_line_stands_above_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()
    messages = Messages(err=err, quiet=False, verbose=False, debug=False, color=False)
    with progress(err, lambda: 2, "Reading") as bar:
        bar.step()
        with messages.written_by(bar.say):
            messages.notice("waiting 12 s: [slow]" + " x" * 60)
        bar.step()
    # Written from the beginning of a line, which was erased before, and to its end.
    assert "\r\x1b[2Kwaiting 12 s: [slow]" + " x" * 60 + "\n" in err.getvalue()


def test_the_bar_is_gone_when_the_work_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()

    def work() -> None:
        with progress(err, lambda: 2, "Revoking") as bar:
            bar.step()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert err.getvalue().endswith("\x1b[2K")  # the line is erased, and the cursor
    assert "\x1b[?25h" in err.getvalue()  # is shown again
