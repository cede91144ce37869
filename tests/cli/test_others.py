"""What another user may have written is neither trusted nor written to."""

import os
import struct
import sys
from pathlib import Path

import pytest

from drivers import InProcess, posix_only

posix_only("modes and owners of files")
assert sys.platform != "win32"  # mypy reads no further

ANOTHER = 12345
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
DELIVER = ("rotate", "ci", "--deliver")


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder as `/tmp` is."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@pytest.mark.parametrize("mode", [0o666, 0o602])
def test_a_state_file_that_others_may_write(mode: int, pat: InProcess, home: Path) -> None:
    assert pat("create", "ci", "--scope", "code").exit_code == 0
    file = home / "pat/state/state.db"
    file.chmod(mode)
    for args in (("renew",), ("list", "--stored"), ("ensure", "ci", "--scope", "code")):
        ran = pat(*args)
        assert f"chmod go-w {file}" in ran.stderr, args
        assert ran.exit_code == 7
    file.chmod(0o600)
    assert pat("renew").exit_code == 0


@pytest.mark.parametrize("mode", [0o777, 0o1777])
@pytest.mark.parametrize("kind", ["state", "config"])
def test_a_folder_that_others_may_write(mode: int, kind: str, pat: InProcess, home: Path) -> None:
    assert pat("create", "ci", "--scope", "code").exit_code == 0
    assert pat("config", "set", "org", "contoso").exit_code == 0
    folder = home / "pat" / kind
    folder.chmod(mode)
    ran = pat("renew")
    assert f"chmod go-w {folder}" in ran.stderr
    assert ("use a folder of your own" in ran.stderr) == (mode == 0o1777)
    assert ran.exit_code == (7 if kind == "state" else 2)


def test_a_config_file_that_others_may_write(pat: InProcess, home: Path) -> None:
    assert pat("config", "set", "org", "contoso").exit_code == 0
    (home / "pat/config/config.toml").chmod(0o666)
    ran = pat("list")
    assert (ran.exit_code, "chmod go-w" in ran.stderr) == (2, True)


@needs_root
@pytest.mark.parametrize(
    ("place", "exit_code"),
    [("state/state.db", 7), ("state", 7), ("config/config.toml", 2), ("config", 2)],
)
def test_a_group_that_may_write(place: str, exit_code: int, pat: InProcess, home: Path) -> None:
    assert pat("create", "ci", "--scope", "code").exit_code == 0
    assert pat("config", "set", "org", "contoso").exit_code == 0
    path = home / "pat" / place
    path.chmod(0o770)
    assert pat("renew").exit_code == 0  # root's own group
    os.chown(path, -1, ANOTHER)
    ran = pat("renew")
    assert f"chmod go-w {path}" in ran.stderr
    assert ran.exit_code == exit_code


@needs_root
@pytest.mark.skipif(sys.platform != "linux", reason="access lists of Linux")
def test_a_group_with_an_access_list(pat: InProcess, home: Path) -> None:
    assert pat("config", "set", "org", "contoso").exit_code == 0
    file = home / "pat/config/config.toml"
    # rw for the owner and another user, as setfacl -m u:12345:rw writes it (acl(5), linux/fs.h)
    entries = [(1, 6, -1), (2, 6, ANOTHER), (4, 4, -1), (16, 6, -1), (32, 4, -1)]
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *each) for each in entries)
    if sys.platform == "linux":
        try:
            os.setxattr(file, "system.posix_acl_access", acl)
        except OSError:
            pytest.skip("the file system has no access lists")
    assert file.stat().st_mode & 0o020
    assert pat("list").exit_code == 2


@pytest.mark.parametrize("umask", [0o002, 0o000])
def test_a_umask_that_lets_others_write(umask: int, pat: InProcess, home: Path) -> None:
    before = os.umask(umask)
    try:
        assert pat("config", "set", "org", "contoso").exit_code == 0
    finally:
        os.umask(before)
    assert (home / "pat/config").stat().st_mode & 0o777 == 0o700
    assert pat("config", "get", "org").exit_code == 0


@needs_root
def test_a_state_file_of_another_user(pat: InProcess, home: Path) -> None:
    assert pat("create", "ci", "--scope", "code").exit_code == 0
    os.chown(home / "pat/state/state.db", ANOTHER, -1)
    ran = pat("renew")
    assert ran.exit_code == 7
    assert f"belongs to another user (uid {ANOTHER})" in ran.stderr


@needs_root
def test_a_file_of_another_user_gets_no_secret(pat: InProcess, shared: Path) -> None:
    assert pat("create", "ci", "--scope", "code").exit_code == 0
    file = shared / "token"
    file.touch()
    os.chown(file, ANOTHER, -1)
    ran = pat(*DELIVER, f"file:{file}")
    assert ran.exit_code == 5
    assert f"the file {file} belongs to another user (uid {ANOTHER})" in ran.stderr
    assert file.read_text() == ""
    assert file.stat().st_uid == ANOTHER


@needs_root
def test_a_runners_file_of_another_user_gets_no_secret(pat: InProcess, shared: Path) -> None:
    assert pat("create", "ci", "--scope", "code").exit_code == 0
    file = shared / "env"
    file.touch()
    os.chown(file, ANOTHER, -1)
    ran = pat("get", "ci", "--as", "github-actions", env={"GITHUB_ENV": str(file)})
    assert (ran.exit_code, file.read_text()) == (11, "")
    assert f"the file {file} belongs to another user (uid {ANOTHER})" in ran.stderr


@needs_root
@pytest.mark.parametrize("place", ["token", "folder/token"])
def test_a_link_of_another_user_is_not_followed(
    place: str, pat: InProcess, shared: Path, tmp_path: Path
) -> None:
    assert pat("create", "ci", "--scope", "code").exit_code == 0
    aim = tmp_path / "aim"
    aim.mkdir() if "/" in place else aim.touch()
    link = shared / place.removesuffix("/token")
    link.symlink_to(aim)
    os.chown(link, ANOTHER, -1, follow_symlinks=False)
    ran = pat(*DELIVER, f"file:{shared / place}")
    assert ran.exit_code == 5
    assert f"the link {link} belongs to another user" in ran.stderr
    assert (list(aim.iterdir()) if aim.is_dir() else aim.read_text()) in ([], "")


@needs_root
def test_a_tool_is_not_set_up_in_a_file_of_another_user(
    pat: InProcess, home: Path, shared: Path
) -> None:
    _ = home
    file = shared / "gitconfig"
    file.write_text("[user]\n\tname = x\n")
    os.chown(file, ANOTHER, -1)
    ran = pat("setup", "git", env={"GIT_CONFIG_GLOBAL": str(file)})
    assert ran.exit_code != 0
    assert "belongs to another user" in ran.stderr
    assert file.read_text() == "[user]\n\tname = x\n"


def test_a_file_and_a_link_of_ones_own_are_written(
    pat: InProcess, shared: Path, tmp_path: Path
) -> None:
    assert pat("create", "ci", "--scope", "code").exit_code == 0
    (shared / "token").symlink_to(tmp_path / "aim")
    assert pat(*DELIVER, f"file:{shared / 'token'}").exit_code == 0
    assert (tmp_path / "aim").read_text() == pat("get", "ci").stdout


def test_links_that_form_a_loop(pat: InProcess, home: Path) -> None:
    folder = home / "pat/state"
    folder.mkdir(parents=True)
    (folder / "state.db").symlink_to("state.db")
    ran = pat("list", "--stored")
    assert ran.exit_code == 7
    assert "Too many levels of symbolic links" in ran.stderr
