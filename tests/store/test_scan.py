"""Which backend is used, with installed plugins and keyring's own configuration."""

from pathlib import Path

import pytest

from store.child import ORG, run

PLUGIN = '''
import json, os, pathlib
from keyring.backend import KeyringBackend

class Stored(KeyringBackend):
    """Keeps its content in a file named after its class."""

    @property
    def file(self):
        return pathlib.Path(os.environ["HOME"], type(self).__name__)

    def load(self):
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def get_password(self, service, username):
        return self.load().get(f"{service} {username}")

    def set_password(self, service, username, password):
        self.file.write_text(json.dumps(self.load() | {f"{service} {username}": password}))

    def delete_password(self, service, username):
        content = self.load()
        del content[f"{service} {username}"]
        self.file.write_text(json.dumps(content))
'''
GOOD = """
class GoodKeyring(Stored):
    priority = 2
"""
PLAIN = """
class PlaintextKeyring(Stored):
    priority = 3
"""
READ_ONLY = """
class Fetching(KeyringBackend):
    priority = 9.9

    def get_password(self, service, username):
        return None

    def set_password(self, service, username, password):
        raise NotImplementedError

    def delete_password(self, service, username):
        raise NotImplementedError
"""
BROKEN = """
raise RuntimeError("this plugin cannot be loaded")
"""
pytestmark = pytest.mark.posix("keyrings but the Credential Manager")
PUT_AND_GET = [("put", "ci", "s3cret"), ("get", "ci")]
PLAIN_REFUSED = (
    "StoreError: the keyring backend plugin.PlaintextKeyring stores secrets in plain text"
)


@pytest.fixture
def environment(home: Path, tmp_path: Path) -> dict[str, str]:
    """Give an environment in which keyring finds nothing but the plugins of the test."""
    return {"HOME": str(home), "PYTHONPATH": str(tmp_path / "site"), "PATH": "/usr/bin:/bin"}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def install(tmp_path: Path, *classes: str) -> None:
    """Install one plugin that brings these backends, as a package with an entry point."""
    information = tmp_path / "site" / "plugin-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[keyring.backends]\nplugin = plugin\n")
    (tmp_path / "site" / "plugin.py").write_text(PLUGIN + "".join(classes))


def stored_in(home: Path) -> list[str]:
    """Tell which backends got something to keep."""
    return sorted(path.name for path in home.iterdir() if path.is_file())


@pytest.mark.parametrize(
    ("classes", "answers", "stored"),
    [
        ((GOOD,), [None, "s3cret"], ["GoodKeyring"]),
        ((PLAIN,), [PLAIN_REFUSED] * 2, []),
        ((GOOD, PLAIN), [None, "s3cret"], ["GoodKeyring"]),
        ((GOOD, READ_ONLY), [None, "s3cret"], ["GoodKeyring"]),
        ((GOOD, PLAIN, READ_ONLY), [None, "s3cret"], ["GoodKeyring"]),
        (
            (READ_ONLY,),
            ["StoreError: the keyring backend plugin.Fetching can only read, not store", None],
            [],
        ),
        (
            (BROKEN,),
            ["StoreError: no usable keyring on this machine"] * 2,
            [],
        ),
    ],
    ids=["good", "plain", "good+plain", "good+fetching", "all", "fetching", "broken"],
)
def test_a_scan(
    environment: dict[str, str],
    tmp_path: Path,
    classes: tuple[str, ...],
    answers: list[object],
    stored: list[str],
) -> None:
    install(tmp_path, *classes)
    cache = tmp_path / "cache"
    home = Path(environment["HOME"])
    said = run(environment, cache, *PUT_AND_GET)
    assert (said.values, said.stderr, stored_in(home)) == (answers, "", stored)
    assert not cache.exists()


def test_keyrings_variable_is_no_permission_for_plaintext(
    environment: dict[str, str], home: Path, tmp_path: Path, cache: Path
) -> None:
    install(tmp_path, PLAIN)
    chosen = environment | {"PYTHON_KEYRING_BACKEND": "plugin.PlaintextKeyring"}
    assert run(chosen, cache, *PUT_AND_GET).values == [PLAIN_REFUSED] * 2
    assert stored_in(home) == []


def test_keyrings_configuration_is_no_permission_for_plaintext(
    environment: dict[str, str], home: Path, tmp_path: Path, cache: Path
) -> None:
    install(tmp_path, PLAIN)
    _configure(home, "plugin.PlaintextKeyring")
    assert run(environment, cache, *PUT_AND_GET).values == [PLAIN_REFUSED] * 2
    assert stored_in(home) == []


def test_our_own_variable_is(
    environment: dict[str, str], home: Path, tmp_path: Path, cache: Path
) -> None:
    install(tmp_path, PLAIN)
    named = environment | {"PAT_KEYRING": "plugin.PlaintextKeyring"}
    assert run(named, cache, *PUT_AND_GET).values == [None, "s3cret"]
    assert stored_in(home) == ["PlaintextKeyring"]


def test_naming_the_chain_is_no_permission_for_plaintext(
    environment: dict[str, str], home: Path, tmp_path: Path, cache: Path
) -> None:
    install(tmp_path, PLAIN, GOOD)
    named = environment | {"PAT_KEYRING": "keyring.backends.chainer.ChainerBackend"}
    assert run(named, cache, *PUT_AND_GET).values == [None, "s3cret"]
    assert stored_in(home) == ["GoodKeyring"]


def test_keyrings_variable_and_configuration_choose(
    environment: dict[str, str], home: Path, tmp_path: Path, cache: Path
) -> None:
    install(tmp_path, GOOD)
    null = "StoreError: keyring is disabled: its null backend stores nothing"
    by_variable = environment | {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    assert run(by_variable, cache, *PUT_AND_GET).values == [null, null]
    _configure(home, "keyring.backends.null.Keyring")
    assert run(environment, cache, *PUT_AND_GET).values == [null, null]
    wrong = environment | {"PYTHON_KEYRING_BACKEND": "nope.Keyring"}
    message = (
        "StoreError: the keyring backend chosen by keyring cannot be loaded: No module named 'nope'"
    )
    assert run(wrong, cache, *PUT_AND_GET).values == [message] * 2


def _configure(home: Path, backend: str) -> None:
    folder = home / ".config" / "python_keyring"
    folder.mkdir(parents=True)
    (folder / "keyringrc.cfg").write_text(f"[backend]\ndefault-keyring={backend}\n")


def test_the_service_name_is_the_one_that_is_documented(
    environment: dict[str, str], home: Path, tmp_path: Path, cache: Path
) -> None:
    install(tmp_path, GOOD)
    run(environment, cache, *PUT_AND_GET)
    assert (home / "GoodKeyring").read_text() == f'{{"azdo-pat:{ORG} ci": "s3cret"}}'
