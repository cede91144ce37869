"""Spans and dates as users type them, in the time zones that they live in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from azdo_pat.errors import UsageError
from azdo_pat.expiry import GRANT_TOLERANCE, is_shortened, parse_expiry, parse_moment

NOW = datetime(2026, 6, 15, 12, 0, 0, 123_456, tzinfo=UTC)
FORMS = "a span (12h, 30d, 2w, 3mo, 1y) or a date (2026-12-31, 2026-12-31T18:00:00Z)"

# Written out, so that no machine needs a database of time zones.
ZONES = {
    "UTC": "UTC0",
    "America/Los_Angeles": "PST8PDT,M3.2.0,M11.1.0",
    "America/New_York": "EST5EDT,M3.2.0,M11.1.0",
    "America/Havana": "CST5CDT,M3.2.0/0,M11.1.0/1",
    "Asia/Kathmandu": "<+0545>-5:45",
    "Asia/Tokyo": "JST-9",
    "Europe/Berlin": "CET-1CEST,M3.5.0,M10.5.0/3",
    "Pacific/Auckland": "NZST-12NZDT,M9.5.0,M4.1.0/3",
    "Pacific/Kiritimati": "<+14>-14",
}

TimeZone = Callable[[str], None]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


class TestSpans:
    """Counted from now, to the microsecond."""

    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("1h", "2026-06-15T13:00:00.123456Z"),
            ("12h", "2026-06-16T00:00:00.123456Z"),
            ("30d", "2026-07-15T12:00:00.123456Z"),
            ("2w", "2026-06-29T12:00:00.123456Z"),
            ("3mo", "2026-09-15T12:00:00.123456Z"),
            ("1y", "2027-06-15T12:00:00.123456Z"),
            ("12mo", "2027-06-15T12:00:00.123456Z"),
            ("365d", "2027-06-15T12:00:00.123456Z"),
            ("52w", "2027-06-14T12:00:00.123456Z"),
            ("8760h", "2027-06-15T12:00:00.123456Z"),
            ("  7d\n", "2026-06-22T12:00:00.123456Z"),
            ("007d", "2026-06-22T12:00:00.123456Z"),
        ],
    )
    def test_units(self, text: str, moment: str) -> None:
        assert parse_expiry(text, NOW) == at(moment)

    @pytest.mark.parametrize(
        ("now", "text", "moment"),
        [
            ("2026-01-31T10:00:00Z", "1mo", "2026-02-28T10:00:00Z"),
            ("2028-01-31T10:00:00Z", "1mo", "2028-02-29T10:00:00Z"),
            ("2026-08-31T10:00:00Z", "6mo", "2027-02-28T10:00:00Z"),
            ("2026-12-31T23:59:59Z", "2mo", "2027-02-28T23:59:59Z"),
            ("2028-02-29T10:00:00Z", "1y", "2029-02-28T10:00:00Z"),
            ("2028-02-29T10:00:00Z", "12mo", "2029-02-28T10:00:00Z"),
            ("2028-02-28T10:00:00Z", "366d", "2029-02-28T10:00:00Z"),
            ("2027-02-28T10:00:00Z", "1y", "2028-02-28T10:00:00Z"),
            ("2026-03-31T00:00:00Z", "1mo", "2026-04-30T00:00:00Z"),
        ],
    )
    def test_ends_of_months_and_leap_years(self, now: str, text: str, moment: str) -> None:
        assert parse_expiry(text, at(now)) == at(moment)

    def test_the_answer_is_in_utc_whatever_the_zone_of_now(self) -> None:
        moment = parse_expiry("1d", NOW.astimezone(timezone(timedelta(hours=9))))
        assert moment == NOW + timedelta(days=1)
        assert moment.tzinfo is UTC

    def test_a_day_has_24_hours_also_when_clocks_change(self, time_zone: TimeZone) -> None:
        time_zone(ZONES["Europe/Berlin"])
        now = at("2026-10-24T12:00:00Z")
        assert parse_expiry("1d", now) - now == timedelta(hours=24)


class TestBareDates:
    """The end of that day where the user is."""

    @pytest.mark.parametrize(
        ("zone", "day", "moment"),
        [
            ("UTC", "2026-12-31", "2026-12-31T23:59:59Z"),
            ("America/Los_Angeles", "2026-12-31", "2027-01-01T07:59:59Z"),
            ("Asia/Tokyo", "2026-12-31", "2026-12-31T14:59:59Z"),
            ("Asia/Kathmandu", "2026-12-31", "2026-12-31T18:14:59Z"),
            ("Pacific/Kiritimati", "2026-12-31", "2026-12-31T09:59:59Z"),
            ("Europe/Berlin", "2026-10-24", "2026-10-24T21:59:59Z"),
            ("Europe/Berlin", "2026-10-25", "2026-10-25T22:59:59Z"),
            ("Europe/Berlin", "2027-03-27", "2027-03-27T22:59:59Z"),
            ("Europe/Berlin", "2027-03-28", "2027-03-28T21:59:59Z"),
            ("America/Los_Angeles", "2026-11-01", "2026-11-02T07:59:59Z"),
            # Clocks go back to midnight on the day behind this one.
            ("America/Havana", "2026-10-31", "2026-11-01T03:59:59Z"),
            ("America/Havana", "2026-11-01", "2026-11-02T04:59:59Z"),
        ],
    )
    def test_the_zone_of_the_user_counts(
        self, time_zone: TimeZone, zone: str, day: str, moment: str
    ) -> None:
        time_zone(ZONES[zone])
        # The milliseconds of now are the mark by which an unanswered create is found again.
        expected = at(moment).replace(microsecond=123_000)
        assert parse_expiry(day, NOW) == expected

    def test_today_is_allowed_until_it_ends(self, time_zone: TimeZone) -> None:
        time_zone(ZONES["Pacific/Auckland"])
        assert parse_expiry("2026-06-16", NOW) == at("2026-06-16T11:59:59.123Z")
        with pytest.raises(UsageError) as caught:
            parse_expiry("2026-06-15", NOW)
        assert caught.value.message == "the expiry '2026-06-15' is not in the future"

    def test_a_leap_day(self) -> None:
        now = at("2028-01-10T00:00:00Z")
        assert parse_expiry("2028-02-29", now) == at("2028-02-29T23:59:59Z")

    def test_the_last_day_of_the_year_ahead(self) -> None:
        assert parse_expiry("2027-06-14", NOW) == at("2027-06-14T23:59:59.123Z")

    @pytest.mark.parametrize(
        ("zone", "last"),
        [("UTC", "2027-06-14"), ("Asia/Tokyo", "2027-06-14"), ("Pacific/Kiritimati", "2027-06-15")],
    )
    def test_the_day_that_the_hint_proposes_is_accepted(
        self, time_zone: TimeZone, zone: str, last: str
    ) -> None:
        time_zone(ZONES[zone])
        with pytest.raises(UsageError) as caught:
            parse_expiry("2027-06-16", NOW)
        assert caught.value.message == "the expiry '2027-06-16' is more than a year away"
        assert caught.value.hint == f"the longest lifetime is a year: 1y, or {last} at the latest"
        assert parse_expiry(last, NOW) <= parse_expiry("1y", NOW)


class TestDateTimes:
    """RFC 3339, and without an offset in the user's zone."""

    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-12-31T18:00:00Z", "2026-12-31T18:00:00Z"),
            ("2026-12-31t18:00:00z", "2026-12-31T18:00:00Z"),
            ("2026-12-31 18:00Z", "2026-12-31T18:00:00Z"),
            ("2026-12-31T18:00:00.5Z", "2026-12-31T18:00:00.500000Z"),
            ("2026-12-31T18:00:00.1234567Z", "2026-12-31T18:00:00.123456Z"),
            ("2026-12-31T18:00:00+02:00", "2026-12-31T16:00:00Z"),
            ("2026-12-31T18:00:00-09:30", "2027-01-01T03:30:00Z"),
            ("2026-12-31T18:00:00", "2026-12-31T23:00:00Z"),
            ("2026-07-31 18:00", "2026-07-31T22:00:00Z"),
            # 01:30 on that day comes twice; the first time is meant.
            ("2026-11-01T01:30", "2026-11-01T05:30:00Z"),
        ],
    )
    def test_forms(self, time_zone: TimeZone, text: str, moment: str) -> None:
        time_zone(ZONES["America/New_York"])
        assert parse_expiry(text, NOW) == at(moment)

    def test_exactly_a_year_and_no_more(self) -> None:
        year = at("2027-06-15T12:00:00.123456Z")
        assert parse_expiry("2027-06-15T12:00:00.123456Z", NOW) == year
        with pytest.raises(UsageError):
            parse_expiry("2027-06-15T12:00:00.123457Z", NOW)

    def test_now_itself_is_not_ahead(self) -> None:
        with pytest.raises(UsageError):
            parse_expiry("2026-06-15T12:00:00.123456Z", NOW)
        later = parse_expiry("2026-06-15T12:00:00.123457Z", NOW)
        assert later == NOW + timedelta(microseconds=1)


class TestRefusals:
    """Everything else, with its own words."""

    @pytest.mark.parametrize("text", ["0d", "0h", "0y", "2026-06-14", "1970-01-01"])
    def test_not_in_the_future(self, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            parse_expiry(text, NOW)
        assert caught.value.message == f"the expiry {text!r} is not in the future"
        assert caught.value.hint == f"use {FORMS} in the future"

    @pytest.mark.parametrize("text", ["366d", "13mo", "2y", "8761h", "9998-12-31", "2028-01-01"])
    def test_more_than_a_year(self, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            parse_expiry(text, NOW)
        assert caught.value.message == f"the expiry {text!r} is more than a year away"
        assert caught.value.hint == (
            "the longest lifetime is a year: 1y, or 2027-06-14 at the latest"
        )

    @pytest.mark.parametrize(
        "text",
        [
            *("2026-02-29", "2026-13-01", "2026-00-10", "2026-06-31", "0000-01-01"),
            *("2026-12-31T25:00", "2026-12-31T23:60:00Z", "2026-12-31T23:59:60Z"),
            *("2026-12-31T10:00+24:00", "999999999y", "99999y", "999999999d", "999999999mo"),
            "9999-12-31T23:59:59-01:00",
        ],
    )
    def test_not_in_the_calendar(self, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            parse_expiry(text, NOW)
        assert caught.value.message == f"{text!r} is not a valid date"
        assert caught.value.hint == f"give {FORMS}"

    @pytest.mark.parametrize(
        "text",
        [
            *("", " ", "d", "30", "30 d", "-1d", "+1d", "1.5d", "30D", "1m", "1min", "1d12h"),
            *("tomorrow", "1e3d", "３０d", "٣d", "9999999999d", "2026-6-1", "2026/12/31"),  # noqa: RUF001  # wide digits on purpose
            *("31.12.2026", "20261231", "2026-W01", "2026-12-31T18Z", "2026-12-31T18:00:00 Z"),
            *("2026-12-31T18:00+0200", "２０２６-12-31", "2026-12-31\n2027-01-01", "P30D"),  # noqa: RUF001  # wide digits on purpose
        ],
    )
    def test_neither_span_nor_date(self, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            parse_expiry(text, NOW)
        assert caught.value.message == f"{text.strip()!r} is not a valid span or date"
        assert caught.value.hint == f"give {FORMS}"

    @pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
    @pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31", "0001-01-01T00:00"])
    def test_the_ends_of_the_calendar_in_any_zone(
        self, time_zone: TimeZone, zone: str, text: str
    ) -> None:
        time_zone(ZONES[zone])
        with pytest.raises(UsageError):
            parse_expiry(text, NOW)

    @given(
        st.text()
        | st.from_regex(r"[0-9]{1,12}(h|d|w|mo|y)", fullmatch=True)
        | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True)
        | st.from_regex(
            r"[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{1,9})?)?"
            r"([Zz]|[+-][0-2][0-9]:[0-6][0-9])?",
            fullmatch=True,
        )
    )
    @example("0001-01-01T00:00+23:59")
    @example("9999-12-31T23:59:59.999999999-23:59")
    def test_any_text_is_a_moment_ahead_or_a_usage_error(self, text: str) -> None:
        try:
            moment = parse_expiry(text, NOW)
        except UsageError as error:
            assert error.hint  # noqa: PT017  # both ends are fine, and each is looked at
        else:
            assert NOW < moment <= NOW.replace(year=2027)
            assert moment.tzinfo is UTC


class TestMoments:
    """The same forms, wherever they lie."""

    def test_the_past_and_the_far_future_are_moments_too(self) -> None:
        assert parse_moment("2020-02-29", NOW) == at("2020-02-29T23:59:59.123Z")
        assert parse_moment("10y", NOW) == at("2036-06-15T12:00:00.123456Z")
        assert parse_moment("9999-12-31T23:59:59Z", NOW) == at("9999-12-31T23:59:59Z")


class TestShortened:
    """Requested against granted."""

    @pytest.mark.parametrize(
        ("less", "shortened"),
        [
            (timedelta(), False),
            (GRANT_TOLERANCE, False),
            (GRANT_TOLERANCE + timedelta(microseconds=1), True),
            (timedelta(days=20), True),
            (-timedelta(days=1), False),
        ],
    )
    def test_by_more_than_the_tolerance(self, less: timedelta, *, shortened: bool) -> None:
        assert is_shortened(NOW, NOW - less) is shortened

    def test_unknown_is_not_shortened(self) -> None:
        assert not is_shortened(NOW, None)
