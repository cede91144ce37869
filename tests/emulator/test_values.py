"""Times and secrets as the service makes them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.emulator import times
from azdo_pat.emulator.tokens import hash_secret, new_secret

MOMENTS = st.datetimes(
    min_value=datetime(1000, 1, 1),  # noqa: DTZ001 -- hypothesis adds the zone
    max_value=datetime(9000, 1, 1),  # noqa: DTZ001 -- the same
    timezones=st.just(UTC),
)


@pytest.mark.parametrize(
    ("microsecond", "fraction"),
    [
        # Each fraction but the last three stands in Microsoft's own examples.
        (523333, "5233333"),
        (520000, "52"),
        (319000, "32"),
        (103333, "1033333"),
        (146667, "1466667"),
        (803333, "8033333"),
        (0, "00"),
        (500000, "50"),
        (999999, None),
    ],
)
def test_fractions(microsecond: int, fraction: str | None) -> None:
    moment = datetime(2020, 11, 23, 4, 4, 38, microsecond, tzinfo=UTC)
    expected = "2020-11-23T04:04:39.00Z" if fraction is None else f"2020-11-23T04:04:38.{fraction}Z"
    assert times.write(moment) == expected


@given(MOMENTS)
def test_what_is_written_reads_back_as_what_is_kept(moment: datetime) -> None:
    kept = times.quantise(moment)
    assert times.quantise(kept) == kept
    assert abs(kept - moment) <= timedelta(seconds=1 / 600, microseconds=1)
    assert abs(times.read(times.write(moment)) - kept) <= timedelta(microseconds=1)
    assert times.write(kept) == times.write(moment)


def test_zones() -> None:
    east = timezone(timedelta(hours=2))
    assert times.write(datetime(2026, 6, 15, 14, tzinfo=east)) == "2026-06-15T12:00:00.00Z"
    assert times.read("2026-06-15T12:00:00") == datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end"), [("2024-02-29", "2025-02-28"), ("2025-03-01", "2026-03-01")]
)
def test_a_year_later(start: str, end: str) -> None:
    assert times.one_year_after(times.read(start)) == times.read(end)


def test_secrets_differ_and_are_kept_as_hashes() -> None:
    now = datetime(2026, 6, 15, tzinfo=UTC)
    secrets = {new_secret(now) for _ in range(200)}
    assert len(secrets) == 200
    assert {(len(secret), secret[52:80]) for secret in secrets} == {
        (84, "JQQJ99CFACAAAAAAAAAAAAASAZDO")
    }
    assert len({secret[:52] for secret in secrets}) == 200
    assert len({hash_secret(secret) for secret in secrets}) == 200
