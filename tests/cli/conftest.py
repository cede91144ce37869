"""The command line is tried against an emulator that holds no token yet."""

import pytest

from drivers import Emulator


@pytest.fixture
def emulator(emulator: Emulator) -> Emulator:
    """An emulator of this test's own, without the tokens that it starts with."""
    emulator.remove_tokens()
    return emulator
