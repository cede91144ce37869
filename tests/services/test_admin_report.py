"""Counting the tokens of many users."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from azdo_pat.findings import Limits
from azdo_pat.models import OwnedPat, Pat, Status, User
from azdo_pat.results.admin import Group, Numbers, TokenReport
from azdo_pat.services.admin_report import MOST_LISTED, Tally

if TYPE_CHECKING:
    from azdo_pat.services.admin_tokens import Scan

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def user(name: str) -> User:
    return User(f"aad.{name}", name.title(), f"{name}@contoso.example", "")


def owned(
    owner: str, name: str = "ci", *, days: float = 30, age: float = 10, **more: object
) -> OwnedPat:
    values: dict[str, Any] = {
        "id": name,
        "org": "contoso",
        "status": Status.ACTIVE,
        "scopes": ("vso.code",),
        "created": NOW - timedelta(days=age),
        "expires": NOW + timedelta(days=days),
        **more,
    }
    return OwnedPat(Pat(name=name, **values), user(owner))


def report(tokens: Iterable[OwnedPat], limits: Limits = Limits()) -> TokenReport:  # noqa: B008  # frozen
    scan = SimpleNamespace(
        deps=SimpleNamespace(organization=SimpleNamespace(name="contoso")),
        users=9,
        unread=0,
        unlisted=0,
        is_complete=True,
        saved=None,
    )
    tally = Tally(NOW, limits)
    given = list(tokens)
    assert list(tally.counted(given)) == given
    return tally.report(cast("Scan", scan))


def test_what_is_counted() -> None:
    made = report(
        [
            owned("ada", "week", days=7),
            owned("ada", "all", scopes=("app_token",), org=None, is_global=True, days=300),
            owned("ada", "gone", days=-1),
            owned("ben", "long", days=81, age=11, scopes=("vso.code", "vso.build")),
            owned("ben", "short", days=81, age=10),
            owned("ben", "revoked", status=Status.REVOKED),
            owned("ben", "revoked", status=Status.REVOKED, days=-1),
            owned("cy", "odd", status=Status.UNKNOWN, created=None, expires=None, scopes=()),
            owned("dee", "gone", status=Status.EXPIRED, days=-400),
        ]
    )
    assert made.numbers == Numbers(tokens=5, is_global=1, full_access=1, expiring=1, long_lived=1)
    assert made.expired == 2
    assert made.by_scope == (
        Group("vso.code", 3, 2),
        Group("app_token", 1, 1),
        Group("vso.build", 1, 1),
    )
    assert made.by_month == (
        Group("2026-06", 1, 1),
        Group("2026-09", 2, 1),
        Group("2027-04", 1, 1),
        Group(None, 1, 1),
    )
    assert made.by_age == (Group("under 30 days", 4, 2), Group(None, 1, 1))
    assert [(each.user.name, each.numbers.tokens) for each in made.owners.items] == [
        ("Ada", 2),
        ("Ben", 2),
        ("Cy", 1),
    ]
    assert [each.pat.name for each in made.oldest.items] == ["long", "all", "week", "short"]
    assert [each.pat.name for each in made.broadest.items] == ["all"]


@pytest.mark.parametrize(
    ("age", "name"),
    [
        (29.9, "under 30 days"),
        (30, "30 to 90 days"),
        (364.9, "180 days to 1 year"),
        (729.9, "1 to 2 years"),
        (730, "over 2 years"),
    ],
)
def test_ages(age: float, name: str) -> None:
    assert report([owned("ada", age=age)]).by_age == (Group(name, 1, 1),)


def test_the_limits_are_those_given() -> None:
    limits = Limits(within=timedelta(days=40), max_life=timedelta(days=20))
    made = report([owned("ada")], limits)
    assert (made.numbers.expiring, made.numbers.long_lived) == (1, 1)
    assert (made.within, made.max_life) == limits[:2]


def test_lists_are_short_whatever_the_order_of_arrival() -> None:
    crowd = [
        [owned(f"u{number:04}", f"t{place}", age=number % 3) for place in range(1 + number % 5)]
        for number in range(300)
    ]
    first = report(token for tokens in crowd for token in tokens)
    second = report(token for tokens in reversed(crowd) for token in tokens)
    assert first == second
    assert (len(first.owners.items), first.owners.total) == (MOST_LISTED, 300)
    assert {each.numbers.tokens for each in first.owners.items} == {5}
    assert {each.pat.created for each in first.oldest.items} == {NOW - timedelta(days=2)}
    assert first.oldest.total == sum(map(len, crowd))


def test_scopes_without_end_are_counted_together() -> None:
    made = report(owned("ada", scopes=(f"scope{number}",)) for number in range(1200))
    assert len(made.by_scope) == 1001
    assert made.by_scope[0] == Group(None, 200, 1)
