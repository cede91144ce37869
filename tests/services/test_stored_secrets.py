"""Secrets of this machine: got, taken in, dropped."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.errors import (
    ConflictError,
    NotFoundError,
    PatError,
    StoreError,
    UsageError,
)
from azdo_pat.models import Organization, Origin, Pat, Secret, Status, StoredPat
from azdo_pat.results.tokens import StoredSecret
from azdo_pat.services.stored_secrets import get, held, read_secret
from azdo_pat.services.unsupported_server import no_lifecycle
from services.machine import LOCKED, NOW, Machine, MachineDeps, unusable

EXPIRES = NOW + timedelta(days=30)
NONE_HERE = (
    "to see what is stored, run: pat list --stored; to create a token, run: pat create; to store an"
    " existing secret, run: pat import"
)


def at(machine: Machine, organization: Organization | None) -> MachineDeps:
    """Return the parts of a machine with this organization at hand."""
    return replace(machine.deps, locate=lambda: (organization, ""))


def got(machine: Machine, organization: Organization | None, text: str) -> tuple[str, str, str]:
    where, name, secret = get(text, at(machine, organization))
    return where.url, name, secret.reveal()


def failure(machine: Machine, organization: Organization | None, text: str) -> PatError:
    with pytest.raises(PatError) as caught:
        got(machine, organization, text)
    return caught.value


class TestGet:
    """From the keyring, without the network."""

    def test_by_name(self, machine: Machine) -> None:
        machine.made()
        no_state = unusable(AssertionError("the name alone finds it"))
        found = get("ci", replace(machine.deps, state=no_state))
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
            deps = replace(at(machine, None), api_root=root)
            assert get("theirs", deps) == (found, "theirs", Secret("x"))

    def test_one_below_the_api_root_is_hosted(self, machine: Machine) -> None:
        machine.made()
        found, _, _ = get("ci", at(machine, None))
        assert found == machine.contoso

    def test_a_name_in_two_organizations(self, machine: Machine) -> None:
        here, there = machine.made(), machine.made(organization=machine.fabrikam)
        assert got(machine, machine.fabrikam, "ci")[0] == machine.fabrikam.url
        error = failure(machine, None, "ci")
        assert type(error) is ConflictError
        assert error.message == "2 stored tokens match 'ci'"
        assert error.hint.splitlines() == [
            "choose one by its id, or with --org:",
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
        assert error.hint.removeprefix("did you mean ci? ") == NONE_HERE
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
        assert error.message == "the secret of 'ci' for contoso is no longer in the keyring"
        assert error.hint == (
            "the service never shows a secret twice: create a new token, and revoke the old one"
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
        found = held(machine.contoso, "ci", secret, machine.deps)
        assert found == StoredSecret(pat=expected, secret=secret, org_url=machine.contoso.url)

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
        deps = replace(machine.deps, now=lambda: now)
        found = held(machine.contoso, "ci", Secret("x"), deps)
        assert found.pat.status is status

    def test_one_that_nothing_is_known_of(self, machine: Machine) -> None:
        found = held(machine.contoso, "theirs", Secret("x"), machine.deps)
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


class TestReadSecret:
    """What is typed or piped in."""

    @pytest.mark.parametrize("text", ["abc", " abc\n", "\tabc\r\n"])
    def test_one_word(self, text: str) -> None:
        assert read_secret(text) == Secret("abc")

    @pytest.mark.parametrize("text", ["", " ", "\n"])
    def test_nothing(self, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            read_secret(text)
        assert caught.value.message == "no secret given"
        assert caught.value.hint == "pipe the secret in, or type it at the prompt"

    @pytest.mark.parametrize("text", ["a b", "a\nb", "a\x1b", "é", "a\u200b"])
    def test_more_than_a_token(self, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            read_secret(text)
        assert caught.value.message == (
            "the input is not a token: it contains spaces or other characters that no token has"
        )
        assert caught.value.hint == "enter the token alone, without quotes"

    @given(st.text())
    def test_any_text_is_a_secret_or_a_usage_error_that_does_not_repeat_it(self, text: str) -> None:
        try:
            secret = read_secret(text)
        except UsageError as error:
            said = error.message.partition(":")[0]
            assert said in {"no secret given", "the input is not a token"}
        else:
            assert secret.reveal() == text.strip()


def test_a_server_has_no_lifecycle() -> None:
    url = "https://tfs.example/tfs/Collection"
    error = no_lifecycle(Organization(name="collection", url=url, hosted=False))
    assert error.message == f"{url} is Azure DevOps Server, which has no API for managing tokens"
    assert error.hint == (
        f"create the token at {url}/_usersSettings/tokens; then, to store it, run: pat import"
        f" NAME --org {url}"
    )
    assert error.exit_code == 5
