"""Parses spans and dates, as users type them, into aware times."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final

from azdo_pat.dates import local_date
from azdo_pat.errors import UsageError

_SPAN: Final = r"([0-9]{1,9})(h|d|w|mo|y)"
_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DATE_TIME: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks", "mo": "months", "y": "years"}
_FORMS: Final = "a span (12h, 30d, 2w, 3mo, 1y) or a date (2026-12-31, 2026-12-31T18:00:00Z)"

_SHORTEST_YEAR: Final = timedelta(days=365)

GRANT_TOLERANCE: Final = timedelta(minutes=1)
"""The service rounds times, and its clock differs: a smaller difference is not a shortening."""


def parse_expiry(text: str, now: datetime) -> datetime:
    """Parse a span or a date into the time at which a token expires, in UTC.

    A date alone means the end of that day. It, and a time without an offset, are in the time zone
    of this machine. The longest lifetime is a year (documentation: "Use personal access
    tokens").

    Args:
        text: what the user typed.
        now: an aware time, from which spans are counted.

    Raises:
        UsageError: malformed, not in the future, or more than a year away.
    """
    moment = parse_moment(text, now)
    if moment <= now:
        raise UsageError(
            f"the expiry {text!r} is not in the future", hint=f"use {_FORMS} in the future"
        )
    if moment - now <= _SHORTEST_YEAR:
        return moment
    limit = _ahead(now, "years", 1)
    if moment > limit:
        raise UsageError(
            f"the expiry {text!r} is more than a year away",
            # The last day that ends within the year, in this machine's time zone.
            hint="the longest lifetime is a year: 1y,"
            f" or {local_date(limit - timedelta(days=1))} at the latest",
        )
    return moment


def parse_moment(text: str, now: datetime) -> datetime:
    """Parse a span (counted from now) or a date into a time in UTC, past or future.

    Raises:
        UsageError: malformed, or not a valid date.
    """
    text = text.strip()
    try:
        if span := re.fullmatch(_SPAN, text):
            return _ahead(now, _UNITS[span[2]], int(span[1])).astimezone(UTC)
        if re.fullmatch(_DATE, text):
            day = datetime.fromisoformat(text).date()
            return _in_utc(datetime.combine(day, _end_of_day(now)))
        if re.fullmatch(_DATE_TIME, text):
            return _in_utc(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text!r} is not a valid date", hint=f"give {_FORMS}") from error
    raise UsageError(f"{text!r} is not a valid span or date", hint=f"give {_FORMS}")


def _in_utc(moment: datetime) -> datetime:
    """Return a time in UTC; without an offset, it is in the time zone of this machine.

    Windows knows no local time before 1970 and after the year 3000. Such a time is refused, so
    that UTC is near enough.
    """
    try:
        return moment.astimezone(UTC)
    except OSError:
        return moment.replace(tzinfo=UTC)


def _ahead(now: datetime, unit: str, count: int) -> datetime:
    """Return the time that many units from now; months and years are calendar months and years.

    Raises:
        OverflowError: beyond the last representable date.
        ValueError: the same.
    """
    if unit not in {"months", "years"}:
        return now + timedelta(**{unit: count})
    from dateutil.relativedelta import relativedelta  # noqa: PLC0415 - few spans need it: 3 ms

    return now + relativedelta(**{unit: count})  # type: ignore[arg-type]  # the keys are its own


def parse_since(text: str, now: datetime) -> datetime:
    """Parse a span before now, or a date in the past (the beginning of that day), into UTC.

    Raises:
        UsageError: malformed, or in the future.
    """
    moment = parse_moment(text, now)
    if re.fullmatch(_SPAN, text.strip()):
        try:
            return now - (moment - now)
        except OverflowError:
            return datetime.min.replace(tzinfo=UTC)
    if re.fullmatch(_DATE, text.strip()):
        moment = parse_moment(f"{text.strip()}T00:00:00", now)
    if moment > now:
        raise UsageError(
            f"{text!r} is in the future", hint="use a span such as 30d, or a past date"
        )
    return moment


def parse_span(text: str, now: datetime) -> timedelta:
    """Parse a span, or a date, into a duration from now.

    Raises:
        UsageError: malformed, or not in the future.
    """
    span = parse_moment(text, now) - now
    if span <= timedelta():
        raise UsageError(
            f"{text!r} is not a valid span of time", hint=("use a span such as 12h, 7d or 2w")
        )
    return span


def parse_grace(text: str, now: datetime) -> timedelta:
    """Parse how long a token that is replaced stays active; `none` is zero.

    Raises:
        UsageError: malformed, or not in the future.
    """
    if text.strip() == "none":
        return timedelta()
    try:
        return parse_span(text, now)
    except UsageError as error:
        raise UsageError(
            f"{text!r} is not a valid grace period", hint="use a span such as 1h or 2d, or none"
        ) from error


def _end_of_day(now: datetime) -> time:
    """Return the last second of a day, with the milliseconds of now.

    They make the expiry unique, so that the token of an unanswered request can be found by it.
    """
    return time(23, 59, 59, now.microsecond // 1000 * 1000)


def is_shortened(requested: datetime, granted: datetime | None) -> bool:
    """Return whether the granted expiry is clearly earlier than the requested one."""
    return granted is not None and requested - granted > GRANT_TOLERANCE
