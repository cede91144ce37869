"""The fakes are held to the contracts of what they stand for."""

from datetime import UTC, datetime, timedelta

from fakes import Clock, MemoryKeyring
from keyring_contract import KeyringContract


class TestMemoryKeyring(KeyringContract):
    """keyring's own contract for a backend."""

    def init_keyring(self) -> MemoryKeyring:
        return MemoryKeyring()


def test_two_memory_keyrings_share_nothing() -> None:
    first, second = MemoryKeyring(), MemoryKeyring()
    first.set_password("service", "user", "one")
    assert (first.get_password("service", "user"), second.get_password("service", "user")) == (
        "one",
        None,
    )


def test_clock_moves_only_when_told() -> None:
    clock = Clock()
    assert clock() == clock() == datetime(2026, 6, 15, 12, tzinfo=UTC)
    clock.advance(timedelta(days=1))
    assert clock() == datetime(2026, 6, 16, 12, tzinfo=UTC)
