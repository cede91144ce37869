"""Rotating, and what a later run brings to its end."""

from datetime import timedelta

from azdo_pat.models import PatRequest, Secret
from azdo_pat.results import OldToken, Rotated
from azdo_pat.services.recovery import Scope, recover
from azdo_pat.services.rotate import RotateRequest, rotate
from azdo_pat.services.undo import mark_of, parked
from services.creating import intent
from services.machine import Machine

HOUR = timedelta(hours=1)


def rotated(machine: Machine, **changes: object) -> Rotated:
    """Rotate the one token named `ci`."""
    asked = RotateRequest(expires=None, otherwise=machine.now + timedelta(days=9))
    (pat,) = machine.browser.find(machine.contoso, ["ci"])

    def try_out(secret: Secret) -> object:
        return machine.directory.check_secret(machine.contoso, secret)

    request = RotateRequest(**{**vars(asked), **changes})
    return rotate(machine.contoso, pat, request, machine.shop, try_out=try_out)


def finish(machine: Machine, user: str = "", root: str | None = None) -> list[tuple[str, bool]]:
    """Run what a later start of the program does; say what became of each operation."""
    machine.start()
    found = recover(machine.shop, Scope(user, root or machine.emulator.url))
    return [(each.intent.operation, each.failure is None) for each in found]


def test_a_grace_ends(machine: Machine) -> None:
    machine.made()
    result = rotated(machine, grace=HOUR)
    assert (result.old, result.due) == (OldToken.LATER, machine.now + HOUR)
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
    machine.state.begin(intent(machine, operation="revoke", authorization_id="x", user="grace"))
    elsewhere = intent(machine, operation="revoke", authorization_id="x")
    machine.state.begin(elsewhere._replace(org_url="https://elsewhere.example/contoso"))
    machine.now += timedelta(days=60)
    assert finish(machine) == []
    assert len(machine.state.unfinished()) == 2


def test_what_another_process_works_on_is_left_to_it(machine: Machine) -> None:
    machine.state.begin(intent(machine))
    machine.now += HOUR
    with machine.shop.exclusive(f"'ci' in {machine.contoso.url}"):
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


def test_a_keyring_that_refuses_keeps_it_open(machine: Machine) -> None:
    machine.made()
    machine.keyring.refuses = lambda asked, service, _: (
        asked == "delete" and service.endswith("#replaced")
    )
    assert rotated(machine).old is OldToken.PENDING
    assert machine.alive == ["ci"]
    machine.keyring.refuses = lambda *_: False
    assert finish(machine) == [("revoke", True)]
    assert machine.names_held == ["ci"]


def test_a_killed_rotation_gets_its_secret_back_though_an_older_one_is_tidied(
    machine: Machine,
) -> None:
    """The older one, whose grace ends, must not take the secret that waits for the killed one."""
    machine.made()
    rotated(machine, grace=HOUR)
    living = machine.held()
    new = machine.tokens.create(
        machine.contoso,
        PatRequest(
            display_name="ci", scopes=("vso.code",), valid_to=machine.now + timedelta(days=30)
        ),
    )
    key = machine.state.begin(intent(machine))
    machine.state.note(key, new.pat.authorization_id, mark_of(new.secret))
    assert living is not None
    machine.secrets.put(parked(machine.contoso.url), "ci", Secret(living))
    machine.secrets.put(machine.contoso.url, "ci", new.secret)
    machine.now += HOUR
    assert finish(machine) == [("create", True)]
    finish(machine)
    assert machine.held() == living
    assert machine.alive == ["ci"]
    assert machine.names_held == ["ci"]
    assert machine.state.unfinished() == ()
