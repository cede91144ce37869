"""Programs and the service get times in UTC, to the unit that they want."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from azdo_pat.times import rfc3339

MOMENT = datetime(2026, 6, 1, 1, 30, 0, 999_999, tzinfo=ZoneInfo("Europe/Berlin"))


def test_rfc3339_is_in_utc_and_rounded_down() -> None:
    assert rfc3339(MOMENT) == "2026-05-31T23:30:00Z"
    assert rfc3339(MOMENT, "milliseconds") == "2026-05-31T23:30:00.999Z"
    assert rfc3339(MOMENT, "auto") == "2026-05-31T23:30:00.999999Z"
    assert rfc3339(MOMENT.replace(microsecond=0), "auto") == "2026-05-31T23:30:00Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        rfc3339(MOMENT.replace(tzinfo=None))
