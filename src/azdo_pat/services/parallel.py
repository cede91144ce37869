"""Runs work in parallel; Ctrl-C stops between items, and within one only if it just reads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple, TypeVar

from azdo_pat.waiting import NOTICED_WITHIN

SIDE_BY_SIDE: Final = 12
"""How many to run in parallel; the service limits users by load, not by number
(documentation: "Rate and usage limits")."""


class Progress(NamedTuple):
    """Shows how far work on many tokens has come.

    Attributes:
        done: called after each token; a KeyboardInterrupt that it raises stops the run.
        stopped: returns whether the user has cancelled.
        before: called before each token; raises PatError if it is not to be worked on.
    """

    done: Callable[[], None]
    stopped: Callable[[], bool]
    before: Callable[[], None] = lambda: None


Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

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


def results_side_by_side(
    work: Callable[[Item], Outcome], items: Iterable[Item], workers: int = SIDE_BY_SIDE
) -> Generator[tuple[Item, Outcome]]:
    """Yield each item with the outcome of its work, in the order in which the work ends.

    For work that only reads: its threads are daemons, so that Ctrl-C, or an error, leaves work in
    progress behind. No more than `workers` outcomes are held at a time.

    Raises:
        BaseException: what the work raised first.
    """
    to_do: SimpleQueue[Item | None] = SimpleQueue()
    ended: SimpleQueue[tuple[Item, Outcome] | BaseException] = SimpleQueue()

    def run() -> None:
        while (item := to_do.get()) is not None:
            try:
                ended.put((item, work(item)))
            except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
                ended.put(error)

    waiting = iter(items)
    started = 0
    try:
        for each in islice(waiting, workers):
            to_do.put(each)
            started += 1  # before it starts: Ctrl-C may come while its start is waited for
            threading.Thread(target=run, name="pat-reading", daemon=True).start()
        running = started
        while running:
            try:
                found = ended.get(timeout=NOTICED_WITHIN)
            except Empty:
                continue
            running -= 1
            if isinstance(found, BaseException):
                raise found
            for each in islice(waiting, 1):
                to_do.put(each)
                running += 1
            yield found
    finally:
        for _ in range(started):
            to_do.put(None)


class ReadAhead(Iterable[Item]):
    """Takes items in a thread of its own, so that their number is known before all are used.

    Attributes:
        total: how many there are; None until all are taken.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self.total: int | None = None
        self._taken: SimpleQueue[tuple[Item] | BaseException | None] = SimpleQueue()
        self._is_closed = False
        threading.Thread(target=self._take, args=(items,), name="pat-reading", daemon=True).start()

    def __iter__(self) -> Iterator[Item]:
        """Yield the items; raise what taking them raised, in its place."""
        while True:
            try:
                found = self._taken.get(timeout=NOTICED_WITHIN)
            except Empty:
                continue
            if found is None:
                return
            if isinstance(found, BaseException):
                raise found
            yield found[0]

    def close(self) -> None:
        """Take no more."""
        self._is_closed = True

    def _take(self, items: Iterable[Item]) -> None:
        number = 0
        try:
            for item in items:
                if self._is_closed:
                    return
                self._taken.put((item,))
                number += 1
            self.total = number
            self._taken.put(None)
        except BaseException as error:  # noqa: BLE001 - raised again where the items are used
            self._taken.put(error)
