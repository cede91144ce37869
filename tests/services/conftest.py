"""A machine and a service for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from azdo_pat.emulator.run import Options, start
from drivers import Emulator
from services.machine import NOW, Machine


@pytest.fixture
def service() -> Iterator[Emulator]:
    """Start an emulator whose clock stands at noon of 15 June 2026, without tokens."""
    with start(Options(), clock=lambda: NOW) as running:
        emulator = Emulator(running)
        emulator.remove_tokens()
        yield emulator


@pytest.fixture
def machine(service: Emulator, tmp_path: Path) -> Machine:
    """Return a machine that nothing was done on yet."""
    return Machine(emulator=service, folder=tmp_path / "state")
