"""Formats aware times as RFC 3339, for programs, files and the service."""

from datetime import UTC, datetime


def rfc3339(moment: datetime, timespec: str = "seconds") -> str:
    """Return a time in UTC, ending in `Z`.

    Args:
        moment: an aware time.
        timespec: to which unit, rounded down, as for `datetime.isoformat`.

    Raises:
        ValueError: it has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:  # the first or last hours of the calendar: near enough as they are
        moment = moment.replace(tzinfo=UTC)
    return moment.isoformat(timespec=timespec).replace("+00:00", "Z")
