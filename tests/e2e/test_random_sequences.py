"""Random sequences of commands with random faults: thousands of steps, and the same must hold."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import keyring
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from azdo_pat.cli.main import pat as root
from azdo_pat.store.database import Database
from drivers import Emulator, InProcess
from e2e.matrix import World, made_elsewhere
from e2e.stage import accepts
from e2e.test_fault_matrix import DOCUMENTED, Fragile

NAMES = st.sampled_from(["a", "b"])
SCOPES = st.sampled_from(["code", "build", "packaging"])
REQUESTS = st.sampled_from(
    ["cut=before", "cut=after", "status=500", "status=500 commit=yes", "status=503", "status=403"]
)
Fault = tuple[str, int, str]
FAULTS: st.SearchStrategy[Fault | None] = st.one_of(
    st.none(),
    st.tuples(st.just("request"), st.integers(0, 5), REQUESTS),
    st.tuples(st.just("keyring"), st.integers(1, 14), st.sampled_from(["once", "on"])),
    st.tuples(st.just("disk"), st.integers(1, 6), st.just("")),
)


@pytest.fixture
def fragile(emulator: Emulator) -> Fragile:
    _ = emulator  # both are made once for all sequences
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


@dataclass
class Disk:
    """The disk that the state lies on.

    Attributes:
        full_at: which write from now on finds it full; 0 for none.
    """

    full_at: int = 0

    @contextmanager
    def writing(self, database: Database) -> Iterator[sqlite3.Connection]:
        """Write as usual, up to the last moment."""
        self.full_at -= 1
        with self.usual(database) as connection:
            yield connection
            if self.full_at == 0:
                raise sqlite3.OperationalError("database or disk is full")

    usual = staticmethod(Database.writing)


class Imported(NamedTuple):
    """A secret that the user has imported.

    Attributes:
        known: the user has said which token it belongs to.
    """

    secret: str
    known: bool


class Sequences(RuleBasedStateMachine):
    """What a user does, what fails meanwhile, and what must be so after each step.

    The model knows which tokens may be alive without their secret: those whose secret the
    user gave up, and those that were made elsewhere. An imported secret stays until the user
    gives it up, or the service refuses it.
    """

    world: ClassVar[World]
    fragile: ClassVar[Fragile]
    disk: ClassVar[Disk]
    apart = 0
    theirs = Bundle("theirs")

    @initialize()
    def start(self) -> None:
        self.world.emulator.heal()
        self.world.emulator.advance(-self.apart)
        self.apart = 0
        self.world.emulator.remove_tokens()
        self.fragile.held.clear()
        self.fragile.fails_at = self.disk.full_at = 0
        for file in self.world.state.glob("state.db*"):
            file.unlink()
        self.given_up: set[str] = set()
        self.elsewhere: set[str] = set()
        self.imported: dict[str, Imported] = {}
        self.secrets_elsewhere: dict[str, str] = {}

    def run(
        self,
        fault: Fault | None,
        *args: str,
        gives_up: tuple[str, ...] = (),
        stdin: str = "",
    ) -> int:
        """Run a command while something fails; then heal all and let the next run look."""
        before = {key for key, name in self.world.active.items() if name in gives_up}
        self.break_something(fault)
        result = self.world.pat(*args, "-q", "-o", "none", stdin=stdin)
        self.fragile.fails_at = self.disk.full_at = 0
        assert result.exit_code in (DOCUMENTED | {3}) - {2}, f"{args}: {result}"
        if result.exit_code in {0, 8} or not set(gives_up) & set(dict(self.world.secrets())):
            self.given_up |= before  # also where only the state could not be written
        if fault is not None or result.exit_code:
            self.world.emulator.heal()
            self.world.recover_operation(at=" ".join(args))
        return result.exit_code

    def named(self, name: str) -> None:
        """Let the user name a token, perhaps one that was made elsewhere."""
        named = {key for key, each in self.world.active.items() if each == name}
        self.given_up |= named & self.elsewhere
        self.elsewhere -= named

    def break_something(self, fault: Fault | None) -> None:
        """Let one request, one call of the keyring, or one write of the state fail."""
        what, place, how = fault or ("", 0, "")
        if what == "request":
            self.world.emulator.fail(f"* */_apis/* {how} skip={place} times=1")
        if what == "keyring":
            self.fragile.calls, self.fragile.fails_at = 0, place
            self.fragile.heals, self.fragile.last = how == "once", ""
        if what == "disk":
            self.disk.full_at = place

    @rule(fault=FAULTS, name=NAMES, scope=SCOPES)
    def create(self, fault: Fault | None, name: str, scope: str) -> None:
        self.run(fault, "create", name, "--scope", scope)

    @rule(fault=FAULTS, name=NAMES)
    def create_in_place_of_another(self, fault: Fault | None, name: str) -> None:
        held = name in dict(self.world.secrets())
        known = {key for key, each in self.world.active.items() if each == name and held}
        self.given_up |= known  # killed or not: the user has given the stored secret up
        self.imported.pop(name, None)
        self.run(fault, "create", name, "--scope", "code", "--replace")

    @rule(fault=FAULTS, name=NAMES)
    def rotate(self, fault: Fault | None, name: str) -> None:
        self.named(name)
        self.run(fault, "rotate", name, "--yes")

    @rule(fault=FAULTS, name=NAMES)
    def rotate_and_keep(self, fault: Fault | None, name: str) -> None:
        self.named(name)
        self.given_up |= {key for key, each in self.world.active.items() if each == name}
        if name in self.imported and self.imported[name].known:
            del self.imported[name]  # the secret of the token that is kept
        self.run(fault, "rotate", name, "--keep-old")

    @rule(fault=FAULTS, name=NAMES, scope=SCOPES, verify=st.booleans())
    def ensure(self, fault: Fault | None, name: str, scope: str, *, verify: bool) -> None:
        self.run(fault, "ensure", name, "--scope", scope, *(["--verify"] if verify else []))

    @rule(fault=FAULTS, name=NAMES)
    def revoke(self, fault: Fault | None, name: str) -> None:
        self.named(name)
        self.run(fault, "revoke", name, "--yes")

    @rule(name=NAMES, new=NAMES)
    def rename(self, name: str, new: str) -> None:
        # What a half-done move leaves has a test of its own.
        self.run(None, "update", name, "--name", new)
        held = dict(self.world.secrets())
        moved = self.imported.get(name)
        if moved is not None and held.get(new) == moved.secret:
            self.imported[new] = self.imported.pop(name)

    @rule(fault=FAULTS, name=NAMES)
    def forget(self, fault: Fault | None, name: str) -> None:
        self.imported.pop(name, None)
        self.run(fault, "forget", name, gives_up=(name,))

    @rule(fault=FAULTS)
    def renew(self, fault: Fault | None) -> None:
        self.run(fault, "renew", "--within", "40d", "--jobs", "1")

    @rule(name=NAMES)
    def lose_a_secret(self, name: str) -> None:
        """Somebody takes it out of the keyring by hand."""
        gone = [key for key in self.fragile.held if key[1] == name]
        self.imported.pop(name, None)
        for key in gone:
            del self.fragile.held[key]
        if gone:
            self.given_up |= {key for key, each in self.world.active.items() if each == name}

    @rule(target=theirs, name=st.sampled_from(["a", "b", "theirs"]))
    def made_elsewhere(self, name: str) -> str:
        """Make a token on the web page; it may have the name of one that is stored here."""
        made, secret = made_elsewhere(self.world.emulator, name)
        self.elsewhere.add(made)
        self.secrets_elsewhere[made] = secret
        return made

    @rule(fault=FAULTS, name=NAMES, token=theirs, known=st.booleans(), replaces=st.booleans())
    def import_secret(
        self, fault: Fault | None, name: str, token: str, *, known: bool, replaces: bool
    ) -> None:
        secret = self.secrets_elsewhere[token]
        before = self.imported.get(name)
        was_known = before is not None and before.known and before.secret == secret
        options = [*(["--id", token] if known else []), *(["--replace"] if replaces else [])]
        if replaces:
            rows = dict(_known(self.world.state / "state.db"))
            self.given_up.add(rows.get(name) or "")
            self.imported.pop(name, None)
        if known:  # from now on it is looked after here
            self.elsewhere.discard(token)
            self.given_up.add(token)
        self.run(fault, "import", name, *options, stdin=secret)
        if dict(self.world.secrets()).get(name) == secret:
            self.imported[name] = Imported(secret, known=known or was_known)

    @rule(seconds=st.sampled_from([-400, 400]))
    def set_the_services_clock(self, seconds: int) -> None:
        """Put the clocks apart, or together again."""
        self.world.emulator.advance(seconds if self.apart == 0 else -self.apart)
        self.apart = seconds if self.apart == 0 else 0

    @invariant()
    def what_must_be_so(self) -> None:
        held = dict(self.world.secrets())
        rows = _known(self.world.state / "state.db")
        ids = dict(rows)
        dead = [name for name in held if not accepts(self.world.emulator, held[name])]
        assert [name for name in dead if ids.get(name) is not None] == []  # nothing ties others
        for name, imported in self.imported.items():
            if accepts(self.world.emulator, imported.secret):
                assert held.get(name) == imported.secret
        active = self.world.active
        assert self.elsewhere <= set(active)
        known = {identifier for name, identifier in rows if name in held}
        assert set(held) <= {name for name, _ in rows}
        assert set(active) - self.given_up - self.elsewhere <= known


def _known(file: Path) -> list[tuple[str, str]]:
    if not file.exists():
        return []
    with closing(sqlite3.connect(file)) as state:
        tables = state.execute("SELECT name FROM sqlite_master WHERE name = 'tokens'").fetchall()
        return state.execute("SELECT name, id FROM tokens").fetchall() if tables else []


def test_thousands_of_steps(
    world: World,
    fragile: Fragile,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    others = request.config.getoption("--sequences")
    disk = Disk()
    monkeypatch.setattr("azdo_pat.api.http.backoff", lambda _: 0.0)
    # A function, as a bound method would not be given the database.
    monkeypatch.setattr(Database, "writing", lambda self: disk.writing(self))  # noqa: PLW0108  # see above
    run_state_machine_as_test(
        type("Run", (Sequences,), {"world": world, "fragile": fragile, "disk": disk}),
        settings=settings(
            max_examples=others or 40,
            derandomize=not others,
            phases=[Phase.generate, Phase.shrink],
            stateful_step_count=50,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
