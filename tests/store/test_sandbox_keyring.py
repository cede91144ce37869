"""The throw-away keyring: a keyring in every respect but secrecy."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from keyring.backends import fail, null
from keyring.errors import PasswordDeleteError

from azdo_pat.errors import StoreError
from azdo_pat.store.sandbox_keyring import FILE_VARIABLE, SandboxKeyring
from keyring_contract import KeyringContract


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keyring.json"
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    return path


def throwaway() -> SandboxKeyring:
    return SandboxKeyring()  # type: ignore[no-untyped-call]  # keyring types its methods only


class TestThrowawayKeyring(KeyringContract):
    """keyring's own contract for a backend."""

    @pytest.fixture(autouse=True)
    def _file(self, file: Path) -> None:
        assert not file.exists()

    def init_keyring(self) -> SandboxKeyring:
        return throwaway()


@pytest.mark.posix("modes of files")
def test_only_its_owner_may_read_the_file(file: Path) -> None:
    throwaway().set_password("service", "user", "secret")
    assert json.loads(file.read_text()) == {"service": {"user": "secret"}}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_reading_makes_no_file(file: Path) -> None:
    assert throwaway().get_password("service", "user") is None
    assert not file.exists()


def test_deleting_what_is_not_there() -> None:
    with pytest.raises(PasswordDeleteError):
        throwaway().delete_password("service", "user")


def test_it_needs_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FILE_VARIABLE)
    with pytest.raises(StoreError, match="PAT_THROWAWAY_KEYRING does not name a file"):
        throwaway().get_password("service", "user")


def test_a_damaged_file_is_not_replaced(file: Path) -> None:
    file.write_text('{"service": {')
    with pytest.raises(json.JSONDecodeError):
        throwaway().set_password("service", "user", "secret")
    assert file.read_text() == '{"service": {'


def test_a_scan_never_chooses_it() -> None:
    assert SandboxKeyring.priority < null.Keyring.priority < fail.Keyring.priority


def test_many_writers_lose_nothing(file: Path) -> None:
    script = (
        "import sys\n"
        "from azdo_pat.store.sandbox_keyring import SandboxKeyring\n"
        "for number in range(20):\n"
        "    SandboxKeyring().set_password('service', f'{sys.argv[1]}{number}', 'x')\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", script, name]) for name in "abc"]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    assert json.loads(file.read_text()) == {
        "service": {f"{name}{number}": "x" for name in "abc" for number in range(20)}
    }
