"""Which file of the user's git reads, and `git config --global` changes, on Windows."""

from pathlib import Path

import pytest

from azdo_pat.tools.git import file_on_windows


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """The folder USERPROFILE."""
    return made(tmp_path / "Ada Lovelace")


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def drive(folder: Path) -> dict[str, str]:
    """The variables that Windows sets for a home on another drive."""
    return {
        "HOMEDRIVE": str(folder.parent),
        "HOMEPATH": str(folder).removeprefix(str(folder.parent)),
    }


def test_home_comes_first(profile: Path, tmp_path: Path) -> None:
    share = made(tmp_path / "share")
    environment = {"HOME": str(tmp_path / "home"), **drive(share)}
    assert file_on_windows(environment, profile) == tmp_path / "home" / ".gitconfig"


def test_then_the_home_on_another_drive(profile: Path, tmp_path: Path) -> None:
    share = made(tmp_path / "share")
    assert file_on_windows(drive(share), profile) == share / ".gitconfig"


@pytest.mark.parametrize("left_out", ["HOMEDRIVE", "HOMEPATH"])
def test_half_a_home_on_another_drive(profile: Path, left_out: str) -> None:
    environment = {"HOMEDRIVE": "C:", "HOMEPATH": r"\Users"}
    del environment[left_out]
    assert file_on_windows(environment, profile) == profile / ".gitconfig"


def test_a_drive_that_is_not_connected(profile: Path, tmp_path: Path) -> None:
    assert file_on_windows(drive(tmp_path / "gone"), profile) == profile / ".gitconfig"


def test_the_folder_of_the_system_is_no_home(profile: Path, tmp_path: Path) -> None:
    environment = {**drive(made(tmp_path / "System32")), "SYSTEMROOT": str(tmp_path)}
    assert file_on_windows(environment, profile) == profile / ".gitconfig"


def test_the_file_in_the_roaming_folder(profile: Path, tmp_path: Path) -> None:
    environment = {"APPDATA": str(tmp_path / "Roaming")}
    usual, below_home = profile / ".gitconfig", profile / ".config" / "git" / "config"
    roaming = tmp_path / "Roaming" / "Git" / "config"
    assert file_on_windows(environment, profile) == usual
    for other in (below_home, roaming):  # the later one comes first
        made(other.parent)
        other.touch()
        assert file_on_windows(environment, profile) == other
    assert file_on_windows({**environment, "XDG_CONFIG_HOME": str(tmp_path)}, profile) == usual
    usual.touch()
    assert file_on_windows(environment, profile) == usual
