"""A damaged state file: moved aside, and no other."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from azdo_pat.store.database import Database
from azdo_pat.store.repair import damaged_files, mark_rebuilt, set_aside, set_aside_if_damaged
from azdo_pat.store.state import State
from store.values import CI, create_of

NOW = datetime(2026, 11, 25, 18, 15, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def test_a_good_one_stays(path: Path) -> None:
    assert set_aside_if_damaged(path, NOW) is None
    State(path).remember(CI)
    assert set_aside_if_damaged(path, NOW) is None
    assert State(path).stored() == (CI,)


@pytest.mark.parametrize("damage", ["no database", "torn", "random"])
def test_a_damaged_one_is_moved_aside_whole(path: Path, damage: str) -> None:
    state = State(path)
    for number in range(200):
        state.begin(create_of(name=f"token-{number}"))
    content = bytearray(path.read_bytes())
    if damage == "no database":
        content[:100] = b"x" * 100
    elif damage == "torn":
        content = content[: len(content) // 2]
    else:
        content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)
    path.with_name("state.db-journal").write_bytes(b"beside it")
    aside = set_aside_if_damaged(path, NOW)
    assert aside == path.with_name("state.db.damaged-20261125T181500Z")
    assert aside.read_bytes() == content
    assert not path.exists()
    assert damaged_files(path) == (aside,)
    State(path).remember(CI)
    assert State(path).stored() == (CI,)


def test_an_earlier_one_is_not_overwritten(path: Path) -> None:
    for number in range(3):
        path.write_bytes(b"%d" % number * 200)
        assert set_aside_if_damaged(path, NOW) is not None
    assert [each.read_bytes()[:1] for each in damaged_files(path)] == [b"0", b"1", b"2"]
    for each in damaged_files(path):
        mark_rebuilt(each)
    assert damaged_files(path) == ()
    assert len(list(path.parent.glob("state.db.rebuilt-*"))) == 3


def test_one_of_another_program_or_version_stays(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (x)")
    assert set_aside_if_damaged(path, NOW) is None
    path.unlink()
    State(path).remember(CI)
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 99")
    assert set_aside_if_damaged(path, NOW) is None


def test_one_that_cannot_be_moved(path: Path) -> None:
    assert set_aside(path.parent / "gone" / "state.db", NOW) is None


def test_a_transaction_is_on_the_disk_when_it_ends(path: Path) -> None:
    with Database(path).writing() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 3  # EXTRA
