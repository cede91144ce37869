"""A number of days is the same wherever it is read."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from azdo_pat.findings import Kind
from azdo_pat.formats import Format
from azdo_pat.judgement import of_token
from azdo_pat.models import Pat
from output.samples import LAPTOP, NOW, shown


def expiring(span: timedelta) -> Pat:
    return replace(LAPTOP, expires=NOW + span, created=NOW)


def days_said(pat: Pat) -> set[int]:
    """Return the days that each format names; less than one is none."""
    json_text = shown(lambda renderer: renderer.pats([pat]), form=Format.JSON)
    csv_text = shown(lambda renderer: renderer.pats([pat]), form=Format.CSV)
    listed = shown(lambda renderer: renderer.pats([pat]))
    alone = shown(lambda renderer: renderer.show(pat))
    found = [each for each in of_token(pat, NOW) if each.kind is Kind.EXPIRING]
    checked = shown(lambda renderer: renderer.findings(found), form=Format.JSON)
    texts = [listed, alone.partition("Expires")[2], *(each.message for each in found)]
    return {
        json.loads(json_text)[0]["expires_in_days"],
        int(next(csv.DictReader(io.StringIO(csv_text)))["expires_in_days"]),
        *(each["expires_in_days"] for each in json.loads(checked)),
        *(int(days[0]) if (days := re.findall(r"in (\d+) days?", text)) else 0 for text in texts),
    }


@pytest.mark.parametrize(
    ("span", "days"),
    [
        (timedelta(minutes=1), 0),
        (timedelta(hours=23), 0),
        (timedelta(hours=23, minutes=59), 1),
        (timedelta(days=1), 1),
        (timedelta(days=4, hours=22, minutes=59, seconds=59), 4),
        (timedelta(days=4, hours=23), 4),
        (timedelta(days=4, hours=23, milliseconds=1), 5),
        (timedelta(days=4, hours=23, minutes=59), 5),
        (timedelta(days=5), 5),
        (timedelta(days=5, microseconds=1), 5),
        (timedelta(days=7), 7),
    ],
    ids=str,
)
def test_all_formats_name_the_same_days(span: timedelta, days: int) -> None:
    assert days_said(expiring(span)) == {days}


def test_a_token_made_for_30_days_has_30_days_left_when_it_is_shown() -> None:
    assert days_said(expiring(timedelta(days=30) - timedelta(minutes=50))) == {30}
