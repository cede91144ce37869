"""Operations in the rows of the journal, those that an earlier version wrote among them."""

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from azdo_pat.delivery_targets import (
    CommandTarget,
    Delivery,
    FileTarget,
    GitHubTarget,
    KeyVaultTarget,
    ServiceConnectionTarget,
    ToolTarget,
    UnknownTarget,
    VariableGroupTarget,
    VaultTarget,
)
from azdo_pat.journal import (
    VERBS,
    Create,
    Deliver,
    Exec,
    Forget,
    Import,
    JournalEntry,
    NewToken,
    Operation,
    Rename,
    Replaced,
    Revoke,
    RevokeReplaced,
    Rotate,
    TakeOver,
)
from azdo_pat.models import Organization, Origin, StoredPat
from azdo_pat.renewal import Renewal
from azdo_pat.store.database import APPLICATION_ID
from azdo_pat.store.renewal_codec import read_renewal, written_renewal
from azdo_pat.store.state import State

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
CONTOSO = Organization(name="contoso", url="https://dev.azure.com/contoso")
ASKED = NOW + timedelta(days=30, milliseconds=123)
DELIVERED = Renewal(deliveries=(CommandTarget(("deploy",)),))
STORED = StoredPat(
    org_url=CONTOSO.url,
    org="contoso",
    name="imported",
    id=None,
    scopes=("vso.code",),
    created=None,
    expires=NOW,
    origin=Origin.UNKNOWN,
    fingerprint="salt:import",
)


def entry(name: str, user: str = "ada@contoso.com", reason: str = "") -> JournalEntry:
    return JournalEntry(CONTOSO, name, NOW, user, reason)


def new(renewal: Renewal = DELIVERED, **known: str | datetime) -> NewToken:
    return NewToken(("vso.code",), ASKED, renewal)._replace(**known)  # type: ignore[arg-type]  # its


OF_VERSION_5: tuple[Operation, ...] = (
    Create(entry("ci"), new()),
    Create(
        entry("replaced"),
        new(Renewal(), authorization_id="made-2", fingerprint="salt:hash"),
        overwrites=True,
    ),
    Rotate(entry("rotated"), new(searched=NOW), Replaced("old-3", NOW + timedelta(hours=1))),
    Rotate(entry("kept"), new()),
    Deliver(entry("delivered", reason="exit status 1"), Replaced("old-5", NOW)),
    Deliver(entry("only delivered")),
    RevokeReplaced(entry("old"), Replaced("old-7", NOW + timedelta(hours=2))),
    Revoke(entry("gone"), "gone-8"),
    Rename(entry("before"), "moved-9", "after"),
    Import(entry("imported", user=""), STORED),
    Forget(entry("forgotten", user=""), "gone-8", "salt:forget"),
)
OPERATIONS: tuple[Operation, ...] = (
    *OF_VERSION_5,
    TakeOver(entry("taken"), replace(STORED, name="taken"), Replaced("old-11", NOW)),
    TakeOver(entry("first"), replace(STORED, name="first")),
    Exec(entry("exec: az on build7"), new(Renewal())),
    Exec(entry("exec: npm on build7"), new(Renewal(), authorization_id="made-15")),
)


def numbered(operations: tuple[Operation, ...]) -> list[Operation]:
    return [
        each._replace(entry=each.entry._replace(key=key))
        for key, each in enumerate(operations, start=1)
    ]


def test_every_operation_is_among_them() -> None:
    assert {type(each) for each in OPERATIONS} == set(get_args(Operation)) == set(VERBS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: type(each).__name__)
def test_what_is_written_is_read(operation: Operation, tmp_path: Path) -> None:
    state = State(tmp_path / "state" / "state.db")
    key = state.begin(operation)
    written = operation._replace(entry=operation.entry._replace(key=key))
    (read,) = state.unfinished()
    assert (type(read), read) == (type(written), written)
    if isinstance(operation, Import | TakeOver):
        assert isinstance(read, Import | TakeOver)
        assert read.stored.fingerprint == STORED.fingerprint  # == leaves it out


def test_the_journal_of_an_earlier_version(tmp_path: Path) -> None:
    """The file was made by version 5 of the schema, when one record held every operation."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    connection = sqlite3.connect(folder / "state.db")
    connection.executescript(Path(__file__).with_name("state-5.sql").read_text("utf-8"))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 5")
    connection.close()
    (folder / "state.db").chmod(0o600)
    state = State(folder / "state.db")
    for _ in range(2):
        read = state.unfinished()
        assert list(read) == numbered(OF_VERSION_5)
        assert [type(each) for each in read] == [type(each) for each in OF_VERSION_5]
        state.remember(replace(STORED, name="written since"))


@pytest.mark.parametrize(
    "change", ["operation = 'unheard'", "operation = 'end', authorization_id = NULL"]
)
def test_a_row_that_makes_no_sense(change: str, tmp_path: Path) -> None:
    state = State(tmp_path / "state" / "state.db")
    state.begin(OPERATIONS[0])
    connection = sqlite3.connect(tmp_path / "state" / "state.db")
    connection.execute(f"UPDATE journal SET {change}")  # noqa: S608 - the test's own
    connection.commit()
    connection.close()
    with pytest.raises(Exception, match="is damaged or not a state file"):
        state.unfinished()


TARGETS: tuple[Delivery, ...] = (
    CommandTarget(("deploy", "it"), "/somewhere", 5),
    CommandTarget((r"C:\Program Files\a.exe", 'say "it"', "", "c\\"), r"C:\b"),
    FileTarget("/etc/a b", "A={token}"),
    FileTarget("/etc/a b"),
    ToolTarget("npm", "/home/a/.npmrc", "https://pkgs.dev.azure.com/contoso/_packaging/f/"),
    KeyVaultTarget("contoso", "ci"),
    VaultTarget("secret/ci", "pat", "https://vault.example", "team", whole=True),
    VariableGroupTarget("fabrikam", "web", "secrets", "PAT"),
    ServiceConnectionTarget("", "web", "feed"),
    GitHubTarget("contoso", "web", "", "PAT"),
    UnknownTarget("pigeon", '{"kind": "pigeon", "target": ["loft"], "field": "token"}'),
    UnknownTarget("pigeon", '{"kind": "pigeon", "url": "https://pigeon.example"}'),
)


def test_every_type_of_target_has_an_example() -> None:
    assert {type(each) for each in TARGETS} == set(get_args(Delivery))


@pytest.mark.parametrize("delivery", TARGETS, ids=lambda each: type(each).__name__)
def test_each_delivery_target(delivery: Delivery, tmp_path: Path) -> None:
    state = State(tmp_path / "state" / "state.db")
    state.remember(replace(STORED, renewal=Renewal(deliveries=(delivery,))))
    (stored,) = state.stored()
    (read,) = stored.renewal.deliveries
    assert (type(read), read) == (type(delivery), delivery)


def test_targets_are_written_as_before() -> None:
    """Earlier versions read them."""
    written = json.loads(written_renewal(Renewal(TARGETS)))
    feed = "https://pkgs.dev.azure.com/contoso/_packaging/f/"
    assert written["deliveries"] == [
        {"kind": "command", "target": ["deploy", "it"], "folder": "/somewhere", "seconds": 5},
        {
            "kind": "command",
            "target": [r"C:\Program Files\a.exe", 'say "it"', "", "c\\"],
            "folder": r"C:\b",
            "seconds": 60,
        },
        {"kind": "file", "target": ["/etc/a b"], "template": "A={token}"},
        {"kind": "file", "target": ["/etc/a b"], "template": ""},
        {"kind": "setup", "target": ["npm", "/home/a/.npmrc", feed]},
        {"kind": "keyvault", "target": ["contoso", "ci"]},
        {
            "kind": "vault",
            "target": ["secret/ci", "pat", "https://vault.example", "team"],
            "whole": True,
        },
        {"kind": "variable-group", "target": ["fabrikam", "web", "secrets", "PAT"]},
        {"kind": "service-connection", "target": ["", "web", "feed", ""]},
        {
            "kind": "github",
            "target": ["contoso", "web", "", "PAT", "actions", "github.com"],
        },
        {"kind": "pigeon", "target": ["loft"], "field": "token"},
        {"kind": "pigeon", "url": "https://pigeon.example"},
    ]


def test_the_grace_period() -> None:
    grace = Renewal(grace=timedelta(hours=2))
    assert json.loads(written_renewal(grace)) == {"grace": 7200.0}
    assert read_renewal(written_renewal(grace)) == grace
    assert read_renewal("{}") == Renewal()  # of an earlier version
    for wrong in ('{"grace": 1e300}', '{"grace": NaN}'):
        with pytest.raises(ValueError, match=r".+"):
            read_renewal(wrong)


@pytest.mark.parametrize(
    ("kind", "target"),
    [("command", []), ("file", []), ("file", ["a", "b"]), ("setup", ["npm", "/home/a/.npmrc"])],
)
def test_a_target_that_cannot_be_read(kind: str, target: list[str]) -> None:
    text = json.dumps({"deliveries": [{"kind": kind, "target": target}]})
    with pytest.raises(ValueError, match=r"not enough values|too many values"):
        read_renewal(text)


def test_targets_of_two_types_are_never_the_same() -> None:
    both = (FileTarget("/a", "b"), UnknownTarget("/a", "b"))
    assert Renewal().delivered_to(both).deliveries == both
