"""Runs work in parallel; Ctrl-C stops between items, never within one."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SIDE_BY_SIDE: Final = 12
"""How many to run in parallel; the service limits users by load, not by number
(documentation: "Rate and usage limits")."""


def side_by_side(
    work: Callable[[int], None],
    places: Iterable[int],
    done: Callable[[], None],
    workers: int = SIDE_BY_SIDE,
) -> bool:
    """Do the work for each place in parallel; return whether Ctrl-C skipped some.

    Args:
        work: the work for one place; it records its outcome itself, and must not raise.
        places: the places to work on.
        done: called after each one; a KeyboardInterrupt that it raises stops the run, too. Work in
            progress is completed.
        workers: how many to run in parallel.
    """
    waiting = list(places)
    with ThreadPoolExecutor(workers) as pool:
        running: set[Future[None]] = set()
        try:
            while waiting or running:
                # Only a few are handed to the pool at a time, so that Ctrl-C can skip the rest.
                while waiting and len(running) < workers:
                    running.add(pool.submit(work, waiting.pop(0)))
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    done()
        except KeyboardInterrupt:
            return True
    return False
