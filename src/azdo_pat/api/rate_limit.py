"""When to retry: back-off, and the pauses that the service asks for."""

import math
import random
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Final

from azdo_pat.waiting import NOTICED_WITHIN

_FIRST_DELAY: Final = 0.4
# A generator of its own: threads that wait must not change the state of Python's common one.
_JITTER: Final = random.Random()  # noqa: S311 - spreads load, guards nothing
_GROWS_EVERY_SECONDS: Final = 30.0
"""The service limits what a user takes in any five minutes ("Rate and usage limits")."""
_SECONDS: Final = r"\d{1,9}(\.\d{1,9})?"


def backoff(attempt: int) -> float:
    """Return the seconds to wait after a failed attempt (1, 2, …), with jitter."""
    spread = _JITTER.uniform(0.5, 1.0)
    return float(_FIRST_DELAY * 2 ** (attempt - 1) * spread)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that `Retry-After` asks for; None if it is absent or invalid.

    A date is compared with the response's own `Date`, so that this machine's clock may be wrong.
    Source: RFC 9110, 10.2.3; Azure DevOps, "Rate and usage limits".
    """
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    if re.fullmatch(_SECONDS, value):
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        since = parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (until - since).total_seconds())
    except (ValueError, TypeError):
        return None


class Gate:
    """Blocks all threads during a pause that the service asked for; fewer run at once after it.

    Half as many as ran before it, if that was more than one; and one more for each half minute
    without another pause.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._opens = 0.0
        self._told = 0.0
        self._running = 0
        self._most = 0
        self._pauses = 0
        self._width: float = math.inf
        self._fewer: int | None = None

    @contextmanager
    def turn(self) -> Iterator[int]:
        """Wait until one more request may run, and count it as running during the block.

        Yields how many pauses there were before; `hold` needs to know.
        """
        with self._changed:
            while self._running >= self._now_wide():
                self._changed.wait(NOTICED_WITHIN)  # Ctrl-C, and the clock, are no notification
            self._running += 1
            self._most = max(self._most, self._running)
            pauses = self._pauses
        try:
            yield pauses
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify()

    def hold(self, seconds: float, pauses: int) -> None:
        """Stay closed for that many seconds from now, unless it already stays closed for longer.

        Args:
            seconds: of the pause.
            pauses: what `turn` yielded for the request that was answered with it. Of requests that
                ran side by side, only the first such answer halves their number.
        """
        with self._changed:
            self._opens = max(self._opens, self._clock() + seconds)
            if pauses < self._pauses:
                return
            self._pauses += 1
            most, self._most = self._most, 0
            self._fewer = most // 2 or None  # one alone says nothing about many
            self._width = self._fewer or self._width

    @property
    def consequence(self) -> str:
        """What changes after the pause, as the end of a sentence about it; empty for nothing."""
        with self._changed:
            if self._fewer is None:
                return ""
            return f"; from then on {self._fewer} request{'s' * (self._fewer > 1)} at once"

    def _now_wide(self) -> float:
        """Return how many requests may run at once."""
        quiet = max(0.0, self._clock() - self._opens)
        return self._width + quiet // _GROWS_EVERY_SECONDS

    def opens(self) -> float:
        """Return when it opens, by the clock."""
        with self._changed:
            return self._opens

    def to_tell(self, opens: float) -> bool:
        """Return True to the first of the waiting threads only, which then reports the wait.

        Args:
            opens: what `opens` returned.
        """
        with self._changed:
            news = opens > self._told
            self._told = max(self._told, opens)
            return news
