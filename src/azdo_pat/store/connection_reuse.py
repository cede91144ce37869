"""Reuses connections to the Secret Service for several operations.

keyring opens one for each, and with it a session with new keys, which takes four fifths of the
time of an operation (20 of 25 ms). Renewing a hundred tokens takes a thousand operations.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from keyring.backend import KeyringBackend

from azdo_pat.store.backend_choice import SECRET_SERVICE, class_path


def reuse_connections(backend: KeyringBackend) -> None:
    """Make keyring's Secret Service backend keep its connection; other backends are unchanged."""
    if sys.platform == "linux" and class_path(backend) == SECRET_SERVICE:
        make = getattr(backend, "get_preferred_collection", None)
        if make is not None and not isinstance(make, ConnectionPool):
            # In place of the method of its class.
            vars(backend)["get_preferred_collection"] = ConnectionPool(make)


def has_idle_connection(backend: KeyringBackend) -> bool:
    """Return whether there is an idle connection to reuse."""
    lender = getattr(backend, "get_preferred_collection", None)
    return isinstance(lender, ConnectionPool) and lender.idle


class ConnectionPool:
    """Provides an unlocked collection, like keyring, on a pooled connection.

    Each is used by one operation at a time; one that failed, or hangs, is not reused.

    Args:
        make: keyring's way to get one, which may ask the user to unlock it.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._idle: list[Any] = []

    @property
    def idle(self) -> bool:
        """Whether an idle collection is available."""
        return bool(self._idle)

    def __call__(self) -> Any:  # noqa: ANN401  # SecretStorage's class is not on every platform
        """Return a collection of SecretStorage; raises what keyring's own method raises."""
        while self._idle:
            collection = self._idle.pop()
            # The service may have been restarted, or the collection locked, since.
            with suppress(Exception):
                if not collection.is_locked():
                    return collection
            collection.connection.really_close()
        collection = self._make()
        # Items that are searched for share the session of their collection, if it has one.
        from secretstorage.util import open_session  # noqa: PLC0415 - Linux only

        with suppress(Exception):
            collection.session = open_session(collection.connection)
        collection.connection = _PooledConnection(
            collection.connection, lambda: self._idle.append(collection)
        )
        return collection


class _PooledConnection:
    """A connection whose `close` returns it to the pool."""

    def __init__(self, connection: Any, give_back: Callable[[], None]) -> None:  # noqa: ANN401  # as above
        self._connection = connection
        self._give_back = give_back

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # as above
        return getattr(self._connection, name)

    def close(self) -> None:
        """Return it to the pool; after a failure, close it, as it may contain a partial answer."""
        if sys.exc_info()[0] is None:
            self._give_back()
        else:
            self.really_close()

    def really_close(self) -> None:
        """Close it."""
        with suppress(Exception):
            self._connection.close()
