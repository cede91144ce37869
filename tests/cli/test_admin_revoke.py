"""pat admin revoke, against the emulator and against a service that refuses ids."""

import signal
from collections.abc import Sequence
from pathlib import Path

import pexpect
import pytest
import requests

from azdo_pat.journal import Revoke
from azdo_pat.operations.deps import AdminDeps
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.services import admin_revoke
from azdo_pat.services.admin_revoke_requests import Requests, send
from azdo_pat.services.parallel import Progress
from azdo_pat.store.locks import exclusive
from azdo_pat.store.state import State
from cli.administered import INTERRUPT, Administered
from cli.stage import Token, failed, hence, lines, names, put, service, table, token_object
from drivers import Emulator, InProcess, Installed, Result
from fakes import MemoryKeyring

ADA, GRACE = "ada@contoso.example", "grace@contoso.example"
MAY_TAKE = (
    "pat: 1 token may still work: the service can take up to an hour to revoke them",
    "     to see whether they are revoked, run the same command again",
)


@pytest.fixture
def hers(emulator: Emulator) -> list[Token]:
    """Two tokens of Grace, and one of Ada, who signs in."""
    put(emulator, "mine")
    return [put(emulator, name, user="grace") for name in ("ci", "laptop")]


@pytest.fixture
def state(home: Path) -> State:
    return State(home / "pat/state/state.db")


def revoke(pat: InProcess, *arguments: str, **env: str | None) -> Result:
    return pat("admin", "revoke", *arguments, env=env)


def listed(emulator: Emulator) -> list[str]:
    """The last part of the path of each request for tokens."""
    paths = [each["path"] for each in emulator.requests]
    return [each.rpartition("/")[2] for each in paths if "personalaccesstokens" in each]


def revocations(emulator: Emulator) -> list[object]:
    return [each["body"] for each in emulator.requests if each["path"].endswith("/revocations")]


def outcomes(result: Result) -> list[tuple[str, str]]:
    return [(each["name"], each["outcome"]) for each in result.json]


def test_someone_has_left(pat: InProcess, emulator: Emulator, hers: list[Token]) -> None:
    emulator.add_tokens(name="wide", user="grace", allOrgs=True)
    wide = emulator.tokens[-1]["authorizationId"]
    assert revoke(pat, "--user", GRACE, "--yes") == Result(
        exit_code=0,
        stdout=table(
            ("NAME", "ID", "OWNER", "OUTCOME"),
            *(
                (each["displayName"], each["authorizationId"][:8], GRACE, "revoked")
                for each in hers
            ),
        ),
        stderr=lines(
            f"left out 1 token (valid in all organizations): wide ({wide}) of {GRACE}; to revoke"
            " them in all organizations of their owners, add --include-global",
            "revoked 2 tokens",
        ),
    )
    assert names(emulator) == ["mine", "wide"]
    assert revoke(pat, "--user", GRACE, "--include-global", "--yes").exit_code == 0
    assert names(emulator) == ["mine"]


def test_one_by_its_id(pat: InProcess, emulator: Emulator, hers: list[Token]) -> None:
    ci, _ = hers
    result = revoke(pat, ci["authorizationId"], "--yes", "-o", "json")
    assert (result.exit_code, result.stderr) == (0, lines("revoked 1 token"))
    [document] = result.json
    assert document.pop("owner")["upn"] == GRACE
    assert document == {
        **token_object(ci, status="revoked"),
        "outcome": "revoked",
        "error": None,
        "left_in_keyring": None,
    }
    assert names(emulator) == ["laptop", "mine"]
    again = revoke(pat, ci["authorizationId"][:8], "--yes", "-o", "json")
    assert (again.exit_code, outcomes(again)) == (0, [("ci", "already revoked")])
    assert len(revocations(emulator)) == 1


def test_an_id_is_looked_for_only_where_it_can_be(
    pat: InProcess, emulator: Emulator, hers: list[Token]
) -> None:
    assert revoke(pat, hers[0]["authorizationId"], "--user", GRACE, "--yes").exit_code == 0
    before_and_after = listed(emulator)
    assert len(before_and_after) == 2
    assert len(set(before_and_after)) == 1
    mine = next(each for each in emulator.tokens if each["displayName"] == "mine")
    result = revoke(pat, mine["authorizationId"], "--user", GRACE, "--yes")
    assert (result.exit_code, "no token of grace@contoso.example has the id" in result.stderr) == (
        3,
        True,
    )


def test_ids_that_no_token_has(pat: InProcess, emulator: Emulator, hers: list[Token]) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    assert revoke(pat, unknown, "--yes").exit_code == 3
    result = revoke(pat, unknown, hers[0]["authorizationId"], "--yes", "-o", "json")
    assert (result.exit_code, outcomes(result)) == (9, [("ci", "revoked")])
    assert f"no token of contoso has the id '{unknown}'" in result.stderr
    assert names(emulator) == ["laptop", "mine"]


def test_an_ambiguous_beginning(contoso_pat: InProcess, contoso: Administered) -> None:
    ada, ben, _ = (each["descriptor"] for each in contoso.users)
    for owner, end in ((ada, "1"), (ben, "2")):
        contoso.token(owner, "ci", authorizationId=f"aaaaaaaa-7084-4635-964e-3c2a5764518{end}")
    assert revoke(contoso_pat, "aaaaaaaa", "--yes") == failed(
        6,
        "2 tokens have an id that begins with 'aaaaaaaa'",
        "choose one by its id:",
        "aaaaaaaa-7084-4635-964e-3c2a57645181  ada@contoso.example",
        "aaaaaaaa-7084-4635-964e-3c2a57645182  ben@contoso.example",
    )
    contoso.failures[ben] = [500] * 9
    result = revoke(contoso_pat, "aaaaaaaa", "--yes")
    assert (result.exit_code, contoso.revocations) == (9, [])


def test_a_list_of_users(pat: InProcess, emulator: Emulator, tmp_path: Path) -> None:
    for owner in ("grace", "katherine"):
        put(emulator, owner, user=owner)
    file = tmp_path / "left.txt"
    file.write_text(f"{GRACE}\nKatherine Johnson\n", "utf-8")
    result = revoke(pat, "--users-from", str(file), "--yes")
    assert (result.exit_code, result.stderr, names(emulator)) == (0, lines("revoked 2 tokens"), [])


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--name", "ci*"),
        ("--all-users",),
        ("--all-users", "--ssh", "--include-global", "--at-most", "5"),
        ("--all-users", "--user", ADA, "--full"),
        ("00000000", "--full"),
        ("00000000", "--all-users"),
        ("laptop",),
        ("dc2cb0814b484764af1e1008538d7743",),
        ("--user", ADA, "--at-most", "0"),
    ],
    ids=" ".join,
)
def test_what_is_not_clear_is_not_done(
    contoso_pat: InProcess, contoso: Administered, arguments: Sequence[str]
) -> None:
    result = revoke(contoso_pat, *arguments, "--yes")
    assert (result.exit_code, result.stdout, contoso.asked) == (2, "", [])


@pytest.mark.parametrize("option", ["--user", "--users-from"])
@pytest.mark.usefixtures("hers")
def test_another_user_whose_address_begins_so(
    pat: InProcess, emulator: Emulator, tmp_path: Path, option: str
) -> None:
    """The one who was meant may have left."""
    file = tmp_path / "left.txt"
    file.write_text(GRACE[:-2], "utf-8")
    result = revoke(pat, option, str(file) if "from" in option else GRACE[:-2], "--yes")
    assert (result.exit_code, revocations(emulator)) == (3, [])
    assert f"no user of contoso is exactly {GRACE[:-2]!r}" in result.stderr
    assert GRACE in result.stderr


def test_an_owner_who_is_not_listed_proves_nothing(
    pat: InProcess, emulator: Emulator, hers: list[Token]
) -> None:
    """A gateway may answer 404, too."""
    emulator.fail(
        "POST */revocations status=503 times=always",
        "GET */personalaccesstokens/* skip=1 status=404 times=always",
    )
    result = revoke(pat, hers[0]["authorizationId"], "--user", GRACE, "--yes", "-o", "json")
    assert result.exit_code == 9
    assert [each["outcome"] for each in result.json] == ["failed"]
    assert "does not know any of the users" in result.stderr


def test_no_one_to_ask(contoso_pat: InProcess, contoso: Administered) -> None:
    assert revoke(contoso_pat, "--user", ADA) == failed(
        2,
        "tokens would be revoked, but pat cannot ask for confirmation here",
        "add --yes to confirm, or --dry-run to see the tokens",
    )
    assert contoso.asked == []


def test_dry_run(pat: InProcess, emulator: Emulator, hers: list[Token]) -> None:
    result = revoke(pat, "--all-users", "--name", "*", "--dry-run", "-o", "csv")
    assert result.exit_code == 0
    header, *rows = result.stdout.splitlines()
    assert header.endswith(
        ",origin,owner_name,owner_upn,owner_descriptor,outcome,error,left_in_keyring"
    )
    assert [row.partition(",")[0] for row in rows] == [each["displayName"] for each in hers]
    assert all(row.endswith(",planned,,") for row in rows)
    assert result.stderr.splitlines()[-1] == f"2 tokens of {GRACE} would be revoked (dry run)"
    assert revocations(emulator) == []


@pytest.mark.usefixtures("hers")
def test_no_more_than_allowed(pat: InProcess, emulator: Emulator) -> None:
    several = ("--all-users", "--name", "*", "--yes", "--at-most")
    result = revoke(pat, *several, "1")
    assert (result.exit_code, f"2 tokens of {GRACE} would be revoked, which" in result.stderr) == (
        2,
        True,
    )
    assert revocations(emulator) == []
    assert revoke(pat, *several, "2").exit_code == 0
    assert names(emulator) == ["mine"]


def test_filters_and_ssh_keys(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "code", user="grace")
    put(emulator, "all", user="grace", scope="app_token")
    emulator.add_tokens(name="key", user="grace", ssh=True)
    emulator.add_tokens(name="wide", user="katherine", allOrgs=True, validTo=hence(9))
    for filters, left in (
        (("--full",), ["code", "key", "wide"]),
        (("--global",), ["code", "key"]),
        (("--ssh", "--name", "key"), ["code"]),
    ):
        assert revoke(pat, "--all-users", *filters, "--yes").exit_code == 0
        assert names(emulator) == left


@pytest.mark.parametrize(
    "fault",
    [
        "cut=after",
        "status=500 commit=yes times=always",
        "status=429 retry-after=0",
    ],
)
def test_an_answer_that_is_lost_is_no_failure(
    pat: InProcess, emulator: Emulator, hers: list[Token], fault: str
) -> None:
    emulator.fail(f"POST */tokenadmin/revocations {fault}")
    result = revoke(pat, "--user", GRACE, "--yes", "-q", "-o", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert outcomes(result) == [(each["displayName"], "revoked") for each in hers]


@pytest.mark.usefixtures("hers")
def test_a_service_that_does_nothing(pat: InProcess, emulator: Emulator) -> None:
    emulator.fail("POST */tokenadmin/revocations status=500 times=always")
    result = revoke(pat, "--user", GRACE, "--yes", "-o", "json")
    assert (result.exit_code, outcomes(result)) == (9, [("ci", "failed"), ("laptop", "failed")])
    assert "it may be revoked nevertheless: run the command again" in result.stderr
    assert names(emulator) == ["ci", "laptop", "mine"]


def test_a_request_that_was_never_sent_leaves_no_doubt(
    pat: InProcess, emulator: Emulator, hers: list[Token]
) -> None:
    emulator.fail("GET */personalaccesstokens/* retry-after=3600 times=1")
    result = revoke(pat, "--user", GRACE, "--yes", "-o", "json")
    assert (result.exit_code, outcomes(result)) == (
        9,
        [(each["displayName"], "failed") for each in hers],
    )
    assert (revocations(emulator), "nevertheless" in result.stderr) == ([], False)
    assert "accepts no more requests" in result.stderr


def test_it_may_take_an_hour(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "ci", user="grace")
    emulator.set_policies("revocation-delay=600")
    result = revoke(pat, "--user", GRACE, "--yes", "-o", "tsv")
    assert (result.exit_code, result.stderr) == (8, lines(*MAY_TAKE))
    assert result.stdout.split("\t")[-3] == "pending"
    emulator.advance(601)
    again = revoke(pat, "--user", GRACE, "--yes")
    assert again == Result(exit_code=0, stdout="", stderr=lines("nothing to revoke"))


def test_what_cannot_be_checked(pat: InProcess, emulator: Emulator) -> None:
    put(emulator, "ci", user="grace")
    emulator.fail("GET */personalaccesstokens/* status=500 skip=1 times=always")
    result = revoke(pat, "--user", GRACE, "--yes", "-o", "json")
    assert (result.exit_code, outcomes(result)) == (9, [("ci", "pending")])
    assert "it could not be checked which tokens are revoked: " in result.stderr


@pytest.mark.usefixtures("hers")
def test_users_that_cannot_be_read(pat: InProcess, emulator: Emulator) -> None:
    users = pat("admin", "users", "-o", "json").json
    katherine = next(each["descriptor"] for each in users if each["name"].startswith("Kath"))
    emulator.fail(f"GET */personalaccesstokens/{katherine} status=500 times=always")
    result = revoke(pat, "--all-users", "--name", "*", "--yes", "-o", "json")
    assert (result.exit_code, [name for name, _ in outcomes(result)]) == (9, ["ci", "laptop"])
    assert "the tokens of 1 user could not be read, so some may be missing" in result.stderr
    assert "1 user could not be read" in result.stderr.splitlines()[-1]


def test_a_token_that_cannot_be_read_is_revoked_only_by_its_id(
    pat: InProcess, emulator: Emulator, hers: list[Token]
) -> None:
    emulator.spoil("ci", fields={"scope": None})
    result = revoke(pat, "--user", GRACE, "--scope", "code", "--yes", "-o", "json")
    assert (result.exit_code, [name for name, _ in outcomes(result)]) == (9, ["laptop"])
    assert "left out 1 token (cannot be read in full): ci" in result.stderr
    assert revoke(pat, hers[0]["authorizationId"], "--yes").exit_code == 0
    assert names(emulator) == ["mine"]


class TestOwnTokens:
    """What the administrator signs in with, and has made."""

    @staticmethod
    def admin(emulator: Emulator, name: str = "admin") -> dict[str, str | None]:
        """Sign in with a personal access token of the administrator."""
        secret = emulator.add_with_secret(name, scope="app_token")
        return {"PAT_ACCESS_TOKEN": None, "PATH": "", "PAT_ADMIN_TOKEN": secret}

    def test_the_token_in_use_stays(self, pat: InProcess, emulator: Emulator) -> None:
        env = self.admin(emulator)
        put(emulator, "mine")
        used = emulator.tokens[0]["authorizationId"]
        result = revoke(pat, "--user", ADA, "--include-mine", "--yes", **env)
        assert (result.exit_code, names(emulator)) == (0, ["admin"])
        assert f"left out 1 token (pat signs in with it): admin ({used})" in result.stderr
        named = revoke(pat, used, "--include-mine", "--yes", **env)
        assert (named.exit_code, names(emulator)) == (2, ["admin"])
        assert "pat signs in with it" in named.stderr

    def test_one_that_may_be_in_use_stays(self, pat: InProcess, emulator: Emulator) -> None:
        env = self.admin(emulator)
        emulator.spoil("admin", fields={"crossCompanyCorrelatingId": None})
        assert revoke(pat, "--user", ADA, "--include-mine", "--yes", **env).exit_code == 0
        assert names(emulator) == ["admin"]

    def test_own_tokens_stay(self, pat: InProcess, emulator: Emulator) -> None:
        mine = put(emulator, "mine")
        result = revoke(pat, "--user", ADA, "--yes")
        assert (result.exit_code, names(emulator)) == (0, ["mine"])
        assert "left out 1 token (your own): mine" in result.stderr
        assert "add --include-mine" in result.stderr
        assert revoke(pat, mine["authorizationId"], "--yes").exit_code == 2

    def test_the_secret_goes_too(
        self, pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring, state: State
    ) -> None:
        pat("create", "ci", "--scope", "code", "-q", "-o", "none")
        assert (service(emulator), "ci") in memory_keyring.held
        result = revoke(pat, "--user", ADA, "--include-mine", "--yes", "-o", "json")
        assert (result.exit_code, result.json[0]["stored"]) == (0, False)
        assert (memory_keyring.held, state.stored(), state.unfinished()) == ({}, (), ())

    def test_the_secret_goes_when_the_token_has(
        self, pat: InProcess, emulator: Emulator, memory_keyring: MemoryKeyring, state: State
    ) -> None:
        """Until then the journal knows of it, as after a run that was killed."""
        pat("create", "ci", "--scope", "code", "-q", "-o", "none")
        emulator.set_policies("revocation-delay=600")
        assert revoke(pat, "--user", ADA, "--include-mine", "--yes").exit_code == 8
        [operation] = state.unfinished()
        assert isinstance(operation, Revoke)
        assert memory_keyring.held
        assert pat("list").exit_code == 0
        assert (memory_keyring.held, state.unfinished()) == ({}, ())
        assert names(emulator) == []

    def test_no_other_run_takes_it_for_interrupted(
        self,
        pat: InProcess,
        emulator: Emulator,
        memory_keyring: MemoryKeyring,
        state: State,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """It may take an hour, and any run that signs in completes what earlier ones left."""
        for name in ("ci", "laptop"):
            pat("create", name, "--scope", "code", "-q", "-o", "none")
        emulator.fail(
            "POST */revocations status=403 times=always"
            """ body='{"$id": "1", "message": "no", "typeKey": "AccessCheckException"}'"""
        )
        meanwhile: list[Result] = []

        def send_while_another_runs(
            ids: Sequence[str], deps: AdminDeps, *, ssh: bool, shown: Progress
        ) -> Requests:
            meanwhile.append(pat("list", "-q", "-o", "none"))
            return send(ids, deps, ssh=ssh, shown=shown)

        monkeypatch.setattr(admin_revoke, "send", send_while_another_runs)
        result = revoke(pat, "--user", ADA, "--include-mine", "--yes", "-o", "json")
        assert meanwhile == [Result(exit_code=0, stdout="", stderr="")]
        assert result.exit_code == 5
        assert outcomes(result) == [("ci", "not reached"), ("laptop", "not reached")]
        assert state.unfinished() == ()
        assert pat("list", "-q", "-o", "none").exit_code == 0
        assert (names(emulator), len(memory_keyring.held)) == (["ci", "laptop"], 2)

    def test_one_that_another_run_works_on(
        self,
        pat: InProcess,
        emulator: Emulator,
        memory_keyring: MemoryKeyring,
        state: State,
        home: Path,
    ) -> None:
        """It is revoked, but that run's entry and secret are left alone."""
        pat("create", "ci", "--scope", "code", "-q", "-o", "none")
        [stored] = state.stored()
        with exclusive(home / "pat/state/locks", lock_key("ci", stored.org_url)):
            result = revoke(pat, "--user", ADA, "--include-mine", "--yes", "-o", "json")
        assert (result.exit_code, outcomes(result)) == (8, [("ci", "revoked")])
        assert "another pat process is working on 'ci'" in result.json[0]["left_in_keyring"]
        assert (names(emulator), len(memory_keyring.held), state.unfinished()) == ([], 1, ())


def test_many_with_each_request(contoso_pat: InProcess, contoso: Administered) -> None:
    ada, ben, _ = (each["descriptor"] for each in contoso.users)
    for number in range(1500):
        contoso.token(ben if number % 2 else ada, "ci")
    result = revoke(contoso_pat, "--all-users", "--name", "ci", "--yes", "-o", "json")
    assert result.exit_code == 0, result.stderr
    assert {outcome for _, outcome in outcomes(result)} == {"revoked"}
    assert [len(each) for each in contoso.revocations] == [990, 510]


def test_an_id_that_is_refused_stops_no_other(
    contoso_pat: InProcess, contoso: Administered
) -> None:
    ada = contoso.users[0]["descriptor"]
    rows = [contoso.token(ada, f"ci {number}") for number in range(100)]
    contoso.bad = {rows[37]["authorizationId"]}
    result = revoke(contoso_pat, "--user", ADA, "--yes", "-o", "json")
    assert result.exit_code == 9
    assert [name for name, outcome in outcomes(result) if outcome != "revoked"] == ["ci 37"]
    assert len(contoso.revocations) < 20


def test_a_service_that_refuses_everything_is_not_asked_for_each(
    contoso_pat: InProcess, contoso: Administered
) -> None:
    ada = contoso.users[0]["descriptor"]
    rows = [contoso.token(ada, f"ci {number}") for number in range(400)]
    contoso.bad = {row["authorizationId"] for row in rows}
    result = revoke(contoso_pat, "--user", ADA, "--yes", "-o", "json")
    assert (result.exit_code, {outcome for _, outcome in outcomes(result)}) == (9, {"failed"})
    assert len(contoso.revocations) < 80


def test_a_list_that_leaves_out_what_is_revoked(
    contoso_pat: InProcess, contoso: Administered
) -> None:
    contoso.token(contoso.users[0]["descriptor"], "ci")
    contoso.on_revocation = contoso.tokens.clear
    result = revoke(contoso_pat, "--user", ADA, "--yes", "-o", "json")
    assert (result.exit_code, outcomes(result)) == (0, [("ci", "revoked")])


def test_a_list_that_cannot_be_read_proves_nothing(
    contoso_pat: InProcess, contoso: Administered
) -> None:
    row = contoso.token(contoso.users[0]["descriptor"], "ci")
    contoso.on_revocation = lambda: row.update(authorizationId="?")
    result = revoke(contoso_pat, "--user", ADA, "--yes", "-o", "json")
    assert (result.exit_code, outcomes(result)) == (9, [("ci", "pending")])


def test_ctrl_c_while_it_is_checked(contoso_pat: InProcess, contoso: Administered) -> None:
    ada = contoso.users[0]["descriptor"]
    contoso.token(ada, "ci")
    contoso.on_revocation = lambda: contoso.failures.update({ada: [500, INTERRUPT]})
    result = revoke(contoso_pat, "--user", ADA, "--yes", "-o", "json")
    assert (result.exit_code, outcomes(result)) == (130, [("ci", "pending")])
    assert "interrupted: sent 1 of 1 token to the service" in result.stderr


def test_ctrl_c_between_requests(contoso_pat: InProcess, contoso: Administered) -> None:
    for number in range(1000):
        contoso.token(contoso.users[0]["descriptor"], f"ci {number}")
    contoso.on_revocation = lambda: signal.raise_signal(signal.SIGINT)
    result = revoke(contoso_pat, "--user", ADA, "--yes", "-o", "json")
    assert (result.exit_code, len(contoso.revocations)) == (130, 1)
    found = [outcome for _, outcome in outcomes(result)]
    assert (found.count("pending"), found.count("not reached")) == (990, 10)
    assert "interrupted: sent 990 of 1000 tokens to the service" in result.stderr


@pytest.mark.usefixtures("hers")
def test_ctrl_c_during_a_pause(pat_process: Installed, emulator: Emulator) -> None:
    emulator.fail("GET */personalaccesstokens/* retry-after=600")
    terminal = pat_process.on_terminal("admin", "revoke", "--user", GRACE, "--yes")
    terminal.expect("waiting [56][0-9]+ s")
    terminal.sendcontrol("c")
    terminal.expect("not reached", timeout=5)


def test_ctrl_c_after_a_request_without_an_answer(
    contoso_pat: InProcess, contoso: Administered
) -> None:
    """Whether it is revoked is as unknown as after any other request."""
    contoso.token(contoso.users[0]["descriptor"], "ci")

    def fail() -> None:
        signal.raise_signal(signal.SIGINT)
        raise requests.RequestException

    contoso.on_revocation = fail
    result = revoke(contoso_pat, "--user", ADA, "--yes", "-o", "json")
    assert (result.exit_code, outcomes(result)) == (130, [("ci", "pending")])
    assert "interrupted: sent 1 of 1 token to the service" in result.stderr


@pytest.mark.usefixtures("hers")
def test_a_right_that_is_missing(pat: InProcess, emulator: Emulator) -> None:
    emulator.fail(
        "POST */tokenadmin/revocations status=403 times=always"
        """ body='{"$id": "1", "message": "no", "typeKey": "AccessCheckException"}'"""
    )
    result = revoke(pat, "--user", GRACE, "--yes", "-o", "none")
    assert (result.exit_code, names(emulator)) == (5, ["ci", "laptop", "mine"])
    assert "vso.tokenadministration" in result.stderr


@pytest.mark.parametrize(("answer", "code", "left"), [("2", 0, 0), ("y", 130, 2), ("", 130, 2)])
def test_the_number_is_asked_for(
    pat_process: Installed, emulator: Emulator, answer: str, code: int, left: int
) -> None:
    for name in ("ci", "laptop"):
        put(emulator, name, user="grace")
    terminal = pat_process.on_terminal("admin", "revoke", "--user", GRACE)
    terminal.expect("Revoke 2 tokens of grace@contoso.example")
    assert terminal.before is not None
    assert "laptop" in terminal.before
    terminal.expect(": $")
    terminal.sendline(answer)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert (terminal.exitstatus, len(names(emulator))) == (code, left), terminal.before
