"""Several `pat` at the same time, as scripts and cron start them."""

import base64
from pathlib import Path

import pytest

from drivers import Emulator, Installed
from e2e.stage import accepts, active, finish, in_keyring, start
from store.keyring_service import KeyringService


@pytest.mark.parametrize("number", [2, 10])
def test_one_of_many_creates_of_one_name_wins(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService, number: int
) -> None:
    creates = [start(pat, "create", "ci", "--scope", "vso.code") for _ in range(number)]
    results = [finish(each) for each in creates]
    assert sorted(each.exit_code for each in results) == [0, *[6] * (number - 1)]
    assert [each.stdout for each in results if each.exit_code == 6] == [""] * (number - 1)
    assert len(active(emulator, "ci")) == 1
    assert len([each for each in emulator.tokens if each["displayName"] == "ci"]) == 1
    secret = in_keyring(gnome_keyring.environment, emulator, "ci")
    assert secret is not None
    assert accepts(emulator, secret)
    (listed,) = pat("list", "--name", "ci", "-o", "json").json
    assert (listed["id"], listed["stored"]) == (active(emulator, "ci")[0], True)


def test_many_ensures_make_one_token(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    command = ("ensure", "ci", "--scope", "vso.code", "-q", "-o", "json")
    results = [finish(each) for each in [start(pat, *command) for _ in range(10)]]
    assert [each.stderr for each in results] == [""] * 10
    assert sorted(each.json["outcome"] for each in results) == ["created", *["kept"] * 9]
    assert len({each.json["id"] for each in results}) == 1
    assert len(active(emulator, "ci")) == 1
    secret = in_keyring(gnome_keyring.environment, emulator, "ci")
    assert secret is not None
    assert accepts(emulator, secret)


def test_many_migrations_of_one_token(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    command = ("migrate", "old laptop", "--to-all", "--revoke-old", "--yes", "-q", "-o", "json")
    results = [finish(each) for each in [start(pat, *command) for _ in range(6)]]
    assert {each.exit_code for each in results} <= {0, 8}, results  # 8: another one is revoking it
    outcomes = sorted(row["outcome"] for each in results for row in each.json)
    assert outcomes == [*["created"] * 2, *["kept"] * 10]
    assert pat("list", "-q", "-o", "none").exit_code == 0
    assert len(active(emulator, "old laptop")) == 2
    for org in ("contoso", "fabrikam"):
        secret = in_keyring(gnome_keyring.environment, emulator, "old laptop", org=org)
        assert secret is not None
        assert accepts(emulator, secret, org=org)


def test_many_rotations_of_one_token(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    """One at a time; whoever finds another at work on it is told so, and changes nothing."""
    assert pat("create", "ci", "--scope", "vso.code", "-q", "-o", "none").exit_code == 0
    identifier = active(emulator, "ci")[0]
    command = ("rotate", "ci", "-q", "-o", "none")
    results = [finish(each) for each in [start(pat, *command) for _ in range(6)]]
    assert {each.exit_code for each in results} <= {0, 3, 5, 6}
    assert [each.exit_code for each in results].count(0) >= 1
    assert pat("list", "-q", "-o", "none").exit_code == 0
    assert len(active(emulator, "ci")) == 1
    assert identifier not in active(emulator, "ci")
    secret = in_keyring(gnome_keyring.environment, emulator, "ci")
    assert secret is not None
    assert accepts(emulator, secret)


def test_creates_of_different_names_do_not_mind_each_other(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    names = [f"ci-{number}" for number in range(10)]
    creates = [start(pat, "create", name, "--scope", "vso.code") for name in names]
    results = [finish(each) for each in creates]
    assert [each.stderr for each in results if each.exit_code] == []
    secrets = [in_keyring(gnome_keyring.environment, emulator, name) for name in names]
    assert len(set(secrets)) == 10
    assert [secret is not None and accepts(emulator, secret) for secret in secrets] == [True] * 10
    assert [len(active(emulator, name)) for name in names] == [1] * 10
    listed = pat("list", "--name", "ci-?", "-o", "json").json
    assert {each["name"]: each["stored"] for each in listed} == dict.fromkeys(names, True)


def test_a_revoke_and_creates_side_by_side(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    for name in ("old-1", "old-2"):
        assert pat("create", name, "--scope", "vso.code").exit_code == 0
    running = [
        start(pat, "revoke", "--name", "old-*", "--yes"),
        start(pat, "create", "new", "--scope", "vso.code"),
        start(pat, "get", "old-1"),
        start(pat, "list", "--all-orgs"),
    ]
    revoked, created, got, listed = map(finish, running)
    codes = (revoked.exit_code, created.exit_code, listed.exit_code)
    assert codes == (0, 0, 0), (revoked, created, listed)
    assert got.exit_code in {0, 3}, "it was there, or it was there no more"
    names = ("old-1", "old-2", "new")
    held = [in_keyring(gnome_keyring.environment, emulator, name) is not None for name in names]
    assert held == [False, False, True]
    assert [len(active(emulator, name)) for name in names] == [0, 0, 1]


def test_a_rotation_beside_a_setup(pat: Installed, emulator: Emulator, home: Path) -> None:
    """The file holds the secret that works, or the setup says that it could not be done."""
    assert pat("create", "packages", "--for", "packages", "-q", "-o", "none").exit_code == 0
    for number in range(8):
        feed = f"{emulator.url}/contoso/_packaging/feed{number}/npm/registry/"
        setting = start(pat, "setup", "npm", "--feed", feed, env={"HOME": str(home)})
        rotating = start(pat, "rotate", "packages", env={"HOME": str(home)})
        done, rotated = finish(setting), finish(rotating)
        assert {done.exit_code, rotated.exit_code} <= {0, 6, 8}, (done, rotated)
        secret = pat("get", "packages").stdout.strip()
        held = base64.b64encode(secret.encode()).decode()
        npmrc = home / ".npmrc"
        lines = npmrc.read_text().splitlines() if npmrc.exists() else []
        passwords = {line.partition("=")[2] for line in lines if "_password=" in line}
        assert passwords <= {held}
        assert (f"feed{number}/" in "".join(lines)) == (done.exit_code == 0)
