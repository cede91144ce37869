"""Runs work in parallel; Ctrl-C stops between items, never within one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from typing import Final, NamedTuple

from azdo_pat.waiting import NOTICED_WITHIN

SIDE_BY_SIDE: Final = 12
"""How many to run in parallel; the service limits users by load, not by number
(documentation: "Rate and usage limits")."""


class Progress(NamedTuple):
    """Shows how far work on many tokens has come.

    Attributes:
        done: called after each token; a KeyboardInterrupt that it raises stops the run.
        stopped: returns whether the user has cancelled.
    """

    done: Callable[[], None]
    stopped: Callable[[], bool]


Shown = Callable[[int], AbstractContextManager[Progress]]
"""Shows the progress of work on that many tokens while the block runs."""


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
                finished, running = wait(running, NOTICED_WITHIN, FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    done()
        except KeyboardInterrupt:
            return True
    return False
