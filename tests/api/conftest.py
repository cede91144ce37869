"""An emulator for each test of the client."""

from collections.abc import Callable, Iterator

import pytest

from api.stage import Elsewhere, Stage
from azdo_pat.emulator.run import Options, start


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Start an emulator with its small set of tokens."""
    with start(Options()) as emulator:
        yield Stage(emulator)


@pytest.fixture
def elsewhere() -> Iterator[Callable[..., Elsewhere]]:
    """Return a function that starts another server: `elsewhere(status, headers, body)`."""
    started: list[Elsewhere] = []

    def begin(
        status: int = 200, headers: dict[str, str] | None = None, body: bytes = b"{}"
    ) -> Elsewhere:
        server = Elsewhere(status, headers or {}, body)
        started.append(server)
        return server

    yield begin
    for server in started:
        server.close()
