"""pat admin list --save and --resume."""

import errno
import json
import os
import stat
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from azdo_pat.services.admin_tokens import Scan
from azdo_pat.store.locks import exclusive
from cli.administered import Administered
from drivers import InProcess

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

EVERYTHING = ("--status", "all", "-o", "json")


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """Return where the scan is saved; the name needs quoting."""
    return tmp_path / "a scan.jsonl"


@pytest.fixture(autouse=True)
def tokens(contoso: Administered) -> None:
    """Give each user tokens, odd ones among them."""
    ada, ben, cy = (each["descriptor"] for each in contoso.users)
    contoso.token(ada, "ci", scope="vso.code vso.build")
    contoso.token(ada, "global", targetAccounts=None, scope="app_token")
    contoso.token(ben, "", displayName=None)
    contoso.token(ben, "strange", displayName="ünïcode\u2028 \ud83d\ude00 \udc80", isValid=False)
    contoso.token(ben, "odd", scope=7, validTo="soon", isValid="perhaps")
    contoso.token(cy, "over", validTo="2026-01-03T00:00:00.1234567", isValid=False)


def asked_about(contoso: Administered) -> list[str]:
    """The last part of the path of each request, and then no more."""
    found = [str(each.path_url).partition("?")[0].rpartition("/")[2] for each in contoso.asked]
    contoso.asked.clear()
    return found


def test_all_of_it_can_be_shown_again_without_a_request(
    contoso_pat: InProcess, contoso: Administered, scan: Path
) -> None:
    first = contoso_pat("admin", "list", "--all-users", "--save", str(scan), *EVERYTHING)
    assert (first.exit_code, len(first.json)) == (0, 6)
    contoso.asked.clear()
    nobody = {"PAT_ORG": None, "PAT_ACCESS_TOKEN": None, "PATH": ""}
    again = contoso_pat("admin", "list", "--resume", str(scan), *EVERYTHING, env=nobody)
    assert (again.exit_code, again.json) == (0, first.json)
    assert "has all of 3 users, as of" in again.stderr
    assert again.stderr.endswith("6 tokens of 3 users\n")
    assert contoso.asked == []
    # Conditions are those of each run.
    some = contoso_pat("admin", "list", "--resume", str(scan), "--global", "-o", "json")
    assert [each["name"] for each in some.json] == ["global"]


def test_only_its_owner_reads_it_and_no_secret_is_in_it(contoso_pat: InProcess, scan: Path) -> None:
    assert contoso_pat("admin", "list", "--all-users", "--save", str(scan)).exit_code == 0
    if os.name != "nt":
        assert stat.S_IMODE(scan.stat().st_mode) == 0o600
    assert "an-access-token" not in scan.read_text("utf-8")


def test_what_was_read_is_not_asked_for_again(
    contoso_pat: InProcess, contoso: Administered, scan: Path
) -> None:
    whole = contoso_pat("admin", "list", "--all-users", *EVERYTHING)
    ben = contoso.users[1]["descriptor"]
    contoso.failures[ben] = [404 + 100] * 100
    broken = contoso_pat("admin", "list", "--all-users", "--save", str(scan), *EVERYTHING)
    assert broken.exit_code == 9
    assert f"2 of 3 users are in {scan}; to go on, run: pat admin list --resume" in (
        broken.stderr.replace("\\\\", "\\")  # paths of Windows in JSON
    )
    assert "tokens of 3 users" not in broken.stderr
    contoso.failures.clear()
    asked_about(contoso)
    resumed = contoso_pat("admin", "list", "--resume", str(scan), *EVERYTHING)
    assert (resumed.exit_code, resumed.json) == (0, whole.json)
    assert asked_about(contoso) == [ben]
    assert contoso_pat("admin", "list", "--resume", str(scan), *EVERYTHING).json == whole.json
    assert asked_about(contoso) == []


@pytest.mark.parametrize("left", [1, 20, -1])
def test_a_line_that_was_cut_off_is_dropped(
    contoso_pat: InProcess, contoso: Administered, scan: Path, left: int
) -> None:
    whole = contoso_pat("admin", "list", "--all-users", "--save", str(scan), *EVERYTHING)
    *lines, last = scan.read_bytes().splitlines(keepends=True)
    scan.write_bytes(b"".join(lines) + last[:left])
    asked_about(contoso)
    resumed = contoso_pat("admin", "list", "--resume", str(scan), *EVERYTHING)
    assert (resumed.exit_code, resumed.json) == (0, whole.json)
    assert asked_about(contoso) == [json.loads(last)["user"]]
    assert len(scan.read_bytes().splitlines()) == 4


def test_a_user_who_left_is_not_asked_for_again(
    contoso_pat: InProcess, contoso: Administered, scan: Path
) -> None:
    contoso.failures[contoso.users[0]["descriptor"]] = [404]
    first = contoso_pat("admin", "list", "--all-users", "--save", str(scan))
    assert first.stderr.endswith("1 user left in the meantime\n")
    asked_about(contoso)
    again = contoso_pat("admin", "list", "--resume", str(scan))
    assert again.stderr.endswith("1 user left in the meantime\n")
    assert asked_about(contoso) == []


def test_an_expired_sign_in_names_the_command_that_goes_on(
    contoso_pat: InProcess, contoso: Administered, scan: Path
) -> None:
    contoso.failures[contoso.users[2]["descriptor"]] = [401] * 9
    ran = contoso_pat("admin", "list", "--all-users", "--jobs", "1", "--save", str(scan))
    assert ran.exit_code == 4
    assert "2 of 3 users are in" in ran.stderr
    assert "pat admin list --resume" in ran.stderr


def test_ctrl_c_says_how_to_go_on(
    contoso_pat: InProcess, monkeypatch: pytest.MonkeyPatch, scan: Path
) -> None:
    read = Scan.tokens

    def interrupted(scan: Scan) -> Iterator[object]:
        yield next(read(scan))
        raise KeyboardInterrupt

    monkeypatch.setattr(Scan, "tokens", interrupted)
    jobs = ("--jobs", "1")
    ran = contoso_pat("admin", "list", "--all-users", "--save", str(scan), *jobs)
    assert ran.exit_code == 130
    assert f"pat: interrupted\n     1 of 3 users are in {scan}; to go on" in ran.stderr


def test_a_run_that_reads_no_one_replaces_nothing(
    contoso_pat: InProcess, contoso: Administered, scan: Path
) -> None:
    save = ("admin", "list", "--all-users", "--save", str(scan))
    assert contoso_pat(*save).exit_code == 0
    complete = scan.read_bytes()
    contoso.failures = {each["descriptor"]: [403] for each in contoso.users}
    ran = contoso_pat(*save)
    assert (ran.exit_code, scan.read_bytes()) == (5, complete)
    assert "to go on" not in ran.stderr


def test_a_complete_one_need_not_be_written(contoso_pat: InProcess, scan: Path) -> None:
    assert contoso_pat("admin", "list", "--all-users", "--save", str(scan)).exit_code == 0
    scan.chmod(0o400)
    before = scan.stat()
    assert contoso_pat("admin", "list", "--resume", str(scan)).exit_code == 0
    assert scan.stat().st_mtime_ns == before.st_mtime_ns


def test_a_full_disk(contoso_pat: InProcess, monkeypatch: pytest.MonkeyPatch, scan: Path) -> None:
    class Full(FileIO):
        room = 200

        def write(self, data: "ReadableBuffer", /) -> int:
            part = memoryview(data)[: self.room]
            if not part:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            Full.room -= len(part)
            return super().write(part) or 0

    def opened(path: Path, mode: str, buffering: int = -1) -> object:
        return Full(path, "a") if buffering == 0 else open(path, mode)  # noqa: PTH123  # as it is

    monkeypatch.setattr(Path, "open", opened)
    jobs = ("--jobs", "1")
    ran = contoso_pat("admin", "list", "--all-users", "--save", str(scan), *jobs)
    assert ran.exit_code == 1
    assert f"{scan} cannot be written" in ran.stderr
    monkeypatch.undo()
    assert contoso_pat("admin", "list", "--resume", str(scan)).exit_code == 0


class TestTheWrongFile:
    """Nothing is asked for, and nothing is lost."""

    def test_there_is_none(self, contoso_pat: InProcess, contoso: Administered, scan: Path) -> None:
        ran = contoso_pat("admin", "list", "--resume", str(scan))
        assert (ran.exit_code, contoso.asked, scan.exists()) == (3, [], False)
        assert "--save" in ran.stderr

    def test_a_scheduled_run_begins_it_where_there_is_none(
        self, contoso_pat: InProcess, contoso: Administered, scan: Path
    ) -> None:
        both = ("--all-users", "--save", str(scan), "--resume", str(scan))
        assert contoso_pat("admin", "list", *both).exit_code == 0
        complete = scan.read_bytes()
        scan.write_bytes(b"".join(complete.splitlines(keepends=True)[:-1]))
        contoso.asked.clear()
        assert contoso_pat("admin", "list", *both).exit_code == 0
        assert len(contoso.asked) == 1
        # One that is complete is that of the night before.
        contoso.asked.clear()
        assert contoso_pat("admin", "list", *both).exit_code == 0
        assert len(contoso.asked) > 3

    @pytest.mark.parametrize("option", ["--save", "--resume"])
    @pytest.mark.parametrize("content", [b"my notes\n", b"{}\n", b"", b"\xff\xfe", b"[" * 9999])
    def test_it_is_another_one(
        self, contoso_pat: InProcess, scan: Path, option: str, content: bytes
    ) -> None:
        scan.write_bytes(content)
        ran = contoso_pat("admin", "list", "--all-users", option, str(scan))
        assert (ran.exit_code, scan.read_bytes()) == (2, content)
        assert "is not a file that pat has saved" in ran.stderr

    @pytest.mark.parametrize("option", ["--save", "--resume"])
    def test_it_is_no_file(self, contoso_pat: InProcess, tmp_path: Path, option: str) -> None:
        ran = contoso_pat("admin", "list", "--all-users", option, str(tmp_path))
        assert (ran.exit_code, "is not a regular file" in ran.stderr) == (2, True)
        if os.name != "nt":
            ran = contoso_pat("admin", "list", "--all-users", option, "/dev/zero")
            assert (ran.exit_code, "is not a regular file" in ran.stderr) == (2, True)

    def test_one_that_is_not_complete_is_not_replaced(
        self, contoso_pat: InProcess, scan: Path
    ) -> None:
        save = ("admin", "list", "--all-users", "--save", str(scan))
        assert contoso_pat(*save).exit_code == 0
        complete = scan.read_bytes()
        assert contoso_pat(*save).exit_code == 0  # a complete one is
        scan.write_bytes(b"".join(complete.splitlines(keepends=True)[:-1]))
        before = scan.read_bytes()
        ran = contoso_pat(*save)
        assert (ran.exit_code, scan.read_bytes()) == (2, before)
        assert "(2 of 3 users)" in ran.stderr

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ('"upn": "ada@contoso.example"', '"upn": null'),
            ('"started": "', '"started": "soon'),
            ('"is_guest": false', '"is_guest": "no"'),
            ('"org": "contoso"', '"org": "fabrikam"'),
            ('"isValid": true', '"isValid": "no"'),
            ('"displayName": "ci"', '"displayName": 5'),
            ('"validTo": "2099', '"validTo": "x'),
        ],
    )
    def test_what_is_in_it_is_not_believed(
        self, contoso_pat: InProcess, scan: Path, before: str, after: str
    ) -> None:
        contoso_pat("admin", "list", "--all-users", "--save", str(scan))
        text = scan.read_text("utf-8", "surrogatepass")
        assert before in text
        scan.write_text(text.replace(before, after), "utf-8", "surrogatepass")
        ran = contoso_pat("admin", "report", "--resume", str(scan))
        assert ran.exit_code == 2
        assert "is damaged" in ran.stderr or "is not a file that pat has saved" in ran.stderr

    @pytest.mark.parametrize("way", ["up", "link"])
    def test_another_name_of_it_is_locked_too(
        self, contoso_pat: InProcess, scan: Path, home: Path, way: str
    ) -> None:
        contoso_pat("admin", "list", "--all-users", "--save", str(scan))
        scan.write_bytes(b"".join(scan.read_bytes().splitlines(keepends=True)[:-1]))
        other = scan.parent / "x" / ".." / scan.name
        (scan.parent / "x").mkdir()
        if way == "link":
            other = scan.parent / "link"
            try:
                other.symlink_to(scan)
            except OSError:
                pytest.skip("this system makes no links")
            if not other.exists():
                pytest.skip("this system follows no links")  # Wine
        with exclusive(home / "pat/state/locks", os.path.normcase(scan.resolve())):
            ran = contoso_pat("admin", "list", "--resume", str(other))
        assert ran.exit_code == 6

    def test_a_damaged_line(self, contoso_pat: InProcess, scan: Path) -> None:
        contoso_pat("admin", "list", "--all-users", "--save", str(scan))
        first, _, *rest = scan.read_bytes().splitlines(keepends=True)
        scan.write_bytes(b"".join([first, b"damaged\n", *rest]))
        before = scan.read_bytes()
        ran = contoso_pat("admin", "list", "--resume", str(scan))
        assert (ran.exit_code, scan.read_bytes()) == (2, before)
        assert f"line 2 of {scan} is damaged" in ran.stderr

    @pytest.mark.parametrize(
        ("options", "env", "message"),
        [
            (["--org", "fabrikam"], {}, "is of contoso, not of fabrikam"),
            ([], {"PAT_ORG": "fabrikam"}, "is of contoso, not of fabrikam"),
            (["--ssh"], {}, "is of tokens"),
            ([], {"PAT_API_URL": "http://127.0.0.1:9"}, "is of https://dev.azure.com/contoso"),
            (["ada"], {}, "the users are those in"),
            (["--save", "other.jsonl"], {}, "--resume saves to the same file"),
        ],
    )
    def test_it_is_of_something_else(
        self,
        contoso_pat: InProcess,
        contoso: Administered,
        scan: Path,
        options: list[str],
        env: dict[str, str],
        message: str,
    ) -> None:
        assert contoso_pat("admin", "list", "--all-users", "--save", str(scan)).exit_code == 0
        contoso.asked.clear()
        ran = contoso_pat("admin", "list", "--resume", str(scan), *options, env=env)
        assert (ran.exit_code, contoso.asked) == (2, [])
        assert message in ran.stderr

    def test_another_process_works_on_it(
        self, contoso_pat: InProcess, contoso: Administered, scan: Path, home: Path
    ) -> None:
        with exclusive(home / "pat/state/locks", os.path.normcase(scan.resolve())):
            ran = contoso_pat("admin", "list", "--all-users", "--save", str(scan))
        assert (ran.exit_code, contoso.asked) == (6, [])

    def test_its_folder_does_not_exist(self, contoso_pat: InProcess, tmp_path: Path) -> None:
        ran = contoso_pat("admin", "list", "--all-users", "--save", str(tmp_path / "no" / "scan"))
        assert ran.exit_code == 1
        assert "cannot be written" in ran.stderr


class TestUsersFromAFile:
    """--users-from."""

    def test_one_per_line(self, contoso_pat: InProcess, tmp_path: Path) -> None:
        file = tmp_path / "users.txt"
        file.write_bytes("\ufeffada@contoso.example\r\n\r\n  CY TWOMBLY \r\n".encode())
        ran = contoso_pat("admin", "list", "--users-from", str(file), *EVERYTHING)
        assert [each["name"] for each in ran.json] == ["ci", "global", "over"]
        names = "ada@contoso.example\n"
        ran = contoso_pat("admin", "list", "ben", "--users-from", "-", *EVERYTHING, stdin=names)
        assert {each["owner"]["name"] for each in ran.json} == {"Ada Lovelace", "Ben Ali"}

    def test_all_who_do_not_exist_are_named(self, contoso_pat: InProcess) -> None:
        ran = contoso_pat("admin", "list", "--users-from", "-", stdin="zoe\nada\nyan\n")
        assert ran.exit_code == 3
        assert "2 of 3 users were not found" in ran.stderr
        assert "no user 'zoe'" in ran.stderr
        assert "no user 'yan'" in ran.stderr

    @pytest.mark.parametrize(
        ("options", "stdin"), [(["-"], "\n \n"), (["none.txt"], ""), (["-", "--all-users"], "ada")]
    )
    def test_it_names_no_one(
        self, contoso_pat: InProcess, contoso: Administered, options: list[str], stdin: str
    ) -> None:
        ran = contoso_pat("admin", "list", "--users-from", *options, stdin=stdin)
        assert (ran.exit_code, contoso.asked) == (2, [])


def test_a_user_who_is_listed_twice_counts_once(
    contoso_pat: InProcess, contoso: Administered
) -> None:
    contoso.users.append(contoso.users[0])
    ran = contoso_pat("admin", "list", "--all-users", *EVERYTHING)
    assert (ran.exit_code, len(ran.json)) == (0, 6)
    assert ran.stderr.endswith("6 tokens of 3 users\n")
