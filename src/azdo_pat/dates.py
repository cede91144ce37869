"""Times for people: in their own time zone, and how far off they are.

There is one rule for days, for people and for programs: they are whole days, rounded down. A minute
that has begun counts as a whole one, so that a token just created for 30 days has 30 days left.
"""

from datetime import datetime, timedelta, tzinfo
from typing import Final

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_YEAR: Final = timedelta(days=365.25)
_TWO_YEARS: Final = timedelta(days=730)


def whole_days(until: datetime, now: datetime) -> int:
    """Return the days from `now` to `until`, by the rule above: below 0 exactly when it is past."""
    return _in_minutes(until - now) // _DAY


def distance(moment: datetime, now: datetime) -> str:
    """Return how far off `moment` is, in whole units: `in 6 days`, `5 hours ago`."""
    left = moment - now
    if left > timedelta():
        # The service's clock, by which a token was created, may be ahead of this machine's.
        return "now" if left < _MINUTE / 2 else f"in {in_words(left)}"
    return "just now" if -left < _MINUTE else f"{in_words(-left // _MINUTE * _MINUTE)} ago"


def in_words(span: timedelta) -> str:
    """Return a positive span in its largest unit of which it has one, by the rule above."""
    span = _in_minutes(span)
    if span < _HOUR:
        return _counted(span // _MINUTE, "minute")
    if span < _DAY:
        return _counted(span // _HOUR, "hour")
    if span <= _TWO_YEARS:
        return _counted(span // _DAY, "day")
    return _counted(span // _YEAR, "year")


def local_date(moment: datetime, zone: tzinfo | None = None) -> str:
    """Return the date of `moment` in `zone`; None is the system's own time zone."""
    return _in_zone(moment, zone).date().isoformat()


def local_minute(moment: datetime, zone: tzinfo | None = None) -> str:
    """Return the date and the time of day of `moment` in `zone`, to the minute."""
    return _in_zone(moment, zone).replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")


def _in_minutes(span: timedelta) -> timedelta:
    """Return a span in whole minutes, rounded up; what is past stays as it is."""
    return -(-span // _MINUTE) * _MINUTE if span > timedelta() else span


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    try:
        return moment.astimezone(zone)
    except (OverflowError, OSError, ValueError):
        # Year 1 and year 9999 leave the calendar when they are moved to another zone, and some
        # systems know no local time that far off: the date as it was given is near enough.
        return moment
