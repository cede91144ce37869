"""Rotating, and what a later run brings to its end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from azdo_pat.errors import ConflictError, StoreError
from azdo_pat.journal import VERBS, JournalEntry, Replaced, RevokeReplaced
from azdo_pat.models import Organization, PatRequest, Secret
from azdo_pat.operations.fingerprint import fingerprint_of
from azdo_pat.operations.recovery import recover
from azdo_pat.results.tokens import OldTokenOutcome, Rotated
from azdo_pat.services.rotate import RotateRequest, rotate
from services.creating import begun_create, begun_rotation, entry
from services.machine import Machine

HOUR = timedelta(hours=1)


def rotated(machine: Machine, text: str = "ci", **changes: object) -> Rotated:
    """Rotate the one token named `ci`, or that of an id."""
    asked = RotateRequest(expires=None, otherwise=machine.now + timedelta(days=9))
    (pat,) = machine.finder.find(machine.contoso, [text])

    request = RotateRequest(**{**vars(asked), **changes})
    return rotate(machine.contoso, pat, request, machine.deps)


def finish(machine: Machine, user: str = "", root: str | None = None) -> list[tuple[str, bool]]:
    """Run what a later start of the program does; say what became of each operation."""
    machine.start()
    deps = replace(machine.deps, user=lambda: user, api_root=root or machine.emulator.url)
    found = recover(deps)
    return [(VERBS[type(each.operation)], each.failure is None) for each in found]


def test_a_grace_ends(machine: Machine) -> None:
    machine.made()
    result = rotated(machine, grace=HOUR)
    assert (result.old, result.due) == (OldTokenOutcome.LATER, machine.now + HOUR)
    assert finish(machine) == []
    assert machine.alive == ["ci", "ci"]
    machine.now += HOUR
    assert finish(machine) == [("revoke", True)]
    assert (machine.alive, machine.names_held, finish(machine)) == (["ci"], ["ci"], [])


def test_the_life_is_whole_again(machine: Machine) -> None:
    machine.made()
    machine.now += timedelta(days=29)
    expires = rotated(machine).created.pat.expires
    assert expires is not None
    assert abs(expires - machine.now - timedelta(days=30)) < timedelta(seconds=1)


def test_what_is_not_this_users_or_roots_is_left_alone(machine: Machine) -> None:
    machine.made()
    rotated(machine, grace=-HOUR)  # settled at once
    replaced = Replaced("x", machine.now)
    machine.state.begin(RevokeReplaced(entry(machine, user="grace"), replaced))
    elsewhere = Organization(name="contoso", url="https://elsewhere.example/contoso")
    machine.state.begin(RevokeReplaced(JournalEntry(elsewhere, "ci", machine.now), replaced))
    machine.now += timedelta(days=60)
    assert finish(machine) == []
    assert len(machine.state.unfinished()) == 2


def test_what_another_process_works_on_is_left_to_it(machine: Machine) -> None:
    machine.state.begin(begun_create(machine))
    machine.now += HOUR
    with machine.deps.exclusive(f"'ci' in {machine.contoso.url}"):
        assert finish(machine) == []
    assert finish(machine) == [("create", True)]


def test_a_service_that_does_not_answer_leaves_it_for_later(machine: Machine) -> None:
    machine.made()
    rotated(machine, grace=HOUR)
    machine.now += HOUR
    machine.emulator.fail("DELETE * status=503 times=always")
    assert finish(machine) == [("revoke", False)]
    machine.emulator.heal()
    assert finish(machine) == [("revoke", True)]


def test_a_killed_rotation_whose_secret_is_stored_goes_on(machine: Machine) -> None:
    """The old secret is overwritten then: going back would lose it while its token lives."""
    old = machine.made()
    new = machine.tokens.create(
        machine.contoso,
        PatRequest(
            display_name="ci", scopes=("vso.code",), valid_to=machine.now + timedelta(days=30)
        ),
    )
    key = machine.state.begin(begun_rotation(machine, old.id))
    machine.state.note(key, new.pat.authorization_id, fingerprint_of(new.secret))
    machine.secrets.put(machine.contoso.url, "ci", new.secret)
    assert finish(machine) == [("rotate", True)]
    assert machine.held() == new.secret.reveal()
    assert [entry.id for entry in machine.known] == [new.pat.authorization_id]
    assert machine.listed("ci").authorization_id == new.pat.authorization_id
    assert machine.alive == ["ci"]
    assert machine.state.unfinished() == ()


def test_a_keyring_that_breaks_down_leaves_both_tokens_to_the_next_run(machine: Machine) -> None:
    """Which secret it holds nobody can say: revoking either might lose the one that is held."""
    machine.made()
    before = machine.held()
    machine.keyring.refuses = lambda asked, service, _: (
        bool(machine.asked("POST")[1:]) and service != "azdo-pat:check" and asked in {"get", "set"}
    )
    with pytest.raises(StoreError) as caught:
        rotated(machine)
    assert "or the previous secret; both tokens are active" in caught.value.message
    assert machine.alive == ["ci", "ci"]
    machine.keyring.refuses = lambda *_: False
    assert finish(machine) == [("rotate", True)]
    assert (machine.alive, machine.held()) == (["ci"], before)


def test_a_keyring_that_breaks_down_and_held_no_secret_before(machine: Machine) -> None:
    """The new token is revoked at once, and the next run takes its secret out of the keyring."""
    machine.made()
    machine.secrets.delete(machine.contoso.url, "ci")
    machine.keyring.refuses = lambda *_: machine.held() is not None
    with pytest.raises(StoreError) as caught:
        rotated(machine)
    assert "the new token was revoked" in caught.value.message
    machine.keyring.refuses = lambda *_: False
    assert machine.held() is not None
    assert finish(machine) == [("rotate", True)]
    assert (machine.alive, machine.held()) == (["ci"], None)


UNKNOWN = "a secret is stored under 'ci' for contoso, and it is unknown which token it belongs to"


def kept(machine: Machine, text: str, message: str) -> None:
    """Check that rotating is refused, and changes nothing."""
    before = machine.held(), machine.known, sorted(machine.alive)
    with pytest.raises(ConflictError) as caught:
        rotated(machine, text)
    assert caught.value.message == message
    assert (machine.held(), machine.known, sorted(machine.alive)) == before
    assert machine.state.unfinished() == ()


def live_secret(machine: Machine) -> str:
    """Return the secret of a token that is alive, and not stored here."""
    machine.made("source")
    secret = machine.held("source")
    assert secret is not None
    machine.secrets.delete(machine.contoso.url, "source")
    machine.state.forget(machine.contoso.url, "source")
    return secret


def test_an_imported_secret_is_no_token_of_its_name(machine: Machine) -> None:
    machine.elsewhere()
    machine.import_secret("ci", live_secret(machine))
    kept(machine, "ci", UNKNOWN)


def test_an_imported_secret_that_the_service_refuses_may_go(machine: Machine) -> None:
    machine.elsewhere()
    machine.import_secret("ci", live_secret(machine))
    machine.tokens.revoke(machine.contoso, machine.listed("source").authorization_id)
    made = rotated(machine).created
    assert machine.held() == made.secret.reveal()
    assert machine.alive == ["ci"]


def test_a_service_that_cannot_tell_leaves_it(machine: Machine) -> None:
    machine.elsewhere()
    machine.import_secret("ci", live_secret(machine))
    machine.emulator.fail("GET */connectionData status=503 times=always")
    kept(machine, "ci", UNKNOWN)


@pytest.mark.parametrize("count", [1, 2])
def test_a_lost_state_file_leaves_the_name_alone(machine: Machine, count: int) -> None:
    mine = machine.made()
    ids = [machine.elsewhere() for _ in range(count - 1)]
    machine.state.forget(machine.contoso.url, "ci")
    for each in [mine.id or "", *ids]:
        kept(machine, each, UNKNOWN)


def test_an_id_that_the_user_has_said(machine: Machine) -> None:
    mine = machine.made()
    machine.elsewhere()
    machine.state.forget(machine.contoso.url, "ci")
    (pat,) = machine.finder.find(machine.contoso, [mine.id or ""])
    machine.import_secret("ci", machine.held() or "", pat=pat)
    assert rotated(machine, mine.id or "").replaced.id == mine.id
    assert machine.alive == ["ci", "ci"]


def test_a_secret_of_another_program_under_the_name(machine: Machine) -> None:
    """The index names this token; the fingerprint says that the secret is none of it."""
    machine.made()
    machine.secrets.put(machine.contoso.url, "ci", Secret(live_secret(machine)))
    kept(machine, "ci", UNKNOWN)


@pytest.mark.parametrize("lost", [True, False])
def test_another_token_that_has_the_name_here(machine: Machine, *, lost: bool) -> None:
    """Also where its secret is lost: how it is looked after is not this one's."""
    mine = machine.made()
    theirs = machine.elsewhere()
    if lost:
        machine.secrets.delete(machine.contoso.url, "ci")
    kept(
        machine,
        theirs,
        f"the secret stored under 'ci' belongs to another token, {mine.id}",
    )
