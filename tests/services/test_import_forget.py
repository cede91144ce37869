"""Storing secrets made elsewhere, deleting stored ones, and what is left when that is cut short."""

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from azdo_pat.delivery_targets import KeyVaultTarget
from azdo_pat.errors import (
    ConflictError,
    NotFoundError,
    PatError,
    RefusedError,
    SignInError,
    StoreError,
)
from azdo_pat.journal import Deliver, Replaced
from azdo_pat.models import HeldSecret, Organization, Origin, Pat, Secret, Status, StoredPat
from azdo_pat.operations.fingerprint import fingerprint_of
from azdo_pat.operations.local_secrets import recover_local
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.operations.takeover import take_over
from azdo_pat.renewal import Renewal
from azdo_pat.results.recovery import Recovered, RecoveryOutcome
from azdo_pat.services.create import create
from azdo_pat.services.import_forget import forget
from azdo_pat.services.revoke import revoke
from azdo_pat.store.state import State
from services.machine import NOW, Machine, shown

EXPIRES = NOW + timedelta(days=30)


def taken(machine: Machine, secret: str, **changes: Any) -> Pat:  # noqa: ANN401  # fields
    return machine.import_secret("imported", secret, **{"expires": EXPIRES, **changes})


def refused(machine: Machine, secret: str) -> PatError:
    with pytest.raises(PatError) as caught:
        taken(machine, secret)
    assert secret not in f"{caught.value.message} {caught.value.hint}"
    return caught.value


class TestTakeIn:
    """A secret made elsewhere, tried at the server before it is stored."""

    @pytest.fixture
    def good(self, machine: Machine) -> str:
        """A secret that the service accepts."""
        machine.made("source")
        secret = machine.held("source")
        assert secret is not None
        machine.keyring.held.clear()
        machine.state.forget(machine.contoso.url, "source")
        return secret

    def test_a_good_one(self, machine: Machine, good: str) -> None:
        assert taken(machine, good) == Pat(
            name="imported",
            id=None,
            org="contoso",
            status=Status.UNKNOWN,
            scopes=(),
            created=None,
            expires=EXPIRES,
            stored=True,
        )
        assert machine.held("imported") == good
        assert machine.known == [
            StoredPat(
                org_url=machine.contoso.url,
                org="contoso",
                name="imported",
                id=None,
                scopes=(),
                created=None,
                expires=EXPIRES,
                origin=Origin.UNKNOWN,
            )
        ]
        last = machine.emulator.requests[-1]
        assert (last["path"], last["authorization"]) == ("/contoso/_apis/connectionData", "Basic")

    @pytest.mark.parametrize("policies", [(), ("public-projects",)])
    def test_a_bad_one(self, machine: Machine, policies: tuple[str, ...]) -> None:
        # Where valid keys: public projects the server answers 200, to the anonymous user.
        machine.emulator.set_policies(*policies)
        error = refused(machine, "x" * 84)
        assert type(error) is SignInError
        assert error.message == f"{machine.contoso.url} does not accept the secret"
        assert error.hint.startswith("the secret may be mistyped, expired, revoked,")
        assert (machine.names_held, machine.known) == ([], [])

    def test_one_of_another_organization(self, machine: Machine) -> None:
        machine.made("source", machine.fabrikam)
        secret = machine.held("source", machine.fabrikam)
        assert secret is not None
        assert type(refused(machine, secret)) is SignInError

    def test_a_name_that_is_taken(self, machine: Machine, good: str) -> None:
        taken(machine, good)
        asked = machine.asked()
        error = refused(machine, good)
        assert type(error) is ConflictError
        assert error.message == "a secret is already stored under 'imported' for contoso"
        assert (
            error.hint == "to overwrite it, add --replace; to delete it, run: pat forget imported"
        )
        assert machine.asked() == asked

    def test_replace(self, machine: Machine, good: str) -> None:
        machine.secrets.put(machine.contoso.url, "imported", Secret("former"))
        taken(machine, good, replace=True)
        assert machine.held("imported") == good

    def test_a_bad_one_replaces_nothing(self, machine: Machine) -> None:
        machine.secrets.put(machine.contoso.url, "imported", Secret("former"))
        with pytest.raises(SignInError):
            taken(machine, "x" * 84, replace=True)
        assert machine.held("imported") == "former"

    def test_a_keyring_that_refuses_is_found_before_the_secret_travels(
        self, machine: Machine, good: str
    ) -> None:
        machine.keyring.refuses = lambda operation, *_: operation == "set"
        asked = machine.asked()
        assert type(refused(machine, good)) is StoreError
        assert machine.asked() == asked

    @pytest.mark.parametrize("replace", [True, False])
    def test_a_name_that_another_pat_works_on(
        self, machine: Machine, good: str, *, replace: bool
    ) -> None:
        with (
            machine.deps.exclusive(lock_key("imported", machine.contoso.url)),
            pytest.raises(ConflictError) as caught,
        ):
            taken(machine, good, replace=replace)
        assert caught.value.message == (
            f"another pat process is working on 'imported' in {machine.contoso.url}"
        )
        assert (machine.names_held, machine.known) == ([], [])

    def test_an_expired_one_says_so(self, machine: Machine, good: str) -> None:
        pat = taken(machine, good, expires=NOW)
        assert pat.status is Status.EXPIRED


class TestForget:
    """Out of the keyring; the token lives on."""

    def dropped(
        self, machine: Machine, organization: Organization | None, text: str
    ) -> tuple[str, str]:
        where, known = forget(text, replace(machine.deps, locate=lambda: (organization, "")))
        return where.url, known.name

    @pytest.mark.parametrize("way", ["name", "id", "beginning"])
    @pytest.mark.parametrize("at_hand", [True, False])
    def test_each_way_to_name_it(self, machine: Machine, way: str, *, at_hand: bool) -> None:
        pat = machine.made()
        machine.made("other")
        machine.made("ci elsewhere", machine.fabrikam)
        identifier = pat.id or ""
        text = {"name": "ci", "id": identifier, "beginning": identifier[:8]}[way]
        where = machine.contoso if at_hand else None
        assert self.dropped(machine, where, text) == (machine.contoso.url, "ci")
        assert machine.names_held == ["ci elsewhere", "other"]
        assert [entry.name for entry in machine.known] == ["other", "ci elsewhere"]
        assert sorted(machine.alive) == ["ci", "ci elsewhere", "other"]
        assert machine.asked("DELETE") == []

    @pytest.mark.parametrize("way", ["name", "id"])
    def test_a_name_that_another_pat_works_on(self, machine: Machine, way: str) -> None:
        pat = machine.made()
        text = "ci" if way == "name" else pat.id or ""
        with (
            machine.deps.exclusive(lock_key("ci", machine.contoso.url)),
            pytest.raises(ConflictError) as caught,
        ):
            self.dropped(machine, machine.contoso, text)
        assert caught.value.message == (
            f"another pat process is working on 'ci' in {machine.contoso.url}"
        )
        assert (machine.names_held, [each.id for each in machine.known]) == (["ci"], [pat.id])

    def test_an_id_whose_name_is_anothers_meanwhile(self, machine: Machine) -> None:
        old = machine.made()
        new: list[Pat] = []

        def lock(key: str) -> AbstractContextManager[None]:
            if key == lock_key("ci", machine.contoso.url):
                request = machine.request(replace=True)
                new.append(create(machine.contoso, request, machine.deps).pat)
            return machine.deps.exclusive(key)

        with pytest.raises(ConflictError) as caught:
            forget(old.id or "", replace(machine.deps, lock=lock))
        assert caught.value.message == (
            "another process has changed the secret stored under 'ci' for contoso"
        )
        assert caught.value.hint == "to see what is stored now, run: pat list --stored"
        assert machine.names_held == ["ci"]
        assert [each.id for each in machine.known] == [pat.id for pat in new]

    def test_one_that_only_the_keyring_knows(self, machine: Machine) -> None:
        machine.secrets.put(machine.contoso.url, "theirs", Secret("x"))
        assert self.dropped(machine, machine.contoso, "theirs")[1] == "theirs"
        assert machine.names_held == []

    def test_one_that_only_the_state_file_knows(self, machine: Machine) -> None:
        machine.made()
        machine.keyring.held.clear()
        assert self.dropped(machine, machine.contoso, "ci")[1] == "ci"
        assert machine.known == []

    def test_none_here(self, machine: Machine) -> None:
        with pytest.raises(NotFoundError) as caught:
            self.dropped(machine, machine.contoso, "ci")
        assert caught.value.message == "no secret is stored under 'ci' for contoso"

    def test_several_answer(self, machine: Machine) -> None:
        machine.made()
        machine.made(organization=machine.fabrikam)
        with pytest.raises(ConflictError):
            self.dropped(machine, None, "ci")
        assert machine.names_held == ["ci", "ci"]

    def test_a_keyring_that_refuses(self, machine: Machine) -> None:
        machine.made()
        machine.keyring.refuse("delete")
        with pytest.raises(StoreError):
            self.dropped(machine, machine.contoso, "ci")
        assert machine.names_held == ["ci"]
        assert [entry.name for entry in machine.known] == ["ci"]

    def test_a_state_file_that_refuses_is_found_before_the_secret_goes(
        self, machine: Machine
    ) -> None:
        machine.made()
        machine.folder.joinpath("state.db").write_bytes(b"no database at all" * 100)
        machine.state = State(machine.folder / "state.db")
        with pytest.raises(StoreError):
            self.dropped(machine, machine.contoso, "ci")
        assert machine.names_held == ["ci"]


class Killed(BaseException):
    """The process ends here; nothing of it runs on."""


def dies(machine: Machine, operation: str, *, after: bool) -> None:
    """Let the process end before or after an operation of the keyring on a token's secret."""
    method = {"set": "set_password", "delete": "delete_password"}[operation]
    usual = getattr(machine.keyring, method)

    def last(service: str, *args: str) -> None:
        if service == "azdo-pat:check":
            usual(service, *args)
            return
        if after:
            usual(service, *args)
        machine.keyring.refuses = lambda *_: True  # what a dead process would not do either
        raise Killed

    setattr(machine.keyring, method, last)


def revived(machine: Machine) -> list[Recovered]:
    """Begin a new run, on a machine without a sign-in."""
    for method in ("set_password", "delete_password"):
        vars(machine.keyring).pop(method, None)
    machine.keyring.refuses = lambda *_: False
    machine.start()
    return list(recover_local(machine.deps))


class TestCutShort:
    """Killed, full disks, keyrings that break down: nothing is lost, nothing is left over."""

    @pytest.fixture
    def secrets(self, machine: Machine) -> tuple[str, str]:
        """The secret of the token `ci`, stored and indexed, and one that is not stored."""
        machine.made("source")
        other = machine.held("source") or ""
        machine.keyring.held.clear()
        machine.state.forget(machine.contoso.url, "source")
        machine.made()
        return machine.held() or "", other

    @pytest.mark.parametrize("after", [False, True])
    def test_an_import_that_is_killed(
        self, machine: Machine, secrets: tuple[str, str], *, after: bool
    ) -> None:
        mine, other = secrets
        before = machine.known
        dies(machine, "set", after=after)
        with pytest.raises(BaseException):  # noqa: B017, PT011  # keyring's border may wrap it
            machine.import_secret("ci", other, replace=True)
        (told,) = revived(machine)
        assert told.outcome is (RecoveryOutcome.COMPLETED if after else RecoveryOutcome.ROLLED_BACK)
        assert machine.held() == (other if after else mine)
        expected = (
            [
                replace(
                    before[0], id=None, scopes=(), created=None, expires=None, origin=Origin.UNKNOWN
                )
            ]
            if after
            else before
        )
        assert machine.known == expected
        assert machine.state.unfinished() == ()

    @pytest.mark.parametrize("after", [False, True])
    def test_a_takeover_that_is_killed(
        self, machine: Machine, secrets: tuple[str, str], *, after: bool
    ) -> None:
        """The secret of another machine's token is stored in place of this one's."""
        mine, _ = secrets
        machine.state.remember(replace(machine.known[0], created=None))
        (known,) = machine.known
        theirs = machine.emulator.add_with_secret("ci")
        (made,) = (
            each["authorizationId"]
            for each in machine.emulator.tokens
            if each["displayName"] == "ci" and each["authorizationId"] != known.id
        )
        vault = KeyVaultTarget("contoso-ci", "Build-PAT")
        machine.held_by = lambda _: HeldSecret(Secret(theirs), made, fingerprint_of(Secret(theirs)))
        renewal = Renewal(deliveries=(vault,), grace=timedelta(hours=2))
        dies(machine, "set", after=after)
        with pytest.raises(BaseException):  # noqa: B017, PT011  # keyring's border may wrap it
            take_over(machine.contoso, "ci", renewal, machine.deps)
        (told,) = revived(machine)
        assert told.outcome is (RecoveryOutcome.COMPLETED if after else RecoveryOutcome.ROLLED_BACK)
        assert machine.held() == (theirs if after else mine)
        assert [each.id for each in machine.known] == [made if after else known.id]
        left = machine.state.unfinished()
        assert [type(each) for each in left] == [Deliver] * after
        assert [each.replaced for each in left if isinstance(each, Deliver)] == [
            Replaced(known.id or "", machine.now + timedelta(hours=2))
        ] * after

    @pytest.mark.parametrize("with_secret", [False, True])
    def test_a_full_disk(
        self,
        machine: Machine,
        secrets: tuple[str, str],
        monkeypatch: pytest.MonkeyPatch,
        *,
        with_secret: bool,
    ) -> None:
        """The state file cannot be written once the keyring has the new secret."""
        mine, other = secrets
        name = "ci" if with_secret else "fresh"
        before = machine.known

        def full(*_: object) -> None:
            raise StoreError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(machine.state, "finish", full)
            with pytest.raises(StoreError) as caught:
                machine.import_secret(name, other, replace=True)
        assert caught.value.message == "the disk is full"
        assert machine.held("ci") == mine
        assert machine.names_held == ["ci"]
        assert machine.known == before
        (told,) = revived(machine)
        assert told.outcome is RecoveryOutcome.ROLLED_BACK
        assert (machine.names_held, machine.known) == (["ci"], before)
        assert machine.state.unfinished() == ()

    def test_a_keyring_that_breaks_down_behind_the_import(
        self, machine: Machine, secrets: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, other = secrets

        def full(*_: object) -> None:
            machine.keyring.refuses = lambda *_: True
            raise StoreError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(machine.state, "finish", full)
            with pytest.raises(StoreError) as caught:
                machine.import_secret("ci", other, replace=True)
        assert caught.value.message == (
            "the disk is full; it is unknown whether the secret was stored"
        )
        (told,) = revived(machine)
        assert told.outcome is RecoveryOutcome.COMPLETED
        assert machine.held() == other
        assert [(each.name, each.id) for each in machine.known] == [("ci", None)]

    def test_a_revoke_after_a_killed_import_leaves_the_new_secret(
        self, machine: Machine, secrets: tuple[str, str]
    ) -> None:
        _, other = secrets
        dies(machine, "set", after=True)
        with pytest.raises(BaseException):  # noqa: B017, PT011  # as above
            machine.import_secret("ci", other, replace=True)
        for method in ("set_password", "delete_password"):
            vars(machine.keyring).pop(method, None)
        machine.keyring.refuses = lambda *_: False
        machine.start()
        (pat,) = machine.finder.find(machine.contoso, ["ci"])
        revoke(machine.contoso, [pat], machine.deps, shown(lambda: None))
        assert machine.held() == other

    @pytest.mark.parametrize("after", [False, True])
    def test_a_forget_that_is_killed(
        self, machine: Machine, secrets: tuple[str, str], *, after: bool
    ) -> None:
        dies(machine, "delete", after=after)
        with pytest.raises(BaseException):  # noqa: B017, PT011  # as above
            forget("ci", machine.deps)
        (told,) = revived(machine)
        assert told.outcome is RecoveryOutcome.COMPLETED
        assert (machine.names_held, machine.known) == ([], [])
        assert machine.state.unfinished() == ()
        assert secrets[0]

    def test_a_forget_whose_end_cannot_be_noted(
        self, machine: Machine, secrets: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise StoreError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(machine.state, "forget", full)
            with pytest.raises(StoreError):
                forget("ci", machine.deps)
        assert machine.names_held == []
        assert [each.name for each in machine.known] == ["ci"]
        (told,) = revived(machine)
        assert told.outcome is RecoveryOutcome.COMPLETED
        assert machine.known == []
        assert secrets[0]

    def test_a_forget_that_was_said_to_fail_deletes_nothing_later(
        self, machine: Machine, secrets: tuple[str, str]
    ) -> None:
        """Nobody knew whether the secret was still there, and who asked was told so."""
        deleting: list[str] = []

        def from_then_on(operation: str, service: str, _: str) -> bool:
            if operation == "delete" and service != "azdo-pat:check":
                deleting.append(service)
            return bool(deleting)

        machine.keyring.refuses = from_then_on
        with pytest.raises(StoreError):
            forget("ci", machine.deps)
        machine.keyring.refuses = lambda *_: False
        (told,) = revived(machine)
        assert told.outcome is RecoveryOutcome.ROLLED_BACK
        assert (machine.held(), machine.state.unfinished()) == (secrets[0], ())
        assert [each.name for each in machine.known] == ["ci"]

    def test_a_killed_forget_leaves_what_was_stored_since(
        self, machine: Machine, secrets: tuple[str, str]
    ) -> None:
        _, other = secrets
        dies(machine, "delete", after=True)
        with pytest.raises(BaseException):  # noqa: B017, PT011  # as above
            forget("ci", machine.deps)
        vars(machine.keyring).pop("delete_password")
        machine.keyring.refuses = lambda *_: False
        machine.secrets.put(machine.contoso.url, "ci", Secret(other))
        (told,) = revived(machine)
        assert told.outcome is RecoveryOutcome.ROLLED_BACK
        assert machine.held() == other


class TestWhose:
    """The user says which token a secret belongs to."""

    def test_the_services_word_is_remembered(self, machine: Machine) -> None:
        made = machine.made("source")
        secret = machine.held("source") or ""
        forget("source", machine.deps)
        (pat,) = machine.finder.find(machine.contoso, [made.id or ""])
        stored = machine.import_secret("imported", secret, pat=pat)
        assert (stored.id, stored.scopes, stored.expires) == (made.id, made.scopes, made.expires)
        assert [(each.name, each.id) for each in machine.known] == [("imported", made.id)]

    def test_of_a_secret_that_is_stored_already(self, machine: Machine) -> None:
        made = machine.made()
        secret = machine.held() or ""
        machine.state.forget(machine.contoso.url, "ci")
        (pat,) = machine.finder.find(machine.contoso, [made.id or ""])
        machine.import_secret("ci", secret, pat=pat)
        assert [(each.name, each.id) for each in machine.known] == [("ci", made.id)]

    def test_one_that_is_stored_under_another_name(self, machine: Machine) -> None:
        made = machine.made()
        (pat,) = machine.finder.find(machine.contoso, [made.id or ""])
        with pytest.raises(ConflictError) as caught:
            machine.import_secret("other", machine.held() or "", pat=pat)
        assert caught.value.message == (
            f"the secret of the token {made.id} is already stored under 'ci'"
        )

    @pytest.mark.parametrize("status", [Status.EXPIRED, Status.REVOKED, Status.UNKNOWN])
    def test_one_that_is_not_active(self, machine: Machine, status: Status) -> None:
        made = replace(machine.made(), status=status)
        with pytest.raises(RefusedError) as caught:
            machine.import_secret("ci", machine.held() or "", pat=made, replace=True)
        assert f"in contoso is {status.value}" in caught.value.message
