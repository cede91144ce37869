"""Doing many of a kind at the same time, so that Ctrl-C stops between two and not within one."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SIDE_BY_SIDE: Final = 12
"""How many are under way at once; the service limits users by load, not by number
(documentation: "Rate and usage limits")."""


def side_by_side(
    work: Callable[[int], None],
    places: Iterable[int],
    done: Callable[[], None],
    workers: int = SIDE_BY_SIDE,
) -> bool:
    """Do the work on each place; tell whether Ctrl-C kept it from some of them.

    Args:
        work: what to do; it notes itself what became of it, and raises nothing.
        places: for which.
        done: told after each one; what it raises as KeyboardInterrupt stops it, too. Those under
            way come to their end.
        workers: how many at once.
    """
    waiting = list(places)
    with ThreadPoolExecutor(workers) as pool:
        running: set[Future[None]] = set()
        try:
            while waiting or running:
                # Few are handed to the pool at a time, so that Ctrl-C finds the rest not begun.
                while waiting and len(running) < workers:
                    running.add(pool.submit(work, waiting.pop(0)))
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    done()
        except KeyboardInterrupt:
            return True
    return False
