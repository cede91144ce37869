"""Making a token: whatever goes wrong, no secret is lost and no token left over."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from azdo_pat.api.trace import Exchange
from azdo_pat.errors import (
    CancelledError,
    ConflictError,
    DoubtfulError,
    NoAnswerError,
    PatError,
    RefusedError,
    SignInError,
)
from azdo_pat.journal import JournalEntry, Operation
from azdo_pat.models import Origin, PatRequest, Secret, StoredPat
from azdo_pat.operations.fingerprint import fingerprint_of
from azdo_pat.operations.recovery import recover
from azdo_pat.results.recovery import RecoveryOutcome
from azdo_pat.services.create import create
from azdo_pat.store.locks import exclusive
from azdo_pat.store.state import State
from drivers import PROGRAM, Emulator
from services.creating import EXPIRES, begun_create, failure, nothing_left, wait_for
from services.machine import PATS, Machine

LOST = [
    "cut=after",
    "status=500 commit=yes",
    "status=502 commit=yes",
    "status=503 commit=yes",
    "broken-json",
    "body='' commit=yes",
    "body='{}' commit=yes",
    "body='[]' commit=yes",
    """body='{"patToken": null, "patTokenError": "none"}' commit=yes""",
    "status=404 body='<p>no</p>' content-type=text/html cut=after",
]


class TestAnswerLost:
    """The request left; whether it was carried out is not known."""

    @pytest.mark.parametrize("fault", LOST)
    def test_what_it_made_is_found_and_revoked(self, machine: Machine, fault: str) -> None:
        other = machine.elsewhere()
        machine.emulator.fail(f"POST {PATS} {fault}")
        error = failure(machine)
        assert type(error) is NoAnswerError
        assert error.message.endswith("; the token was created and has been revoked")
        assert error.hint == "try again"
        assert machine.listed("ci").authorization_id == other
        assert (machine.names_held, machine.known, machine.state.unfinished()) == ([], [], ())
        assert len(machine.emulator.tokens) == 2

    @pytest.mark.parametrize("fault", ["html", "status=203 html", "status=302 location=/_signin"])
    def test_a_page_in_place_of_an_answer(self, machine: Machine, fault: str) -> None:
        machine.emulator.fail(f"POST {PATS} {fault} commit=yes")
        error = failure(machine)
        assert type(error) is SignInError
        assert error.message.endswith("; the token was created and has been revoked")
        assert nothing_left(machine)

    @pytest.mark.parametrize("fault", ["cut=before", "status=500", "html", "body='{}'"])
    def test_it_made_none(self, machine: Machine, fault: str) -> None:
        machine.emulator.fail(f"POST {PATS} {fault}")
        error = failure(machine)
        if type(error) is NoAnswerError:
            assert error.message.endswith("; no token of this request was found")
            assert error.hint == (
                "try again; if the service still creates the token, the next command that signs"
                " in will revoke it"
            )
            # A slow service may still be at work on it: the next create looks again.
            assert len(machine.state.unfinished()) == 1
        else:
            assert type(error) is SignInError
            assert "revoked" not in error.message
            assert machine.state.unfinished() == ()
        assert (machine.alive, machine.names_held, machine.known) == ([], [], [])
        assert machine.asked("DELETE") == []
        machine.now += timedelta(minutes=6)  # no service is that slow
        machine.emulator.advance(360)
        machine.made()
        assert machine.alive == ["ci"]
        assert machine.state.unfinished() == ()

    def test_a_service_that_acts_behind_the_search(self, machine: Machine) -> None:
        machine.timeout = 0.3
        machine.start()
        machine.emulator.fail(f"POST {PATS} delay=700ms cut=after")
        error = failure(machine)
        assert type(error) is NoAnswerError
        assert error.message.endswith("; no token of this request was found")
        wait_for(lambda: machine.alive == ["ci"])
        lost = machine.listed("ci").authorization_id
        machine.timeout = 5.0
        machine.start()
        made = machine.made()
        assert made.id != lost
        assert machine.listed("ci").authorization_id == made.id
        assert machine.state.unfinished() == ()

    def test_look_alikes_of_other_machines_are_never_touched(self, machine: Machine) -> None:
        ends = [EXPIRES - timedelta(milliseconds=50), EXPIRES - timedelta(days=3)]
        others = sorted(machine.elsewhere(expires=end) for end in ends)
        machine.emulator.fail(f"POST {PATS} cut=before")
        error = failure(machine)
        assert type(error) is NoAnswerError
        assert error.message.endswith(
            "an interrupted create of 'ci' in contoso may have created a token, or another"
            f" machine did: {', '.join(others)}; it was not revoked"
        )
        assert error.hint == (
            f"if its secret is not stored anywhere, run: pat revoke {others[0]} --org contoso;"
            f" if it is in use, run: pat doctor --dismiss {others[0]}"
        )
        assert machine.alive == ["ci", "ci"]
        assert machine.asked("DELETE") == []
        assert len(machine.state.unfinished()) == 1

    @pytest.mark.parametrize("apart", [-400, -4, 400, 1800])
    def test_clocks_may_differ(self, machine: Machine, apart: int) -> None:
        """Name, scopes and the millisecond of the expiry identify the token, whatever its date."""
        machine.emulator.advance(apart)
        machine.emulator.fail(f"POST {PATS} cut=after")
        assert failure(machine).message.endswith("; the token was created and has been revoked")
        assert machine.alive == []
        assert machine.state.unfinished() == ()

    def test_one_that_another_machine_made_for_the_same_full_second_is_not_touched(
        self, machine: Machine
    ) -> None:
        """Two machines may ask for the same second, and only the time of the request differs."""
        until = EXPIRES.replace(microsecond=0)
        other = machine.elsewhere(expires=until)
        machine.emulator.advance(600)
        machine.now += timedelta(seconds=600)
        machine.emulator.fail(f"POST {PATS} cut=before")
        assert other in failure(machine, expires=until).message
        assert machine.listed("ci").authorization_id == other
        assert len(machine.state.unfinished()) == 1

    @pytest.mark.parametrize("apart", [-400, 0, 400])
    def test_a_full_second_is_enough_where_the_time_of_the_request_agrees(
        self, machine: Machine, apart: int
    ) -> None:
        """The service's own word on the time tells how far the clocks are apart."""
        machine.emulator.advance(apart)
        machine.emulator.fail(f"POST {PATS} cut=after")
        error = failure(machine, expires=EXPIRES.replace(microsecond=0))
        assert error.message.endswith("; the token was created and has been revoked")
        assert nothing_left(machine)

    def test_tokens_of_other_organizations_are_not_meant(self, machine: Machine) -> None:
        """The list of one organization holds them, too; `apply` asks for the same expiry twice."""
        ask = PatRequest(display_name="ci", scopes=("vso.code",), valid_to=EXPIRES)
        machine.tokens.create(machine.fabrikam, ask)
        machine.emulator.fail(f"POST {PATS} cut=before")
        assert failure(machine).message.endswith("; no token of this request was found")
        assert machine.alive == ["ci"]

    def test_two_with_the_very_same_mark_are_not_touched_either(self, machine: Machine) -> None:
        for _ in range(2):
            machine.elsewhere(expires=EXPIRES)
        machine.emulator.fail(f"POST {PATS} cut=before")
        assert "another machine did" in failure(machine).message
        assert machine.alive == ["ci", "ci"]

    @pytest.mark.parametrize(
        "other",
        [
            {"name": "CI"},
            {"scope": "vso.work"},
            {"expires": EXPIRES + timedelta(seconds=1)},
        ],
    )
    def test_others_are_not_even_mentioned(
        self, machine: Machine, other: dict[str, object]
    ) -> None:
        machine.elsewhere(**other)  # type: ignore[arg-type]  # as the fields are
        machine.emulator.fail(f"POST {PATS} cut=before")
        assert failure(machine).message.endswith("; no token of this request was found")
        assert len(machine.alive) == 1

    def test_what_is_stored_here_is_not_what_the_request_made(self, machine: Machine) -> None:
        old = machine.made()
        machine.emulator.fail(f"POST {PATS} cut=before")
        error = failure(machine, replace=True)
        assert error.message.endswith("; no token of this request was found")
        assert machine.listed("ci").authorization_id == old.id
        assert machine.held() is not None

    def test_where_the_search_fails_too_the_next_create_settles_it(self, machine: Machine) -> None:
        machine.emulator.fail(f"POST {PATS} cut=after", f"GET {PATS} status=403")
        error = failure(machine)
        assert type(error) is NoAnswerError
        assert "it is unknown whether 'ci' was created" in error.message
        assert error.hint == (
            "the next command that signs in (for example pat list) will look again and revoke it"
        )
        assert machine.alive == ["ci"]
        lost = machine.listed("ci").authorization_id
        machine.now += timedelta(hours=3)
        machine.made()
        assert machine.alive == ["ci"]
        assert machine.listed("ci").authorization_id != lost
        assert machine.state.unfinished() == ()


def active(machine: Machine) -> list[dict[str, Any]]:
    return [each for each in machine.emulator.tokens if each["status"] == "active"]


class TestLeftovers:
    """What a killed create left in the journal."""

    def test_killed_before_the_request(self, machine: Machine) -> None:
        machine.state.begin(begun_create(machine))
        machine.now += timedelta(minutes=6)
        machine.made()
        assert machine.alive == ["ci"]
        assert machine.state.unfinished() == ()

    def test_a_request_that_may_still_arrive_is_waited_for(self, machine: Machine) -> None:
        machine.state.begin(begun_create(machine))
        machine.made()
        assert len(machine.state.unfinished()) == 1
        late = machine.elsewhere(expires=EXPIRES)
        create(machine.contoso, machine.request(replace=True), machine.deps)
        assert late not in [each["authorizationId"] for each in active(machine)]
        assert machine.state.unfinished() == ()

    def test_a_secret_that_the_killed_one_did_not_store_stays(self, machine: Machine) -> None:
        lost = machine.elsewhere()
        key = machine.state.begin(begun_create(machine))
        machine.state.note(key, lost, fingerprint_of(Secret("of the killed one")))
        machine.secrets.put(machine.contoso.url, "ci", Secret("of another"))
        assert type(failure(machine)) is ConflictError
        assert machine.held() == "of another"
        assert lost not in [each["authorizationId"] for each in active(machine)]

    def test_killed_when_another_secret_was_replaced_goes_on(self, machine: Machine) -> None:
        machine.made()
        new = machine.tokens.create(
            machine.contoso,
            PatRequest(display_name="ci", scopes=("vso.code",), valid_to=EXPIRES),
        )
        key = machine.state.begin(begun_create(machine, overwrites=True))
        machine.state.note(key, new.pat.authorization_id, fingerprint_of(new.secret))
        machine.secrets.put(machine.contoso.url, "ci", new.secret)
        assert type(failure(machine)) is ConflictError
        assert machine.held() == new.secret.reveal()
        assert [entry.id for entry in machine.known] == [new.pat.authorization_id]
        assert machine.alive == ["ci", "ci"]
        assert machine.state.unfinished() == ()

    @pytest.mark.parametrize(("minutes", "left"), [(1, 1), (6, 0)])
    def test_a_list_that_is_late_is_waited_for(
        self, machine: Machine, minutes: int, left: int
    ) -> None:
        machine.made()
        key = machine.state.begin(begun_create(machine, overwrites=True))
        machine.state.note(
            key, "0b4e28ba-2fa1-11d2-883f-0016d3cca427", fingerprint_of(Secret("new"))
        )
        machine.secrets.put(machine.contoso.url, "ci", Secret("new"))
        machine.now += timedelta(minutes=minutes)
        list(recover(machine.deps))
        assert len(machine.state.unfinished()) == left
        assert machine.held() == ("new" if left else None)

    def test_killed_before_the_answer(self, machine: Machine) -> None:
        machine.state.begin(begun_create(machine))
        lost = machine.elsewhere(expires=EXPIRES)
        machine.now += timedelta(days=2)
        made = machine.made()
        assert [made.id] != [lost]
        assert machine.listed("ci").authorization_id == made.id
        assert machine.state.unfinished() == ()

    @pytest.mark.parametrize("stored", [False, True])
    def test_killed_before_the_secret_was_indexed(self, machine: Machine, *, stored: bool) -> None:
        lost = machine.elsewhere()
        key = machine.state.begin(begun_create(machine))
        machine.state.note(key, lost)
        if stored:
            secret = Secret("of the killed one")
            machine.state.note(key, lost, fingerprint_of(secret))
            machine.secrets.put(machine.contoso.url, "ci", secret)
        made = machine.made()
        assert machine.listed("ci").authorization_id == made.id
        assert machine.held() != "of the killed one"
        assert [entry.id for entry in machine.known] == [made.id]

    def test_the_token_is_gone_already(self, machine: Machine) -> None:
        key = machine.state.begin(begun_create(machine))
        machine.state.note(key, "0b4e28ba-2fa1-11d2-883f-0016d3cca427")
        machine.made()
        assert machine.alive == ["ci"]
        assert machine.state.unfinished() == ()

    @pytest.mark.parametrize("apart", [-400, 0, 400])
    @pytest.mark.parametrize("way", ["revoked", "dismissed", "imported"])
    def test_a_doubtful_one_is_told_until_it_is_decided(
        self, machine: Machine, way: str, apart: int
    ) -> None:
        """A policy had shortened it, and the run was killed before the answer came."""
        machine.emulator.advance(apart)
        machine.state.begin(begun_create(machine))
        other = machine.elsewhere(expires=EXPIRES - timedelta(days=1))
        machine.now += timedelta(minutes=30)
        machine.emulator.advance(1800)
        for _ in range(2):
            (told,) = recover(machine.deps)
            assert isinstance(told.failure, DoubtfulError)
            assert f"another machine did: {other}; it was not revoked" in str(told.failure)
        assert machine.asked("DELETE") == []
        machine.made()  # it is in nobody's way
        assert machine.alive == ["ci", "ci"]
        if way == "revoked":
            machine.tokens.revoke(machine.contoso, other)
        elif way == "dismissed":
            machine.state.dismiss(other.upper())
        else:
            entry = replace(machine.known[0], name="imported", id=other, origin=Origin.UNKNOWN)
            machine.state.remember(entry)
        (told,) = recover(machine.deps)
        assert (told.outcome, told.failure) == (RecoveryOutcome.NOTHING_DONE, None)
        assert machine.state.unfinished() == ()
        assert machine.alive == (["ci"] if way == "revoked" else ["ci", "ci"])

    def test_what_was_looked_for_waits_by_the_services_clock(self, machine: Machine) -> None:
        """This machine's clock is set forward by an hour meanwhile; the service is as slow."""
        machine.emulator.fail(f"POST {PATS} cut=before")
        failure(machine)
        machine.now += timedelta(hours=1)
        (told,) = recover(machine.deps)
        assert told.outcome is RecoveryOutcome.UNDECIDED
        late = machine.elsewhere(expires=EXPIRES)
        (told,) = recover(machine.deps)
        assert told.outcome is RecoveryOutcome.ROLLED_BACK
        assert late not in [each["authorizationId"] for each in active(machine)]
        assert machine.state.unfinished() == ()

    def test_where_it_cannot_be_settled_nothing_is_made(self, machine: Machine) -> None:
        machine.state.begin(begun_create(machine))
        machine.emulator.fail(f"GET {PATS} status=403")
        assert type(failure(machine)) is RefusedError
        assert machine.asked("POST") == []
        assert len(machine.state.unfinished()) == 1

    def test_those_of_other_names_and_organizations_wait(self, machine: Machine) -> None:
        machine.state.begin(begun_create(machine, "other"))
        elsewhere = JournalEntry(machine.fabrikam, "ci", machine.now)
        machine.state.begin(begun_create(machine)._replace(entry=elsewhere))
        machine.made()
        assert machine.asked() == ["POST /contoso/_apis/tokens/pats"]
        assert len(machine.state.unfinished()) == 2

    def test_no_keyring_is_needed_where_none_is_used(self, machine: Machine) -> None:
        lost = machine.elsewhere()
        key = machine.state.begin(begun_create(machine))
        machine.state.note(key, lost)
        machine.keyring.refuses = lambda *_: True
        created = create(machine.contoso, machine.request(store=False), machine.deps)
        assert machine.listed("ci").authorization_id == created.pat.id


class TestAtOnce:
    """Two at work on one name."""

    def test_of_two_threads_one_makes_it(self, machine: Machine) -> None:
        machine.emulator.fail(f"POST {PATS} delay=300ms times=always")
        outcomes: list[object] = []
        ready = threading.Barrier(2)

        def run() -> None:
            ready.wait()
            try:
                outcomes.append(create(machine.contoso, machine.request(), machine.deps).pat.name)
            except PatError as error:
                outcomes.append((type(error), error.message, error.hint))

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        busy = (
            ConflictError,
            f"another pat process is working on 'ci' in {machine.contoso.url}",
            "try again when it has finished",
        )
        assert sorted(outcomes, key=str) == sorted([busy, "ci"], key=str)
        assert machine.alive == ["ci"]
        assert machine.asked("POST") == ["POST /contoso/_apis/tokens/pats"]

    def test_another_process_at_work(self, machine: Machine, tmp_path: Path) -> None:
        script = textwrap.dedent(
            """
            import sys
            from pathlib import Path
            from azdo_pat.store.locks import exclusive
            with exclusive(Path(sys.argv[1]), sys.argv[2]):
                print("held", flush=True)
                sys.stdin.read()
            """
        )
        key = f"'ci' in {machine.contoso.url}"
        held = subprocess.Popen(
            [sys.executable, "-c", script, machine.folder / "locks", key],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=tmp_path,
        )
        assert held.stdout is not None
        assert held.stdout.readline().strip() == b"held"
        assert type(failure(machine)) is ConflictError
        assert machine.asked() == []
        held.kill()
        held.communicate()
        machine.made()
        assert machine.alive == ["ci"]

    def test_other_names_do_not_wait(self, machine: Machine) -> None:
        with exclusive(machine.folder / "locks", f"'other' in {machine.contoso.url}"):
            machine.made()
        assert machine.alive == ["ci"]


def interrupting(method: str) -> Callable[[Exchange], None]:
    """Return a trace that presses Ctrl-C as soon as the first answer to a method has come."""
    pressed: list[str] = []

    def trace(exchange: Exchange) -> None:
        if exchange.method == method and not pressed:
            pressed.append(method)
            raise KeyboardInterrupt

    return trace


class TestInterrupted:
    """Ctrl-C."""

    @pytest.mark.parametrize("fault", ["delay=0ms", "cut=before", "cut=after", "status=500"])
    def test_during_the_request(self, machine: Machine, fault: str) -> None:
        machine.emulator.fail(f"POST {PATS} {fault}")
        machine.answered = interrupting("POST")
        with pytest.raises(CancelledError):
            create(machine.contoso, machine.request(), machine.deps)
        assert (machine.alive, machine.names_held, machine.known) == ([], [], [])
        machine.now += timedelta(minutes=6)  # no service is that slow
        machine.emulator.advance(360)
        machine.made()
        assert machine.alive == ["ci"]
        assert machine.state.unfinished() == ()

    @pytest.mark.posix("signals to a process")
    def test_a_real_one_while_the_service_is_slow(
        self, emulator: Emulator, tmp_path: Path, home: Path
    ) -> None:
        emulator.remove_tokens()
        emulator.fail(f"POST {PATS} delay=2s")
        command = [str(PROGRAM), "create", "ci", "--scope", "code", "--no-store", "--as", "token"]
        environment = {**os.environ, **emulator.environment}
        run = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        wait_for(lambda: any(each["method"] == "POST" for each in emulator.requests))
        run.send_signal(signal.SIGINT)
        stdout, stderr = run.communicate(timeout=20)
        assert (run.returncode, stdout) == (130, b"")
        assert b"Traceback" not in stderr
        # The service makes it when nobody listens any more; the next create takes it back.
        wait_for(lambda: [each["status"] for each in emulator.tokens] == ["active"])
        assert [each.entry.name for each in State(home / "pat/state/state.db").unfinished()] == [
            "ci"
        ]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert [each["status"] for each in emulator.tokens] == ["revoked", "active"]

    def test_during_the_request_with_no_way_to_search(self, machine: Machine) -> None:
        machine.emulator.fail(f"GET {PATS} status=403")
        machine.answered = interrupting("POST")
        with pytest.raises(CancelledError):
            create(machine.contoso, machine.request(), machine.deps)
        assert len(machine.state.unfinished()) == 1
        machine.made()
        assert machine.alive == ["ci"]
        assert machine.state.unfinished() == ()

    @pytest.mark.parametrize("replaces", [False, True])
    def test_while_the_secret_is_stored(self, machine: Machine, *, replaces: bool) -> None:
        if replaces:
            machine.made()
        before = machine.held(), machine.known, machine.alive

        class Interrupted(type(machine.state)):  # type: ignore[misc]  # the class of the real one
            def finish(
                self, key: int, pat: StoredPat | None = None, then: Operation | None = None
            ) -> int | None:
                if pat is not None:
                    raise KeyboardInterrupt
                super().finish(key, then=then)
                return None

        deps = replace(machine.deps, state=Interrupted(machine.folder / "state.db"))
        with pytest.raises(CancelledError):
            create(machine.contoso, machine.request(replace=replaces), deps)
        assert (machine.held(), machine.known, machine.alive) == before
        assert machine.state.unfinished() == ()
