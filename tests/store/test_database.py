"""The state's file: who may read it, what it refuses, and what several processes do to it."""

import os
import re
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from azdo_pat.errors import StoreError
from azdo_pat.store import database
from azdo_pat.store.database import Database
from azdo_pat.store.state import State
from store.values import CI, CREATE, ORG, create_of

READS: list[Callable[[State], object]] = [
    lambda state: state.stored(),
    lambda state: state.find(ORG, "ci"),
    lambda state: state.find_by_id("1b4e"),
    lambda state: state.made(),
    lambda state: state.organizations(ORG),
    lambda state: state.unfinished(ORG, "ci"),
]

BEGIN_AT_ONCE = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None).execute("BEGIN IMMEDIATE")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def state(path: Path) -> State:
    return State(path)


class TestFile:
    """The file itself."""

    def test_reading_makes_nothing(self, state: State, tmp_path: Path) -> None:
        assert [read(state) for read in READS] == [(), None, (), frozenset(), (), ()]
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.posix("modes of files")
    def test_it_is_its_owners_alone(self, state: State, path: Path) -> None:
        before = os.umask(0)
        try:
            state.remember(CI)
        finally:
            os.umask(before)
        modes = [stat.S_IMODE(one.stat().st_mode) for one in (path.parent, path)]
        assert modes == [0o700, 0o600]
        assert [one.name for one in path.parent.iterdir()] == ["state.db"]

    @pytest.mark.posix("modes of files")
    def test_an_existing_folder_keeps_its_mode(self, state: State, path: Path) -> None:
        path.parent.mkdir(mode=0o755)
        state.remember(CI)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755

    @pytest.mark.posix("links")
    def test_symbolic_links_are_followed(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "folder").symlink_to(tmp_path / "real")
        (tmp_path / "file.db").symlink_to(tmp_path / "real" / "other.db")
        for linked, real in (("folder/state.db", "state.db"), ("file.db", "other.db")):
            State(tmp_path / linked).remember(CI)
            assert State(tmp_path / "real" / real).stored() == (CI,)

    def test_names_that_mean_something_in_a_uri(self, tmp_path: Path) -> None:
        mark = "&" if sys.platform == "win32" else "?"  # which no name has on Windows
        path = tmp_path / f"100% mine{mark}mode=memory#x" / "state.db"
        State(path).remember(CI)
        assert path.exists()
        assert State(path).stored() == (CI,)

    @pytest.mark.parametrize("read", READS)
    def test_a_file_that_is_no_database(
        self, state: State, path: Path, read: Callable[[State], object]
    ) -> None:
        path.parent.mkdir()
        path.write_text("my notes, and quite important ones\n" * 50)
        before = path.read_bytes()
        for act in (read, lambda state: state.remember(CI)):
            with pytest.raises(StoreError) as caught:
                act(state)
            assert caught.value.message == (
                f"{path} is damaged or not a state file: file is not a database"
            )
            assert "move the file aside" in caught.value.hint
            assert "keyring and are not lost" in caught.value.hint
        assert path.read_bytes() == before

    def test_a_damaged_file(self, state: State, path: Path) -> None:
        for number in range(200):
            state.remember(replace(CI, name=f"token-{number}"))
        content = bytearray(path.read_bytes())
        content[4096:] = os.urandom(len(content) - 4096)
        path.write_bytes(content)
        for act in (State.stored, lambda state: state.remember(CI)):
            with pytest.raises(StoreError, match=f"^{re.escape(str(path))} is damaged"):
                act(state)
        assert path.read_bytes() == content

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE tokens SET scopes = '{'",
            "UPDATE tokens SET created = 'yesterday'",
            "UPDATE tokens SET origin = 'nobody'",
            "UPDATE tokens SET scopes = x'ff'",
            "DROP TABLE tokens",
        ],
    )
    def test_content_that_makes_no_sense(self, state: State, path: Path, statement: str) -> None:
        state.remember(CI)
        change(path, statement)
        with pytest.raises(StoreError) as caught:
            state.stored()
        assert str(path) in caught.value.message

    def test_an_older_schema_is_read_and_upgraded_by_the_first_write(
        self, state: State, path: Path
    ) -> None:
        key = state.begin(CREATE)
        state.remember(CI)
        for table in ("dismissed", "delivered"):
            change(path, f"DROP TABLE {table}")
        for column in ("upkeep", "fingerprint", "is_global"):
            change(path, f"ALTER TABLE tokens DROP COLUMN {column}")
        for column in ("reason", "upkeep", "follow_up", "new_name", "entry", "looked"):
            change(path, f"ALTER TABLE journal DROP COLUMN {column}")
        change(path, "ALTER TABLE journal DROP COLUMN user")
        change(path, "PRAGMA user_version = 1")
        expected = (create_of(key=key),)
        assert (state.unfinished(), state.stored()) == (expected, (CI,))
        assert (state.dismissed(), state.last_deliveries(CI.org_url, CI.name)) == (frozenset(), ())
        state.remember(CI)
        assert state.unfinished() == expected
        state.begin(create_of(user="ada"))
        assert [each.entry.user for each in state.unfinished()] == ["", "ada"]

    def test_a_newer_schema_is_left_alone(self, state: State, path: Path) -> None:
        state.remember(CI)
        change(path, "PRAGMA user_version = 99")
        before = path.read_bytes()
        for act in (State.stored, lambda state: state.remember(CI)):
            with pytest.raises(StoreError) as caught:
                act(state)
            assert caught.value.message == f"{path} was written by a newer version of pat"
        assert path.read_bytes() == before

    def test_another_programs_database_is_left_alone(self, state: State, path: Path) -> None:
        path.parent.mkdir()
        change(path, "CREATE TABLE tokens (important TEXT)")
        before = path.read_bytes()
        for act in (State.stored, lambda state: state.remember(CI)):
            with pytest.raises(StoreError, match="is a database of another program"):
                act(state)
        assert path.read_bytes() == before

    def test_an_empty_file_is_empty_state(self, state: State, path: Path) -> None:
        path.parent.mkdir()
        path.touch()
        assert state.stored() == ()
        state.remember(CI)
        assert state.stored() == (CI,)

    def test_a_folder_in_its_place(self, state: State, path: Path) -> None:
        path.mkdir(parents=True)
        for act in (State.stored, lambda state: state.remember(CI)):
            with pytest.raises(StoreError) as caught:
                act(state)
            assert str(path) in caught.value.message

    def test_a_file_in_the_place_of_its_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        state = State(tmp_path / "file" / "state.db")
        assert state.stored() == ()
        with pytest.raises(StoreError, match=r"state\.db cannot be written: "):
            state.remember(CI)

    def test_nothing_secret_has_a_place_in_it(self, state: State, path: Path) -> None:
        state.remember(CI)
        with sqlite3.connect(path) as connection:
            schema = [row[0] or "" for row in connection.execute("SELECT sql FROM sqlite_master")]
        connection.close()
        assert not [sql for sql in schema if "secret" in sql.lower() or "password" in sql.lower()]


def change(path: Path, statement: str) -> None:
    """Change the file as no method of `State` would."""
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


READ_AND_WRITE = """
import os, sys
from pathlib import Path
from azdo_pat.errors import StoreError
from azdo_pat.store.state import State
if os.geteuid() == 0:  # the superuser may do everything, whatever the modes say
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
state = State(Path(sys.argv[1]))
for act in (
    lambda: [pat.name for pat in state.stored()],
    lambda: state.forget("https://dev.azure.com/contoso", "ci"),
):
    try:
        print(act())
    except StoreError as error:
        print("StoreError:", error)
"""


@pytest.fixture
def shared() -> Iterator[Path]:
    """Give a folder that every user may enter: pytest's own are for their owner."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


def without_rights(path: Path) -> list[str]:
    """Read and then write the state as a user whom modes restrict; return what came of it."""
    run = subprocess.run(
        [sys.executable, "-c", READ_AND_WRITE, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.splitlines()


class TestTwoThreads:
    """Threads of one process, and another process."""

    def test_a_second_write_leaves_the_lock_of_the_first_in_force(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.1)
        State(path).remember(CI)
        with Database(path).writing() as connection:
            connection.execute("DELETE FROM tokens")
            with pytest.raises(StoreError, match="is locked: another process uses it"):
                State(path).remember(CI)
            elsewhere = subprocess.run(
                [sys.executable, "-c", BEGIN_AT_ONCE, str(path)],
                capture_output=True,
                text=True,
                check=False,
            )
        assert "database is locked" in elsewhere.stderr


@pytest.mark.posix("modes of files")
class TestReadOnly:
    """A file or folder that may not be written."""

    def test_a_read_only_folder(self, shared: Path) -> None:
        path = shared / "state.db"
        State(path).remember(CI)
        path.chmod(0o444)
        shared.chmod(0o555)
        assert without_rights(path) == [
            "['ci']",
            f"StoreError: the state file {path} cannot be written: Permission denied",
        ]

    def test_a_file_that_may_be_written_in_a_folder_that_may_not(self, shared: Path) -> None:
        path = shared / "state.db"
        State(path).remember(CI)
        if sys.platform != "win32" and os.geteuid() == 0:
            os.chown(path, 65534, -1)  # as whom it is read; others must not write to it
        shared.chmod(0o555)
        read, written = without_rights(path)
        assert read == "['ci']"
        assert written.startswith(f"StoreError: the state file {path} cannot be written: ")

    def test_a_folder_that_may_not_be_entered(self, shared: Path) -> None:
        path = shared / "closed" / "state.db"
        State(path).remember(CI)
        path.parent.chmod(0)
        assert without_rights(path) == [
            f"StoreError: the state file {path} cannot be read: Permission denied",
            f"StoreError: the state file {path} cannot be written: Permission denied",
        ]

    def test_no_file_in_a_read_only_folder(self, shared: Path) -> None:
        shared.chmod(0o555)
        path = shared / "new" / "state.db"
        assert without_rights(path) == [
            "[]",
            f"StoreError: the state file {path} cannot be written: Permission denied",
        ]
