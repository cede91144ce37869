"""What is pending, of the journal alone."""

from datetime import UTC, datetime, timedelta

from azdo_pat.journal import (
    Create,
    Deliver,
    Forget,
    JournalEntry,
    NewToken,
    Operation,
    Replaced,
    Revoke,
    RevokeReplaced,
    Rotate,
)
from azdo_pat.models import Organization, Pending, PendingKind
from azdo_pat.services.pending import pending

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CONTOSO = Organization(name="contoso", url="https://dev.azure.com/contoso")
ENTRY = JournalEntry(CONTOSO, "ci", NOW, user="ada@contoso.example")
OLD = Replaced("0a", NOW + HOUR)
NEW = NewToken(("vso.code",), NOW + 30 * 24 * HOUR)


def found(*operations: Operation, now: datetime = NOW) -> list[tuple[str, str, str | None]]:
    return [(each.kind, each.reason, each.id) for each in pending(operations, now)]


def test_nothing() -> None:
    assert pending((), NOW) == ()


def test_a_running_grace() -> None:
    assert pending((RevokeReplaced(ENTRY, OLD),), NOW) == (
        Pending(
            name="ci",
            org="contoso",
            kind=PendingKind.GRACE,
            until=NOW + HOUR,
            reason="",
            fix="pat revoke 0a --org contoso",
            message="the token replaced by 'ci' in contoso (0a) stays active until"
            " 2026-11-29 13:00",
            org_url=CONTOSO.url,
            id="0a",
            user="ada@contoso.example",
        ),
    )


def test_a_grace_that_outlasts_a_global_token() -> None:
    old = Replaced("0a", NOW + 30 * 24 * HOUR, is_global=True)
    (left,) = pending((RevokeReplaced(ENTRY, old),), NOW)
    assert left.message == (
        "the global token replaced by 'ci' in contoso (0a) stops working on 2026-12-01, and will be"
        " revoked after 2026-12-29 12:00"
    )


def test_a_grace_that_has_ended() -> None:
    assert pending((RevokeReplaced(ENTRY, OLD),), NOW + HOUR) == (
        Pending(
            name="ci",
            org="contoso",
            kind=PendingKind.UNREVOKED,
            until=None,
            reason="",
            fix="pat renew",
            message="the token replaced by 'ci' in contoso has not been revoked (0a)",
            org_url=CONTOSO.url,
            id="0a",
            user="ada@contoso.example",
        ),
    )


def test_deliveries_of_one_secret_are_one() -> None:
    failed = ENTRY._replace(reason="no such file")
    another = ENTRY._replace(name="other")
    assert found(Deliver(ENTRY, OLD), Deliver(failed), Deliver(another)) == [
        ("undelivered", "no such file", None),
        ("undelivered", "", None),
    ]


def test_every_replaced_token_is_named() -> None:
    other = Replaced("0b", NOW - HOUR)
    assert found(RevokeReplaced(ENTRY, OLD), RevokeReplaced(ENTRY, other)) == [
        ("grace", "", "0a"),
        ("unrevoked", "", "0b"),
    ]


def test_interrupted_operations() -> None:
    operations: list[Operation] = [
        Create(ENTRY, NEW),
        Rotate(ENTRY._replace(name="b"), NEW, OLD),
        Revoke(ENTRY._replace(name="c"), "0c"),
        Forget(ENTRY._replace(name="d"), None, ""),
    ]
    assert [(each.kind, each.fix) for each in pending(operations, NOW)] == [
        ("interrupted", "pat renew"),
        ("interrupted", "pat renew"),
        ("unrevoked", "pat renew"),
        ("interrupted", "pat list --stored"),
    ]
