"""Times for people: in their own time zone, and how far off they are.

There is one rule for days, for people and for programs: they are whole days, rounded down. An hour
that has begun counts as a whole one, so that a token has 30 days left in the hour after it was
created for 30 days.
"""

from datetime import datetime, timedelta, tzinfo
from typing import Final

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_DAYS_OF_A_YEAR: Final = 365.25
_TWO_YEARS_OF_DAYS: Final = 730


def whole_days(until: datetime, now: datetime) -> int:
    """Return the days from `now` to `until`, by the rule above: below 0 exactly when it is past."""
    left = until - now
    return _days(left) if left > timedelta() else left // _DAY


def distance(moment: datetime, now: datetime) -> str:
    """Return how far off `moment` is, in whole units: `in 6 days`, `5 hours ago`."""
    left = moment - now
    if left > timedelta():
        # The service's clock, by which a token was created, may be ahead of this machine's.
        return "now" if left < _MINUTE / 2 else f"in {in_words(left)}"
    return "just now" if -left < _MINUTE else f"{_in_words(-left // _DAY, -left)} ago"


def in_words(span: timedelta) -> str:
    """Return a positive span in its largest unit of which it has one, by the rule above.

    Hours are rounded down, and minutes, below an hour, up.
    """
    return _in_words(_days(span), -(-span // _MINUTE) * _MINUTE)


def local_date(moment: datetime, zone: tzinfo | None = None) -> str:
    """Return the date of `moment` in `zone`; None is the system's own time zone."""
    return _in_zone(moment, zone).date().isoformat()


def local_minute(moment: datetime, zone: tzinfo | None = None) -> str:
    """Return the date and the time of day of `moment` in `zone`, to the minute."""
    return _in_zone(moment, zone).replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")


def _days(span: timedelta) -> int:
    return -(-span // _HOUR) * _HOUR // _DAY


def _in_words(days: int, span: timedelta) -> str:
    if days > _TWO_YEARS_OF_DAYS:
        return _counted(int(days / _DAYS_OF_A_YEAR), "year")
    if days:
        return _counted(days, "day")
    if span >= _HOUR:
        return _counted(span // _HOUR, "hour")
    return _counted(span // _MINUTE, "minute")


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    try:
        return moment.astimezone(zone)
    except (OverflowError, OSError, ValueError):
        # Year 1 and year 9999 leave the calendar when they are moved to another zone, and some
        # systems know no local time that far off: the date as it was given is near enough.
        return moment
