"""The real process, killed between any two effects; started again; nothing lost, nothing left."""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from azdo_pat.cli.main import pat as root
from azdo_pat.emulator.run import Options
from azdo_pat.emulator.run import start as start_emulator
from drivers import Emulator, InProcess, Installed, posix_only
from e2e.forked import Forks, forks
from e2e.matrix import (
    BEFORE,
    DONE,
    MIGRATE,
    OPERATIONS,
    SIDE_BY_SIDE,
    TO_SERVICES,
    Operation,
    World,
    compare,
    make_global,
)

posix_only("signals and terminals")
assert sys.platform != "win32"  # mypy reads no further

KILLER = '''
"""Kill this process at the KILL_AT-th of the moments before each effect and, unless KILL_AFTER is
"no", after it."""
import functools, os, signal, threading

after_too = os.environ.get("KILL_AFTER") != "no"
left = int(os.environ.get("KILL_AT", "0"))
turn = threading.Lock()


def moment(name):
    global left
    with turn:
        left -= 1
        if left == 0:
            with open(os.environ["KILL_FILE"], "w") as file:
                file.write(name)
            os.kill(os.getpid(), signal.SIGKILL)


def watched(owner, method, name):
    original = getattr(owner, method)

    @functools.wraps(original)
    def effect(*args, **kwargs):
        what = name(*args, **kwargs)
        moment(f"before {what}")
        result = original(*args, **kwargs)
        if after_too:
            moment(f"after {what}")
        return result

    setattr(owner, method, effect)


if left:
    from azdo_pat.api.http import Http
    from azdo_pat.cli.child import Child
    from azdo_pat.deliveries import dispatch
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State

    def request(_, call, *__):
        parts = call.url.split("?")[0].split("/")  # ids and names of items say nothing
        return f"{call.method} {next(part for part in reversed(parts) if part.isalpha())}"

    watched(Http, "_attempt", request)
    changes = ("begin", "note", "finish", "explain", "remember", "forget", "rename")
    for method in (*changes, "note_delivery"):
        watched(State, method, lambda *_, name=method, **__: f"state: {name}")
    for method in ("put", "delete"):
        watched(SecretStore, method, lambda *_, name=method, **__: f"keyring: {name}")
    watched(dispatch, "deliver", lambda *_: "delivery")
    start, wait = Child.start, Child.wait

    def started(*args):
        moment("before the command")
        start(*args)

    def ended(*args):
        result = wait(*args)
        if after_too:
            moment("after the command")
        return result

    Child.start, Child.wait = started, ended
'''
MOST_MOMENTS = 90


class Killed:
    """Runs of `pat` that end with SIGKILL."""

    def __init__(self, pat: Installed, folder: Path, parent: Forks) -> None:
        self.pat = pat
        self.folder = folder
        self.parent = parent

    def at(self, moment: int, *args: str, piped: str = "", after: bool = True) -> str:
        """Run it up to a moment and return its name; empty if it came to its end before that.

        Args:
            moment: its number.
            args: of `pat`.
            piped: what is on its standard input.
            after: count the moments after an effect, too.
        """
        named = self.folder / "moment"
        named.unlink(missing_ok=True)
        env = {
            "KILL_AT": str(moment),
            "KILL_AFTER": "yes" if after else "no",
            "KILL_FILE": str(named),
        }
        ended = self.parent.run(args, self.pat.environment(env), prelude=KILLER, piped=piped)
        if ended.code == -signal.SIGKILL:
            return named.read_text("utf-8")
        assert ended.code == 0, ended.stderr
        return ""


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Start an emulator with key vaults."""
    with start_emulator(Options(vaults=True)) as running:
        yield Emulator(running)


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forks(tmp_path_factory.mktemp("forked")) as started:
        yield started


@pytest.fixture
def killed(pat_process: Installed, tmp_path: Path, parent: Forks) -> Killed:
    return Killed(pat_process, tmp_path, parent)


@pytest.fixture
def world(pat_process: Installed, emulator: Emulator, home: Path, tmp_path: Path) -> World:
    """A machine whose keyring is a file; what comes to its end is run in this process."""
    file = home / "keyring.json"

    def secrets() -> list[tuple[str, str]]:
        held = json.loads(file.read_text("utf-8")) if file.exists() else {}
        # A probe of the keyring, which is no secret, may stay behind.
        services = [held[name] for name in held if name != "azdo-pat:check"]
        return [entry for service in services for entry in service.items()]

    return World(
        pat=InProcess(root, pat_process.env),
        emulator=emulator,
        folder=tmp_path,
        state=home / "pat/state",
        secrets=secrets,
        empty=lambda: file.unlink(missing_ok=True),
    )


def moments(killed: Killed, world: World, operation: Operation) -> Iterator[tuple[str, str]]:
    """Kill the command at each moment in turn, from the same beginning; give name and outcome.

    What is after an effect is before the next one, and so left out where there are many of both.
    """
    for number in range(1, MOST_MOMENTS):
        world.begin(operation)
        before = world.active
        words = world.words(operation.command)
        at = killed.at(number, *words, piped=world.piped, after=world.place is None)
        if not at:
            assert number > 6
            if operation.graced:
                world.recover_operation(at="the end")
            world.hold(operation, at="the end")
            assert world.outcome(operation, before, at="the end") == DONE
            return
        where = f"{number}, {at}"
        world.hold_at_place(at=where)
        world.recover_operation(at=where)
        world.hold(operation, at=where)
        yield at, world.outcome(operation, before, at=where)
    pytest.fail("it has no end")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_killed_at_each_moment(
    operation: Operation, killed: Killed, world: World, request: pytest.FixtureRequest
) -> None:
    rows = list(moments(killed, world, operation))
    assert {outcome for _, outcome in rows} <= {BEFORE, DONE}
    rewrite = request.config.getoption("--rewrite-outcomes")
    compare("killed", operation, rows, rewrite=rewrite)


@pytest.mark.parametrize("operation", TO_SERVICES, ids=lambda each: each.name)
def test_killed_at_each_moment_of_a_delivery_to_a_service(
    operation: Operation,
    pat_process: Installed,
    world: World,
    tmp_path: Path,
    parent: Forks,
    request: pytest.FixtureRequest,
) -> None:
    """The secret there works at each moment, and is that of the only token in the end."""
    assert operation.place is not None
    with operation.place(world.emulator, request) as place:
        environment = {**pat_process.env, **place.environment}
        world.pat, world.place = InProcess(root, environment), place
        killed = Killed(Installed(environment), tmp_path, parent)
        rows = list(moments(killed, world, operation))
    assert {outcome for _, outcome in rows} == {BEFORE, DONE}
    rewrite = request.config.getoption("--rewrite-outcomes")
    compare("killed", operation, rows, rewrite=rewrite)


def test_apply_killed_at_each_moment(killed: Killed, world: World) -> None:
    """Its steps run side by side, so that each run is another one: all of them must hold."""
    operation = SIDE_BY_SIDE
    for number in range(1, MOST_MOMENTS):
        world.begin(operation)
        at = killed.at(number, *world.words(operation.command))
        where = f"{number}, {at}"
        world.recover_operation(at=where)
        world.hold(operation, at=where)
        assert world.pat(*world.words(operation.command)).exit_code == 0, where
        world.hold(operation, at=where)
        assert sorted(world.active.values()) == ["new", "other"], where
        if not at:
            assert number > 20
            return
    pytest.fail("it has no end")


def test_migrate_killed_at_each_moment(
    killed: Killed, world: World, request: pytest.FixtureRequest
) -> None:
    """Whatever the next command finds, a second run completes it, and makes no second token."""
    rows = []
    for number in range(1, MOST_MOMENTS):
        world.begin(MIGRATE)
        old = make_global(world.emulator)
        at = killed.at(number, *MIGRATE.command)
        where = f"{number}, {at}"
        world.recover_operation(at=where)
        rows.append((at, world.migrated(old, at=where)))
        world.migrate_again(old, at=where)
        if not at:
            break
    else:
        pytest.fail("it has no end")
    assert rows.pop() == ("", DONE)
    rewrite = request.config.getoption("--rewrite-outcomes")
    compare("killed", MIGRATE, rows, rewrite=rewrite)


@pytest.mark.parametrize("first", [11, 13, 15, 17])
def test_the_run_that_clears_up_is_killed_too(first: int, killed: Killed, world: World) -> None:
    (operation,) = [each for each in OPERATIONS if each.name == "rotate"]
    for number in range(1, 14, 2):
        world.begin(operation)
        before = world.active
        at = killed.at(first, *operation.command)
        then = killed.at(number, "list", "-q", "-o", "none")
        where = f"{at}, then {then}"
        world.recover_operation(at=where)
        world.hold(operation, at=where)
        assert world.outcome(operation, before, at=where) in {BEFORE, DONE}
        if not then:
            break
