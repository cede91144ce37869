"""Keyrings that cannot be used: told in time, and nothing is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drivers import Emulator, Environment, Installed, Result, posix_only
from e2e.stage import accepts, active, finish, in_keyring, posts, start, until
from store.keyring_service import KeyringService, keyring_session

posix_only("signals and terminals")
assert sys.platform != "win32"  # mypy reads no further

TESTS = Path(__file__).parent.parent
LIMIT = 10.0
CREATE = ("create", "new", "--scope", "vso.code")


def as_it_is(service: KeyringService) -> None:
    """Leave the keyring alone; the environment is what is wrong."""


def lock(service: KeyringService) -> None:
    script = (
        "import secretstorage as s\n"
        "for one in s.get_all_collections(s.dbus_init()):\n"
        "    one.lock()\n"
    )
    subprocess.run([sys.executable, "-c", script], env=service.environment, check=True)


def send(number: signal.Signals) -> Callable[[KeyringService], None]:
    def to_daemon(service: KeyringService) -> None:
        assert service.daemon is not None
        os.kill(service.daemon, number)

    return to_daemon


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What is wrong, and what must be said of it.

    Attributes:
        begin: brings it about.
        env: what it does to the environment of `pat`.
        at_once: how many commands run at a time, to wait side by side.
    """

    message: str
    begin: Callable[[KeyringService], None] = as_it_is
    env: Environment = field(default_factory=dict)
    at_once: int = 2


def backend(path: str) -> dict[str, str]:
    return {"PYTHON_KEYRING_BACKEND": path, "PYTHONPATH": str(TESTS)}


TROUBLES = {
    "locked": Trouble(begin=lock, message="the keyring is locked, or access to it was denied"),
    "killed": Trouble(
        begin=send(signal.SIGKILL), message="the keyring is locked, or access to it was denied"
    ),
    "hanging": Trouble(
        begin=send(signal.SIGSTOP),
        message="the keyring did not answer within 8 seconds",
        at_once=3,
    ),
    "no bus": Trouble(
        env={"DBUS_SESSION_BUS_ADDRESS": None},
        message="no usable keyring on this machine",
    ),
    "bus gone": Trouble(
        env={"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere/bus"},
        message="no usable keyring on this machine",
    ),
    "null": Trouble(
        env=backend("keyring.backends.null.Keyring"),
        message="keyring is disabled: its null backend stores nothing",
    ),
    "plaintext": Trouble(
        env=backend("store.backends.PlaintextKeyring"),
        message="the keyring backend store.backends.PlaintextKeyring stores secrets in plain text",
    ),
    "misspelt": Trouble(
        env=backend("keyring.backends.SecretServce.Keyring"),
        message="the keyring backend chosen by keyring cannot be loaded:"
        " No module named 'keyring.backends.SecretServce'",
    ),
    "misspelt by name": Trouble(
        env={"PAT_KEYRING": "keyring.backends.SecretServce.Keyring"},
        message="the keyring backend keyring.backends.SecretServce.Keyring cannot be loaded:"
        " No module named 'keyring.backends.SecretServce'",
    ),
}


def run_each(
    pat: Installed, trouble: Trouble, commands: Mapping[str, tuple[str, ...]], secret: str
) -> dict[str, tuple[Result, float]]:
    """Run the commands; return what each left behind and how many seconds it took."""
    names = list(commands)
    results = {}
    for first in range(0, len(names), trouble.at_once):
        started = time.monotonic()
        running = {}
        for name in names[first : first + trouble.at_once]:
            running[name] = start(pat, *commands[name], env=trouble.env, stdin=subprocess.PIPE)
            its_input = running[name].stdin
            assert its_input is not None
            with its_input:
                its_input.write(secret)
            running[name].stdin = None
        for name, process in running.items():
            results[name] = finish(process), time.monotonic() - started
    return results


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_no_usable_keyring_is_told_and_nothing_is_lost(
    pat: Installed,
    emulator: Emulator,
    gnome_keyring: KeyringService,
    home: Path,
    trouble: Trouble,
) -> None:
    for name in ("kept", "doomed"):
        assert pat("create", name, "--scope", "vso.code").exit_code == 0
    kept, doomed = pat("get", "kept").stdout.strip(), pat("get", "doomed").stdout.strip()
    made = posts(emulator)

    trouble.begin(gnome_keyring)
    commands = {
        "create": CREATE,
        "get": ("get", "kept"),
        "revoke": ("revoke", "doomed", "--yes", "-o", "none"),
        "import": ("import", "other"),
        "status": ("status", "-o", "json"),
    }
    ran = run_each(pat, trouble, commands, kept)
    results = {name: result for name, (result, _) in ran.items()}
    assert {name: result.exit_code for name, result in results.items()} == {
        "create": 7,
        "get": 7,
        "revoke": 8,
        "import": 7,
        "status": 0,
    }
    for name in ("create", "get", "import"):
        assert results[name].stdout == ""
        assert results[name].stderr.startswith(f"pat: {trouble.message}"), name
        assert len(results[name].stderr.splitlines()) == 2, "what is wrong, and what to do"
    assert trouble.message in results["revoke"].stderr
    status = results["status"].json
    assert (status["keyring_usable"], trouble.message in " ".join(status["problems"])) == (
        False,
        True,
    )
    assert {name: seconds for name, (_, seconds) in ran.items() if seconds >= LIMIT} == {}

    assert posts(emulator) == made, "nothing was asked to be made"
    assert (active(emulator, "new"), active(emulator, "doomed")) == ([], [])
    assert (accepts(emulator, kept), accepts(emulator, doomed)) == (True, False)
    with keyring_session(home) as again:
        session = again.environment
        assert in_keyring(session, emulator, "kept") == kept
        assert in_keyring(session, emulator, "doomed") == doomed
        assert in_keyring(session, emulator, "other") is None
        well = Installed({**pat.environment(), **session})
        assert well("get", "kept").stdout == f"{kept}\n"
        assert well("forget", "doomed").exit_code == 0
        assert in_keyring(session, emulator, "doomed") is None


def announce(folder: Path, *classes: str) -> dict[str, str]:
    """Install backends as a package would, by entry points; return the environment for it."""
    package = folder / "feed_readers-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: feed-readers\nVersion: 1\n")
    lines = [f"{name} = e2e.broken_keyrings:{name}" for name in classes]
    (package / "entry_points.txt").write_text("\n".join(["[keyring.backends]", *lines, ""]))
    return {"PYTHONPATH": f"{folder}{os.pathsep}{TESTS}"}


def test_a_backend_that_only_reads(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    assert pat("create", "kept", "--scope", "vso.code").exit_code == 0
    kept, made = pat("get", "kept").stdout.strip(), posts(emulator)
    env = backend("e2e.broken_keyrings.FeedReader")
    message = "pat: the keyring backend e2e.broken_keyrings.FeedReader can only read, not store\n"
    for refused in (pat(*CREATE, env=env), pat("import", "other", stdin=kept, env=env)):
        assert (refused.exit_code, refused.stdout) == (7, "")
        assert refused.stderr.startswith(message)
    # It can be read, and has nothing.
    assert pat("get", "kept", env=env).exit_code == 3
    assert pat("status", env=env).exit_code == 0
    assert posts(emulator) == made
    assert in_keyring(gnome_keyring.environment, emulator, "kept") == kept
    assert pat("get", "kept").stdout == f"{kept}\n"


def test_a_chain_of_backends_that_only_read(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService, tmp_path: Path
) -> None:
    assert pat("create", "kept", "--scope", "vso.code").exit_code == 0
    kept, made = pat("get", "kept").stdout.strip(), posts(emulator)
    env = announce(tmp_path, "FeedReader", "OtherFeedReader")
    refused = pat(*CREATE, env={**env, "DBUS_SESSION_BUS_ADDRESS": None})
    assert (refused.exit_code, refused.stdout) == (7, "")
    assert refused.stderr.startswith("pat: the keyring backend e2e.broken_keyrings.FeedReader can")
    assert posts(emulator) == made
    assert in_keyring(gnome_keyring.environment, emulator, "kept") == kept


def test_a_backend_that_only_reads_ahead_of_the_real_one(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService, tmp_path: Path
) -> None:
    env = announce(tmp_path, "FeedReader")
    assert pat(*CREATE, env=env).exit_code == 0
    secret = in_keyring(gnome_keyring.environment, emulator, "new")
    assert secret is not None
    assert pat("get", "new", env=env).stdout == f"{secret}\n"
    assert pat("revoke", "new", "--yes", env=env).exit_code == 0
    assert in_keyring(gnome_keyring.environment, emulator, "new") is None


def test_no_keyring_is_needed_where_none_is_asked_for(pat: Installed, emulator: Emulator) -> None:
    without = {"DBUS_SESSION_BUS_ADDRESS": None}
    made = pat(*CREATE, "--no-store", "--as", "token", env=without)
    assert made.exit_code == 0
    assert accepts(emulator, made.stdout.strip())
    assert pat("list", env=without).exit_code == 0
    assert pat("show", "new", env=without).exit_code == 0
    assert pat("revoke", "new", "--yes", env=without).exit_code == 0
    assert not accepts(emulator, made.stdout.strip())


def test_a_plaintext_backend_is_used_where_the_user_names_it(
    pat: Installed, emulator: Emulator
) -> None:
    env = {"PAT_KEYRING": "store.backends.PlaintextKeyring", "PYTHONPATH": str(TESTS)}
    assert pat(*CREATE, env=env).exit_code == 0
    assert len(active(emulator, "new")) == 1


def revoked_and_said(
    result: Result, emulator: Emulator, gnome_keyring: KeyringService, message: str
) -> None:
    """Hold that a failure behind the request left no token, no secret, and no doubt."""
    assert (result.exit_code, result.stdout) == (7, "")
    first, *_ = result.stderr.splitlines()
    assert first == f"pat: {message}; the new token was revoked"
    ((token),) = [each for each in emulator.tokens if each["displayName"] == "new"]
    assert token["status"] == "revoked"
    secret = in_keyring(gnome_keyring.environment, emulator, "new")
    assert secret is None


@pytest.mark.parametrize(
    ("backend_name", "said"),
    [
        ("RefusesSecrets", "failed with PasswordSetError"),
        ("FailsBehindSecrets", "failed with OSError"),
    ],
)
def test_a_keyring_that_refuses_behind_the_request(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService, backend_name: str, said: str
) -> None:
    path = f"e2e.broken_keyrings.{backend_name}"
    result = pat(*CREATE, env={"PAT_KEYRING": path, "PYTHONPATH": str(TESTS)})
    revoked_and_said(result, emulator, gnome_keyring, f"the keyring backend {path} {said}")
    assert "cannot store" not in result.stderr, "its words hold the secret"
    assert pat(*CREATE).exit_code == 0, "nothing is in the way of another try"


@pytest.mark.parametrize("backend_name", ["RefusesSecrets", "FailsBehindSecrets"])
def test_the_secret_that_was_to_be_replaced_survives_a_refusal(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService, backend_name: str
) -> None:
    assert pat(*CREATE).exit_code == 0
    (first,) = active(emulator, "new")
    old = pat("get", "new").stdout.strip()
    path = f"e2e.broken_keyrings.{backend_name}"
    result = pat(*CREATE, "--replace", env={"PAT_KEYRING": path, "PYTHONPATH": str(TESTS)})
    assert result.exit_code == 7
    assert "the new token was revoked" in result.stderr
    assert active(emulator, "new") == [first]
    assert in_keyring(gnome_keyring.environment, emulator, "new") == old
    assert pat("get", "new").stdout == f"{old}\n"


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (signal.SIGKILL, "the keyring is locked, or access to it was denied"),
        (signal.SIGSTOP, "the keyring did not answer within 8 seconds"),
    ],
    ids=["killed", "hanging"],
)
def test_a_keyring_that_goes_away_during_the_request(
    pat: Installed,
    emulator: Emulator,
    gnome_keyring: KeyringService,
    home: Path,
    number: signal.Signals,
    message: str,
) -> None:
    emulator.fail("POST */tokens/pats delay=1s")
    making = start(pat, *CREATE)
    until(lambda: posts(emulator), "the request is under way")
    send(number)(gnome_keyring)
    result = finish(making)
    with keyring_session(home) as again:
        revoked_and_said(result, emulator, again, message)
