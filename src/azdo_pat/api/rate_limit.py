"""When to retry: back-off, and the pauses that the service asks for."""

import random
import re
import threading
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Final

_FIRST_DELAY: Final = 0.4
_SECONDS: Final = r"\d{1,9}(\.\d{1,9})?"


def backoff(attempt: int) -> float:
    """Return the seconds to wait after a failed attempt (1, 2, …), with jitter."""
    spread = random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
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
    """Blocks all threads during a pause that the service asked for.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._opens = 0.0
        self._told = 0.0

    def hold(self, seconds: float) -> None:
        """Stay closed for that many seconds from now, unless it already stays closed for longer."""
        with self._lock:
            self._opens = max(self._opens, self._clock() + seconds)

    def opens(self) -> float:
        """Return when it opens, by the clock."""
        with self._lock:
            return self._opens

    def to_tell(self, opens: float) -> bool:
        """Return True to the first of the waiting threads only, which then reports the wait.

        Args:
            opens: what `opens` returned.
        """
        with self._lock:
            news = opens > self._told
            self._told = max(self._told, opens)
            return news
