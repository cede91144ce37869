"""Ctrl-C, a kill, and streams that are full, closed, or read only in part."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from azdo_pat.formats import Format
from drivers import PROGRAM, TIME_LIMIT, Emulator, Installed, posix_only
from e2e.stage import accepts, active, finish, in_keyring, posts, shell, start, until
from store.keyring_service import KeyringService

posix_only("signals and terminals")
assert sys.platform != "win32"  # mypy reads no further

MANY = 60
STORE = """
import os, sys
from pathlib import Path
from azdo_pat.models import Origin, Secret, StoredPat
from azdo_pat.store.secrets import SecretStore
from azdo_pat.store.state import State
folder = Path(os.environ["PAT_STATE_DIR"])
secrets = SecretStore(backend=None, cache_file=None, environment=os.environ)
state = State(folder / "state.db")
org_url, *ids = sys.argv[1:]
for number, identifier in enumerate(ids, 1):
    name = f"bulk {number}"
    secrets.put(org_url, name, Secret(f"secret {number}"))
    state.remember(
        StoredPat(org_url=org_url, org="contoso", name=name, id=identifier, scopes=("vso.code",),
                  created=None, expires=None, origin=Origin.PAT)
    )
"""


@pytest.fixture
def many(pat: Installed, emulator: Emulator) -> list[str]:
    """Make sixty tokens, their secrets in the keyring, as sixty creates would; give the ids."""
    ids = emulator.add_tokens(count=MANY, name="bulk {n}")
    url = f"{emulator.url}/contoso"
    subprocess.run([sys.executable, "-c", STORE, url, *ids], env=pat.environment(), check=True)
    return ids


def status_of(emulator: Emulator, ids: list[str]) -> dict[str, str]:
    statuses = {token["authorizationId"]: token["status"] for token in emulator.tokens}
    return {identifier: statuses[identifier] for identifier in ids}


@pytest.mark.parametrize("signals", [1, 2], ids=["once", "twice"])
def test_ctrl_c_in_the_middle_of_many(
    pat: Installed,
    emulator: Emulator,
    gnome_keyring: KeyringService,
    many: list[str],
    signals: int,
) -> None:
    emulator.fail("DELETE * delay=200ms times=always")
    revoking = start(pat, "revoke", "--name", "bulk *", "--yes", "-o", "json")

    def revoked() -> int:
        return list(status_of(emulator, many).values()).count("revoked")

    for number in range(signals):
        until(lambda: revoked() > 5 + number, "some are revoked")  # noqa: B023  # called at once
        revoking.send_signal(signal.SIGINT)
    result = finish(revoking)
    assert result.exit_code == 130
    after = status_of(emulator, many)
    done = [identifier for identifier in many if after[identifier] == "revoked"]
    assert 5 < len(done) < MANY

    reported = {item["id"]: item["outcome"] for item in result.json}
    expected = {"active": "not reached", "revoked": "revoked"}
    assert reported == {identifier: expected[status] for identifier, status in after.items()}
    said = re.search(r"interrupted: (\d+) of (\d+) tokens are revoked", result.stderr)
    assert said is not None, result.stderr
    assert said.groups() == (str(len(done)), str(MANY))

    for number, identifier in enumerate(many, 1):
        kept = None if identifier in done else f"secret {number}"
        assert in_keyring(gnome_keyring.environment, emulator, f"bulk {number}") == kept
    listed = pat("list", "--name", "bulk *", "-o", "json").json
    assert {each["id"]: each["stored"] for each in listed} == {
        identifier: True for identifier in many if identifier not in done
    }
    # Nothing goes on behind the back of who stopped it.
    assert status_of(emulator, many) == after


def test_ctrl_c_while_the_secrets_are_taken_out(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService, many: list[str]
) -> None:
    """All are revoked: what is left to do is done, and the report is not lost."""
    revoking = start(pat, "revoke", "--name", "bulk *", "--yes", "-o", "json")
    until(lambda: set(status_of(emulator, many).values()) == {"revoked"}, "all are revoked")
    for _ in range(3):  # the last secrets may be out before the first of them is heard
        revoking.send_signal(signal.SIGINT)
        time.sleep(0.05)
    result = finish(revoking)
    assert result.exit_code in {0, 130}, result.stderr
    assert {item["id"]: item["outcome"] for item in result.json} == dict.fromkeys(many, "revoked")
    held = [
        in_keyring(gnome_keyring.environment, emulator, f"bulk {number}")
        for number in range(1, MANY + 1)
    ]
    assert held == [None] * MANY


def test_ctrl_c_on_the_terminal_removes_the_bar_and_reports(
    pat: Installed, emulator: Emulator
) -> None:
    ids = emulator.add_tokens(count=MANY, name="bulk {n}")
    emulator.fail("DELETE * delay=200ms times=always")
    terminal = pat.on_terminal("revoke", "--name", "bulk *", "--yes")
    terminal.expect(r"[1-9][0-9]*/60")
    terminal.sendintr()
    rest = terminal.read()
    terminal.close()
    assert terminal.exitstatus == 130
    done = list(status_of(emulator, ids).values()).count("revoked")
    assert f"interrupted: {done} of 60 tokens are revoked" in rest
    assert rest.count("not reached") == MANY - done
    assert "Traceback" not in rest


def test_a_create_that_is_killed_leaves_no_orphan_for_long(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    emulator.fail("POST */tokens/pats delay=500ms")
    making = start(pat, "create", "ci", "--scope", "vso.code")
    until(lambda: posts(emulator) or making.poll() is not None, "the request is under way")
    making.kill()
    assert finish(making).exit_code == -signal.SIGKILL
    (orphan,) = until(lambda: active(emulator, "ci"), "the service makes it all the same")
    assert in_keyring(gnome_keyring.environment, emulator, "ci") is None

    again = pat("create", "ci", "--scope", "vso.code", "-o", "json")
    assert again.exit_code == 0
    assert active(emulator, "ci") == [again.json["id"]] != [orphan]
    secret = in_keyring(gnome_keyring.environment, emulator, "ci")
    assert secret is not None
    assert accepts(emulator, secret)


def test_a_create_that_is_interrupted_leaves_no_orphan(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    emulator.fail("POST */tokens/pats delay=1s")
    making = start(pat, "create", "ci", "--scope", "vso.code")
    until(lambda: posts(emulator) or making.poll() is not None, "the request is under way")
    making.send_signal(signal.SIGINT)
    assert finish(making).exit_code == 130
    until(lambda: emulator.requests[posts_at(emulator)]["status"], "the service has answered")
    # It was made after the search for it: the next create finds it by its mark.
    again = pat("create", "ci", "--scope", "vso.code", "-o", "json")
    assert again.exit_code == 0
    assert active(emulator, "ci") == [again.json["id"]]
    assert in_keyring(gnome_keyring.environment, emulator, "ci") is not None


def posts_at(emulator: Emulator) -> int:
    """Return the place of the first request that would make a token."""
    return next(n for n, each in enumerate(emulator.requests) if each["method"] == "POST")


def test_a_lost_answer_leaves_no_token(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    emulator.fail("POST */tokens/pats cut=after")
    result = pat("create", "ci", "--scope", "vso.code")
    assert (result.exit_code, result.stdout) == (11, "")
    assert "the token was created and has been revoked" in result.stderr
    assert active(emulator, "ci") == []
    assert in_keyring(gnome_keyring.environment, emulator, "ci") is None


@pytest.mark.parametrize("form", [each.value for each in Format if each is not Format.NONE])
def test_a_reader_that_has_seen_enough(pat: Installed, emulator: Emulator, form: str) -> None:
    emulator.add_tokens(count=900, name="many {n}")  # more than a pipe holds
    line = 'pat list -o "$1" | head -1; exit ${PIPESTATUS[0]}'
    result = shell(pat, line, form)
    assert (result.exit_code, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) == 1


def test_a_reader_that_never_was(pat: Installed) -> None:
    result = shell(pat, "pat --help | true; exit ${PIPESTATUS[0]}")
    assert (result.exit_code, result.stderr) == (0, "")
    unheard = shell(pat, "pat show nope 2>&1 | true; exit ${PIPESTATUS[0]}")
    assert unheard.exit_code == 3


@pytest.mark.parametrize("to", [">/dev/full", ">&-"], ids=["full", "closed"])
@pytest.mark.parametrize(
    "args", ["list", "list -o json", "show ci", "get ci", "--help", "completion bash", "status"]
)
def test_output_that_cannot_be_written_is_a_failure(
    pat: Installed, gnome_keyring: KeyringService, emulator: Emulator, args: str, to: str
) -> None:
    assert gnome_keyring.daemon is not None
    emulator.add_tokens(name="ci")
    if args == "get ci":
        assert pat("create", "ci", "--scope", "vso.code").exit_code == 0
    result = shell(pat, f"pat {args} {to}")
    cause = {">/dev/full": "No space left on device", ">&-": "Bad file descriptor"}[to]
    assert (result.exit_code, result.stdout) == (1, "")
    first, *_ = result.stderr.splitlines()
    expected = f"cannot write to standard output: {cause}"
    if args == "list -o json":
        assert f'"message": "{expected}"' in first
    else:
        assert first == f"pat: {expected}"
    assert "Exception ignored" not in result.stderr


@pytest.mark.parametrize("to", [">/dev/full", ">&-", "2>&- >&-", "| true"])
def test_a_secret_that_reaches_nobody_opens_nothing(
    pat: Installed, emulator: Emulator, to: str
) -> None:
    line = f"pat create ci --scope vso.code --no-store --as token {to}; exit ${{PIPESTATUS[0]}}"
    if to == "| true":
        # The reader must be gone before the secret comes.
        emulator.fail("POST */tokens/pats delay=300ms")
    result = shell(pat, line)
    assert result.exit_code == 1
    assert active(emulator, "ci") == []
    assert [each["status"] for each in emulator.tokens if each["displayName"] == "ci"] == [
        "revoked"
    ]


@pytest.mark.parametrize("to", ["2>&-", "2>/dev/full", "2> >(true)"])
def test_talk_that_nobody_hears_stops_nothing(pat: Installed, emulator: Emulator, to: str) -> None:
    result = shell(pat, f"pat create ci --scope vso.code --no-store --as token {to}")
    assert result.exit_code == 0
    assert accepts(emulator, result.stdout.strip())
    assert shell(pat, f"pat show nope {to}").exit_code == 3


def test_a_stored_secret_outlives_an_output_that_is_full(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    result = shell(pat, "pat create ci --scope vso.code --as token >/dev/full")
    assert result.exit_code == 1
    assert len(active(emulator, "ci")) == 1
    secret = in_keyring(gnome_keyring.environment, emulator, "ci")
    assert secret is not None
    assert accepts(emulator, secret)


def test_standard_input_may_be_closed(pat: Installed, emulator: Emulator) -> None:
    emulator.add_tokens(name="ci")
    assert shell(pat, "pat list <&-").exit_code == 0
    refused = shell(pat, "pat revoke ci <&-")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--yes" in refused.stderr
    nothing = shell(pat, "pat import ci <&-")
    assert (nothing.exit_code, nothing.stdout) == (2, "")
    assert nothing.stderr.startswith("pat: no secret given\n")


def test_no_file_takes_the_place_of_a_closed_stream(pat: Installed, emulator: Emulator) -> None:
    """What is meant for stdout must not end up in the state file."""
    assert shell(pat, "pat create ci --scope vso.code <&- >&- 2>&-").exit_code == 1
    assert len(active(emulator, "ci")) == 1
    assert pat("get", "ci").exit_code == 0
    assert [each["stored"] for each in pat("list", "--name", "ci", "-o", "json").json] == [True]


@pytest.mark.parametrize("which", [(), ("--all-orgs",)], ids=["one", "all"])
def test_ctrl_c_while_it_waits_for_the_service(
    pat: Installed, emulator: Emulator, which: tuple[str, ...]
) -> None:
    emulator.fail("GET */tokens/pats delay=30s times=always")
    before = len(lists(emulator))
    listing = subprocess.Popen(
        [PROGRAM, "list", *which, "-o", "json"],
        env=pat.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    until(lambda: len(lists(emulator)) > before, "the request is under way")
    os.kill(listing.pid, signal.SIGINT)
    stdout, stderr = listing.communicate(timeout=15)
    assert (listing.returncode, stdout) == (130, "")
    assert '"exit_code": 130' in stderr
    assert "Traceback" not in stderr


def lists(emulator: Emulator) -> list[str]:
    """Return the requests for lists of tokens."""
    return [each["path"] for each in emulator.requests if each["path"].endswith("/tokens/pats")]


def test_a_keyring_that_dies_in_a_bulk_revoke_does_not_hold_it_up(
    pat: Installed, emulator: Emulator, gnome_keyring: KeyringService, many: list[str]
) -> None:
    assert gnome_keyring.daemon is not None
    started = time.monotonic()
    revoking = start(pat, "revoke", "--name", "bulk *", "--yes", "-o", "json")
    until(lambda: "revoked" in status_of(emulator, many).values(), "one is revoked")
    os.kill(gnome_keyring.daemon, signal.SIGKILL)
    result = finish(revoking)
    assert time.monotonic() - started < 30
    assert result.exit_code == 8
    assert {item["id"]: item["outcome"] for item in result.json} == dict.fromkeys(many, "revoked")
    assert "the keyring is locked, or access to it was denied" in {
        item["left_in_keyring"] for item in result.json
    }


def test_ctrl_c_ends_a_migration_after_the_token_under_way(
    pat: Installed, emulator: Emulator
) -> None:
    emulator.fail("POST */tokens/pats delay=700ms")
    command = ("migrate", "old laptop", "--to-all", "--revoke-old", "--yes", "-o", "json")
    migrating = start(pat, *command)
    until(lambda: posts(emulator) == 1, "the first one is being created")
    migrating.send_signal(signal.SIGINT)
    result = finish(migrating)
    assert result.exit_code == 130
    assert [each["outcome"] for each in result.json] == ["created", "not reached"]
    assert result.stderr.endswith("interrupted: 1 of 2 tokens are created\n")
    assert (posts(emulator), len(active(emulator, "old laptop"))) == (1, 2)
    result = pat(*command)
    assert [each["outcome"] for each in result.json] == ["kept", "created"]
    assert (result.exit_code, len(active(emulator, "old laptop"))) == (0, 2)


def test_ctrl_c_ends_the_rotation_of_several(pat: Installed, emulator: Emulator) -> None:
    names = ("one", "two", "three")
    for name in names:
        assert pat("create", name, "--scope", "code", "-q", "-o", "none").exit_code == 0
    before = {name: active(emulator, name) for name in names}
    emulator.fail("POST * delay=2s times=always")
    count = posts(emulator)
    rotating = start(pat, "rotate", *names)
    until(lambda: posts(emulator) > count, "the first request")
    rotating.send_signal(signal.SIGINT)
    result = finish(rotating)
    assert result.exit_code == 130
    assert "interrupted: 0 of 3 tokens are rotated" in result.stderr
    assert [active(emulator, name) for name in names[1:]] == [before[name] for name in names[1:]]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "ctrl-c"])
def test_a_new_name_that_comes_late(
    number: signal.Signals, pat: Installed, emulator: Emulator, gnome_keyring: KeyringService
) -> None:
    assert pat("create", "old", "--scope", "code", "-q", "-o", "none").exit_code == 0
    secret = pat("get", "old").stdout
    emulator.fail("PUT * delay=3s")
    count = len(emulator.requests)
    renaming = start(pat, "update", "old", "--name", "new")
    until(
        lambda: [each for each in emulator.requests[count:] if each["method"] == "PUT"],
        "the request",
    )
    renaming.send_signal(number)
    renaming.communicate(timeout=TIME_LIMIT)
    assert pat("list", "-q", "-o", "none").exit_code == 0
    until(lambda: active(emulator, "new"), "the new name")
    assert pat("list", "-q", "-o", "none").exit_code == 0
    assert pat("get", "new").stdout == secret
    assert in_keyring(gnome_keyring.environment, emulator, "old") is None


def test_a_token_that_comes_late_is_revoked_beside_one_of_this_machine(
    pat: Installed, emulator: Emulator
) -> None:
    assert pat("create", "ci", "--scope", "code", "-q", "-o", "none").exit_code == 0
    emulator.fail("POST * delay=3s")
    count = posts(emulator)
    rotating = start(pat, "rotate", "ci")
    until(lambda: posts(emulator) > count, "the request")
    rotating.send_signal(signal.SIGKILL)
    rotating.communicate(timeout=TIME_LIMIT)
    assert pat("rotate", "ci", "--keep-old", "-q", "-o", "none").exit_code == 0
    until(lambda: len(active(emulator, "ci")) == 3, "the late one")
    for _ in range(2):
        listed = pat("list", "-q", "-o", "none")
        assert "another machine did" not in listed.stderr
    assert len(active(emulator, "ci")) == 2


@pytest.mark.parametrize("program", ["pat", "git-credential-pat", "cargo-credential-pat"])
def test_an_interrupt_while_it_starts_is_quiet(pat: Installed, program: str) -> None:
    """At many moments from the first line of the program's own on."""
    code = (
        "import os, signal, sys, threading, time\n"
        "def press():\n"
        "    time.sleep(float(sys.argv.pop(1)))\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "from azdo_pat import __main__\n"
        "threading.Thread(target=press, daemon=True).start()\n"
        f"__main__.{'main' if program == 'pat' else program.replace('-', '_')}()\n"
    )
    for milliseconds in range(0, 60, 4):
        ran = subprocess.run(
            [sys.executable, "-c", code, str(milliseconds / 1000), "list"],
            env=pat.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert "Traceback" not in ran.stderr
        assert ran.returncode in {0, 2, 130}
