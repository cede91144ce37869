"""The real process, killed between any two effects; started again; nothing lost, nothing left."""

import json
import signal
import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from drivers import Emulator, Installed
from e2e.stage import start

KILLER = '''
"""Kill this process at the KILL_AT-th of the moments before and after each effect."""
import functools, os, signal

left = int(os.environ.get("KILL_AT", "0"))


def moment():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def watched(owner, name):
    original = getattr(owner, name)

    @functools.wraps(original)
    def effect(*args, **kwargs):
        moment()
        result = original(*args, **kwargs)
        moment()
        return result

    setattr(owner, name, effect)


if left:
    from azdo_pat.api.http import Http
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State

    watched(Http, "_attempt")
    for name in ("begin", "note", "finish"):
        watched(State, name)
    for name in ("put", "delete"):
        watched(SecretStore, name)
'''
MOST_MOMENTS = 80


@pytest.fixture
def killed(pat_process: Installed, tmp_path: Path) -> "Killed":
    """Run `pat` so that it is killed."""
    (tmp_path / "sitecustomize.py").write_text(KILLER, "utf-8")
    return Killed(pat_process, tmp_path)


class Killed:
    """Runs of `pat` that end with SIGKILL."""

    def __init__(self, pat: Installed, folder: Path) -> None:
        self.pat = pat
        self.folder = folder

    def at(self, moment: int, *args: str) -> bool:
        """Run it up to a moment; False if it came to its end before that."""
        env = {"PYTHONPATH": str(self.folder), "KILL_AT": str(moment)}
        process = start(self.pat, *args, env=env)
        process.communicate(timeout=60)
        if process.returncode == -signal.SIGKILL:
            return True
        assert process.returncode == 0
        return False

    def everywhere(self, *args: str) -> Iterator[int]:
        """Kill it at each moment in turn, until a run comes to its end."""
        for moment in range(1, MOST_MOMENTS):
            was_killed = self.at(moment, *args)
            yield moment
            if not was_killed:
                assert moment > 8
                return
        pytest.fail("it has no end")


def works(emulator: Emulator, secret: str) -> bool:
    """Tell whether the service takes a secret."""
    pair = b64encode(f":{secret}".encode()).decode()
    url = f"{emulator.url}/contoso/_apis/connectionData?api-version=7.1-preview.1"
    request = Request(url, headers={"Authorization": f"Basic {pair}"})  # noqa: S310  # http here
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310  # as above
            return bool(answer.status == 200)
    except HTTPError:
        return False


def secrets_held(home: Path) -> list[str]:
    """Return every secret in the keyring."""
    file = home / "keyring.json"
    held = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return [secret for service in held.values() for secret in service.values()]


def forget_unsent(home: Path) -> None:
    """Drop from the journal what was never sent.

    It would stay for five minutes, as a slow service may still be at work on it, and each later
    run would look for it: the moments to be killed at would grow in number without end.
    """
    with closing(sqlite3.connect(home / "pat/state/state.db")) as state, state:
        left = state.execute("SELECT authorization_id FROM journal").fetchall()
        assert all(identifier is None for (identifier,) in left)
        state.execute("DELETE FROM journal")


def active(emulator: Emulator) -> list[str]:
    return [each["authorizationId"] for each in emulator.tokens if each["status"] == "active"]


def test_rotate(killed: Killed, emulator: Emulator, home: Path) -> None:
    pat = killed.pat
    emulator.remove_tokens()
    assert pat("create", "ci", "--scope", "code", "-q", "-o", "none").exit_code == 0
    for moment in killed.everywhere("rotate", "ci", "-q", "-o", "none"):
        assert pat("list", "-q", "-o", "none").exit_code == 0, moment
        (secret,) = secrets_held(home)
        assert works(emulator, secret), moment
        assert len(active(emulator)) == 1, moment
        assert pat("get", "ci").stdout.strip() == secret, moment
        forget_unsent(home)


def test_ensure(killed: Killed, emulator: Emulator, home: Path) -> None:
    """What makes a token and what rotates it, one after the other: killed at each moment."""
    pat = killed.pat
    emulator.remove_tokens()
    scopes = ("code", "packaging")
    assert pat("ensure", "ci", "--scope", "code", "-q", "-o", "none").exit_code == 0
    for moment in range(1, MOST_MOMENTS):
        command = ("ensure", "ci", "--scope", scopes[moment % 2], "-q", "-o", "none")
        was_killed = killed.at(moment, *command)
        assert pat(*command).exit_code == 0, moment
        (secret,) = secrets_held(home)
        assert works(emulator, secret), moment
        (token,) = [each for each in emulator.tokens if each["status"] == "active"]
        assert token["scope"] == f"vso.{scopes[moment % 2]}", moment
        forget_unsent(home)
        if not was_killed:
            assert moment > 8
            return
    pytest.fail("it has no end")


def test_create(killed: Killed, emulator: Emulator, home: Path) -> None:
    pat = killed.pat
    emulator.remove_tokens()
    assert pat("create", "first", "--scope", "code", "-q", "-o", "none").exit_code == 0
    assert pat("revoke", "first", "--yes", "-q", "-o", "none").exit_code == 0
    for moment in killed.everywhere("create", "ci", "--scope", "code", "-q", "-o", "none"):
        assert pat("list", "-q", "-o", "none").exit_code == 0, moment
        secrets = secrets_held(home)
        assert len(secrets) == len(active(emulator)) <= 1, moment
        assert all(works(emulator, secret) for secret in secrets), moment
        if secrets:
            assert pat("revoke", "ci", "--yes", "-q", "-o", "none").exit_code == 0, moment
            assert secrets_held(home) == []
        forget_unsent(home)


@pytest.mark.parametrize("first", [11, 13, 15, 17, 19])
def test_the_run_that_clears_up_is_killed_too(
    first: int, killed: Killed, emulator: Emulator, home: Path
) -> None:
    pat = killed.pat
    emulator.remove_tokens()
    assert pat("create", "ci", "--scope", "code", "-q", "-o", "none").exit_code == 0
    for moment in range(1, 14, 2):
        killed.at(first, "rotate", "ci", "-q", "-o", "none")
        killed.at(moment, "list", "-q", "-o", "none")
        assert pat("list", "-q", "-o", "none").exit_code == 0
        (secret,) = secrets_held(home)
        assert works(emulator, secret), moment
        assert len(active(emulator)) == 1, moment
