"""What the matrices of crashes and of faults share: operations, invariants, tables of outcomes."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

from drivers import TIME_LIMIT, Emulator, Pat
from e2e.places import (
    OpenPlace,
    Place,
    github,
    key_vault,
    service_connection,
    variable_group,
    vault,
)
from e2e.stage import accepts

ACCOUNTS = {
    "38aaa865-2c70-4bf7-a308-0c6539c38c1a": "contoso",
    "6affcbef-fe5d-44c6-8a29-439b79aaa118": "fabrikam",
}
OUTCOMES = Path(__file__).parent / "outcomes"
BEFORE = "as before"
DONE = "done"

CREATE = ("create", "ci", "--scope", "code", "-q", "-o", "none")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Something that a user does, and may be cut short.

    Attributes:
        name: what the table is called.
        setup: commands that come to their end before.
        command: the one that is cut short.
        leaves: the names of the active tokens when it has come to its end.
        declared: what `tokens.toml` holds, before the setup and before the command.
        dropped: a token that the command leaves without its secret, as the user asked.
        delivers: a file that must hold a secret that works, or none.
        piped: the secret of a token that was made elsewhere is on its standard input.
        held: the names under which secrets are stored when it has come to its end, for one that
            changes nothing on the service; None for others.
        graced: it leaves a token to be revoked later, by a run after the grace period.
        place: sets up the place at a service that the secret is delivered to; None for none.
        runs: a file that the command which it runs writes; it leaves nothing else.
    """

    name: str
    setup: Sequence[Sequence[str]] = ()
    command: Sequence[str]
    leaves: Sequence[str] = ("ci",)
    declared: tuple[str, str] | None = None
    dropped: bool = False
    delivers: str = ""
    piped: bool = False
    held: Sequence[str] | None = None
    graced: bool = False
    place: OpenPlace | None = None
    runs: str = ""


DELIVER = ("--deliver", "file:FOLDER/.env|PAT={token}")
APPLY = (
    '[[token]]\nname = "new"\nscopes = "code"\ndeliver = "file:.env|PAT={token}"\n'
    '[[token]]\nname = "other"\nscopes = "build"\n'
)
APPLIED = '[[token]]\nname = "other"\nscopes = "code"\n[[token]]\nname = "gone"\nscopes = "code"\n'

OPERATIONS = (
    Operation(name="create", command=CREATE),
    Operation(
        name="create --replace",
        setup=[CREATE],
        command=(*CREATE, "--replace"),
        leaves=("ci", "ci"),
        dropped=True,
    ),
    Operation(name="rotate", setup=[CREATE], command=("rotate", "ci", "-q", "-o", "none")),
    Operation(
        name="rotate --deliver",
        setup=[CREATE],
        command=("rotate", "ci", *DELIVER, "-q", "-o", "none"),
        delivers=".env",
    ),
    Operation(
        name="rotate --grace",
        setup=[CREATE],
        command=("rotate", "ci", "--grace", "1h", "-q", "-o", "none"),
        graced=True,
    ),
    Operation(name="ensure", command=("ensure", *CREATE[1:], *DELIVER), delivers=".env"),
    Operation(
        name="ensure with other scopes",
        setup=[CREATE],
        command=("ensure", "ci", "--scope", "build", "-q", "-o", "none"),
    ),
    Operation(
        name="revoke",
        setup=[CREATE],
        command=("revoke", "ci", "--yes", "-q", "-o", "none"),
        leaves=(),
    ),
    Operation(
        name="update --name",
        setup=[CREATE],
        command=("update", "ci", "--name", "cd", "-q", "-o", "none"),
        leaves=("cd",),
    ),
    Operation(
        name="import",
        command=("import", "ci", "-q", "-o", "none"),
        piped=True,
        held=("ci",),
    ),
    Operation(
        name="import --replace",
        setup=[CREATE],
        command=("import", "ci", "--replace", "-q", "-o", "none"),
        piped=True,
        held=("ci",),
    ),
    Operation(
        name="forget",
        setup=[CREATE],
        command=("forget", "ci", "-q", "-o", "none"),
        held=(),
    ),
    Operation(
        name="exec --new",
        command=("exec", "--new", "--scope", "code", "-q", "--", "touch", "FOLDER/ran"),
        leaves=(),
        runs="ran",
    ),
)


def _rotate_there(name: str, place: OpenPlace, *, graced: bool) -> Operation:
    """Return a rotation that delivers to a place at a service, for the second time."""
    return Operation(
        name=f"rotate --deliver {name}",
        setup=[("ensure", *CREATE[1:], "--deliver", "PLACE")],
        command=("rotate", "ci", "-q", "-o", "none"),
        graced=graced,
        place=place,
    )


TO_SERVICES = (
    _rotate_there("keyvault", key_vault, graced=True),
    _rotate_there("vault", vault, graced=True),
    _rotate_there("variable-group", variable_group, graced=False),
    _rotate_there("service-connection", service_connection, graced=False),
    _rotate_there("github", github, graced=False),
)
"""The old token stays active for a while where those who read the secret there poll."""
SIDE_BY_SIDE = Operation(
    name="apply --prune",
    setup=[("apply", "FOLDER/tokens.toml", "-q", "-o", "none")],
    command=("apply", "FOLDER/tokens.toml", "--prune", "--yes", "-q", "-o", "none"),
    declared=(APPLIED, APPLY),
    delivers=".env",
)
"""Its steps have no order of their own, and so no table."""
MIGRATE = Operation(
    name="migrate --revoke-old",
    setup=[("ensure", *CREATE[1:], *DELIVER)],
    command=("migrate", "ci", "--to-all", "--revoke-old", "--yes", "-q", "-o", "none"),
    leaves=("ci", "ci"),
    delivers=".env",
)
"""The token becomes one for all organizations after the setup."""


@dataclass(kw_only=True)
class World:
    """A machine, its keyring and the service.

    Attributes:
        pat: runs commands that come to their end.
        folder: where files lie.
        state: the folder of the state file.
        secrets: gives what the keyring holds: names and secrets.
        empty: empties the keyring.
        piped: what the command has on its standard input.
        before: what was stored before the command.
        graced: as of the operation.
        place: the place at a service that it delivers to; None for none.
        rest: what is at that place besides the secret.
    """

    pat: Pat
    emulator: Emulator
    folder: Path
    state: Path
    secrets: Callable[[], list[tuple[str, str]]]
    empty: Callable[[], None]
    piped: str = ""
    before: Sequence[tuple[str, str]] = ()
    graced: bool = False
    place: Place | None = None
    rest: object = None

    def begin(self, operation: Operation) -> None:
        """Start from nothing, and run what comes before an operation."""
        self.graced = operation.graced
        self.emulator.heal()
        self.emulator.remove_tokens()
        self.empty()
        for file in self.state.glob("state.db*"):
            file.unlink()
        for written in filter(None, (operation.delivers, operation.runs)):
            (self.folder / written).unlink(missing_ok=True)
        self._declare(operation, 0)
        for command in operation.setup:
            assert self.pat(*self.words(command)).exit_code == 0
        self._declare(operation, 1)
        self.piped = made_elsewhere(self.emulator, "theirs")[1] if operation.piped else ""
        self.before = self.secrets()
        self.rest = self.place and self.place.rest()

    def _declare(self, operation: Operation, which: int) -> None:
        if operation.declared is not None:
            (self.folder / "tokens.toml").write_text(operation.declared[which], "utf-8")

    def words(self, command: Sequence[str]) -> list[str]:
        """Return a command with the folder and the place put in."""
        place = self.place.target if self.place else "PLACE"
        return [
            word.replace("FOLDER", str(self.folder)).replace("PLACE", place) for word in command
        ]

    @property
    def active(self) -> dict[str, str]:
        """Names of the active tokens by their ids."""
        return {
            each["authorizationId"]: each["displayName"]
            for each in self.emulator.tokens
            if each["status"] == "active"
        }

    def recover_operation(self, *, at: str) -> None:
        """Do what the next run of `pat` does, and drop what waits for a slow service."""
        for _ in range(3 if self.graced else 2):  # the first may finish what it can only then see
            assert self.pat("list", "-q", "-o", "none").exit_code == 0, at
            if self.graced:
                self._end_grace()
        self.forget_unsent(at)

    def _end_grace(self) -> None:
        """Let the time go by for which a replaced token stays active."""
        file = self.state / "state.db"
        if file.exists():
            with closing(sqlite3.connect(file)) as state, state:
                if state.execute("SELECT * FROM sqlite_master WHERE name = 'journal'").fetchall():
                    state.execute(
                        "UPDATE journal SET valid_to = '2000-01-01T00:00:00+00:00'"
                        " WHERE operation = 'revoke'"
                    )

    def forget_unsent(self, at: str) -> None:
        """Drop from the journal what was never sent; whatever else is left must not be.

        It would stay for five minutes, as a slow service may still be at work on it.
        """
        file = self.state / "state.db"
        if not file.exists():
            return
        with closing(sqlite3.connect(file)) as state, state:
            if not state.execute("SELECT * FROM sqlite_master WHERE name = 'journal'").fetchall():
                return
            left = state.execute("SELECT operation, authorization_id FROM journal").fetchall()
            sent = [each for each in left if each[1] is not None and each[0] != "move"]
            assert sent == [], at
            state.execute("DELETE FROM journal")

    def hold(self, operation: Operation, *, at: str) -> None:
        """Hold what must be so whatever happened.

        No active token whose secret is nowhere, no secret of a dead token, and the state file
        knows what the keyring holds.
        """
        secrets = self.secrets()
        held = dict(secrets)
        assert len(held) == len(secrets), at
        dead = [name for name, text in secrets if not accepts(self.emulator, text)]
        assert dead == [], at
        names = sorted(self.active.values())
        if operation.dropped and len(names) > 1:
            names.remove("ci")
        if operation.held is None:
            assert sorted(held) == names, f"{at}: {self.active}"
        known = self.pat("list", "--stored", "-o", "json").json
        assert sorted(each["name"] for each in known) == sorted(held), at
        for name, secret in held.items():
            assert self.pat("get", name).stdout.strip() == secret, at
        self._hold_delivered(operation, set(held.values()), at)

    def hold_at_place(self, *, at: str) -> None:
        """Hold that the secret at the place works, and that everything else there stays."""
        if self.place is not None:
            assert accepts(self.emulator, self.place.secret() or ""), at
            assert self.place.rest() == self.rest, at

    def outcome(self, operation: Operation, before: dict[str, str], *, at: str) -> str:
        """Say whether all is as it was, or as the command would have left it; nothing between."""
        if operation.held is not None:
            assert self.active == before, at
            return self._stored_as(operation, at)
        if operation.runs:
            assert self.active == before, at
            return DONE if (self.folder / operation.runs).exists() else BEFORE
        if self.active == before:
            return BEFORE
        names = sorted(self.active.values())
        assert names == sorted(operation.leaves), at
        if operation.dropped:
            assert set(before) <= set(self.active), at
        return DONE

    def migrated(self, old: str, *, at: str) -> str:
        """Say which organizations have a token instead of the global one; hold what must be so."""
        own = sorted(
            ACCOUNTS[each["targetAccounts"][0]]
            for each in self.emulator.tokens
            if each["status"] == "active" and each["authorizationId"] != old
        )
        secrets = [text for _, text in self.secrets()]
        # The secret of the global token works in all organizations, or by now in none.
        working = [
            [org for org in ACCOUNTS.values() if accepts(self.emulator, text, org=org)]
            for text in secrets
        ]
        assert sorted(orgs[0] for orgs in working if len(orgs) == 1) == own, at
        assert len(secrets) == len({"contoso", *own}), at
        delivered = (self.folder / MIGRATE.delivers).read_text("utf-8")
        assert delivered.removeprefix("PAT=").strip() in secrets, at
        if old in self.active:
            return f"done in {' and '.join(own)}" if own else BEFORE
        assert own == ["contoso", "fabrikam"], at
        return DONE

    def migrate_again(self, old: str, *, at: str) -> None:
        """Hold that a second run completes a migration, and creates no second token."""
        result = self.pat(*MIGRATE.command)
        assert result.exit_code == 0, f"{at}: {result}"
        assert self.migrated(old, at=at) == DONE, at
        assert len(self.active) == 2, at

    def _stored_as(self, operation: Operation, at: str) -> str:
        """Say so of what is stored; the index names no token that a secret is not of."""
        secrets = self.secrets()
        ids = [each["id"] for each in self.pat("list", "--stored", "-o", "json").json]
        if secrets == self.before:
            assert sorted(ids) == sorted(self.active) if ids and not self.piped else True, at
            return BEFORE
        assert [name for name, _ in secrets] == list(operation.held or ()), at
        assert [text for _, text in secrets] == [self.piped] * len(secrets), at
        assert ids == [None] * len(secrets), at
        return DONE

    def _hold_delivered(self, operation: Operation, held: set[str], at: str) -> None:
        """Hold that what is delivered works: it is the secret that is held, or none yet."""
        file = self.folder / operation.delivers
        if operation.delivers and file.exists():
            delivered = file.read_text("utf-8").removeprefix("PAT=").strip()
            assert delivered in held, at
        if self.place is not None:
            assert {self.place.secret()} == held, at
            self.hold_at_place(at=at)


def made_elsewhere(emulator: Emulator, name: str) -> tuple[str, str]:
    """Make a token as another machine does; return its id and its secret."""
    until = datetime.now(UTC) + timedelta(days=20)
    asked = {"displayName": name, "scope": "vso.code", "validTo": until.isoformat()}
    request = Request(  # noqa: S310  # the emulator's own address
        f"{emulator.url}/contoso/_apis/tokens/pats?api-version=7.2-preview.1",
        data=json.dumps({**asked, "allOrgs": False}).encode(),
        headers={
            "Authorization": f"Bearer {emulator.access_token}",
            "Content-Type": "application/json",
        },
    )
    with urlopen(request, timeout=TIME_LIMIT) as answer:  # noqa: S310  # the same
        made = json.load(answer)["patToken"]
    return made["authorizationId"], made["token"]


def make_global(emulator: Emulator) -> str:
    """Let the only token be one for all organizations, as its user can; return its id."""
    (token,) = emulator.tokens
    identifier: str = token["authorizationId"]
    request = Request(  # noqa: S310  # the emulator's own address
        f"{emulator.url}/contoso/_apis/tokens/pats?api-version=7.2-preview.1",
        data=json.dumps({"authorizationId": identifier, "allOrgs": True}).encode(),
        headers={
            "Authorization": f"Bearer {emulator.access_token}",
            "Content-Type": "application/json",
        },
        method="PUT",
    )
    with urlopen(request, timeout=TIME_LIMIT) as answer:  # noqa: S310  # the same
        assert json.load(answer)["patToken"]["targetAccounts"] is None
    return identifier


def compare(
    kind: str, operation: Operation, rows: Sequence[Sequence[str]], *, rewrite: bool
) -> None:
    """Compare a table of outcomes with the one that docs/development/reliability.md is made of."""
    name = operation.name.replace(" --", "-").replace(" ", "-")
    file = OUTCOMES / f"{kind}-{name}.json"
    table = {"operation": operation.name, "rows": [list(row) for row in rows]}
    if rewrite:
        OUTCOMES.mkdir(exist_ok=True)
        file.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", "utf-8")
    assert json.loads(file.read_text("utf-8")) == table, "--rewrite-outcomes writes them anew"
