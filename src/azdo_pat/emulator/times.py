"""Times as the service keeps and writes them: SQL Server ``datetime``, in steps of 1/300 s."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_STEPS: Final = 300
_MICROSECONDS: Final = 1_000_000
_DIGITS: Final = 7
_FRACTION: Final = re.compile(r"(?<=:\d\d)\.(\d+)")


def quantise(moment: datetime) -> datetime:
    """The nearest moment that a SQL ``datetime`` can hold, in UTC.

    Microsoft's own examples show it: 23.319 s is asked for, 23.32 s comes back
    (``CreatePat.json`` of vsts-rest-api-specs).
    """
    moment = moment.astimezone(UTC)
    steps = round(moment.microsecond * _STEPS / _MICROSECONDS)
    whole = moment.replace(microsecond=0)
    return whole + timedelta(microseconds=round(steps * _MICROSECONDS / _STEPS))


def write(moment: datetime) -> str:
    """RFC 3339 in UTC with a fraction of 2 to 7 digits, trailing zeros dropped."""
    moment = quantise(moment)
    steps = round(moment.microsecond * _STEPS / _MICROSECONDS)
    fraction = f"{round(steps * 10**_DIGITS / _STEPS):0{_DIGITS}d}".rstrip("0").ljust(2, "0")
    return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f".{fraction}Z"


def write_without_zone(moment: datetime) -> str:
    """The same as the administration of tokens writes it: no zone, no zeros at the end.

    Source: ``GetPersonalAccessTokensForAUserInYourOrganization.json`` of vsts-rest-api-specs.
    """
    return write(moment).removesuffix("Z").rstrip("0").removesuffix(".")


def read(text: str) -> datetime:
    """An aware datetime from RFC 3339 text; without a zone it is UTC.

    Raises:
        ValueError: the text is no date-time.
        OverflowError: it lies outside the years 1 to 9999 once brought to UTC.
    """
    # datetime keeps six digits, clients of the real service may send seven.
    trimmed = _FRACTION.sub(lambda found: "." + found.group(1)[:6].ljust(6, "0"), text)
    moment = datetime.fromisoformat(trimmed)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def one_year_after(moment: datetime) -> datetime:
    """The same day and hour of the next year; from 29 February, the 28th."""
    try:
        return moment.replace(year=moment.year + 1)
    except ValueError:
        return moment.replace(year=moment.year + 1, day=28)
