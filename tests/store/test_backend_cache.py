"""The cache of the backends that served: valid only as long as nothing changed."""

import os
import sys
from pathlib import Path

import pytest

from azdo_pat.store.backend_cache import BackendCache

OWN = ("keyring.backends.SecretService.Keyring", "keyring.backends.kwallet.DBusKeyring")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "keyring-backend"


def test_what_is_kept_is_recalled(file: Path) -> None:
    remembered = BackendCache(file, {})
    assert remembered.recall() == ()
    remembered.keep(OWN)
    assert remembered.recall() == BackendCache(file, {}).recall() == OWN
    remembered.drop()
    remembered.drop()
    assert remembered.recall() == ()


@pytest.mark.parametrize(
    "variable",
    [
        "PYTHON_KEYRING_BACKEND",
        "DBUS_SESSION_BUS_ADDRESS",
        "XDG_CURRENT_DESKTOP",
        "XDG_RUNTIME_DIR",
        "XDG_CONFIG_HOME",
        "HOME",
    ],
)
def test_another_environment_is_another_machine(file: Path, variable: str) -> None:
    BackendCache(file, {variable: "one"}).keep(OWN)
    assert BackendCache(file, {variable: "one", "PATH": "x"}).recall() == OWN
    assert BackendCache(file, {variable: "two"}).recall() == ()
    assert BackendCache(file, {}).recall() == ()


def test_a_new_package_is_noticed(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    BackendCache(file, {}).keep(OWN)
    assert BackendCache(file, {}).recall() == OWN
    (site / "plugin-1.0.dist-info").mkdir()
    assert BackendCache(file, {}).recall() == ()


@pytest.mark.skipif(sys.platform == "win32", reason="the file is elsewhere there")
def test_keyrings_configuration_is_noticed(file: Path, tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path)}
    BackendCache(file, environment).keep(OWN)
    folder = tmp_path / ".config" / "python_keyring"
    folder.mkdir(parents=True)
    assert BackendCache(file, environment).recall() == OWN
    (folder / "keyringrc.cfg").write_text("[backend]\n")
    assert BackendCache(file, environment).recall() == ()


@pytest.mark.parametrize(
    "path", ["plugin.Keyring", "keyring.backendsX.Y", "keyring.backends.a b", "keyring.backends."]
)
def test_only_keyrings_own_backends(file: Path, path: str) -> None:
    remembered = BackendCache(file, {})
    remembered.keep([path])
    assert not file.exists()
    remembered.keep(OWN)
    file.write_text(f"{file.read_text().splitlines()[0]}\n{path}\n")
    assert BackendCache(file, {}).recall() == ()


def test_it_is_read_once_in_a_run(file: Path) -> None:
    BackendCache(file, {}).keep(OWN)
    remembered = BackendCache(file, {})
    assert remembered.recall() == OWN
    file.unlink()
    assert remembered.recall() == OWN


def test_no_value_of_the_environment_is_in_the_file(file: Path) -> None:
    BackendCache(file, {"HOME": "my-home", "KEYRING_PROPERTY_KEY": "my-password"}).keep(OWN)
    text = file.read_text()
    assert text.splitlines()[1:] == list(OWN)
    assert "my-" not in text


def test_without_a_file_nothing_is_remembered() -> None:
    remembered = BackendCache(None, {})
    remembered.keep(OWN)
    remembered.drop()
    assert remembered.recall() == ()


@pytest.mark.skipif(sys.platform == "win32", reason="valid keys: no modes and few links")
def test_the_file_is_made_anew_and_no_link_is_followed(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("of somebody else")
    file.parent.mkdir()
    link = file.with_name(f"{file.name}.{os.getpid()}")
    link.symlink_to(other)
    BackendCache(file, {}).keep(OWN)
    assert (other.read_text(), file.exists()) == ("of somebody else", False)
    link.unlink()
    before = os.umask(0)
    try:
        BackendCache(file, {}).keep(OWN)
    finally:
        os.umask(before)
    assert (file.stat().st_mode & 0o777, BackendCache(file, {}).recall()) == (0o600, OWN)
