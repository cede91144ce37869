from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from azdo_pat.dates import distance, in_words, local_date, local_minute, whole_days
from azdo_pat.times import rfc3339
from output.samples import NOW

FIRST = datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))
LAST = datetime.max.replace(tzinfo=timezone(-timedelta(hours=12)))
MOMENTS = st.datetimes(timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=-29), "just now"),
        (timedelta(seconds=29), "now"),
        (timedelta(seconds=31), "in 1 minute"),
        (timedelta(minutes=-59), "59 minutes ago"),
        (timedelta(minutes=59), "in 59 minutes"),
        (timedelta(minutes=59, seconds=1), "in 1 hour"),
        (timedelta(hours=5, minutes=50), "in 5 hours"),
        (timedelta(hours=23), "in 23 hours"),
        (timedelta(hours=23, seconds=1), "in 1 day"),
        (timedelta(hours=-23, minutes=-59), "23 hours ago"),
        (timedelta(days=30, minutes=-59), "in 30 days"),
        (timedelta(days=30, hours=-1), "in 29 days"),
        (timedelta(days=-3, hours=-23), "3 days ago"),
        (timedelta(days=-3, seconds=1), "2 days ago"),
        (timedelta(days=365), "in 365 days"),
        (timedelta(days=730), "in 730 days"),
        (timedelta(days=800), "in 2 years"),
    ],
)
def test_a_distance_is_in_whole_units(span: timedelta, expected: str) -> None:
    assert distance(NOW + span, NOW) == expected


def test_the_ends_of_the_calendar_are_dates_like_others() -> None:
    assert distance(LAST, NOW) == "in 7972 years"
    assert distance(FIRST, NOW) == "2025 years ago"
    assert rfc3339(LAST) == "9999-12-31T23:59:59Z"
    assert rfc3339(FIRST) == "0001-01-01T00:00:00Z"
    assert local_date(LAST, ZoneInfo("Pacific/Kiritimati")) == "9999-12-31"
    assert local_minute(FIRST, ZoneInfo("Pacific/Honolulu")) == "0001-01-01 00:00"


@pytest.mark.parametrize("zone", [None, ZoneInfo("Pacific/Kiritimati"), UTC])
@given(moment=MOMENTS, now=MOMENTS)
def test_no_moment_is_too_far_off(zone: tzinfo | None, moment: datetime, now: datetime) -> None:
    assert distance(moment, now)
    assert len(local_date(moment, zone)) == 10
    assert len(local_minute(moment, zone)) == 16
    assert rfc3339(moment) == moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


@given(moment=MOMENTS, now=MOMENTS)
def test_whole_days_are_below_zero_exactly_when_it_is_past(moment: datetime, now: datetime) -> None:
    days = whole_days(moment, now)
    assert (days < 0) == (moment < now)
    left = moment - now - timedelta(days=days)
    assert timedelta(hours=-1) < left < timedelta(days=1)
    assert left >= timedelta() or moment > now


@given(now=MOMENTS, span=st.timedeltas(min_value=timedelta(days=1), max_value=timedelta(days=729)))
def test_people_and_programs_read_the_same_number_of_days(now: datetime, span: timedelta) -> None:
    assume(now.year < LAST.year - 3)
    days = whole_days(now + span, now)
    assert distance(now + span, now) == f"in {days} day{'s' * (days > 1)}"
    assert in_words(span) == f"{days} day{'s' * (days > 1)}"


def test_a_local_date_keeps_to_the_clock_of_its_own_season() -> None:
    end_of_a_winter_day = datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC)
    assert local_date(end_of_a_winter_day, ZoneInfo("Europe/Berlin")) == "2026-12-31"
    assert local_date(end_of_a_winter_day, ZoneInfo("Asia/Tokyo")) == "2027-01-01"
