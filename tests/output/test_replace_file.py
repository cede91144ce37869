"""The file of `pat check --to`, and of `pat admin report --html`."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from azdo_pat.errors import ExitCode, PatError
from azdo_pat.output.result_file import replace_file


def test_a_file_is_replaced_whole_and_may_be_read_by_others(tmp_path: Path) -> None:
    file = tmp_path / "tokens.prom"
    replace_file(file, "old and long\n", mode=0o644)
    file.chmod(0o600)
    replace_file(file, "new\r\né\n", mode=0o644)
    assert file.read_bytes() == "new\r\né\n".encode()
    assert list(tmp_path.iterdir()) == [file]
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o644


@pytest.mark.posix("links need no privilege")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "real", tmp_path / "link"
    file.write_text("old")
    link.symlink_to(file)
    replace_file(link, "new", mode=0o644)
    assert link.is_symlink()
    assert file.read_text() == "new"


def refusal(file: Path) -> tuple[str, int]:
    before = sorted(file.parent.iterdir())
    with pytest.raises(PatError) as caught:
        replace_file(file, "new", mode=0o644)
    assert sorted(file.parent.iterdir()) == before
    return caught.value.message, caught.value.exit_code


def test_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    assert refusal(folder) == (f"{folder} is not a regular file", ExitCode.USAGE)


@pytest.mark.posix("it has no devices in folders")
def test_a_device() -> None:
    assert refusal(Path("/dev/null")) == ("/dev/null is not a regular file", ExitCode.USAGE)


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    file = tmp_path / "none" / "tokens.prom"
    with pytest.raises(PatError) as caught:
        replace_file(file, "new", mode=0o644)
    assert caught.value.message.startswith(f"cannot write to {file}: ")
    assert caught.value.exit_code == ExitCode.FAULT


@pytest.mark.posix("root may write where Windows does not let it")
def test_a_loop_of_links(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(link)
    message, code = refusal(link)
    assert (message.startswith(f"cannot write to {link}: "), code) == (True, ExitCode.FAULT)


def test_a_file_that_has_two_names(tmp_path: Path) -> None:
    file = tmp_path / "one"
    file.write_text("old")
    os.link(file, tmp_path / "two")
    message, code = refusal(file)
    assert (message.startswith(f"cannot write to {file}: it has several names"), code) == (True, 1)
    assert file.read_text() == "old"


@pytest.mark.posix("a process without a limit for files")
def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "tokens.prom"
    file.write_text("old")
    script = (
        "from pathlib import Path; from azdo_pat.errors import PatError\n"
        "from azdo_pat.output.result_file import replace_file\n"
        f"try: replace_file(Path({str(file)!r}), 'x' * 10_000, mode=0o644)\n"
        "except PatError as error: print(error.message)"
    )
    ran = subprocess.run(
        ["bash", "-c", 'ulimit -f 1; exec "$0" -B -c "$1"', sys.executable, script],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == f"cannot write to {file}: File too large\n"
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_text() == "old"
