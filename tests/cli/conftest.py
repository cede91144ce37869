"""The command line is tried against an emulator that holds no token yet."""

import threading
from collections.abc import Iterator

import pytest

from azdo_pat.api import rate_limit
from azdo_pat.cli.main import pat as root
from cli.administered import ENVIRONMENT, Administered
from drivers import Emulator, InProcess


@pytest.fixture
def emulator(emulator: Emulator) -> Emulator:
    """An emulator of this test's own, without the tokens that it starts with."""
    emulator.remove_tokens()
    return emulator


@pytest.fixture
def contoso() -> Iterator[Administered]:
    """Give an organization with three users and no tokens."""
    made = Administered()
    made.user("Ada Lovelace")
    made.user("Ben Ali", metaType="guest")
    made.user("Cy Twombly", mailAddress="twombly@contoso.example", isDeletedInOrigin=True)
    with made.served():
        yield made
        # What finds its token early leaves threads behind, which must not ask the next test's.
        for thread in threading.enumerate():
            if thread.name == "pat-reading":
                thread.join(10)
                assert not thread.is_alive(), "a scan was left open"


@pytest.fixture
def contoso_pat() -> InProcess:
    """Run `pat` in this process, against Microsoft's hosts."""
    return InProcess(root, ENVIRONMENT)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat requests that failed at once; how long to wait is tested with the API client."""
    monkeypatch.setattr(rate_limit, "_FIRST_DELAY", 0.005)
