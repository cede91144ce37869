"""`pat setup osxkeychain`, with a stand-in for the keychain."""

from pathlib import Path

import pytest

from azdo_pat.models import StoredPat
from azdo_pat.store.state import State
from azdo_pat.tools.osxkeychain import Item, items
from drivers import Emulator, InProcess
from fakes import MemoryKeyring
from keychain import Keychain

pytestmark = pytest.mark.posix("git's helper for macOS")


@pytest.fixture
def keychain(tmp_path: Path) -> Keychain:
    """Give git such a helper."""
    folder = tmp_path / "helper"
    folder.mkdir()
    return Keychain(folder)


@pytest.fixture
def place(emulator: Emulator) -> str:
    """Where the secret of the emulator's organization lies."""
    return emulator.url.replace("://", "://pat@")


@pytest.mark.parametrize("age", [{}, {"OLD": "1"}], ids=["new", "old"])
def test_it_is_there_follows_rotations_and_goes(
    age: dict[str, str],
    pat: InProcess,
    keychain: Keychain,
    place: str,
    emulator: Emulator,
    memory_keyring: MemoryKeyring,
) -> None:
    env = {**keychain.env, **age}
    keychain.put(place, "theirs")
    assert pat("create", "xcode", "--for", "git").exit_code == 0
    secret = pat("get", "xcode").stdout.strip()
    planned = pat("setup", "osxkeychain", "--dry-run", "-o", "json", env=env)
    assert planned.json[0]["outcome"] == "planned"
    assert keychain.held == {place: "theirs"}
    done = pat("setup", "osxkeychain", "-o", "json", env=env)
    assert done.json == [
        {
            "tool": "osxkeychain",
            "file": None,
            "outcome": "set up",
            "feed": None,
            "token": "xcode",
        }
    ]
    assert f"+{emulator.url} for pat: ***\n" in done.stderr
    assert secret not in planned.stderr + done.stderr
    assert keychain.held == {place: secret}
    again = pat("setup", "osxkeychain", "-o", "json", env=env)
    assert again.json[0]["outcome"] == "unchanged"
    assert pat("rotate", "xcode", env=env).exit_code == 0
    assert keychain.held == {place: pat("get", "xcode").stdout.strip()}
    assert keychain.held != {place: secret}
    shown = pat("setup", "osxkeychain", "--undo", "--dry-run", env=env)
    assert f"-{emulator.url} for pat: ***\n" in shown.stderr
    assert pat("setup", "osxkeychain", "--undo", env=env).exit_code == 0
    assert keychain.held == {place: "theirs"}
    assert [name for _, name in memory_keyring.held] == ["xcode"]
    assert pat("rotate", "xcode", env=env).exit_code == 0
    assert keychain.held == {place: "theirs"}
    assert pat("setup", "osxkeychain", "--undo", env=env).exit_code == 3


def test_what_was_not_there_is_gone_again(pat: InProcess, keychain: Keychain, place: str) -> None:
    assert pat("create", "xcode", "--for", "git").exit_code == 0
    assert pat("setup", "osxkeychain", env=keychain.env).exit_code == 0
    assert set(keychain.held) == {place}
    assert pat("setup", "osxkeychain", "--undo", env=keychain.env).exit_code == 0
    assert keychain.held == {}


def test_an_organization_at_microsoft() -> None:
    """It stands under the user that the URLs to clone name, at both hosts of its repositories."""
    assert items("https://dev.azure.com/Contoso") == (
        Item("https", "dev.azure.com", "contoso"),
        Item("https", "contoso.visualstudio.com", "contoso"),
    )
    assert items("https://tfs.example.com:8080/tfs/One") == (
        Item("https", "tfs.example.com:8080", "pat"),
    )


def test_one_that_cannot_be_used(pat: InProcess, keychain: Keychain) -> None:
    assert pat("create", "xcode", "--for", "git").exit_code == 0
    nowhere = pat("setup", "osxkeychain")
    assert (nowhere.exit_code, nowhere.stdout) == (3, "")
    assert "git has no helper osxkeychain on this machine" in nowhere.stderr
    locked = pat("setup", "osxkeychain", env={**keychain.env, "LOCKED": "1"})
    assert locked.exit_code == 7
    assert "git credential-osxkeychain get failed: failed to get: -25308" in locked.stderr
    feed = pat("setup", "osxkeychain", "--feed", "https://x.example", env=keychain.env)
    assert feed.exit_code == 2
    sandbox = {**keychain.env, "PAT_THROWAWAY_KEYRING": "x"}
    refused = pat("setup", "osxkeychain", env=sandbox)
    assert (refused.exit_code, "the macOS keychain is outside the sandbox" in refused.stderr) == (
        2,
        True,
    )
    assert not keychain.file.exists()


def test_a_rotation_that_meets_a_locked_one(
    pat: InProcess, keychain: Keychain, emulator: Emulator
) -> None:
    assert pat("create", "xcode", "--for", "git").exit_code == 0
    assert pat("setup", "osxkeychain", env=keychain.env).exit_code == 0
    before = keychain.held
    pending = pat("rotate", "xcode", env={**keychain.env, "LOCKED": "1"})
    assert pending.exit_code == 8
    assert keychain.held == before
    active = [each for each in emulator.tokens if each["displayName"] == "xcode"]
    assert len(active) == 2
    assert pat("renew", env=keychain.env).exit_code == 0
    assert keychain.held != before


def test_two_collections_of_one_server(
    pat: InProcess, keychain: Keychain, home: Path, memory_keyring: MemoryKeyring
) -> None:
    place = "https://pat@tfs.example.com"
    keychain.put(place, "theirs")
    for name in ("One", "Two"):
        url = f"https://tfs.example.com/tfs/{name}"
        entry = StoredPat(
            org_url=url, org=name.lower(), name=name, id=None, scopes=(), created=None, expires=None
        )
        State(home / "pat/state/state.db").remember(entry)
        memory_keyring.held[f"azdo-pat:{url}", name] = name * 10
    server = "https://tfs.example.com/tfs"
    assert pat("setup", "osxkeychain", "--org", f"{server}/One", env=keychain.env).exit_code == 0
    refused = pat("setup", "osxkeychain", "--org", f"{server}/Two", env=keychain.env)
    assert (refused.exit_code, keychain.held) == (6, {place: "One" * 10})
    assert pat("setup", "osxkeychain", "--undo", env=keychain.env).exit_code == 0
    assert keychain.held == {place: "theirs"}


def test_what_somebody_has_put_there_since_stays(
    pat: InProcess, keychain: Keychain, place: str
) -> None:
    assert pat("create", "xcode", "--for", "git").exit_code == 0
    assert pat("setup", "osxkeychain", env=keychain.env).exit_code == 0
    keychain.put(place, "newer")
    assert pat("setup", "osxkeychain", "--undo", env=keychain.env).exit_code == 0
    assert keychain.held == {place: "newer"}
