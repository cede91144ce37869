import io
import re
import threading
import time

import pytest

from azdo_pat.output.messages import Messages, Terminal
from azdo_pat.output.waiting_line import WaitingLine

PATIENCE = 0.1


class Screen(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True

    @property
    def line(self) -> str:
        """What the last line shows."""
        cells: list[str] = []
        column = 0
        for character in self.getvalue().rpartition("\n")[2]:
            if character == "\r":
                column = 0
                continue
            cells[column : column + 1] = [character]
            column += 1
        return "".join(cells).rstrip()


def line_on(err: Screen, out: io.StringIO | None = None, columns: int = 80) -> WaitingLine:
    return WaitingLine(
        err,
        out or io.StringIO(),
        terminal=Terminal(lambda: columns, ascii_only=True),
        color=False,
        patience=PATIENCE,
    )


def until(text: str, screen: Screen) -> None:
    """Wait until the last line shows a text."""
    end = time.monotonic() + 5
    while not re.fullmatch(text, screen.line):
        assert time.monotonic() < end, screen.line
        time.sleep(0.01)


def test_a_wait_is_shown_after_a_while_and_erased() -> None:
    err = Screen()
    with line_on(err).shown("waiting for dev.azure.com\x1b[2J"):
        assert err.getvalue() == ""
        until(r"[|/\\-] waiting for dev\.azure\.com\\x1b\[2J", err)
    assert err.line == ""
    assert "\x1b" not in err.getvalue()


def test_a_short_wait_is_not_shown() -> None:
    err = Screen()
    line = line_on(err)
    for _ in range(100):
        with line.shown("waiting"):
            pass
    time.sleep(PATIENCE * 2)
    assert err.getvalue() == ""


def test_a_retry_counts_down_within_a_wait() -> None:
    err = Screen()
    line = line_on(err)
    with line.shown("waiting for dev.azure.com"):
        with line.shown("dev.azure.com answered 503", 11.5):
            until(r". dev\.azure\.com answered 503; retrying in 12 s", err)
        until(r". waiting for dev\.azure\.com", err)


def test_it_fits_the_line() -> None:
    err = Screen()
    with line_on(err, columns=12).shown("日本日本日本日本"):
        until(r". 日本日本", err)


@pytest.mark.parametrize("to_stdout", [True, False])
def test_what_is_written_takes_its_place(*, to_stdout: bool) -> None:
    screen = Screen()
    with line_on(screen, screen).shown("waiting"):
        until(". waiting", screen)
        if to_stdout:
            print("a row", file=screen)
        else:
            Messages(err=screen, quiet=False, verbose=False, debug=False, color=False).notice(
                "a row"
            )
        assert screen.line == ""
        assert re.search(r"\r {11}\ra row\n$", screen.getvalue())
        until(". waiting", screen)


def test_a_prompt_is_not_drawn_over() -> None:
    screen = Screen()
    line = line_on(screen)
    with line.shown("waiting"):
        until(". waiting", screen)
        screen.write("Revoke? ")
        time.sleep(PATIENCE * 3)
        assert screen.line == "Revoke?"
    with line.shown("waiting"):  # the answer has ended the line
        until("(?s).*. waiting", screen)


def test_it_is_away_while_a_bar_is_shown() -> None:
    screen = Screen()
    line = line_on(screen)
    with line.shown("waiting"):
        until(". waiting", screen)
        with line.hidden():
            assert (line.is_hidden, screen.line) == (True, "")
            time.sleep(PATIENCE * 3)
            assert screen.line == ""
        until(". waiting", screen)


def test_an_interrupted_wait_is_not_shown_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever the interrupt came: here while the thread that draws is being started."""

    def interrupted(_thread: threading.Thread) -> None:
        raise KeyboardInterrupt

    screen = Screen()
    line = line_on(screen)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt), line.shown("first"):
            pass
    with line.shown("second"):
        until(". second", screen)
    time.sleep(PATIENCE * 3)
    assert screen.line == ""


def test_it_begins_a_line_of_its_own_after_another_program() -> None:
    screen = Screen()
    line = line_on(screen, columns=20)
    with line.left_to_another_program():
        io.StringIO.write(screen, "unfinished")
        with line.shown("unseen"):
            time.sleep(PATIENCE * 2)
    with line.shown("waiting"):
        until(". waiting.*", screen)
    assert screen.getvalue().startswith("unfinished" + " " * 20 + "\r")
    assert "unseen" not in screen.getvalue()


def test_many_threads_share_it() -> None:
    screen = Screen()
    line, end = line_on(screen), threading.Event()

    def wait(number: int) -> None:
        with line.shown(f"waiting for {number}"):
            end.wait()

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    until(r". waiting for \d", screen)
    end.set()
    for thread in threads:
        thread.join()
    assert screen.line == ""


def test_it_is_erased_when_the_wait_is_cancelled() -> None:
    screen = Screen()

    def wait() -> None:
        with line_on(screen).shown("waiting"):
            until(". waiting", screen)
            io.StringIO.write(screen, "^C")  # as the terminal does itself
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wait()
    assert screen.line == ""
