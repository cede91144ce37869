"""Revoking many: side by side, past failures, stopped half-way."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from azdo_pat.errors import ConflictError, StoreError
from azdo_pat.journal import Revoke
from azdo_pat.models import Pat, Secret, Status
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.operations.ownership import is_refused
from azdo_pat.operations.recovery import recover
from azdo_pat.results.recovery import RecoveryOutcome
from azdo_pat.results.tokens import Outcome, Revocation
from azdo_pat.services.create import create
from azdo_pat.services.find_tokens import Filters
from azdo_pat.services.parallel import SIDE_BY_SIDE
from azdo_pat.services.revoke import Revoked, bulk, plan, revoke
from azdo_pat.store.secrets import SecretStore
from drivers import PROGRAM, Emulator
from services.creating import entry as journal_entry
from services.machine import LOCKED, PATS, Machine, shown, unusable


def carry_out(
    machine: Machine,
    pats: Sequence[Pat],
    done: Callable[[], None] = lambda: None,
    secrets: SecretStore | None = None,
    exclusive: Callable[[str], AbstractContextManager[None]] | None = None,
) -> Revoked:
    deps = replace(machine.deps, secrets=secrets or machine.secrets, lock=exclusive)
    return revoke(machine.contoso, pats, deps, shown(done))


NO_KEYRING = unusable(AssertionError("nothing is stored: the keyring is not to be opened"))
NOT_FOUND = (
    f"DELETE {PATS} status=404"
    """ body='{"typeKey": "SessionTokenNotFoundException", "message": "no such token"}'"""
)


def many(machine: Machine, count: int) -> list[Pat]:
    machine.emulator.add_tokens(count, name="bulk {n}")
    return list(machine.finder.listing(machine.contoso, Filters(names=("bulk *",))))


class TestRevoked:
    """What becomes of tokens and secrets."""

    def test_one_with_its_secret(self, machine: Machine) -> None:
        pat = machine.made()
        gone = replace(pat, status=Status.REVOKED, stored=False)
        revoked = carry_out(machine, [pat])
        assert revoked == Revoked(items=(Revocation(pat=gone, outcome=Outcome.REVOKED),))
        assert (revoked.failed, revoked.left_in_keyring) == (0, ())
        assert (machine.alive, machine.names_held, machine.known) == ([], [], [])
        # That this machine made it stays known.
        assert machine.state.made() == {pat.id}

    def test_the_order_is_the_callers(self, machine: Machine) -> None:
        pats = many(machine, 30)[::-1]
        revoked = carry_out(machine, pats, secrets=NO_KEYRING)
        assert [item.pat.name for item in revoked.items] == [pat.name for pat in pats]
        assert {item.outcome for item in revoked.items} == {Outcome.REVOKED}
        assert machine.alive == []
        assert len(machine.asked("DELETE")) == 30

    def test_side_by_side(self, machine: Machine) -> None:
        pats = many(machine, 2 * SIDE_BY_SIDE)
        machine.emulator.fail(f"DELETE {PATS} delay=200ms times=always")
        started = time.monotonic()
        carry_out(machine, pats)
        assert time.monotonic() - started < 200e-3 * len(pats) / 2

    def test_each_one_is_counted(self, machine: Machine) -> None:
        counted: list[None] = []
        carry_out(machine, many(machine, 5), done=lambda: counted.append(None))
        assert len(counted) == 5

    def test_nothing(self, machine: Machine) -> None:
        assert carry_out(machine, [], secrets=NO_KEYRING) == Revoked(items=())
        assert machine.asked() == []

    def test_one_that_is_known_to_be_revoked_costs_no_request(self, machine: Machine) -> None:
        pat = replace(machine.made(), status=Status.REVOKED)
        (item,) = carry_out(machine, [pat]).items
        assert item == Revocation(pat=replace(pat, stored=False), outcome=Outcome.ALREADY_REVOKED)
        assert machine.asked("DELETE") == []
        assert (machine.names_held, machine.known) == ([], [])

    def test_one_that_is_gone_meanwhile_counts_as_done(self, machine: Machine) -> None:
        pat = machine.made()
        machine.tokens.revoke(machine.contoso, pat.id or "")
        revoked = carry_out(machine, [pat])
        assert [item.outcome for item in revoked.items] == [Outcome.ALREADY_REVOKED]
        assert revoked.failed == 0
        assert (machine.names_held, machine.known) == ([], [])

    def test_of_two_of_one_name_only_the_right_ones_secret_goes(self, machine: Machine) -> None:
        mine = machine.made()
        theirs = machine.elsewhere()
        pats = {pat.id: pat for pat in machine.finder.listing(machine.contoso, Filters())}
        carry_out(
            machine,
            [pats[theirs]],
            secrets=NO_KEYRING,
        )
        assert (machine.names_held, [each.id for each in machine.known]) == (["ci"], [mine.id])
        carry_out(machine, [pats[mine.id]])
        assert (machine.names_held, machine.known) == ([], [])

    def test_the_secret_of_the_same_name_in_another_organization_stays(
        self, machine: Machine
    ) -> None:
        machine.made(organization=machine.fabrikam)
        carry_out(machine, [machine.made()])
        assert machine.held(organization=machine.fabrikam) is not None
        assert [entry.org for entry in machine.known] == ["fabrikam"]


class TestImported:
    """A secret of which only the token's name is known, and two tokens that bear it."""

    @pytest.fixture
    def tokens(self, machine: Machine) -> dict[str, Pat]:
        """The token whose secret is here, and another one."""
        ids = [machine.made("ci").id or "", machine.elsewhere()]
        secret = Secret(machine.held() or "")
        machine.secrets.delete(machine.contoso.url, "ci")
        machine.state.forget(machine.contoso.url, "ci")
        machine.import_secret("ci", secret.reveal())
        listed = {pat.id: pat for pat in machine.finder.listing(machine.contoso, Filters())}
        return {"its own": listed[ids[0]], "another": listed[ids[1]]}

    def test_it_goes_with_its_own_token(self, machine: Machine, tokens: dict[str, Pat]) -> None:
        (item,) = carry_out(machine, [tokens["its own"]]).items
        assert (item.outcome, item.pat.stored) == (Outcome.REVOKED, False)
        assert (machine.names_held, machine.known) == ([], [])

    def test_it_stays_where_another_of_its_name_goes(
        self, machine: Machine, tokens: dict[str, Pat]
    ) -> None:
        (item,) = carry_out(machine, [tokens["another"]]).items
        assert item.outcome is Outcome.REVOKED
        assert machine.names_held == ["ci"]
        assert [entry.name for entry in machine.known] == ["ci"]


class TestAnothersSecret:
    """What is stored under the name has become another token's meanwhile."""

    def test_of_another_pat_that_had_the_name_first(self, machine: Machine) -> None:
        """The entries were read before; under the lock they are another token's."""
        old = machine.made()
        new: list[Pat] = []

        def lock(key: str) -> AbstractContextManager[None]:
            if not new:
                request = machine.request(replace=True)
                new.append(create(machine.contoso, request, machine.deps).pat)
            return machine.deps.exclusive(key)

        (item,) = carry_out(machine, [old], exclusive=lock).items
        assert item.outcome is Outcome.REVOKED
        assert machine.alive == ["ci"]
        secret = machine.held()
        assert secret is not None
        machine.directory.check_secret(machine.contoso, Secret(secret))
        assert [each.id for each in machine.known] == [new[0].id]

    def test_of_another_program(self, machine: Machine) -> None:
        """The index names the token; the fingerprint says that the secret is none of it."""
        pat = machine.made()
        machine.secrets.put(machine.contoso.url, "ci", Secret("of another program"))
        (item,) = carry_out(machine, [pat]).items
        assert item.outcome is Outcome.REVOKED
        assert machine.held() == "of another program"
        assert [(each.name, each.id) for each in machine.known] == [("ci", None)]
        assert machine.state.unfinished() == ()

    def test_a_killed_revoke_leaves_it_too(self, machine: Machine) -> None:
        pat = machine.made()
        (entry,) = machine.known
        machine.state.begin(Revoke(journal_entry(machine), entry.id or ""))
        machine.secrets.put(machine.contoso.url, "ci", Secret("of another program"))
        (told,) = recover(machine.deps)
        assert told.outcome is RecoveryOutcome.COMPLETED
        assert machine.alive == []
        assert machine.held() == "of another program"
        assert [(each.name, each.id) for each in machine.known] == [("ci", None)]
        assert pat.id is not None

    def test_a_killed_revoke_leaves_what_was_imported_since(self, machine: Machine) -> None:
        """The user has said which other token the new secret belongs to."""
        other = machine.made("other")
        secret = machine.held("other") or ""
        machine.secrets.delete(machine.contoso.url, "other")
        machine.state.forget(machine.contoso.url, "other")
        machine.made()
        (entry,) = machine.known
        machine.state.begin(Revoke(journal_entry(machine), entry.id or ""))
        (pat,) = machine.finder.find(machine.contoso, ["other"])
        machine.import_secret("ci", secret, pat=pat, replace=True)
        (told,) = recover(machine.deps)
        assert told.outcome is RecoveryOutcome.COMPLETED
        assert (machine.alive, machine.held()) == (["other"], secret)
        assert [(each.name, each.id) for each in machine.known] == [("ci", other.id)]


class TestFailures:
    """One failing stops none of the others."""

    def test_one_among_many(self, machine: Machine) -> None:
        pats = many(machine, 20)
        machine.emulator.fail(f"DELETE {PATS} status=403 skip=4")
        revoked = carry_out(machine, pats)
        failed = [item for item in revoked.items if item.outcome is Outcome.FAILED]
        assert (len(failed), revoked.failed) == (1, 1)
        assert failed[0].error.endswith("does not allow the operation")
        assert machine.alive == [failed[0].pat.name]

    def test_a_failed_one_keeps_its_secret(self, machine: Machine) -> None:
        pat = machine.made()
        machine.emulator.fail(f"DELETE {PATS} status=403")
        (item,) = carry_out(machine, [pat]).items
        assert (item.pat, item.outcome) == (pat, Outcome.FAILED)
        assert machine.names_held == ["ci"]
        assert [entry.id for entry in machine.known] == [pat.id]

    def test_a_token_of_another_organization_is_not_revoked_here(self, machine: Machine) -> None:
        theirs = machine.made(organization=machine.fabrikam)
        (item,) = carry_out(machine, [theirs]).items
        assert machine.alive == ["ci"]
        assert machine.held(organization=machine.fabrikam) is not None
        assert item.outcome is not Outcome.REVOKED

    def test_a_keyring_that_keeps_the_secret(self, machine: Machine) -> None:
        pats = [machine.made("a"), machine.made("b"), machine.made("c")]
        machine.keyring.refuse("delete", "b")
        revoked = carry_out(machine, pats)
        assert [item.outcome for item in revoked.items] == [Outcome.REVOKED] * 3
        assert [item.left_in_keyring for item in revoked.items] == ["", LOCKED, ""]
        assert [item.pat.name for item in revoked.left_in_keyring] == ["b"]
        assert revoked.failed == 0
        assert (machine.alive, machine.names_held) == ([], ["b"])
        assert [entry.name for entry in machine.known] == ["b"]

    def test_no_keyring_at_all(self, machine: Machine) -> None:
        pat = machine.made()
        secrets = unusable(StoreError("there is no keyring"))
        (item,) = carry_out(machine, [pat], secrets=secrets).items
        assert (item.outcome, item.left_in_keyring) == (Outcome.REVOKED, "there is no keyring")

    def test_an_answer_that_is_lost_is_asked_for_again(self, machine: Machine) -> None:
        pat = machine.made()
        machine.emulator.fail(f"DELETE {PATS} cut=after")
        (item,) = carry_out(machine, [pat]).items
        assert item.outcome is Outcome.ALREADY_REVOKED
        assert (machine.alive, machine.names_held) == ([], [])

    def test_a_fault_of_ours_with_one_stops_none_of_the_others(self, machine: Machine) -> None:
        mine = machine.made()
        odd, *others = many(machine, 3)
        odd = replace(odd, id="\ud800")  # no URL can hold it
        revoked = carry_out(machine, [odd, mine, *others])
        assert [(item.outcome, item.error) for item in revoked.items] == [
            (Outcome.FAILED, "unexpected error: UnicodeEncodeError"),
            (Outcome.REVOKED, ""),
            (Outcome.REVOKED, ""),
            (Outcome.REVOKED, ""),
        ]
        assert (machine.alive, machine.names_held) == ([odd.name], [])

    def test_a_fault_of_ours_with_its_secret_is_told(self, machine: Machine) -> None:
        pats = [machine.made("a"), machine.made("b")]

        def odd(key: str) -> AbstractContextManager[None]:
            if key.startswith("'a'"):
                raise ZeroDivisionError
            return machine.deps.exclusive(key)

        revoked = carry_out(machine, pats, exclusive=odd)
        assert [item.left_in_keyring for item in revoked.items] == [
            "unexpected error: ZeroDivisionError",
            "",
        ]
        assert machine.names_held == ["a"]

    @pytest.mark.parametrize("state", ["active", "expired"])
    def test_one_that_is_not_found_but_listed(self, machine: Machine, state: str) -> None:
        pat = machine.made()
        if state == "expired":
            machine.emulator.advance(31 * 86400)
            machine.emulator.access_token = machine.emulator.mint("user")
            machine.start()
            (pat,) = machine.finder.find(machine.contoso, ["ci"])
        machine.emulator.fail(NOT_FOUND)
        revoked = carry_out(machine, [pat])
        assert revoked.items == (
            Revocation(
                pat=pat,
                outcome=Outcome.FAILED,
                error="the service reports that the token does not exist, but still lists it",
            ),
        )
        assert revoked.failed == 1
        assert machine.names_held == ["ci"]
        assert [entry.id for entry in machine.known] == [pat.id]

    def test_one_that_is_not_found_and_cannot_be_looked_for(self, machine: Machine) -> None:
        pat = machine.made()
        other = machine.made("other")
        machine.emulator.fail(f"{NOT_FOUND} times=always", f"GET {PATS} status=403 times=always")
        carried_out = carry_out(machine, [pat, replace(other, status=Status.REVOKED)])
        assert [item.outcome for item in carried_out.items] == [
            Outcome.FAILED,
            Outcome.ALREADY_REVOKED,
        ]
        assert carried_out.items[0].error.startswith(
            "the service reports that the token does not exist, and could not be asked whether"
            " it is gone: "
        )
        assert machine.names_held == ["ci"]


class TestAtTheSameTime:
    """Another `pat` is at work on the name."""

    def test_what_it_stored_under_the_name_stays(self, machine: Machine) -> None:
        old = machine.made()
        made: list[Pat] = []

        def replaces() -> None:
            made.append(create(machine.contoso, machine.request(replace=True), machine.deps).pat)

        (item,) = carry_out(machine, [old], done=replaces).items
        assert (item.outcome, item.pat.id, item.pat.stored) == (Outcome.REVOKED, old.id, False)
        assert [entry.id for entry in machine.known] == [pat.id for pat in made]
        assert machine.alive == ["ci"]
        assert not is_refused(Secret(machine.held() or ""), machine.contoso, machine.deps)

    def test_a_name_that_is_locked_keeps_its_secret(self, machine: Machine) -> None:
        pat = machine.made()
        key = lock_key("ci", machine.contoso.url)
        with machine.deps.exclusive(key):
            (item,) = carry_out(machine, [pat]).items
        assert (item.outcome, item.left_in_keyring) == (
            Outcome.REVOKED,
            f"another pat process is working on 'ci' in {machine.contoso.url}",
        )
        assert machine.names_held == ["ci"]
        # The same again takes it out.
        (item,) = carry_out(machine, [item.pat]).items
        assert (item.pat.stored, item.left_in_keyring, machine.names_held) == (False, "", [])

    def test_create_locks_the_same(self, machine: Machine) -> None:
        with machine.deps.exclusive(lock_key("ci", machine.contoso.url)):
            with pytest.raises(ConflictError):
                machine.made()
            machine.made("other")
        assert machine.alive == ["other"]


class TestInterrupted:
    """Ctrl-C in the middle."""

    def test_those_under_way_end_and_the_rest_is_not_begun(self, machine: Machine) -> None:
        mine = machine.made("own")
        pats = [mine, *many(machine, 40)]
        machine.emulator.fail(f"DELETE {PATS} delay=20ms times=always")
        counted: list[None] = []

        def done() -> None:
            counted.append(None)
            if len(counted) == 5:
                raise KeyboardInterrupt

        revoked = carry_out(machine, pats, done)
        outcomes = [item.outcome for item in revoked.items]
        assert revoked.interrupted
        assert set(outcomes) == {Outcome.REVOKED, Outcome.NOT_REACHED}
        assert outcomes.count(Outcome.REVOKED) == len(machine.asked("DELETE"))
        assert outcomes.count(Outcome.REVOKED) <= 5 + SIDE_BY_SIDE
        assert revoked.failed == outcomes.count(Outcome.NOT_REACHED)
        left = [item.pat.name for item in revoked.items if item.outcome is Outcome.NOT_REACHED]
        assert sorted(machine.alive) == sorted(left)
        assert machine.names_held == []

    @pytest.mark.posix("signals to a process")
    def test_a_real_one(self, emulator: Emulator, tmp_path: Path) -> None:
        emulator.remove_tokens()
        emulator.add_tokens(60, name="bulk {n}")
        emulator.fail(f"DELETE {PATS} delay=150ms times=always")
        run = subprocess.Popen(
            [PROGRAM, "revoke", "--name", "bulk *", "--yes", "-o", "json"],
            env={**os.environ, **emulator.environment},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + 30
        while not any(each["method"] == "DELETE" for each in emulator.requests):
            assert run.poll() is None, run.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        run.send_signal(signal.SIGINT)
        stdout, stderr = run.communicate(timeout=30)
        assert run.returncode == 130, stderr
        assert b"Traceback" not in stderr
        assert len(json.loads(stdout)) == 60
        gone = sum(each["method"] == "DELETE" for each in emulator.requests)
        assert 0 < gone < 60
        assert sum(each["status"] == "revoked" for each in emulator.tokens) == gone


class TestPlan:
    """What would be done, and to which tokens."""

    def test_nothing_is_done(self, machine: Machine) -> None:
        pat = machine.made()
        gone = replace(pat, status=Status.REVOKED)
        assert plan([pat, gone]) == (
            Revocation(pat=pat, outcome=Outcome.PLANNED),
            Revocation(pat=gone, outcome=Outcome.ALREADY_REVOKED),
        )
        assert machine.asked("DELETE") == []

    def test_a_filter_never_takes_another_organizations_or_a_global_one(
        self, machine: Machine
    ) -> None:
        pat = machine.made()
        theirs = replace(pat, org="fabrikam")
        everywhere = replace(pat, org=None, is_global=True)
        assert bulk([theirs, everywhere, pat], machine.contoso) == ([pat], [everywhere])
