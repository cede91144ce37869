import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.api.json_fields import parse_moment
from azdo_pat.api.rate_limit import Gate, backoff, retry_after

DATE = "Mon, 23 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 0.5 "}, 0.5),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "Mon, 23 Nov 2026 10:01:30 GMT", "Date": DATE}, 90.0),
        ({"Retry-After": "Mon, 23 Nov 2026 09:00:00 GMT", "Date": DATE}, 0.0),
        ({"Retry-After": "Mon, 23 Nov 2026 10:01:30 GMT"}, None),
        ({"Retry-After": "Mon, 23 Nov 2026 10:01:30 -0000", "Date": DATE}, None),
        ({"Retry-After": "soon", "Date": DATE}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_backoff_doubles_and_spreads() -> None:
    for attempt, most in ((1, 0.4), (2, 0.8), (3, 1.6)):
        delays = {backoff(attempt) for _ in range(50)}
        assert len(delays) > 1
        assert all(most / 2 <= delay <= most for delay in delays)


def test_a_gate_keeps_to_the_longest_order() -> None:
    gate = Gate(lambda: 100.0)
    assert gate.opens() == 0
    gate.hold(5, 0)
    gate.hold(2, 0)
    assert gate.opens() == 105


def require_at_once(gate: Gate, number: int, of: int) -> None:
    """Check that this many requests run side by side of a multiple of that, and no more."""
    all_of_them = threading.Barrier(number)
    running: list[int] = []
    most = []

    def request(each: int) -> None:
        with gate.turn():
            running.append(each)
            most.append(len(running))
            all_of_them.wait(10)
            time.sleep(0.02)  # in which others would begin
            running.remove(each)

    with ThreadPoolExecutor(of) as pool:
        list(pool.map(request, range(of)))
    assert max(most) == number


def test_half_as_many_run_after_each_pause() -> None:
    gate = Gate(lambda: 100.0)
    require_at_once(gate, 8, of=8)
    for before, number in enumerate((4, 2, 1, 1)):
        gate.hold(10, before)
        require_at_once(gate, number, of=8)
    assert gate.consequence == ""  # as many as before it


def test_the_answers_to_requests_that_ran_together_count_once() -> None:
    gate = Gate(lambda: 100.0)
    require_at_once(gate, 8, of=8)
    gate.hold(10, 0)
    gate.hold(10, 0)
    require_at_once(gate, 4, of=8)
    assert gate.consequence == "; from then on 4 requests at once"


def test_a_pause_for_one_request_alone_does_not_limit_many() -> None:
    gate = Gate(lambda: 100.0)
    require_at_once(gate, 1, of=1)
    gate.hold(10, 0)
    require_at_once(gate, 8, of=8)


def test_one_more_runs_after_each_half_minute_of_quiet() -> None:
    now = [100.0]
    gate = Gate(lambda: now[0])
    require_at_once(gate, 2, of=2)
    gate.hold(10, 0)
    for now[0], number in ((110.0, 1), (139.0, 1), (141.0, 2), (171.0, 3)):
        require_at_once(gate, number, of=6)


def test_one_of_many_that_wait_is_told() -> None:
    gate = Gate(lambda: 100.0)
    assert [gate.to_tell(opens) for opens in (105, 105, 104, 110, 110)] == [
        True,
        False,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-11-23T04:04:38.5233333Z", datetime(2020, 11, 23, 4, 4, 38, 523333, UTC)),
        ("2020-10-24T03:04:57.52Z", datetime(2020, 10, 24, 3, 4, 57, 520000, UTC)),
        ("2020-10-24T03:04:57Z", datetime(2020, 10, 24, 3, 4, 57, 0, UTC)),
        ("2018-07-19T00:00:00", datetime(2018, 7, 19, 0, 0, 0, 0, UTC)),
        ("2020-10-24T05:04:57.52+02:00", datetime(2020, 10, 24, 3, 4, 57, 520000, UTC)),
        ("2014-05-12T22:23:07.727+00:00", datetime(2014, 5, 12, 22, 23, 7, 727000, UTC)),
        ("0001-01-01T00:00:00", datetime(1, 1, 1, 0, 0, 0, 0, UTC)),
    ],
)
def test_a_moment(text: str, moment: datetime) -> None:
    assert parse_moment(text) == moment
    assert parse_moment(text).tzinfo is UTC


@pytest.mark.parametrize("digits", range(2, 8))
def test_a_moment_with_any_number_of_digits(digits: int) -> None:
    expected = datetime(2026, 1, 2, 3, 4, 5, int("123456"[: min(digits, 6)].ljust(6, "0")), UTC)
    assert parse_moment(f"2026-01-02T03:04:05.{'1234567'[:digits]}Z") == expected


@pytest.mark.parametrize(
    "text",
    ["soon", "", "2026-01-02", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "20260102"],
)
def test_no_moment(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is Python's own
        parse_moment(text)


@given(st.text())
def test_any_text_is_a_moment_or_none(text: str) -> None:
    try:
        moment = parse_moment(text)
    except ValueError:
        return
    assert moment.tzinfo is UTC
