"""Files that are replaced in one step, and what a process that was killed within leaves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from azdo_pat.files import check_writable, replace_whole, resolved


@pytest.fixture
def dead() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_what_a_dead_process_left_beside_it_is_taken_away(tmp_path: Path, dead: int) -> None:
    file = tmp_path / "a[b].c"
    left = tmp_path / f".a[b].c.pat-{dead}-x1_y"
    others = [
        tmp_path / f".a[b].c.pat-{os.getpid()}-x1_y",  # somebody is at work on it
        tmp_path / f".other.pat-{dead}-x1_y",
        tmp_path / f".a[b].c.pat-{dead}-x1_y.bak",
        tmp_path / ".a[b].c.pat-x-y",
    ]
    for each in (left, *others):
        each.write_bytes(b"secret")
    if sys.platform == "win32":  # where age is all that tells
        os.utime(left, (0, 0))
    replace_whole(file, b"new")
    assert file.read_bytes() == b"new"
    assert not left.exists()
    assert all(each.exists() for each in others)


def test_one_that_was_left_long_ago_is_taken_away_whoever_has_its_number_now(
    tmp_path: Path,
) -> None:
    left = tmp_path / f".a.pat-{os.getpid()}-x"
    left.write_bytes(b"secret")
    os.utime(left, (0, 0))
    replace_whole(tmp_path / "a", b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match=r"directory|denied"):
        replace_whole(tmp_path / "a", b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


@pytest.mark.posix("links")
def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        resolved(tmp_path / "a")


def test_several_names(tmp_path: Path) -> None:
    file = tmp_path / "a"
    check_writable(file)
    file.touch()
    check_writable(file)
    (tmp_path / "b").hardlink_to(file)
    with pytest.raises(OSError, match="several names"):
        check_writable(file)
