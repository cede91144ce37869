"""Locks between processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from azdo_pat.errors import ConflictError, StoreError
from azdo_pat.store.locks import exclusive, in_turn, waiting

KEY = "ci-token in contoso"
HOLDER = """
import sys
from pathlib import Path
from azdo_pat.store.locks import exclusive
with exclusive(Path(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock until its standard input ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), KEY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_held_lock_is_refused_at_once(tmp_path: Path) -> None:
    with (
        hold(tmp_path) as holder,
        pytest.raises(ConflictError, match=f"another pat process is working on {KEY}"),
        exclusive(tmp_path, KEY),
    ):
        pytest.fail("entered")
    assert holder.returncode == 0


def test_another_name_is_free(tmp_path: Path) -> None:
    with hold(tmp_path), exclusive(tmp_path, "other-token in contoso"):
        pass


def test_it_is_free_when_its_holder_was_killed(tmp_path: Path) -> None:
    with hold(tmp_path) as holder:
        holder.kill()
        holder.wait()
        with exclusive(tmp_path, KEY):
            pass


def test_it_is_free_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(KeyError), exclusive(tmp_path, KEY):
        raise KeyError
    with exclusive(tmp_path, KEY):
        pass


def test_this_process_does_not_hold_it_twice(tmp_path: Path) -> None:
    with exclusive(tmp_path, KEY), pytest.raises(ConflictError), exclusive(tmp_path, KEY):
        pytest.fail("entered")


def test_any_text_is_a_name(tmp_path: Path) -> None:
    for key in ("../../etc/passwd", "x" * 5000, "\0", "\udcff"):
        with exclusive(tmp_path / "new" / "locks", key):
            pass
    assert {path.name for path in tmp_path.iterdir()} == {"new"}


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"), exclusive(tmp_path / "file", KEY):
        pytest.fail("entered")


def test_waiting_ends(tmp_path: Path) -> None:
    file = tmp_path / "some.lock"
    with (
        waiting(file, 1),
        pytest.raises(StoreError, match=r"locked by another process for 0\.1 seconds"),
        waiting(file, 0.1),
    ):
        pytest.fail("entered")


TAKER = """
import sys, time
from pathlib import Path
from azdo_pat.store.locks import in_turn
for _ in range(20):
    with in_turn(Path(sys.argv[1]), 10):
        Path(sys.argv[2]).touch(exist_ok=False)
        time.sleep(0.002)
        Path(sys.argv[2]).unlink()
"""


def test_processes_take_turns(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", TAKER, str(tmp_path / "turn"), str(tmp_path / "alone")]
    takers = [subprocess.Popen(arguments) for _ in range(3)]
    assert [taker.wait(timeout=60) for taker in takers] == [0, 0, 0]


def test_a_turn_that_does_not_come_is_not_waited_for_longer(tmp_path: Path) -> None:
    file = tmp_path / "turn"
    with in_turn(file, 1), in_turn(file, 0.05), in_turn(None, 1):
        pass


def test_a_turn_without_a_folder_that_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with in_turn(tmp_path / "file" / "turn", 1):
        pass


def test_a_failure_within_a_turn_is_the_callers(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="mine"), in_turn(tmp_path / "turn", 1):
        raise StoreError("mine")
