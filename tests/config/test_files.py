"""The configuration file: read, changed, and otherwise left as it is."""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from azdo_pat.config.editing import set_value, unset_value
from azdo_pat.config.file import read
from azdo_pat.config.paths import config_folder, state_folder
from azdo_pat.errors import UsageError
from drivers import make_fifo

MEND = "correct the file, or move it aside"
HAND_MADE = """\
# mine
org   =  'contoso'   # the big one

timeout = 5
"""
BROKEN = [b"org = ", b"org = 'a'\norg = 'b'\n", b"\xff", b"[", b"org = contoso"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "config.toml"


@pytest.fixture
def hand_made(file: Path) -> Path:
    file.parent.mkdir()
    file.write_text(HAND_MADE, "utf-8")
    return file


class TestReading:
    """What the file sets."""

    def test_no_file_sets_nothing_and_is_not_made(self, file: Path) -> None:
        assert read(file) == {}
        assert not file.parent.exists()

    def test_values(self, hand_made: Path) -> None:
        assert read(hand_made) == {"org": "contoso", "timeout": 5}

    @pytest.mark.parametrize("content", [BROKEN[0], BROKEN[1], BROKEN[3], BROKEN[4]])
    def test_no_toml(self, hand_made: Path, content: bytes) -> None:
        hand_made.write_bytes(content)
        with pytest.raises(UsageError) as caught:
            read(hand_made)
        assert caught.value.message.startswith(f"{hand_made} is not valid TOML: ")
        assert caught.value.hint == MEND
        assert hand_made.read_bytes() == content

    def test_no_text(self, hand_made: Path) -> None:
        hand_made.write_bytes(b"\xff")
        with pytest.raises(UsageError) as caught:
            read(hand_made)
        assert caught.value.message == f"{hand_made} cannot be read: it is not in UTF-8"
        assert caught.value.hint == "save it as UTF-8, or move it aside"

    def test_a_folder_in_its_place(self, file: Path) -> None:
        file.mkdir(parents=True)
        with pytest.raises(UsageError) as caught:
            read(file)
        assert caught.value.message.startswith(f"{file} cannot be read: ")
        assert caught.value.hint == MEND

    def test_a_wrong_value_is_named_with_the_file(self, hand_made: Path) -> None:
        hand_made.write_text("timeout = 0\n", "utf-8")
        with pytest.raises(UsageError) as caught:
            read(hand_made)
        assert caught.value.message == f"{hand_made}: '0' is not a valid value for timeout"


DEVICES = [Path("/dev/zero"), Path("/dev/null")]
USES = [
    pytest.param(read, id="read"),
    pytest.param(lambda file: set_value(file, "org", "contoso"), id="set"),
    pytest.param(lambda file: unset_value(file, "org"), id="unset"),
]


@pytest.mark.parametrize("use", USES)
class TestHostile:
    """Files whose end may never come, or that hold more than can be held."""

    def refusal(self, use: Callable[[Path], object], file: Path) -> str:
        with pytest.raises(UsageError) as caught:
            use(file)
        assert caught.value.hint == MEND
        return caught.value.message

    def test_a_fifo(self, file: Path, use: Callable[[Path], object]) -> None:
        file.parent.mkdir()
        make_fifo(file)
        assert self.refusal(use, file) == f"{file} cannot be read: not a regular file"

    @pytest.mark.parametrize("device", DEVICES, ids=str)
    def test_a_device(self, file: Path, use: Callable[[Path], object], device: Path) -> None:
        if not device.exists():
            pytest.skip(f"there is no {device} here")
        file.parent.mkdir()
        file.symlink_to(device)
        assert self.refusal(use, file) == f"{file} cannot be read: not a regular file"

    def test_a_huge_file(self, file: Path, use: Callable[[Path], object]) -> None:
        file.parent.mkdir()
        file.write_text("#" * 1_000_000, "utf-8")
        use(file)
        file.write_text("#" * 1_000_001, "utf-8")
        assert self.refusal(use, file) == f"{file} cannot be read: larger than 1 MB"

    @pytest.mark.usefixtures("no_finalizers")
    @pytest.mark.parametrize("content", ["timeout = " + "9" * 5000, "org = " + "[" * 50_000])
    def test_more_than_python_takes(
        self, file: Path, use: Callable[[Path], object], content: str
    ) -> None:
        file.parent.mkdir()
        file.write_text(content, "utf-8")
        assert self.refusal(use, file).startswith(f"{file} is not valid TOML: ")
        assert file.read_text("utf-8") == content


class TestChanging:
    """One key; the rest stays byte for byte."""

    def test_the_first_value_makes_the_file(self, file: Path) -> None:
        set_value(file, "org", "contoso")
        assert file.read_text("utf-8") == 'org = "contoso"\n'
        if sys.platform != "win32":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert list(file.parent.iterdir()) == [file]

    def test_comments_order_and_spelling_stay(self, hand_made: Path) -> None:
        set_value(hand_made, "timeout", 7)
        set_value(hand_made, "quiet", True)  # noqa: FBT003  # the value is a switch
        expected = HAND_MADE.replace("timeout = 5", "timeout = 7") + "quiet = true\n"
        assert hand_made.read_text("utf-8") == expected
        set_value(hand_made, "org", "fabrikam")
        assert read(hand_made) == {"org": "fabrikam", "timeout": 7, "quiet": True}
        assert "# mine\n" in hand_made.read_text("utf-8")
        assert "# the big one" in hand_made.read_text("utf-8")

    def test_unset(self, hand_made: Path) -> None:
        assert unset_value(hand_made, "timeout")
        assert hand_made.read_text("utf-8") == HAND_MADE.replace("timeout = 5\n", "")
        assert not unset_value(hand_made, "timeout")

    def test_unset_removes_what_no_version_of_pat_knows(self, hand_made: Path) -> None:
        hand_made.write_text("old-key = 1\norg = 'contoso'\n", "utf-8")
        assert unset_value(hand_made, "old-key")
        assert read(hand_made) == {"org": "contoso"}

    def test_unset_without_a_file(self, file: Path) -> None:
        assert not unset_value(file, "org")
        assert not file.exists()

    def test_line_ends_of_windows_stay(self, hand_made: Path) -> None:
        hand_made.write_bytes(HAND_MADE.replace("\n", "\r\n").encode())
        set_value(hand_made, "timeout", 7)
        expected = HAND_MADE.replace("timeout = 5", "timeout = 7").replace("\n", "\r\n")
        assert hand_made.read_bytes() == expected.encode()

    def test_a_key_goes_before_the_tables(self, hand_made: Path) -> None:
        hand_made.write_text("org = 'contoso'\n\n[later]\nx = 1\n", "utf-8")
        set_value(hand_made, "timeout", 7)
        assert unset_value(hand_made, "later")
        assert read(hand_made) == {"org": "contoso", "timeout": 7}

    @pytest.mark.parametrize("value", ['"', "\\", "a\nb", "é✓", "'''", "#"])
    def test_any_text_comes_back(self, file: Path, value: str) -> None:
        set_value(file, "keyring", f"a{value}b")
        assert read(file) == {"keyring": f"a{value}b"}

    @pytest.mark.posix("modes of files")
    def test_permissions_stay(self, hand_made: Path) -> None:
        hand_made.chmod(0o640)
        set_value(hand_made, "timeout", 7)
        assert stat.S_IMODE(hand_made.stat().st_mode) == 0o640

    @pytest.mark.posix("links")
    def test_a_symbolic_link_stays_one(self, hand_made: Path, tmp_path: Path) -> None:
        link = tmp_path / "link.toml"
        link.symlink_to(hand_made)
        set_value(link, "timeout", 7)
        assert link.is_symlink()
        assert read(hand_made) == {"org": "contoso", "timeout": 7}

    @pytest.mark.parametrize("content", BROKEN)
    def test_a_broken_file_is_left_as_it_is(self, hand_made: Path, content: bytes) -> None:
        hand_made.write_bytes(content)
        for change in (
            lambda: set_value(hand_made, "org", "contoso"),
            lambda: unset_value(hand_made, "org"),
        ):
            with pytest.raises(UsageError) as caught:
                change()
            with pytest.raises(UsageError) as read_only:
                read(hand_made)
            assert caught.value.message == read_only.value.message
            assert caught.value.hint == read_only.value.hint
        assert hand_made.read_bytes() == content
        assert list(hand_made.parent.iterdir()) == [hand_made]

    def test_a_file_where_the_folder_should_be(self, tmp_path: Path) -> None:
        (tmp_path / "config").write_text("in the way", "utf-8")
        file = tmp_path / "config" / "deeper" / "config.toml"
        with pytest.raises(UsageError) as caught:
            set_value(file, "org", "contoso")
        assert caught.value.message.startswith(f"{file} cannot be ")
        assert caught.value.hint in {MEND, "to use another folder, set PAT_CONFIG_DIR"}

    @pytest.mark.skipif(
        sys.platform == "win32" or os.geteuid() == 0, reason="everything can be written by root"
    )
    def test_a_folder_that_cannot_be_written(self, hand_made: Path) -> None:
        hand_made.parent.chmod(0o500)
        with pytest.raises(UsageError) as caught:
            set_value(hand_made, "timeout", 7)
        hand_made.parent.chmod(0o700)
        assert caught.value.message.startswith(f"{hand_made} cannot be written: ")
        assert caught.value.hint == "to use another folder, set PAT_CONFIG_DIR"
        assert hand_made.read_text("utf-8") == HAND_MADE

    @pytest.mark.posix("/proc")
    def test_a_folder_that_cannot_be_made(self) -> None:
        file = Path("/proc/no-such-folder/config.toml")
        if not file.parent.parent.exists():
            pytest.skip("there is no /proc here")
        with pytest.raises(UsageError) as caught:
            set_value(file, "org", "contoso")
        assert caught.value.message.startswith(f"{file} cannot be written: ")
        assert caught.value.hint == "to use another folder, set PAT_CONFIG_DIR"


class TestFolders:
    """The platform's own."""

    @pytest.mark.skipif(sys.platform != "win32", reason="this is not Windows")
    def test_in_the_users_app_data(self) -> None:
        assert config_folder().parts[-3:] == ("AppData", "Local", "pat")
        assert state_folder() == config_folder()

    @pytest.mark.posix("folders of XDG")
    def test_below_the_home_of_the_user(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert (config_folder(), state_folder()) == (
            home / ".config" / "pat",
            home / ".local" / "state" / "pat",
        )
        monkeypatch.delenv("XDG_CONFIG_HOME")
        monkeypatch.delenv("XDG_STATE_HOME")
        assert config_folder() == home / ".config" / "pat"
        assert state_folder() == home / ".local" / "state" / "pat"
        assert not config_folder().exists()
