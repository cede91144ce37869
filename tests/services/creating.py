"""What the tests of `create` share."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from azdo_pat.errors import (
    PatError,
)
from azdo_pat.journal import Create, JournalEntry, NewToken, Replaced, Rotate
from azdo_pat.services.create import create
from services.machine import NOW, Machine

EXPIRES = NOW + timedelta(days=30)
GRANTED = EXPIRES.replace(microsecond=123_333)
CREATED = NOW.replace(microsecond=123_333)


def failure(machine: Machine, **changes: Any) -> PatError:  # noqa: ANN401  # fields
    """Return what making `ci` raises."""
    with pytest.raises(PatError) as caught:
        create(machine.contoso, machine.request(**changes), machine.deps)
    return caught.value


def nothing_left(machine: Machine) -> bool:
    return (machine.alive, machine.names_held, machine.known, machine.state.unfinished()) == (
        [],
        [],
        [],
        (),
    )


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something has come about, for ten seconds at most."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def entry(machine: Machine, name: str = "ci", user: str = "") -> JournalEntry:
    """Return the journal's entry of what a killed process began."""
    return JournalEntry(machine.contoso, name, NOW, user)


def begun_create(machine: Machine, name: str = "ci", *, overwrites: bool = False) -> Create:
    """Return a create that a killed process began."""
    return Create(entry(machine, name), NewToken(("vso.code",), EXPIRES), overwrites=overwrites)


def begun_rotation(machine: Machine, replaced: str | None) -> Rotate:
    """Return a rotation that a killed process began; the old token is to be revoked now."""
    return Rotate(
        entry(machine),
        NewToken(("vso.code",), EXPIRES),
        Replaced(replaced, machine.now) if replaced else None,
    )
