"""The main job of `pat` with the Credential Manager of Windows."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from azdo_pat.auth.protected_storage import ProtectedFileStorage
from azdo_pat.models import Secret
from drivers import PROGRAM, Emulator, Installed, Result

SECRET_LENGTH = 84
QUIETLY = ("--scope", "code", "-q", "-o", "none")


def raw(pat: Installed, *args: str) -> tuple[int, bytes]:
    """Run `pat`; return its exit code, and the bytes that it wrote to a pipe."""
    ran = subprocess.run([PROGRAM, *args], env=pat.environment(), capture_output=True, check=False)
    return ran.returncode, ran.stdout


def create(pat: Installed, *names: str) -> dict[str, str]:
    """Create tokens; return their secrets by name."""
    for name in names:
        assert pat("create", name, *QUIETLY).exit_code == 0
    return held(pat, *names)


def held(pat: Installed, *names: str) -> dict[str, str]:
    """Return the secrets that `pat get` prints, by name."""
    return {name: pat("get", name).stdout.strip() for name in names}


def test_it_stores_in_the_credential_manager(pat: Installed) -> None:
    ran = pat("doctor")
    assert (ran.exit_code, "WinVaultKeyring" in ran.stdout) == (0, True), ran.stdout


def test_three_tokens_of_one_organization(pat: Installed) -> None:
    before = create(pat, "one", "two", "three")
    assert {len(secret) for secret in before.values()} == {SECRET_LENGTH}
    assert len(set(before.values())) == 3
    assert pat("rotate", "one", "-q", "-o", "none").exit_code == 0
    after = held(pat, "one", "two", "three")
    assert after["one"] != before["one"]
    assert {**after, "one": before["one"]} == before
    assert pat("revoke", "two", "--yes").exit_code == 0
    assert pat("get", "two").exit_code == 3
    assert held(pat, "one", "three") == {name: after[name] for name in ("one", "three")}


def test_names_that_differ_only_in_case(pat: Installed) -> None:
    before = create(pat, "ci")
    later = create(pat, "CI", "other")
    assert held(pat, "ci", "CI", "other") == {**before, **later}
    assert pat("revoke", "ci", "--yes").exit_code == 0
    assert held(pat, "CI", "other") == later


def test_json_through_a_pipe_is_utf_8(pat: Installed) -> None:
    create(pat, "clé 😀")
    _, printed = raw(pat, "list", "--name", "cl*", "-o", "json")
    assert json.loads(printed.decode("utf-8"))[0]["name"] == "clé 😀"


def test_a_secret_ends_with_a_line_feed_alone(pat: Installed) -> None:
    create(pat, "one")
    _, printed = raw(pat, "get", "one")
    assert printed.endswith(b"\n")
    assert b"\r" not in printed


def test_a_reader_that_leaves(pat: Installed) -> None:
    with subprocess.Popen(
        [PROGRAM, "scopes"],
        env=pat.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, b"")


def test_four_at_once(pat: Installed) -> None:
    names = [f"p{number}" for number in range(4)]

    def one(name: str) -> Result:
        return pat("create", name, *QUIETLY)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(one, names))
    assert [result.exit_code for result in results] == [0] * 4, results
    assert {len(secret) for secret in held(pat, *names).values()} == {SECRET_LENGTH}


def test_git_asks_for_a_secret(pat: Installed, emulator: Emulator) -> None:
    assert pat("create", "git", "--for", "git", "-q", "-o", "none").exit_code == 0
    host = emulator.url.partition("//")[2]
    ran = subprocess.run(
        [PROGRAM.with_name("git-credential-pat.exe"), "get"],
        input=f"protocol=http\nhost={host}\npath=contoso/_git/x\n\n".encode(),
        env=pat.environment(),
        capture_output=True,
        check=False,
    )
    assert b"password=" in ran.stdout, ran.stderr


def test_the_clipboard(pat: Installed) -> None:
    secret = create(pat, "one")["one"]
    assert pat("get", "one", "--copy").exit_code == 0
    paste = "import pyperclip; print(pyperclip.paste(), end='')"
    ran = subprocess.run([sys.executable, "-c", paste], capture_output=True, text=True, check=True)
    assert ran.stdout == secret


@pytest.mark.parametrize("date", ["9999-12-31", "1970-01-01"])
def test_a_far_or_early_date(pat: Installed, date: str) -> None:
    ran = pat("create", "far", "--scope", "code", "--expires", date)
    assert ran.exit_code == 2
    assert date in ran.stderr


def test_the_time_zone_is_that_of_windows(pat: Installed) -> None:
    def expiry(name: str, env: dict[str, str]) -> str:
        words = ("--expires", f"{datetime.now(UTC).date() + timedelta(days=9)}", "-o", "json")
        made = pat("create", name, "--scope", "code", *words, env=env)
        assert made.exit_code == 0, made.stderr
        return str(made.json["expires"])

    assert expiry("a", {}) == expiry("b", {"TZ": "Europe/Berlin"})


def test_what_keyring_has_stored_is_found(pat: Installed, emulator: Emulator) -> None:
    """Older versions let keyring store the secrets."""
    secrets = create(pat, "one", "two")
    service = f"azdo-pat:{emulator.url}/contoso"
    for name in secrets:
        assert pat("forget", name).exit_code == 0
    for name, secret in secrets.items():
        line = f"import keyring; keyring.set_password({service!r}, {name!r}, {secret!r})"
        subprocess.run([sys.executable, "-c", line], env=pat.environment(), check=True)
    assert held(pat, "one", "two") == secrets


def test_the_tour_of_the_sandbox(pat: Installed) -> None:
    ran = pat("sandbox", "--tour")
    assert ran.exit_code == 0, ran.stderr


def test_the_tour_where_scripts_are_not_on_path(pat: Installed) -> None:
    ran = pat("sandbox", "--tour", env={"PATH": r"C:\windows\system32"})
    assert ran.exit_code == 0, ran.stderr


def test_a_sign_in_is_encrypted_for_this_user(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "sign-in.bin"
    storage = ProtectedFileStorage(file)
    storage.save(Secret("s" * 9000))
    assert b"sss" not in file.read_bytes()
    stored = storage.load()
    assert stored is not None
    assert stored.reveal() == "s" * 9000
