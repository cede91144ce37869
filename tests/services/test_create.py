"""Making a token: what is made, and what is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest

from azdo_pat.command_lines import quoted
from azdo_pat.errors import (
    CancelledError,
    ConflictError,
    DamagedError,
    PatError,
    RefusedError,
    SignInError,
    StoreError,
    UnavailableError,
    UsageError,
)
from azdo_pat.journal import Create, Operation
from azdo_pat.models import Origin, Pat, Secret, Status, StoredPat
from azdo_pat.results.tokens import Created
from azdo_pat.services.create import create, refuse_global
from azdo_pat.store.state import State
from services.creating import CREATED, EXPIRES, GRANTED, failure, nothing_left
from services.machine import CONTOSO_ID, LOCKED, NOW, PATS, Machine


class TestMade:
    """When all goes well."""

    def test_everything_that_comes_back_and_stays(self, machine: Machine) -> None:
        created = create(machine.contoso, machine.request(), machine.deps)
        (token,) = machine.emulator.tokens
        assert created == Created(
            pat=Pat(
                name="ci",
                id=token["authorizationId"],
                org="contoso",
                status=Status.ACTIVE,
                scopes=("vso.code",),
                created=CREATED,
                expires=GRANTED,
                stored=True,
                origin=Origin.PAT,
            ),
            secret=created.secret,
        )
        assert token["targetAccounts"] == [CONTOSO_ID]
        assert machine.held() == created.secret.reveal()
        assert machine.known == [
            StoredPat(
                org_url=machine.contoso.url,
                org="contoso",
                name="ci",
                id=token["authorizationId"],
                scopes=("vso.code",),
                created=CREATED,
                expires=GRANTED,
            )
        ]
        assert machine.state.unfinished() == ()
        assert machine.state.made() == {token["authorizationId"]}
        assert machine.names_held == ["ci"]
        # One request; what it revealed of the organization is remembered for the next listing.
        assert machine.asked() == ["POST /contoso/_apis/tokens/pats"]
        assert machine.state.organizations(machine.emulator.url) == (
            machine.organization("contoso", CONTOSO_ID),
        )
        shown = machine.folder.joinpath("state.db").read_bytes() + repr(created).encode()
        assert created.secret.reveal().encode() not in shown

    def test_without_the_keyring(self, machine: Machine) -> None:
        machine.keyring.refuses = lambda *_: True
        created = create(machine.contoso, machine.request(store=False), machine.deps)
        assert not created.pat.stored
        assert machine.alive == ["ci"]
        assert (machine.names_held, machine.known, machine.state.unfinished()) == ([], [], ())
        assert machine.state.made() == {created.pat.id}
        assert machine.directory.check_secret(machine.contoso, created.secret).name == (
            "Ada Lovelace"
        )

    def test_names_of_any_kind(self, machine: Machine) -> None:
        for name in ("Prüfstand 試験 ✓", "'; DROP TABLE tokens; --", "👩\u200d💻", "-rf"):
            machine.made(name)
            assert machine.held(name) is not None
        assert [entry.name for entry in machine.known] == sorted(machine.names_held)

    def test_the_same_name_in_two_organizations(self, machine: Machine) -> None:
        first, second = machine.made(), machine.made(organization=machine.fabrikam)
        assert (first.org, second.org) == ("contoso", "fabrikam")
        assert machine.held() != machine.held(organization=machine.fabrikam)

    def test_a_token_for_all_organizations_is_refused_unasked(self) -> None:
        error = refuse_global(NOW)
        assert error.message == (
            "pat does not create tokens for all organizations: every such token stops"
            " working on 2026-12-01"
        )
        assert (
            error.hint
            == "to create one for each organization, run: pat create NAME --scope S --org ORG"
        )


class TestNameTaken:
    """A secret that is stored is not overwritten unasked."""

    def test_it_is_refused_before_anything_is_made(self, machine: Machine) -> None:
        machine.made("my ci")
        before = machine.held("my ci")
        error = failure(machine, name="my ci")
        assert type(error) is ConflictError
        assert error.message == "a secret is already stored under 'my ci' for contoso"
        assert error.hint == (
            f"to print it, run: pat get {quoted('my ci')}; to overwrite it, add --replace; to keep"
            " it, choose another name"
        )
        assert machine.asked("POST") == ["POST /contoso/_apis/tokens/pats"]
        assert machine.held("my ci") == before

    def test_replace_overwrites_it_and_lets_its_token_live(self, machine: Machine) -> None:
        old = machine.made()
        before = machine.held()
        created = create(machine.contoso, machine.request(replace=True), machine.deps)
        assert created.replaced == old.id
        assert created.pat.id != old.id
        assert machine.held() == created.secret.reveal() != before
        assert machine.alive == ["ci", "ci"]
        assert [entry.id for entry in machine.known] == [created.pat.id]

    def test_replace_of_a_secret_that_only_the_keyring_knows(self, machine: Machine) -> None:
        machine.secrets.put(machine.contoso.url, "ci", Secret("made elsewhere"))
        created = create(machine.contoso, machine.request(replace=True), machine.deps)
        assert created.replaced is None
        assert machine.held() == created.secret.reveal()

    def test_replace_with_nothing_there(self, machine: Machine) -> None:
        created = create(machine.contoso, machine.request(replace=True), machine.deps)
        assert created.replaced is None

    def test_without_the_keyring_the_name_may_be_taken(self, machine: Machine) -> None:
        machine.made()
        before = machine.held(), machine.known
        create(machine.contoso, machine.request(store=False), machine.deps)
        assert (machine.held(), machine.known) == before
        assert machine.alive == ["ci", "ci"]


class TestKeyring:
    """A keyring that refuses."""

    @pytest.mark.parametrize("operations", [{"get", "set", "delete"}, {"set"}, {"delete"}])
    def test_before_the_request_nothing_is_asked_of_the_service(
        self, machine: Machine, operations: set[str]
    ) -> None:
        machine.keyring.refuses = lambda operation, *_: operation in operations
        error = failure(machine)
        assert type(error) is StoreError
        assert error.message == LOCKED
        assert machine.asked() == []
        assert machine.state.unfinished() == ()

    def test_after_the_request_the_token_is_revoked(self, machine: Machine) -> None:
        machine.keyring.refuse("set")
        error = failure(machine)
        assert type(error) is StoreError
        assert error.message == f"{LOCKED}; the new token was revoked"
        assert error.hint.startswith("unlock it")
        assert nothing_left(machine)

    def test_under_replace_the_old_secret_is_back(self, machine: Machine) -> None:
        old = machine.made()
        before = machine.held(), machine.known
        machine.keyring.refuse("set")
        error = failure(machine, replace=True)
        assert error.message == f"{LOCKED}; the new token was revoked"
        assert (machine.held(), machine.known) == before
        assert machine.listed("ci").authorization_id == old.id

    def test_where_the_state_file_fails_the_old_secret_is_put_back(self, machine: Machine) -> None:
        old = machine.made()
        before = machine.held(), machine.known
        broken = Unfinishing(machine.folder / "state.db")
        with pytest.raises(StoreError) as caught:
            create(
                machine.contoso, machine.request(replace=True), replace(machine.deps, state=broken)
            )
        assert caught.value.message == "the disk is full; the new token was revoked"
        assert (machine.held(), machine.known) == before
        assert machine.listed("ci").authorization_id == old.id

    def test_where_it_cannot_be_revoked_it_is_named_and_settled_later(
        self, machine: Machine
    ) -> None:
        machine.keyring.refuse("set")
        machine.emulator.fail(f"DELETE {PATS} status=403")
        error = failure(machine)
        (token,) = machine.emulator.tokens
        identifier = token["authorizationId"]
        assert type(error) is StoreError
        assert error.message == f"{LOCKED}; the new token {identifier} could not be revoked"
        assert error.hint == f"to revoke it, run: pat revoke {identifier} --org contoso"
        (operation,) = machine.state.unfinished()
        assert isinstance(operation, Create)
        assert operation.new.authorization_id == identifier
        machine.keyring.refuses = lambda *_: False
        machine.made()
        assert machine.alive == ["ci"]
        assert machine.listed("ci").authorization_id != identifier
        assert machine.state.unfinished() == ()


class Unfinishing(State):
    """A state file on a disk that is full by the time that an operation ends."""

    def finish(
        self, key: int | None, pat: StoredPat | None = None, then: Operation | None = None
    ) -> int | None:
        if pat is not None:
            raise StoreError("the disk is full")
        return super().finish(key, then=then)


class Unnoting(State):
    """A state file on a disk that is full once the token is made."""

    def note(self, key: int, authorization_id: str, mark: str = "") -> None:
        _ = key, authorization_id, mark
        raise StoreError("the disk is full")


class TestStateFile:
    """A state file that refuses."""

    def test_a_damaged_one_is_found_before_anything_is_made(self, machine: Machine) -> None:
        machine.folder.mkdir()
        machine.folder.joinpath("state.db").write_bytes(b"no database at all" * 100)
        error = failure(machine)
        assert type(error) is DamagedError
        assert machine.asked() == []

    def test_one_that_fails_after_the_request(self, machine: Machine) -> None:
        deps = replace(machine.deps, state=Unnoting(machine.folder / "state.db"))
        with pytest.raises(StoreError) as caught:
            create(machine.contoso, machine.request(), deps)
        assert caught.value.message == "the disk is full; the new token was revoked"
        assert nothing_left(machine)


class TestHandedOver:
    """A secret that is stored nowhere is the user's, or the token is not left alive."""

    def test_it_gets_what_was_made(self, machine: Machine) -> None:
        got: list[Created] = []
        made = create(machine.contoso, machine.request(store=False), machine.deps, got.append)
        assert got == [made]
        assert (machine.alive, machine.names_held, machine.state.unfinished()) == (["ci"], [], ())

    @pytest.mark.parametrize(
        ("problem", "raised"),
        [
            (UsageError("no such function"), UsageError),
            (KeyboardInterrupt(), CancelledError),
            (SystemExit(3), SystemExit),
            (ZeroDivisionError(), ZeroDivisionError),
        ],
    )
    def test_it_fails(
        self, machine: Machine, problem: BaseException, raised: type[BaseException]
    ) -> None:
        def fail(_: Created) -> None:
            raise problem

        with pytest.raises(raised):
            create(machine.contoso, machine.request(store=False), machine.deps, fail)
        assert nothing_left(machine)


class TestRefused:
    """The service says no."""

    @pytest.mark.parametrize(
        ("policy", "changes", "kind", "code"),
        [
            (
                "full-scope-forbidden",
                {"scopes": ("app_token",)},
                RefusedError,
                "fullScopePatPolicyViolation",
            ),
            ("creation-disabled", {}, RefusedError, "disablePatCreationPolicyViolation"),
            ("creation-packaging-only", {}, RefusedError, "disablePatCreationPolicyViolation"),
            ("maximum-lifespan=7 mode=refuse", {}, RefusedError, "patLifespanPolicyViolation"),
        ],
    )
    def test_by_policy(
        self,
        machine: Machine,
        policy: str,
        changes: dict[str, object],
        kind: type[PatError],
        code: str,
    ) -> None:
        machine.emulator.set_policies(policy)
        error = failure(machine, **changes)
        assert type(error) is kind
        assert getattr(error, "code", None) == code
        assert error.hint
        assert nothing_left(machine)
        assert machine.asked() == ["POST /contoso/_apis/tokens/pats"]

    def test_packaging_scopes_pass_where_only_they_may(self, machine: Machine) -> None:
        machine.emulator.set_policies("creation-packaging-only")
        create(machine.contoso, machine.request(scopes=("vso.packaging",)), machine.deps)
        assert machine.alive == ["ci"]

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            ("pat-error=invalidScope", UsageError),
            ("pat-error=brandNewTrouble", RefusedError),
            ("status=401", SignInError),
            ("status=403", RefusedError),
            ("status=429 times=9", UnavailableError),
        ],
    )
    def test_with_an_error(self, machine: Machine, fault: str, kind: type[PatError]) -> None:
        machine.emulator.fail(f"POST {PATS} {fault}")
        assert isinstance(failure(machine), kind)
        assert nothing_left(machine)

    def test_an_organization_that_is_not_there(self, machine: Machine) -> None:
        with pytest.raises(PatError) as caught:
            create(machine.organization("northwind"), machine.request(), machine.deps)
        assert caught.value.exit_code in {3, 4, 5}
        assert nothing_left(machine)

    def test_a_sign_in_that_is_over_costs_no_second_run(self, machine: Machine) -> None:
        machine.emulator.access_token = machine.emulator.mint("expired")
        assert type(failure(machine)) is SignInError
        assert machine.state.unfinished() == ()


class TestShortened:
    """A policy that grants less than was asked for."""

    def test_it_is_told(self, machine: Machine) -> None:
        machine.emulator.set_policies("maximum-lifespan=7")
        created = create(machine.contoso, machine.request(), machine.deps)
        assert created.shortened_from == EXPIRES
        assert created.pat.expires == NOW.replace(microsecond=123_333) + timedelta(days=7)
        assert machine.known[0].expires == created.pat.expires

    def test_it_is_a_failure_where_the_user_says_so(self, machine: Machine) -> None:
        machine.emulator.set_policies("maximum-lifespan=7")
        error = failure(machine, fail_if_shortened=True)
        assert isinstance(error, RefusedError)
        assert error.message == (
            "contoso shortened the lifetime of 'ci': it would expire 2026-06-22 12:00, not"
            " 2026-07-15 12:00 as requested; the new token was revoked"
        )
        assert error.hint == (
            "a policy limits the lifetime of tokens: use a shorter --expires, or leave out"
            " --fail-if-shortened"
        )
        assert error.code == "patLifespanPolicyViolation"
        assert nothing_left(machine)

    def test_under_replace_the_old_secret_stays(self, machine: Machine) -> None:
        machine.made()
        before = machine.held(), machine.known
        machine.emulator.set_policies("maximum-lifespan=7")
        failure(machine, fail_if_shortened=True, replace=True)
        assert (machine.held(), machine.known) == before

    def test_what_is_granted_in_full_is_no_failure(self, machine: Machine) -> None:
        machine.emulator.set_policies("maximum-lifespan=30")
        request = machine.request(fail_if_shortened=True)
        assert not create(machine.contoso, request, machine.deps).shortened_from
