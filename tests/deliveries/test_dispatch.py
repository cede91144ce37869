"""Secrets brought to real commands and real files."""

import ctypes
import os
import signal
import stat
import sys
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest

from azdo_pat.deliveries.dispatch import deliver
from azdo_pat.deliveries.placeholders import DeliveryContext
from azdo_pat.delivery_targets import CommandTarget, Delivery, FileTarget, UnknownTarget
from azdo_pat.errors import PendingError
from azdo_pat.models import Handover, Pat, Secret, Status
from drivers import in_wine, make_fifo, put_program
from no_services import NoServices

LEAVING_A_CHILD = (
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    " open('child', 'w').write(str(child.pid))"
)
_SYNCHRONIZE = 0x00100000
_WAIT_TIMEOUT = 258
SECRET = "A" * 75 + "AZDOxyz12"
HANDOVER = Handover(
    pat=Pat(
        name="ci",
        id="1b4e28ba-2fa1-11d2-883f-0016d3cca427",
        org="contoso",
        status=Status.ACTIVE,
        scopes=("vso.code", "vso.packaging"),
        created=None,
        expires=datetime(2026, 12, 1, 12, 0, 0, 5, UTC),
    ),
    secret=Secret(SECRET),
    org_url="https://dev.azure.com/contoso",
)


class Stage:
    """A folder, and what delivers into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment = {**os.environ, "PAT_ORG": "mine"}
        self._context = DeliveryContext(
            environment=environment,
            alone=lambda _: nullcontext(),
            lend=lambda *_: None,
            services=NoServices(),
            recognizes=lambda _: True,
        )

    def deliver(self, delivery: Delivery) -> None:
        deliver(delivery, HANDOVER, self._context)

    def command(self, script: str, seconds: int = 20) -> None:
        """Deliver to a command that is written in Python."""
        words = (sys.executable, "-c", f"import os, sys, subprocess, time\n{script}")
        self.deliver(CommandTarget(words, str(self.folder), seconds))

    def shell(self, script: str) -> None:
        self.deliver(CommandTarget(("sh", "-c", script), str(self.folder)))

    def file(self, name: str, template: str = "") -> None:
        self.deliver(FileTarget(str(self.folder / name), template))

    def text(self, name: str) -> str:
        return (self.folder / name).read_bytes().decode()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


class TestCommand:
    """The secret on the standard input of a command."""

    def test_it_gets_the_secret_and_nothing_else_on_stdin(self, stage: Stage) -> None:
        stage.command("open('got', 'w').write(sys.stdin.read())")
        assert stage.text("got") == SECRET

    def test_the_facts_are_in_its_environment_and_the_secret_is_not(self, stage: Stage) -> None:
        stage.command(
            "told = [f'{name}={value}' for name, value in os.environ.items()]\n"
            "open('got', 'wb').write(''.join(f'{each}\\n' for each in [*told, *sys.argv]).encode())"
        )
        got = stage.text("got")
        for line in (
            "PAT_TOKEN_NAME=ci",
            "PAT_TOKEN_ID=1b4e28ba-2fa1-11d2-883f-0016d3cca427",
            "PAT_TOKEN_ORG=contoso",
            "PAT_TOKEN_URL=https://dev.azure.com/contoso",
            "PAT_TOKEN_EXPIRES=2026-12-01T12:00:00Z",
            "PAT_TOKEN_SCOPES=vso.code vso.packaging",
            "PAT_ORG=mine",
        ):
            assert f"{line}\n" in got
        assert SECRET not in got

    def test_it_runs_in_its_folder(self, stage: Stage) -> None:
        source = "import os; open('got', 'w').write(os.getcwd())"
        program = put_program(stage.folder / "deploy", source)
        stage.deliver(CommandTarget((f"./{program.name}",), folder=str(stage.folder)))
        assert stage.text("got").strip() == str(stage.folder)

    def test_one_that_does_not_read_it(self, stage: Stage) -> None:
        stage.command("sys.stdin.close()")

    @pytest.mark.posix("what every shell has")
    @pytest.mark.parametrize(
        "line",
        [
            "cat",
            "cat | cut -c1-40",
            "cat | fold -w 7",
            "base64 -w 20",
            "(printf pat:; cat) | base64",
            "rev",
            "od -An -tx1",
            "sed 's/./& /g'",
            "echo no such cluster >&2",
        ],
    )
    def test_what_it_prints_is_told_nowhere(
        self, stage: Stage, line: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(PendingError) as caught:
            stage.shell(f"{line}; exit 3")
        assert caught.value.message == "the command 'sh' ended with status 3"
        assert capfd.readouterr() == ("", "")

    def test_what_it_prints_and_its_status(
        self, stage: Stage, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(PendingError, match=r"ended with status 3$") as caught:
            stage.command("print(sys.stdin.read()); sys.exit(3)")
        assert SECRET not in caught.value.message
        assert capfd.readouterr() == ("", "")

    @pytest.mark.posix("signals")
    def test_a_signal(self, stage: Stage) -> None:
        with pytest.raises(PendingError, match="was killed by signal 9"):
            stage.shell("kill -9 $$")

    @pytest.mark.parametrize(
        ("program", "reason"),
        [
            ("no-such-program", "No such file"),
            pytest.param(
                "/dev/null", "Permission denied", marks=pytest.mark.posix("modes of files")
            ),
        ],
    )
    def test_one_that_cannot_be_started(self, stage: Stage, program: str, reason: str) -> None:
        with pytest.raises(PendingError, match=f"cannot be started: {reason}"):
            stage.deliver(CommandTarget((program,)))

    def test_a_folder_that_is_gone(self, stage: Stage) -> None:
        delivery = CommandTarget((sys.executable,), folder=str(stage.folder / "gone"))
        with pytest.raises(PendingError, match="cannot be started: "):
            stage.deliver(delivery)

    def test_one_that_takes_too_long_is_killed_with_its_children(self, stage: Stage) -> None:
        limit = 20 if sys.platform == "win32" else 1  # Wine takes some to start both
        before = time.monotonic()
        with pytest.raises(PendingError, match=f"did not end within {limit} seconds"):
            stage.command(f"{LEAVING_A_CHILD}; time.sleep(600)", seconds=limit)
        assert time.monotonic() - before < limit + 9
        child = int(stage.text("child"))
        if in_wine():  # Debian 12's, whose taskkill leaves children alive
            os.kill(child, signal.SIGTERM)
            return
        deadline = time.monotonic() + 5
        while _lives(child):
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def test_a_child_that_stays_is_not_waited_for(self, stage: Stage) -> None:
        before = time.monotonic()
        stage.command(LEAVING_A_CHILD)
        assert time.monotonic() - before < (60 if sys.platform == "win32" else 10)
        os.kill(int(stage.text("child")), signal.SIGTERM)

    def test_output_without_end(self, stage: Stage) -> None:
        stage.command("print('y' * 5_000_000)")


def _lives(process: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    if sys.platform == "win32":
        kernel32 = ctypes.windll.kernel32
        handle = kernel32.OpenProcess(_SYNCHRONIZE, False, process)  # noqa: FBT003  # inherited
        lives = bool(kernel32.WaitForSingleObject(handle, 0) == _WAIT_TIMEOUT)
        kernel32.CloseHandle(handle)
    else:
        try:
            state = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2]
            lives = "Z" not in state
        except (FileNotFoundError, ProcessLookupError):
            lives = False
    return lives


class TestFile:
    """The secret in a file."""

    def test_alone(self, stage: Stage) -> None:
        before = os.umask(0)
        try:
            stage.file("secret")
        finally:
            os.umask(before)
        assert stage.text("secret") == f"{SECRET}\n"
        if sys.platform != "win32":
            assert stat.S_IMODE((stage.folder / "secret").stat().st_mode) == 0o600
        (stage.folder / "secret").write_text(f"{'b' * 52}\n")
        stage.file("secret")
        assert stage.text("secret") == f"{SECRET}\n"
        assert [each.name for each in stage.folder.iterdir()] == ["secret"]

    @pytest.mark.parametrize("notes", ["my notes\n", "hunter2-of-a-database\n", "https://x\n"])
    def test_alone_in_a_file_that_holds_more(self, stage: Stage, notes: str) -> None:
        (stage.folder / "notes").write_bytes(notes.encode())
        with pytest.raises(PendingError, match="holds something other than a token"):
            stage.file("notes")
        assert stage.text("notes") == notes

    def test_in_a_line_and_every_other_byte_stays(self, stage: Stage) -> None:
        path = stage.folder / ".env"
        path.write_bytes(b"\xef\xbb\xbfA=\xff\xfe\r\nPAT=old\r\n\x00B=2")
        path.chmod(0o644)
        stage.file(".env", "PAT={token}")
        assert path.read_bytes() == (
            b"\xef\xbb\xbfA=\xff\xfe\r\nPAT=" + SECRET.encode() + b"\r\n\x00B=2"
        )
        if sys.platform != "win32":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600

    @pytest.mark.posix("links")
    def test_a_link_stays_one(self, stage: Stage) -> None:
        (stage.folder / "real").write_text("A=1\n")
        (stage.folder / "link").symlink_to("real")
        stage.file("link", "PAT={token}")
        assert (stage.folder / "link").is_symlink()
        assert stage.text("real") == f"A=1\nPAT={SECRET}\n"

    @pytest.mark.posix("links and modes of files")
    @pytest.mark.parametrize("template", ["", "PAT={token}"])
    def test_a_file_with_several_names_stays(self, stage: Stage, template: str) -> None:
        file, other = stage.folder / "one", stage.folder / "other"
        file.write_text(f"{'b' * 52}\n")
        other.hardlink_to(file)
        with pytest.raises(PendingError, match="cannot be written: it has several names"):
            stage.file("one", template)
        assert file.read_bytes() == other.read_bytes() == b"b" * 52 + b"\n"

    @pytest.mark.posix("links and modes of files")
    def test_a_read_only_file_stays(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        file = stage.folder / "one"
        file.write_text(f"{'b' * 52}\n")
        file.chmod(0o400)
        monkeypatch.setattr(os, "access", lambda path, mode: (path, mode) != (file, os.W_OK))
        with pytest.raises(PendingError, match="cannot be written: it is read-only"):
            stage.file("one")
        assert file.read_bytes() == b"b" * 52 + b"\n"

    def test_what_is_there_already_is_not_written_again(self, stage: Stage) -> None:
        stage.file("secret")
        before = (stage.folder / "secret").stat().st_ino
        stage.file("secret")
        assert (stage.folder / "secret").stat().st_ino == before
        if sys.platform != "win32":
            (stage.folder / "secret").chmod(0o644)
            stage.file("secret")
            found = (stage.folder / "secret").stat()
            assert (found.st_ino, stat.S_IMODE(found.st_mode)) == (before, 0o600)

    @pytest.mark.parametrize("name", ["gone/secret", ".", "loop", "pipe"])
    def test_what_cannot_be_written(self, stage: Stage, name: str) -> None:
        make_fifo(stage.folder / "pipe")
        (stage.folder / "loop").symlink_to("loop")
        with pytest.raises(PendingError, match="cannot be written"):
            stage.file(name, "PAT={token}")


def test_a_kind_of_a_later_version(stage: Stage) -> None:
    with pytest.raises(PendingError, match="does not know delivery targets of the kind 'npm'"):
        stage.deliver(UnknownTarget("npm", "{}"))
