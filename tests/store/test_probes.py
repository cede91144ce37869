"""Entries made to try the keyring, whose process was killed before it deleted them."""

import subprocess
import sys
import textwrap
from pathlib import Path

import keyring
import pytest

from azdo_pat.store.keyring_entries import PROBE_SERVICE
from azdo_pat.store.probes import Probes
from azdo_pat.store.secrets import SecretStore
from fakes import MemoryKeyring

KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from azdo_pat.store.probes import Probes
    with Probes(Path(sys.argv[1])).noted() as name:
        print(name, flush=True)
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    """
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "probes"


@pytest.fixture
def store(folder: Path, memory_keyring: MemoryKeyring) -> SecretStore:
    keyring.set_keyring(memory_keyring)
    return SecretStore(backend=None, cache_file=folder.with_name("keyring"), environment={})


def killed(folder: Path, store: SecretStore, memory_keyring: MemoryKeyring) -> str:
    """Leave an entry of a process that was killed; look at it while the process lives, too."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        memory_keyring.held[PROBE_SERVICE, name] = "probe"
        store.clear_probes()
        store.check()
        assert list(memory_keyring.held) == [(PROBE_SERVICE, name)]  # it is at work
        process.communicate()
    return name


def test_the_next_check_deletes_it(
    folder: Path, store: SecretStore, memory_keyring: MemoryKeyring
) -> None:
    killed(folder, store, memory_keyring)
    store.check()
    assert memory_keyring.held == {}
    assert list(folder.iterdir()) == []


def test_whoever_looks_deletes_it(
    folder: Path, store: SecretStore, memory_keyring: MemoryKeyring
) -> None:
    killed(folder, store, memory_keyring)
    memory_keyring.held["other", "probe"] = "of another"
    store.clear_probes()
    assert memory_keyring.held == {("other", "probe"): "of another"}
    assert Probes(folder).left_behind() == ()


def test_one_that_fails_stays_noted(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), Probes(folder).noted() as name:
        raise ZeroDivisionError
    assert Probes(folder).left_behind() == (name,)


def test_nothing_is_noted_where_there_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (None, tmp_path / "file"):
        with Probes(folder).noted() as name:
            assert name.startswith("probe-")
        assert Probes(folder).left_behind() == ()
