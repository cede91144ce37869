"""What the tests of `create` share."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from azdo_pat.errors import (
    PatError,
)
from azdo_pat.models import Intent
from azdo_pat.services.create import create
from services.machine import NOW, Machine

EXPIRES = NOW + timedelta(days=30)
GRANTED = EXPIRES.replace(microsecond=123_333)
CREATED = NOW.replace(microsecond=123_333)


def failure(machine: Machine, **changes: Any) -> PatError:  # noqa: ANN401  # fields
    """Return what making `ci` raises."""
    with pytest.raises(PatError) as caught:
        create(machine.contoso, machine.request(**changes), machine.shop)
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


def intent(machine: Machine, **changes: object) -> Intent:
    """Return the journal's entry for a `ci` that a killed process began."""
    begun = Intent(
        operation="create",
        org_url=machine.contoso.url,
        org="contoso",
        name="ci",
        scopes=("vso.code",),
        valid_to=EXPIRES,
        started=NOW,
    )
    return begun._replace(**changes)  # type: ignore[arg-type]  # fields of the intent
