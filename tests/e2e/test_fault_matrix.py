"""Each request, each call of the keyring and each write of the state fails once; then all heals."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import keyring
import pytest
from keyring.errors import KeyringError

from azdo_pat.api import rate_limit
from azdo_pat.cli.main import pat as root
from azdo_pat.cli.runtime import Runtime
from azdo_pat.store.database import Database
from azdo_pat.store.secrets import SecretStore
from drivers import Emulator, InProcess
from e2e.matrix import DONE, MIGRATE, OPERATIONS, Operation, World, compare, make_global
from fakes import MemoryKeyring

MOST = 60
REQUEST_FAULTS = {
    "is cut before the service acts": "cut=before",
    "is cut after the service acted": "cut=after",
    "fails (500)": "status=500",
    "fails (500) though the service acted": "status=500 commit=yes",
    "is put off (429)": "status=429 retry-after=0",
    "gets no answer": "delay=2500ms",
}
DOCUMENTED = {0, 2, 4, 5, 6, 7, 8, 9, 11}


class Fragile(MemoryKeyring):
    """A keyring of which one call fails, or hangs; probes of it are calls like others.

    Attributes:
        calls: how many there were.
        fails_at: which of them fails; 0 for none.
        hangs: it does not fail at once but after longer than anybody waits.
        heals: only that call; otherwise all from there on.
    """

    priority: ClassVar[float] = -2  # keyring registers every class; no scan may choose this one

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.fails_at = 0
        self.heals = True
        self.last = ""

    def get_password(self, service: str, username: str) -> str | None:
        self.look("reading")
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.look("storing")
        super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        self.look("deleting")
        super().delete_password(service, username)

    def look(self, what: str) -> None:
        """Be called, and perhaps fail."""
        self.calls += 1
        over = self.calls > self.fails_at > 0
        if self.calls == self.fails_at or (over and not self.heals):
            self.last = self.last or what
            raise KeyringError("the keyring broke down")


@pytest.fixture
def fragile(memory_keyring: MemoryKeyring) -> Fragile:
    _ = memory_keyring  # it is replaced
    backend = Fragile()
    keyring.set_keyring(backend)
    return backend


@pytest.fixture
def world(emulator: Emulator, fragile: Fragile, home: Path, tmp_path: Path) -> World:
    def secrets() -> list[tuple[str, str]]:
        return [
            (name, text)
            for (service, name), text in fragile.held.items()
            if service != "azdo-pat:check"
        ]

    return World(
        pat=InProcess(root, {**emulator.environment, "PAT_TIMEOUT": "1"}),
        emulator=emulator,
        folder=tmp_path,
        state=home / "pat/state",
        secrets=secrets,
        empty=fragile.held.clear,
    )


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat requests that failed at once; how long to wait is tested with the API client."""
    monkeypatch.setattr(rate_limit, "_FIRST_DELAY", 0.005)


def run(world: World, operation: Operation, *, at: str) -> str:
    """Run the command, which may fail; return its exit code, which must be a documented one."""
    result = world.pat(*world.words(operation.command), stdin=world.piped)
    assert result.exit_code in DOCUMENTED, f"{at}: {result}"
    return str(int(result.exit_code))


def settled(world: World, operation: Operation, before: dict[str, str], *, at: str) -> str:
    """Let the next run look, hold what must be so, and return what came of it."""
    world.emulator.heal()
    world.recover_operation(at=at)
    world.hold(operation, at=at)
    return world.outcome(operation, before, at=at)


each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)


@each_operation
def test_each_request(operation: Operation, world: World, request: pytest.FixtureRequest) -> None:
    world.begin(operation)
    first = len(world.emulator.requests)
    run(world, operation, at="undisturbed")
    asked = [
        f"{each['method']} {each['path'].rpartition('/')[2]}"
        for each in world.emulator.requests[first:]
    ]
    if operation.held == ():
        assert asked == []  # forgetting asks the service for nothing
        return
    assert asked
    rows = []
    for place, name in enumerate(asked):
        for words, fault in REQUEST_FAULTS.items():
            if fault == "delay=2500ms" and "POST" not in name:
                continue  # half a minute in all; the others are asked again as after a cut
            world.begin(operation)
            before = world.active
            world.emulator.fail(f"* */_apis/* {fault} skip={place} times=1")
            at = f"{place}, {name} {words}"
            code = run(world, operation, at=at)
            if "delay" in fault:
                time.sleep(1.8)  # the service is slow, and acts when pat has given up
            rows.append((f"{name} {words}", code, settled(world, operation, before, at=at)))
    compare("request", operation, rows, rewrite=request.config.getoption("--rewrite-outcomes"))


def test_each_request_of_a_migration(world: World, request: pytest.FixtureRequest) -> None:
    world.begin(MIGRATE)
    make_global(world.emulator)
    first = len(world.emulator.requests)
    run(world, MIGRATE, at="undisturbed")
    asked = [
        f"{each['method']} {each['path'].rpartition('/')[2]}"
        for each in world.emulator.requests[first:]
    ]
    rows = []
    for place, name in enumerate(asked):
        for words, fault in REQUEST_FAULTS.items():
            if fault == "delay=2500ms" and "POST" not in name:
                continue  # as above
            world.begin(MIGRATE)
            old = make_global(world.emulator)
            world.emulator.fail(f"* */_apis/* {fault} skip={place} times=1")
            at = f"{place}, {name} {words}"
            code = run(world, MIGRATE, at=at)
            if "delay" in fault:
                time.sleep(1.8)  # as above
            world.emulator.heal()
            world.recover_operation(at=at)
            rows.append((f"{name} {words}", code, world.migrated(old, at=at)))
            world.migrate_again(old, at=at)
    compare("request", MIGRATE, rows, rewrite=request.config.getoption("--rewrite-outcomes"))


def test_each_call_of_the_keyring_of_a_migration(
    world: World, fragile: Fragile, request: pytest.FixtureRequest
) -> None:
    rows = []
    for place in range(1, MOST):
        fragile.fails_at = 0
        world.begin(MIGRATE)
        old = make_global(world.emulator)
        fragile.calls, fragile.fails_at, fragile.heals, fragile.last = 0, place, True, ""
        code = run(world, MIGRATE, at=f"call {place}")
        what = fragile.last
        fragile.fails_at = 0
        at = f"call {place}, {what}, exit {code}"
        world.recover_operation(at=at)
        outcome = world.migrated(old, at=at)
        world.migrate_again(old, at=at)
        if not what:
            assert (code, outcome) == ("0", DONE)
            break
        rows.append((f"{what} fails, once", code, outcome))
    else:
        pytest.fail("it has no end")
    compare("keyring", MIGRATE, rows, rewrite=request.config.getoption("--rewrite-outcomes"))


@each_operation
def test_each_call_of_the_keyring(
    operation: Operation, world: World, fragile: Fragile, request: pytest.FixtureRequest
) -> None:
    rows = []
    for heals in (True, False):
        for place in range(1, MOST):
            fragile.fails_at = 0
            world.begin(operation)
            before = world.active
            fragile.calls, fragile.fails_at, fragile.heals, fragile.last = 0, place, heals, ""
            at = f"call {place}, {'once' if heals else 'from then on'}"
            code = run(world, operation, at=at)
            reached = bool(fragile.last)
            what = fragile.last
            fragile.fails_at = 0
            outcome = settled(world, operation, before, at=f"{at}, {what}")
            if not reached:
                break
            rows.append((f"{what} fails, {'once' if heals else 'and all after'}", code, outcome))
        else:
            pytest.fail("it has no end")
    compare("keyring", operation, rows, rewrite=request.config.getoption("--rewrite-outcomes"))


@each_operation
def test_each_write_of_the_state(
    operation: Operation,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    rows: list[tuple[str, str, str]] = []
    left = 0
    writing = Database.writing

    @contextmanager
    def full(self: Database) -> Iterator[sqlite3.Connection]:
        nonlocal left
        left -= 1
        with writing(self) as connection:
            yield connection
            if left == 0:  # as the last moment before it is kept
                raise sqlite3.OperationalError("database or disk is full")

    for place in range(1, MOST):
        world.begin(operation)
        before = world.active
        left = place
        with monkeypatch.context() as patch:
            patch.setattr(Database, "writing", full)
            code = run(world, operation, at=f"write {place}")
        at = f"write {place}, exit {code}"
        outcome = settled(world, operation, before, at=at)
        if left > 0:
            assert rows
            break
        rows.append(("a write finds the disk full", code, outcome))
    compare("state", operation, rows, rewrite=request.config.getoption("--rewrite-outcomes"))


@each_operation
@pytest.mark.parametrize(
    "jump", [timedelta(hours=2), timedelta(hours=-2), timedelta(days=-400), timedelta(days=20)]
)
def test_a_clock_that_jumps(
    operation: Operation, jump: timedelta, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any of the moments at which pat looks at it, and it stays there."""
    looks = 0
    jumps_at = 0

    def now(_: Runtime) -> datetime:
        nonlocal looks
        looks += 1
        return datetime.now(UTC) + (jump if looks >= jumps_at > 0 else timedelta())

    for place in range(1, 12):
        world.begin(operation)
        before = world.active
        looks, jumps_at = 0, place
        with monkeypatch.context() as patch:
            patch.setattr(Runtime, "now", now)
            code = run(world, operation, at=f"look {place}")
        reached = looks >= place
        at = f"look {place}, exit {code}"
        settled(world, operation, before, at=at)
        if not reached:
            return


def test_a_keyring_that_hangs(
    world: World, fragile: Fragile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each of the calls of a rotation."""
    defaults = SecretStore.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "timeout", 0.2)
    (operation,) = [each for each in OPERATIONS if each.name == "rotate"]

    def look(self: Fragile, what: str) -> None:
        self.calls += 1
        if self.calls == self.fails_at:
            self.last = what
            time.sleep(0.6)

    for place in range(1, MOST):
        fragile.fails_at = 0
        world.begin(operation)
        before = world.active
        fragile.calls, fragile.fails_at, fragile.last = 0, place, ""
        with monkeypatch.context() as patch:
            patch.setattr(Fragile, "look", look)
            code = run(world, operation, at=f"call {place}")
            time.sleep(
                0.7 if fragile.last else 0
            )  # what hung ends by and by, and may have its effect
        reached = bool(fragile.last)
        fragile.fails_at = 0
        at = f"call {place}, exit {code}"
        settled(world, operation, before, at=at)
        if not reached:
            assert place > 5
            return
    pytest.fail("it has no end")
