"""Show on a line of the terminal what a command waits for, while that takes longer than a second.

The line is gone before anything else is written. It needs no control sequences, so any terminal
shows it.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple, TextIO

from azdo_pat.output.escape import visible
from azdo_pat.output.messages import Terminal
from azdo_pat.output.palette import Paint

PATIENCE: Final = 1.0
"""Seconds of waiting, and without any output, before the line appears."""
_FRAME: Final = 0.1
"""Seconds that a picture of the spinner is shown."""
_FRAMES: Final = ("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\")
"""The pictures; the second ones are for ASCII."""


class _Wait(NamedTuple):
    what: str
    until: float | None

    @property
    def text(self) -> str:
        if self.until is None:
            return self.what
        return f"{self.what}; retrying in {max(0, math.ceil(self.until - time.monotonic()))} s"


class WaitingLine:
    """The line; threads may share it.

    Args:
        err: stderr, a terminal.
        out: stdout. If it is a terminal, the line gives way to what is written there, too.
        terminal: what stderr can show.
        color: use colors.
        may_draw: returns whether the terminal is this program's now: a job in the background must
            not write where the user types.
        patience: the seconds before it appears.
    """

    def __init__(
        self,
        err: TextIO,
        out: TextIO,
        *,
        terminal: Terminal,
        color: bool,
        may_draw: Callable[[], bool] = lambda: True,
        patience: float = PATIENCE,
    ) -> None:
        self._err = err
        self._out = out
        self._terminal = terminal
        self._color = color
        self._may_draw = may_draw
        self._patience = patience
        self._write = err.write
        self._changed = threading.Condition()
        self._waits: list[_Wait] = []
        self._since = 0.0  # when nothing but waiting began
        self._drawn = 0  # how many columns the line has now
        self._hidden = 0
        self._is_mid_line = False
        self._is_column_known = True
        self._thread: threading.Thread | None = None

    @property
    def is_hidden(self) -> bool:
        """Whether something else is drawn in its place."""
        return self._hidden > 0

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Keep the line away while the block runs, as something else is drawn there."""
        hiding = False
        try:
            with self._changed:
                self._hidden, hiding = self._hidden + 1, True
                self._erase()
            yield
        finally:
            with self._changed:
                self._hidden -= hiding

    @contextmanager
    def left_to_another_program(self) -> Iterator[None]:
        """Keep the line away while the block runs another program, which may write anything."""
        with self.hidden():
            self._is_column_known = False
            yield

    @contextmanager
    def shown(self, what: str, seconds: float | None = None) -> Iterator[None]:
        """Show what is waited for while the block runs; see `azdo_pat.waiting.Waits`."""
        wait = _Wait(what, None if seconds is None else time.monotonic() + seconds)
        try:
            self._begin(wait)
            yield
        finally:
            with self._changed:
                # An interrupt may have come before it was added. Compared by identity, as another
                # thread may wait for the same.
                self._waits = [each for each in self._waits if each is not wait]
                if not self._waits:
                    self._erase()

    def _begin(self, wait: _Wait) -> None:
        with self._changed:
            if not self._waits:
                self._since = time.monotonic()
            if threading.current_thread() is threading.main_thread():
                self._is_mid_line = False  # a prompt has been answered, a bar has ended
            self._waits.append(wait)
            if self._thread is None:
                thread = threading.Thread(target=self._draw, name="pat-line", daemon=True)
                thread.start()
                self._thread = thread
            self._changed.notify()

    def _draw(self) -> None:
        frame = 0
        with self._changed, suppress(OSError, ValueError):  # the terminal is gone, or closed
            self._watch()
            while True:
                if not self._waits:
                    self._changed.wait()
                elif (left := self._since + self._patience - time.monotonic()) > 0:
                    self._changed.wait(left)
                else:
                    if not self._hidden and not self._is_mid_line and self._may_draw():
                        self._draw_frame(frame)
                        frame += 1
                    self._changed.wait(_FRAME)

    def _draw_frame(self, frame: int) -> None:
        from rich.cells import cell_len, set_cell_size  # noqa: PLC0415 - most runs do not wait

        from azdo_pat.redaction import masked  # noqa: PLC0415 - as above

        frames = _FRAMES[self._terminal.ascii_only]
        text = f"{frames[frame % len(frames)]} {visible(masked(self._waits[-1].text))}"
        # Not to the last column: some terminals would begin a new line.
        room = max(0, self._terminal.columns() - 1)
        if cell_len(text) > room:
            text = set_cell_size(text, room)
        width = cell_len(text)
        blank = " " * (self._drawn - width)
        if not self._is_column_known:
            # Begins a new line if the other program has left one unfinished, as zsh does before
            # its prompt (PROMPT_SP).
            self._write(" " * self._terminal.columns())
            self._is_column_known = True
        shown = Paint.FAINT.on(text) if self._color else text
        self._drawn = max(width, self._drawn)
        self._write(f"\r{shown}{blank}")
        self._err.flush()

    def _erase(self) -> None:
        if self._drawn:
            # The terminal itself has written ^C behind it when the user pressed Ctrl-C.
            room = max(self._drawn, self._terminal.columns() - 1)
            blank, self._drawn = " " * min(self._drawn + len("^C"), room), 0
            with suppress(OSError, ValueError):  # the terminal is gone, or closed
                self._write(f"\r{blank}\r")
                self._err.flush()

    def _watch(self) -> None:
        """Erase the line before anything else is written on the terminal."""
        for stream in {self._err, self._out}:
            if stream.isatty():
                self._watch_stream(stream)

    def _watch_stream(self, stream: TextIO) -> None:
        write = stream.write

        def erasing(text: str) -> int:
            with self._changed:
                self._erase()
                self._since = time.monotonic()
                self._is_mid_line = not text.endswith("\n")
                return write(text)

        stream.write = erasing  # type: ignore[method-assign]  # all writers go through here
