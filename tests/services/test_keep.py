"""Secrets of this machine: got, taken in, dropped."""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.errors import (
    ConflictError,
    NotFoundError,
    PatError,
    SignInError,
    StoreError,
    UsageError,
)
from azdo_pat.models import Organization, Origin, Pat, Secret, Status, StoredPat
from azdo_pat.results import Held
from azdo_pat.services.create import create
from azdo_pat.services.keep import forget, get, held, read_secret, take_in
from azdo_pat.services.name_lock import lock_key
from azdo_pat.services.server import no_lifecycle
from azdo_pat.store.state import State
from services.machine import LOCKED, NOW, Machine

EXPIRES = NOW + timedelta(days=30)
NONE_HERE = (
    "pat list --stored shows those that are; pat create makes and stores one, pat import"
    " stores one made elsewhere"
)


def no_state() -> NoReturn:
    raise AssertionError("the name alone finds it: the state file is not to be opened")


def got(machine: Machine, organization: Organization | None, text: str) -> tuple[str, str, str]:
    where, name, secret = get(
        organization, text, secrets=machine.secrets, state=lambda: machine.state
    )
    return where.url, name, secret.reveal()


def failure(machine: Machine, organization: Organization | None, text: str) -> PatError:
    with pytest.raises(PatError) as caught:
        got(machine, organization, text)
    return caught.value


class TestGet:
    """From the keyring, without the network."""

    def test_by_name(self, machine: Machine) -> None:
        machine.made()
        found = get(machine.contoso, "ci", secrets=machine.secrets, state=no_state)
        assert found == (machine.contoso, "ci", Secret(machine.held() or ""))

    def test_by_id_and_its_beginning(self, machine: Machine) -> None:
        pat = machine.made()
        asked = machine.asked()
        identifier = pat.id or ""
        for text in (identifier, identifier.upper(), identifier[:8]):
            expected = (machine.contoso.url, "ci", machine.held())
            assert got(machine, machine.contoso, text) == expected
            assert got(machine, None, text) == expected
        assert machine.asked() == asked

    def test_with_no_organization_at_hand(self, machine: Machine) -> None:
        machine.made("one")
        machine.made("two", machine.fabrikam)
        assert got(machine, None, "two") == (
            machine.fabrikam.url,
            "two",
            machine.held("two", machine.fabrikam),
        )

    @pytest.mark.parametrize(
        ("url", "hosted"),
        [
            ("https://dev.azure.com/contoso", True),
            ("https://tfs.example/contoso", False),
            ("http://127.0.0.1:1/contoso", False),
        ],
    )
    def test_whether_microsoft_hosts_it(self, machine: Machine, url: str, *, hosted: bool) -> None:
        entry = StoredPat(
            org_url=url,
            org="contoso",
            name="theirs",
            id=None,
            scopes=(),
            created=None,
            expires=None,
        )
        machine.state.remember(entry)
        machine.secrets.put(url, "theirs", Secret("x"))
        found = Organization(name="contoso", url=url, hosted=hosted)
        for root in (machine.emulator.url, None):
            assert get(
                None,
                "theirs",
                secrets=machine.secrets,
                state=lambda: machine.state,
                api_root=root,
            ) == (found, "theirs", Secret("x"))

    def test_one_below_the_api_root_is_hosted(self, machine: Machine) -> None:
        machine.made()
        root = machine.emulator.url
        found, _, _ = get(
            None, "ci", secrets=machine.secrets, state=lambda: machine.state, api_root=root
        )
        assert found == machine.contoso

    def test_a_name_in_two_organizations(self, machine: Machine) -> None:
        here, there = machine.made(), machine.made(organization=machine.fabrikam)
        assert got(machine, machine.fabrikam, "ci")[0] == machine.fabrikam.url
        error = failure(machine, None, "ci")
        assert type(error) is ConflictError
        assert error.message == "2 stored tokens answer to 'ci'"
        assert error.hint.splitlines() == [
            "say which by its id, or by --org:",
            f"{here.id}  contoso",
            f"{there.id}  fabrikam",
        ]

    def test_what_another_program_stored_is_found_too(self, machine: Machine) -> None:
        machine.secrets.put(machine.contoso.url, "theirs", Secret("of another program"))
        assert got(machine, machine.contoso, "theirs")[2] == "of another program"

    @pytest.mark.parametrize("text", ["nothing", "CI", "c", "", "1b4e28ba"])
    def test_none_here(self, machine: Machine, text: str) -> None:
        machine.made()
        error = failure(machine, machine.contoso, text)
        assert type(error) is NotFoundError
        assert error.message == f"no secret is stored under {text!r} for contoso"
        assert error.hint == NONE_HERE
        assert failure(machine, None, text).message == f"no secret is stored under {text!r}"

    def test_of_another_organization(self, machine: Machine) -> None:
        machine.made(organization=machine.fabrikam)
        assert failure(machine, machine.contoso, "ci").message == (
            "no secret is stored under 'ci' for contoso"
        )

    def test_gone_from_the_keyring(self, machine: Machine) -> None:
        pat = machine.made()
        machine.keyring.held.clear()
        error = failure(machine, machine.contoso, "ci")
        assert type(error) is NotFoundError
        assert error.message == "the secret of 'ci' for contoso is not in the keyring any more"
        assert error.hint == (
            "the service never shows a secret twice: make a new token, and revoke the old one"
            f" (pat revoke {pat.id})"
        )

    def test_a_keyring_that_refuses(self, machine: Machine) -> None:
        machine.made()
        machine.keyring.refuse("get")
        error = failure(machine, machine.contoso, "ci")
        assert (type(error), error.message) == (StoreError, LOCKED)


class TestHeld:
    """What is known of the token beside its secret."""

    def test_a_token_made_here(self, machine: Machine) -> None:
        pat = machine.made()
        secret = Secret("x")
        expected = Pat(
            name="ci",
            id=pat.id,
            org="contoso",
            status=Status.UNKNOWN,  # only the service knows whether it was revoked
            scopes=("vso.code",),
            created=pat.created,
            expires=pat.expires,
            stored=True,
            origin=Origin.PAT,
        )
        found = held(machine.contoso, "ci", secret, state=machine.state, now=NOW)
        assert found == Held(pat=expected, secret=secret, org_url=machine.contoso.url)

    @pytest.mark.parametrize(
        ("after", "status"),
        [(timedelta(), Status.EXPIRED), (-timedelta(seconds=1), Status.UNKNOWN)],
    )
    def test_an_expired_one_says_so(
        self, machine: Machine, after: timedelta, status: Status
    ) -> None:
        pat = machine.made()
        assert pat.expires is not None
        now = pat.expires + after
        found = held(machine.contoso, "ci", Secret("x"), state=machine.state, now=now)
        assert found.pat.status is status

    def test_one_that_nothing_is_known_of(self, machine: Machine) -> None:
        found = held(machine.contoso, "theirs", Secret("x"), state=machine.state, now=NOW)
        assert found.pat == Pat(
            name="theirs",
            id=None,
            org="contoso",
            status=Status.UNKNOWN,
            scopes=(),
            created=None,
            expires=None,
            stored=True,
        )


def taken(machine: Machine, secret: str, *, replace: bool = False) -> Pat:
    return take_in(
        machine.contoso,
        "imported",
        Secret(secret),
        expires=EXPIRES,
        replace=replace,
        directory=machine.directory,
        secrets=machine.secrets,
        state=machine.state,
        exclusive=machine.shop.exclusive,
        now=NOW,
    )


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
        # Where there are public projects the server answers 200, to the anonymous user.
        machine.emulator.set_policies(*policies)
        error = refused(machine, "x" * 84)
        assert type(error) is SignInError
        assert error.message == f"the secret does not work at {machine.contoso.url}"
        assert error.hint.startswith("it may be mistyped, expired, revoked,")
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
        assert error.hint == ("--replace overwrites it; pat forget imported takes it away")
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
            machine.shop.exclusive(lock_key("imported", machine.contoso.url)),
            pytest.raises(ConflictError) as caught,
        ):
            taken(machine, good, replace=replace)
        assert caught.value.message == (
            f"another pat is working on 'imported' in {machine.contoso.url} right now"
        )
        assert (machine.names_held, machine.known) == ([], [])

    def test_an_expired_one_says_so(self, machine: Machine, good: str) -> None:
        pat = take_in(
            machine.contoso,
            "imported",
            Secret(good),
            expires=NOW,
            replace=False,
            directory=machine.directory,
            secrets=machine.secrets,
            state=machine.state,
            exclusive=machine.shop.exclusive,
            now=NOW,
        )
        assert pat.status is Status.EXPIRED


class TestReadSecret:
    """What is typed or piped in."""

    @pytest.mark.parametrize("text", ["abc", " abc\n", "\tabc\r\n"])
    def test_one_word(self, text: str) -> None:
        assert read_secret(text) == Secret("abc")

    @pytest.mark.parametrize("text", ["", " ", "\n"])
    def test_nothing(self, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            read_secret(text)
        assert caught.value.message == "no secret was given"
        assert caught.value.hint == "pipe it in, or type it at the prompt"

    @pytest.mark.parametrize("text", ["a b", "a\nb", "a\x1b", "é", "a\u200b"])
    def test_more_than_a_token(self, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            read_secret(text)
        assert caught.value.message == (
            "what was given is not a token: it holds spaces or other characters than a token has"
        )
        assert caught.value.hint == "give the token alone, without quotes"

    @given(st.text())
    def test_any_text_is_a_secret_or_a_usage_error_that_does_not_repeat_it(self, text: str) -> None:
        try:
            secret = read_secret(text)
        except UsageError as error:
            said = error.message.partition(":")[0]
            assert said in {"no secret was given", "what was given is not a token"}
        else:
            assert secret.reveal() == text.strip()


class TestForget:
    """Out of the keyring; the token lives on."""

    def dropped(
        self, machine: Machine, organization: Organization | None, text: str
    ) -> tuple[str, str]:
        where, name = forget(
            organization,
            text,
            secrets=machine.secrets,
            state=machine.state,
            exclusive=machine.shop.exclusive,
        )
        return where.url, name

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
            machine.shop.exclusive(lock_key("ci", machine.contoso.url)),
            pytest.raises(ConflictError) as caught,
        ):
            self.dropped(machine, machine.contoso, text)
        assert caught.value.message == (
            f"another pat is working on 'ci' in {machine.contoso.url} right now"
        )
        assert (machine.names_held, [each.id for each in machine.known]) == (["ci"], [pat.id])

    def test_an_id_whose_name_is_anothers_meanwhile(self, machine: Machine) -> None:
        old = machine.made()
        new: list[Pat] = []

        def lock(key: str) -> AbstractContextManager[None]:
            if key == lock_key("ci", machine.contoso.url):
                request = machine.request(replace=True)
                new.append(create(machine.contoso, request, machine.shop).pat)
            return machine.shop.exclusive(key)

        with pytest.raises(ConflictError) as caught:
            forget(
                machine.contoso,
                old.id or "",
                secrets=machine.secrets,
                state=machine.state,
                exclusive=lock,
            )
        assert caught.value.message == (
            "another pat has changed what is stored under 'ci' for contoso"
        )
        assert caught.value.hint == "pat list --stored shows what is there now"
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


def test_a_server_has_no_lifecycle() -> None:
    url = "https://tfs.example/tfs/Collection"
    error = no_lifecycle(Organization(name="collection", url=url, hosted=False))
    assert error.message == f"{url} is Azure DevOps Server, which has no API to manage tokens"
    assert error.hint == (
        f"make the token at {url}/_usersSettings/tokens, then store it: pat import NAME --org {url}"
    )
    assert error.exit_code == 5
