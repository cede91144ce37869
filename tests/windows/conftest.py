"""The installed `pat` on Windows' own components: Credential Manager, DPAPI, cmd.exe, clipboard."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers import Emulator, Installed
from windows.credentials import Credentials

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder `windows`, and skip it elsewhere."""
    elsewhere = pytest.mark.skipif(sys.platform != "win32", reason="this is not Windows")
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.windows)
            item.add_marker(elsewhere)


@pytest.fixture
def credentials(emulator: Emulator) -> Iterator[Credentials]:
    """Look into the Credential Manager of this user; delete what this test leaves there."""
    found = Credentials(f"azdo-pat:{emulator.url}")
    yield found
    for target in found.targets:
        found.delete(target)


@pytest.fixture
def pat(emulator: Emulator, credentials: Credentials) -> Installed:
    """Run the installed `pat` against the emulator and the Credential Manager.

    Each emulator has a port of its own, so no test finds the entries of another.
    """
    _ = credentials  # they are deleted at the end
    return Installed(emulator.environment)
