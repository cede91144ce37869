"""An emulator for each test, at a fixed time."""

from collections.abc import Iterator

import pytest
import requests

from azdo_pat.emulator.run import Options, start
from emulator.stage import NOW, Stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    """One with the small seed, whose clock stands at noon of 15 June 2026."""
    with start(Options(), clock=lambda: NOW) as emulator, requests.Session() as session:
        yield Stage(emulator=emulator, session=session, token=emulator.access_token)


@pytest.fixture
def bare(stage: Stage) -> Stage:
    """One without tokens."""
    stage.control("DELETE", "tokens")
    return stage
