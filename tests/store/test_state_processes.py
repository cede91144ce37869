"""The state's file under several processes, and under those that die."""

import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from azdo_pat.errors import StoreError
from azdo_pat.store.state import State
from store.values import CI, ORG


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def state(path: Path) -> State:
    return State(path)


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from store.values import CI, CREATE, create_of
from azdo_pat.store.state import State
state = State(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    name = f"{sys.argv[2]}{number}"
    key = state.begin(create_of(name=name))
    state.note(key, name)
    state.finish(key, replace(CI, name=name, id=name))
    print(name, flush=True)
"""


def start_writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    tests = Path(__file__).parent.parent
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tests)},
    )


class TestSeveralProcesses:
    """Cron, git's helper and a shell at the same time."""

    def test_nothing_is_lost(self, state: State, path: Path) -> None:
        writers = [start_writer(path, name, 15) for name in "abc"]
        for writer in writers:
            writer.communicate(timeout=60)
        assert [writer.returncode for writer in writers] == [0, 0, 0]
        names = {pat.name for pat in state.stored()}
        assert names == {f"{name}{number}" for name in "abc" for number in range(15)}
        assert state.unfinished() == ()

    def test_a_killed_process_leaves_whole_transactions(self, state: State, path: Path) -> None:
        finished: list[str] = []
        for round_ in range(3):
            with start_writer(path, f"{round_}-", 100_000) as writer:
                assert writer.stdout is not None
                finished += [writer.stdout.readline().strip() for _ in range(5)]
                writer.kill()
                finished += writer.stdout.read().splitlines()
        stored = {pat.name for pat in state.stored()}
        # What was reported is there; of each killed process at most one more was done unreported.
        assert set(finished) <= stored
        assert len(stored) <= len(finished) + 3
        assert not stored & {each.entry.name for each in state.unfinished()}
        state.remember(replace(CI, name="afterwards"))
        assert state.find(ORG, "afterwards") == replace(CI, name="afterwards")

    def test_a_crash_in_the_middle_of_a_write_is_undone(self, state: State, path: Path) -> None:
        state.remember(CI)
        crash = (
            "import os, sqlite3, sys\n"
            "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "connection.execute('PRAGMA cache_size = 1')\n"
            "connection.execute('BEGIN IMMEDIATE')\n"
            "for number in range(2000):\n"
            "    connection.execute('INSERT INTO made VALUES (?)', (f'{number:0100}',))\n"
            "os.kill(os.getpid(), 9)\n"
        )
        subprocess.run([sys.executable, "-c", crash, str(path)], check=False)
        journal = path.with_name("state.db-journal")
        assert journal.exists()
        assert (state.stored(), state.made()) == (
            (CI,),
            frozenset({str(CI.id).lower()}),
        )
        assert not journal.exists()

    def test_a_writer_that_does_not_end_is_told(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("azdo_pat.store.database.BUSY_TIMEOUT", 0.2)
        state = State(path)
        state.remember(CI)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            assert state.stored() == (CI,)
            with pytest.raises(StoreError) as caught:
                state.remember(CI)
        finally:
            other.close()
        assert caught.value.message == (
            f"the state file {path} is locked: another process uses it, or its file system cannot"
            " lock files"
        )
