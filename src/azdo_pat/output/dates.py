"""Formats times for people: local dates and distances."""

from datetime import datetime, timedelta, tzinfo
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_YEAR: Final = 365.25 * _DAY
_TWO_YEARS_OF_DAYS: Final = 730


def whole_days(until: datetime, now: datetime) -> int:
    """Return the days from `now` to `until`, rounded down: below 0 exactly when it is past."""
    return (until - now) // timedelta(days=1)


def local_date(moment: datetime, zone: tzinfo | None) -> str:
    """Return the date of `moment` in `zone`; None is the system's own time zone."""
    return _in_zone(moment, zone).date().isoformat()


def local_minute(moment: datetime, zone: tzinfo | None) -> str:
    """Return the date and the time of day of `moment` in `zone`, to the minute."""
    return _in_zone(moment, zone).replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")


def distance(moment: datetime, now: datetime) -> str:
    """Return how far off `moment` is, to the nearest unit: `in 6 days`, `5 hours ago`."""
    seconds = (moment - now).total_seconds()
    span = in_words(abs(seconds))
    if not span:
        return "now" if seconds > 0 else "just now"
    return f"in {span}" if seconds > 0 else f"{span} ago"


def in_words(seconds: float) -> str:
    """Return a span of seconds in its largest fitting unit; empty below half a minute."""
    if seconds < _MINUTE / 2:
        return ""
    if (minutes := round(seconds / _MINUTE)) < _HOUR / _MINUTE:
        return _counted(minutes, "minute")
    if (hours := round(seconds / _HOUR)) < _DAY / _HOUR:
        return _counted(hours, "hour")
    if (days := round(seconds / _DAY)) <= _TWO_YEARS_OF_DAYS:
        return _counted(days, "day")
    return _counted(round(seconds / _YEAR), "year")


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    try:
        return moment.astimezone(zone)
    except (OverflowError, OSError, ValueError):
        # Year 1 and year 9999 leave the calendar when they are moved to another zone, and some
        # systems know no local time that far off: the date as it was given is near enough.
        return moment
