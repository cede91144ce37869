"""Changing a token; its secret goes along, and nothing in between loses it."""

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest

from azdo_pat.api.trace import Exchange
from azdo_pat.command_lines import quoted
from azdo_pat.errors import (
    ConflictError,
    PatError,
    PendingError,
    RefusedError,
    StoreError,
    UsageError,
)
from azdo_pat.models import Origin, Pat, PatChanges, Secret, Status, StoredPat
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.results.tokens import Updated
from azdo_pat.services.create import create
from azdo_pat.services.update import update
from azdo_pat.store.state import State
from services.machine import LOCKED, NOW, PATS, Machine

RENAME = PatChanges(display_name="new name")


def change(machine: Machine, pat: Pat, changes: PatChanges, state: State | None = None) -> Updated:
    deps = machine.deps
    return update(machine.contoso, pat, changes, replace(deps, state=state or deps.state))


def failure(
    machine: Machine, pat: Pat, changes: PatChanges, state: State | None = None
) -> PatError:
    with pytest.raises(PatError) as caught:
        change(machine, pat, changes, state)
    return caught.value


class TestChanged:
    """What comes back and what stays."""

    def test_scopes_and_end(self, machine: Machine) -> None:
        pat = machine.made()
        secret = machine.held()
        later = NOW + timedelta(days=90)
        changes = PatChanges(scopes=("vso.work", "vso.build"), valid_to=later)
        updated = change(machine, pat, changes)
        expected = replace(
            pat, scopes=("vso.work", "vso.build"), expires=later.replace(microsecond=123_333)
        )
        assert updated == Updated(pat=expected)
        assert machine.held() == secret
        (entry,) = machine.known
        assert (entry.name, entry.scopes, entry.expires) == (
            "ci",
            expected.scopes,
            expected.expires,
        )
        assert machine.emulator.requests[-1]["body"] == {
            "authorizationId": pat.id,
            "scope": "vso.work vso.build",
            "validTo": "2026-09-13T12:00:00.123Z",
        }

    def test_a_rename_moves_the_secret(self, machine: Machine) -> None:
        pat = machine.made()
        secret = machine.held()
        assert change(machine, pat, RENAME) == Updated(pat=replace(pat, name="new name"))
        assert (machine.names_held, machine.held("new name")) == (["new name"], secret)
        assert [(entry.name, entry.id) for entry in machine.known] == [("new name", pat.id)]
        assert machine.alive == ["new name"]

    def test_a_rename_to_its_own_name_moves_nothing(self, machine: Machine) -> None:
        pat = machine.made()
        secret = machine.held()
        change(machine, pat, PatChanges(display_name="ci"))
        assert (machine.names_held, machine.held()) == (["ci"], secret)

    def test_a_token_of_another_machine_needs_no_keyring(self, machine: Machine) -> None:
        machine.keyring.refuses = lambda *_: True
        machine.elsewhere("theirs")
        (pat,) = machine.finder.find(machine.contoso, ["theirs"])
        updated = change(machine, pat, RENAME)
        assert (updated.pat.name, updated.pat.stored) == ("new name", False)
        assert machine.known == []

    def test_a_shortened_end_is_told(self, machine: Machine) -> None:
        pat = machine.made()
        machine.emulator.set_policies("maximum-lifespan=40")
        asked = NOW + timedelta(days=90)
        updated = change(machine, pat, PatChanges(valid_to=asked))
        assert updated.shortened_from == asked
        # Counted from the token's own beginning (spec: Pats_Update).
        assert pat.created is not None
        assert updated.pat.expires == pat.created + timedelta(days=40)
        assert machine.known[0].expires == updated.pat.expires

    def test_where_the_secret_is_lost_only_the_name_moves(self, machine: Machine) -> None:
        pat = machine.made()
        machine.keyring.held.clear()
        change(machine, pat, RENAME)
        assert machine.names_held == []
        assert [entry.name for entry in machine.known] == ["new name"]


class TestImported:
    """A secret of which only the token's name is known."""

    @pytest.fixture
    def entry(self, machine: Machine) -> StoredPat:
        """What is remembered of the secret that is stored under `imported`."""
        machine.secrets.put(machine.contoso.url, "imported", Secret("its secret"))
        entry = StoredPat(
            org_url=machine.contoso.url,
            org="contoso",
            name="imported",
            id=None,
            scopes=(),
            created=None,
            expires=None,
            origin=Origin.UNKNOWN,
        )
        machine.state.remember(entry)
        return entry

    def test_the_only_token_of_its_name_may_be_another_too(
        self, machine: Machine, entry: StoredPat
    ) -> None:
        theirs = machine.elsewhere("imported")
        pat = machine.finder.find(machine.contoso, [theirs])[0]
        updated = change(machine, pat, RENAME)
        assert (updated.pat.stored, updated.left_behind) == (False, True)
        assert (machine.names_held, machine.held("imported")) == (["imported"], "its secret")
        assert machine.known == [entry]

    def test_one_whose_id_the_user_has_said_goes_along(
        self, machine: Machine, entry: StoredPat
    ) -> None:
        theirs = machine.elsewhere("imported")
        machine.state.remember(replace(entry, id=theirs))
        pat = machine.finder.find(machine.contoso, [theirs])[0]
        updated = change(machine, pat, RENAME)
        assert (updated.pat.stored, updated.left_behind) == (True, False)
        assert (machine.names_held, machine.held("new name")) == (["new name"], "its secret")

    @pytest.mark.parametrize("state", ["active", "expired"])
    @pytest.mark.parametrize("changes", [RENAME, PatChanges(scopes=("vso.work",))])
    def test_it_may_be_another_tokens(
        self, machine: Machine, entry: StoredPat, state: str, changes: PatChanges
    ) -> None:
        theirs = machine.elsewhere("imported")
        machine.emulator.add_tokens(name="imported", state=state)
        pat = machine.finder.find(machine.contoso, [theirs])[0]
        updated = change(machine, pat, changes)
        renamed = changes is RENAME
        assert (updated.left_behind, updated.pat.stored) == (renamed, not renamed)
        assert (machine.names_held, machine.held("imported")) == (["imported"], "its secret")
        assert machine.known == [entry]


class TestAtTheSameTime:
    """Another `pat` is at work on one of the names."""

    @pytest.mark.parametrize("name", ["ci", "new name"])
    def test_nothing_is_changed(self, machine: Machine, name: str) -> None:
        pat = machine.made()
        with machine.deps.exclusive(lock_key(name, machine.contoso.url)):
            error = failure(machine, pat, RENAME)
        assert (type(error), error.message) == (
            ConflictError,
            f"another pat process is working on {name!r} in {machine.contoso.url}",
        )
        assert (machine.alive, machine.asked("PUT")) == (["ci"], [])
        change(machine, pat, RENAME)  # the other lock was let go
        assert machine.names_held == ["new name"]

    def test_the_new_name_is_not_needed_where_the_name_stays(self, machine: Machine) -> None:
        pat = machine.made()
        key = lock_key("ci", machine.contoso.url)
        with machine.deps.exclusive(key):
            error = failure(machine, pat, PatChanges(scopes=("vso.work",)))
        assert type(error) is ConflictError
        assert machine.asked("PUT") == []

    def test_both_names_are_locked_while_the_service_is_asked(self, machine: Machine) -> None:
        pat = machine.made()
        refused: list[str] = []

        def meanwhile(exchange: Exchange) -> None:
            if exchange.method == "PUT":
                for name in ("ci", "new name"):
                    with pytest.raises(ConflictError):
                        create(machine.contoso, machine.request(name, replace=True), machine.deps)
                    refused.append(name)

        machine.answered = meanwhile
        change(machine, pat, RENAME)
        assert refused == ["ci", "new name"]
        assert [(entry.name, entry.id) for entry in machine.known] == [("new name", pat.id)]

    def test_what_is_stored_was_changed_before_the_lock_was_had(self, machine: Machine) -> None:
        pat = machine.made()
        machine.made("other")
        new: list[Pat] = []
        deps = machine.deps

        def lock(key: str) -> AbstractContextManager[None]:
            if key == lock_key("ci", machine.contoso.url):
                request = machine.request(replace=True)
                new.append(create(machine.contoso, request, machine.deps).pat)
            return deps.exclusive(key)

        with pytest.raises(ConflictError) as caught:
            update(machine.contoso, pat, RENAME, replace(deps, lock=lock))
        assert caught.value.message == (
            "another process has changed the secret stored under 'ci' for contoso"
        )
        assert machine.asked("PUT") == []
        assert machine.state.find(machine.contoso.url, "ci") is not None
        assert [entry.id for entry in machine.known if entry.name == "ci"] == [new[0].id]


class TestRefused:
    """Before anything is changed."""

    def test_nothing_to_change(self, machine: Machine) -> None:
        error = failure(machine, machine.made(), PatChanges())
        assert type(error) is UsageError
        assert error.message == "no change given"
        assert error.hint == "add --name, --scope or --expires"

    def test_a_revoked_token(self, machine: Machine) -> None:
        pat = replace(machine.made(), status=Status.REVOKED)
        error = failure(machine, pat, RENAME)
        assert type(error) is RefusedError
        assert error.message == "'ci' is revoked and cannot be changed"
        assert error.hint == "to create a new token, run: pat create"
        assert machine.asked("PUT") == []

    def test_revoked_meanwhile(self, machine: Machine) -> None:
        pat = machine.made()
        machine.tokens.revoke(machine.contoso, pat.id or "")
        error = failure(machine, pat, RENAME)
        assert isinstance(error, RefusedError)
        assert machine.names_held == ["ci"]

    def test_an_expired_token(self, machine: Machine) -> None:
        pat = machine.made()
        machine.emulator.advance(31 * 86400)
        machine.emulator.access_token = machine.emulator.mint("user")
        machine.start()
        error = failure(machine, pat, PatChanges(valid_to=NOW + timedelta(days=60)))
        assert isinstance(error, RefusedError)
        assert error.code == "expiredPatCannotBeExtended"

    def test_the_name_of_another_secret(self, machine: Machine) -> None:
        pat, other = machine.made(), machine.made("new name")
        before = dict(machine.keyring.held), machine.known
        error = failure(machine, pat, RENAME)
        assert type(error) is ConflictError
        assert error.message == "a secret is already stored under 'new name' for contoso"
        assert (
            error.hint
            == f"use another name; or, to delete that secret, run: pat forget {quoted('new name')}"
        )
        assert (dict(machine.keyring.held), machine.known) == before
        assert machine.alive == ["ci", "new name"]
        assert machine.asked("PUT") == []
        assert other.name == "new name"

    def test_the_name_of_another_token_whose_secret_is_lost(self, machine: Machine) -> None:
        pat, other = machine.made(), machine.made("new name")
        machine.secrets.delete(machine.contoso.url, "new name")
        error = failure(machine, pat, RENAME)
        assert (type(error), error.message) == (
            ConflictError,
            "this machine knows another token by the name 'new name' for contoso",
        )
        assert (
            error.hint
            == f"use another name; or, to delete that secret, run: pat forget {quoted('new name')}"
        )
        assert (machine.names_held, machine.asked("PUT")) == (["ci"], [])
        assert [entry.id for entry in machine.known] == [pat.id, other.id]

    @pytest.mark.parametrize("operations", [{"get", "set", "delete"}, {"set"}, {"delete"}])
    def test_a_keyring_that_refuses(self, machine: Machine, operations: set[str]) -> None:
        pat = machine.made()
        machine.keyring.refuses = lambda operation, *_: operation in operations
        assert type(failure(machine, pat, RENAME)) is StoreError
        assert machine.alive == ["ci"]
        assert machine.asked("PUT") == []

    @pytest.mark.parametrize("fault", ["status=403", "cut=before times=9", "broken-json times=9"])
    def test_by_the_service(self, machine: Machine, fault: str) -> None:
        pat = machine.made()
        before = dict(machine.keyring.held)
        machine.emulator.fail(f"PUT {PATS} {fault}")
        failure(machine, pat, RENAME)
        assert dict(machine.keyring.held) == before
        assert [entry.name for entry in machine.known] == ["ci"]


class Unwilling(State):
    """A state file that refuses one kind of change."""

    refused = ""

    def remember(self, pat: StoredPat) -> None:
        if self.refused == "remember":
            raise StoreError("the disk is full", hint="make room")
        super().remember(pat)

    def rename(self, org_url: str, old: str, new: str) -> None:
        if self.refused == "rename":
            raise StoreError("the disk is full", hint="make room")
        super().rename(org_url, old, new)


class TestPending:
    """Changed on the service, and then something here fails: the secret is still to be had."""

    def test_the_new_name_cannot_be_stored(self, machine: Machine) -> None:
        pat = machine.made()
        secret = machine.held()
        machine.keyring.refuse("set", "new name")
        error = failure(machine, pat, RENAME)
        assert type(error) is PendingError
        assert error.message == (
            "the token is now named 'new name', but its secret is still stored under 'ci': "
            + LOCKED
        )
        assert error.hint.startswith("unlock it")
        assert (machine.names_held, machine.held()) == (["ci"], secret)
        assert [(entry.name, entry.id) for entry in machine.known] == [("ci", pat.id)]

    def test_another_program_stores_a_secret_there_meanwhile(self, machine: Machine) -> None:
        pat = machine.made()
        secret = machine.held()

        def meanwhile(exchange: Exchange) -> None:
            if exchange.method == "PUT":
                machine.secrets.put(machine.contoso.url, "new name", Secret("of another program"))

        machine.answered = meanwhile
        error = failure(machine, pat, RENAME)
        assert type(error) is PendingError
        assert error.message == (
            "the token is now named 'new name', but its secret is still stored under 'ci': another"
            " program has stored a secret under 'new name' in the meantime"
        )
        assert error.hint == "to print it, run: pat get ci"
        assert (machine.held(), machine.held("new name")) == (secret, "of another program")
        assert [(entry.name, entry.id) for entry in machine.known] == [("ci", pat.id)]

    def test_the_old_name_cannot_be_taken_away(self, machine: Machine) -> None:
        pat = machine.made()
        secret = machine.held()
        machine.keyring.refuse("delete", "ci")
        error = failure(machine, pat, RENAME)
        assert type(error) is PendingError
        assert error.message == (
            "the token is now named 'new name' and its secret is stored under that name,"
            " but could not be"
            f" deleted under 'ci': {LOCKED}"
        )
        assert (machine.held(), machine.held("new name")) == (secret, secret)
        assert [(entry.name, entry.id) for entry in machine.known] == [("new name", pat.id)]

    @pytest.mark.parametrize("refused", ["remember", "rename"])
    def test_the_state_file_fails(self, machine: Machine, refused: str) -> None:
        pat = machine.made()
        secret = machine.held()
        state = Unwilling(machine.folder / "state.db")
        state.refused = refused
        error = failure(machine, pat, RENAME, state)
        assert type(error) is PendingError
        assert error.message.endswith(": the disk is full")
        assert error.hint == "make room"
        assert (machine.names_held, machine.held()) == (["ci"], secret)
        assert [(entry.name, entry.id) for entry in machine.known] == [("ci", pat.id)]
        # The same command again, once there is room, ends what was begun.
        (renamed,) = machine.finder.find(machine.contoso, ["new name"])
        change(machine, renamed, RENAME)
        assert (machine.names_held, machine.held("new name")) == (["new name"], secret)
        assert [(entry.name, entry.id) for entry in machine.known] == [("new name", pat.id)]
