"""Work that is done side by side, with its outcomes as they come."""

import threading
import time
from collections.abc import Iterator

import pytest

from azdo_pat.services.parallel import ReadAhead, results_side_by_side


def test_each_item_with_its_outcome() -> None:
    found = results_side_by_side(lambda each: each * each, range(50), workers=8)
    assert sorted(found) == [(each, each * each) for each in range(50)]


def test_nothing_to_do() -> None:
    assert list(results_side_by_side(str, [])) == []


def test_what_the_work_raises_is_raised() -> None:
    def work(item: int) -> int:
        return 1 // item

    with pytest.raises(ZeroDivisionError):
        list(results_side_by_side(work, [1, 0, 1]))


def test_items_are_taken_only_as_outcomes_are() -> None:
    """Else a slow reader of many outcomes would hold all of them."""
    taken: list[int] = []

    def items() -> Iterator[int]:
        for each in range(100):
            taken.append(each)
            yield each

    found = results_side_by_side(str, items(), workers=4)
    for _ in range(10):
        next(found)
    time.sleep(0.05)
    assert len(taken) <= 10 + 4


def test_threads_end_with_the_reader() -> None:
    before = {*threading.enumerate()}
    found = results_side_by_side(str, range(100), workers=4)
    next(found)
    started = {*threading.enumerate()} - before
    assert len(started) == 4
    found.close()
    for thread in started:
        thread.join(5)
    assert started.isdisjoint(threading.enumerate())


def test_threads_end_if_the_items_do_not_come() -> None:
    before = {*threading.enumerate()}
    started = set[threading.Thread]()

    def items() -> Iterator[int]:
        yield from range(2)
        started.update({*threading.enumerate()} - before)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        next(results_side_by_side(str, items(), workers=4))
    assert len(started) == 2
    for thread in started:
        thread.join(5)
    assert started.isdisjoint(threading.enumerate())


def test_items_are_counted_before_they_are_used() -> None:
    ahead = ReadAhead(iter(range(5)))
    deadline = time.monotonic() + 10
    while ahead.total is None and time.monotonic() < deadline:
        time.sleep(0.001)
    assert ahead.total == 5
    assert [*ahead] == [0, 1, 2, 3, 4]


def test_what_taking_items_raises_comes_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    ahead = iter(ReadAhead(items()))
    assert next(ahead) == 1
    with pytest.raises(ZeroDivisionError):
        next(ahead)


def test_no_more_is_taken_once_it_is_closed() -> None:
    taken, go_on = [], threading.Event()

    def items() -> Iterator[int]:
        for each in range(3):
            taken.append(each)
            yield each
            go_on.wait(10)

    before = {*threading.enumerate()}
    ahead = ReadAhead(items())
    assert next(iter(ahead)) == 0
    ahead.close()
    go_on.set()
    for thread in {*threading.enumerate()} - before:
        thread.join(10)
    assert taken == [0, 1]


def test_a_thread_whose_start_is_interrupted_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        started.append(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(results_side_by_side(lambda item: item, [1, 2, 3]))
    (thread,) = started
    thread.join(10)
    assert not thread.is_alive()
