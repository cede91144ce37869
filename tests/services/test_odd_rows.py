"""What recovery does where the service describes a token in a way that cannot be read."""

from dataclasses import replace
from datetime import timedelta

import pytest

from azdo_pat.errors import DoubtfulError, UnavailableError
from azdo_pat.journal import Rename, Revoke
from azdo_pat.models import PatChanges, PatRequest
from azdo_pat.operations.fingerprint import fingerprint_of
from azdo_pat.operations.recovery import recover
from azdo_pat.results.recovery import Recovered, RecoveryOutcome
from services.creating import EXPIRES, begun_create, begun_rotation, entry
from services.machine import CONTOSO_ID, Machine

DAY = timedelta(days=1)
LATER = timedelta(minutes=6)


def told(machine: Machine) -> Recovered:
    """Run what a later start of the program does with the one operation that is left."""
    machine.start()
    (found,) = recover(machine.deps)
    return found


def killed_rotation(machine: Machine) -> tuple[str, str]:
    """Leave a rotation that was killed once its secret was stored; return both tokens' ids."""
    old = machine.made()
    ask = PatRequest(display_name="ci", scopes=("vso.code",), valid_to=machine.now + 30 * DAY)
    new = machine.tokens.create(machine.contoso, ask)
    key = machine.state.begin(begun_rotation(machine, old.id))
    machine.state.note(key, new.pat.authorization_id, fingerprint_of(new.secret))
    machine.secrets.put(machine.contoso.url, "ci", new.secret)
    return old.id or "", new.pat.authorization_id


@pytest.mark.parametrize("row", [None, {"authorizationId": None, "displayName": "ci"}])
def test_a_new_token_is_not_gone_because_its_id_cannot_be_read(
    machine: Machine, row: object
) -> None:
    """Going back would revoke it, and its secret has taken the place of the old one's."""
    _, new = killed_rotation(machine)
    machine.emulator.spoil(new, row=row)
    held = machine.held()
    for _ in range(2):
        found = told(machine)
        assert isinstance(found.failure, UnavailableError)
        assert (machine.alive, machine.held()) == (["ci", "ci"], held)
        machine.now += LATER
    machine.emulator.unspoil()
    assert told(machine).outcome is RecoveryOutcome.COMPLETED
    assert (machine.alive, machine.held()) == (["ci"], held)


@pytest.mark.parametrize("field", ["displayName", "scope", "validTo", "validFrom"])
def test_a_new_token_whose_id_can_be_read_is_gone_on_with(machine: Machine, field: str) -> None:
    _, new = killed_rotation(machine)
    machine.emulator.spoil(new, without=[field])
    assert told(machine).outcome is RecoveryOutcome.COMPLETED
    assert machine.alive == ["ci"]
    (entry,) = machine.known
    assert (entry.name, entry.id, entry.scopes) == ("ci", new, ("vso.code",))


def test_rows_without_ids_do_not_keep_another_operation(machine: Machine) -> None:
    killed_rotation(machine)
    machine.emulator.spoil(rows=[{"displayName": "other"}])
    assert told(machine).outcome is RecoveryOutcome.COMPLETED


def test_a_revocation_whose_outcome_is_not_known_stays(machine: Machine) -> None:
    machine.made()
    (known,) = machine.known
    key = machine.state.begin(Revoke(entry(machine), known.id or ""))
    machine.state.explain(key, "no answer came")
    machine.emulator.spoil(known.id or "", row=None)
    assert isinstance(told(machine).failure, UnavailableError)
    assert machine.names_held == ["ci"]


@pytest.mark.parametrize("change", [{"row": None}, {"fields": {"displayName": 7}}])
def test_a_rename_that_cannot_be_seen_stays(machine: Machine, change: dict[str, object]) -> None:
    pat = machine.made()
    machine.state.begin(Rename(entry(machine), pat.id or "", "new"))
    machine.tokens.update(machine.contoso, pat.id or "", PatChanges(display_name="new"))
    machine.emulator.spoil(pat.id or "", **change)
    machine.now += 2 * LATER
    assert told(machine).outcome is RecoveryOutcome.UNDECIDED
    machine.emulator.unspoil()
    assert told(machine).outcome is RecoveryOutcome.COMPLETED
    assert machine.names_held == ["new"]


@pytest.mark.parametrize(
    "without",
    [
        ["displayName"],
        ["scope"],
        ["targetAccounts"],
        ["validTo"],
        ["validFrom", "validTo"],
        ["authorizationId"],
        ["displayName", "scope", "targetAccounts", "validFrom"],
    ],
    ids=" ".join,
)
def test_a_lost_token_that_may_be_the_one_is_told_and_left(
    machine: Machine, without: list[str]
) -> None:
    machine.elsewhere(expires=EXPIRES)
    machine.state.begin(begun_create(machine))
    machine.emulator.spoil("ci", without=without)
    for _ in range(2):
        assert isinstance(told(machine).failure, DoubtfulError)
        machine.now += LATER
    assert machine.alive == ["ci"]
    machine.emulator.unspoil()
    assert told(machine).outcome is RecoveryOutcome.ROLLED_BACK
    assert machine.alive == []


def test_a_lost_token_is_known_without_its_start(machine: Machine) -> None:
    machine.elsewhere(expires=EXPIRES)
    machine.state.begin(begun_create(machine))
    machine.emulator.spoil("ci", without=["validFrom"])
    assert told(machine).outcome is RecoveryOutcome.ROLLED_BACK
    assert machine.alive == []


@pytest.mark.parametrize(
    "row",
    [
        None,
        {},
        {"displayName": "ci", "scope": "vso.build", "targetAccounts": None},
        {"displayName": "other", "scope": None, "targetAccounts": [CONTOSO_ID]},
        {"displayName": None, "scope": "vso.code", "validTo": "2026-08-01T00:00:00Z"},
    ],
)
def test_a_row_that_is_not_the_one_or_says_nothing_keeps_no_operation(
    machine: Machine, row: object
) -> None:
    machine.state.begin(begun_create(machine))
    machine.emulator.spoil(rows=[row])
    machine.now += LATER
    assert told(machine).outcome in {RecoveryOutcome.NOTHING_DONE, RecoveryOutcome.UNDECIDED}
    machine.now += LATER
    machine.start()
    assert all(each.failure is None for each in recover(machine.deps))
    assert machine.state.unfinished() == ()


def test_an_imported_secret_hides_no_row_without_an_id(machine: Machine) -> None:
    """Neither has an id: that does not make them the same."""
    machine.made("other")
    (entry,) = machine.known
    machine.state.remember(replace(entry, id=None))
    machine.elsewhere(expires=EXPIRES)
    machine.state.begin(begun_create(machine))
    machine.emulator.spoil("ci", without=["authorizationId"])
    assert isinstance(told(machine).failure, DoubtfulError)
