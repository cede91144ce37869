"""Spans and dates, as users type them, become an aware moment."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final

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
"""The service rounds times, and its clock differs: less than this is no shortening."""


def parse_expiry(text: str, now: datetime) -> datetime:
    """Turn a span or a date into the moment at which a token is to end, in UTC.

    A bare date is the end of that day, and a time without an offset is meant, in the time zone
    of this machine. A token lives for a year at most (documentation: "Use personal access
    tokens").

    Args:
        text: what the user typed.
        now: an aware moment, from which spans count.

    Raises:
        UsageError: malformed, not in the future, or more than a year ahead.
    """
    moment = parse_moment(text, now)
    if moment <= now:
        raise UsageError(
            f"the expiry {text!r} is not in the future", hint=f"give {_FORMS} that lies ahead"
        )
    if moment - now <= _SHORTEST_YEAR:
        return moment
    limit = _ahead(now, "years", 1)
    if moment > limit:
        raise UsageError(
            f"the expiry {text!r} is more than a year ahead",
            # The last day that ends within the year, as this machine's calendar has it.
            hint="a token lives for a year at most: 1y,"
            f" or {(limit - timedelta(days=1)).astimezone():%Y-%m-%d} at the latest",
        )
    return moment


def parse_moment(text: str, now: datetime) -> datetime:
    """Turn a span (counted from now) or a date into a moment in UTC, wherever it lies.

    Raises:
        UsageError: malformed, or out of the calendar.
    """
    text = text.strip()
    try:
        if span := re.fullmatch(_SPAN, text):
            return _ahead(now, _UNITS[span[2]], int(span[1])).astimezone(UTC)
        if re.fullmatch(_DATE, text):
            day = datetime.fromisoformat(text).date()
            return datetime.combine(day, _end_of_day(now)).astimezone().astimezone(UTC)
        if re.fullmatch(_DATE_TIME, text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text!r} is not in the calendar", hint=f"give {_FORMS}") from error
    raise UsageError(f"{text!r} is neither a span nor a date", hint=f"give {_FORMS}")


def _ahead(now: datetime, unit: str, count: int) -> datetime:
    """Return the moment so many units ahead; months and years are the calendar's.

    Raises:
        OverflowError: out of the calendar.
        ValueError: the same.
    """
    if unit not in {"months", "years"}:
        return now + timedelta(**{unit: count})
    from dateutil.relativedelta import relativedelta  # noqa: PLC0415 - few spans need it: 3 ms

    return now + relativedelta(**{unit: count})  # type: ignore[arg-type]  # the keys are its own


def parse_span(text: str, now: datetime) -> timedelta:
    """Turn a span, or a date, into how far off it is.

    Raises:
        UsageError: malformed, or not ahead.
    """
    span = parse_moment(text, now) - now
    if span <= timedelta():
        raise UsageError(f"{text!r} is no span of time", hint="give one like 12h, 7d or 2w")
    return span


def _end_of_day(now: datetime) -> time:
    """Return the last second of a day, with the milliseconds of now.

    They make the end of a token its mark: what an unanswered request made is known by it.
    """
    return time(23, 59, 59, now.microsecond // 1000 * 1000)


def is_shortened(requested: datetime, granted: datetime | None) -> bool:
    """Tell whether the service granted clearly less than was asked for."""
    return granted is not None and requested - granted > GRANT_TOLERANCE
