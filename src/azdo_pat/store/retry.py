"""Backends asked again where they say for a moment that something is not there.

A gnome-keyring at work for several programs takes a collection or an item off the bus for up to a
tenth of a second when it reads its file anew, and says then that there is no such object. Nothing
was done in that case. keyring goes further: where it finds no default collection it has one made,
which asks somebody, and where nobody is there several such questions at once can block the service.
So it is not let loose on a Secret Service before that has its collection.
"""

import sys
import time
from collections.abc import Callable
from typing import Final, TypeVar

from keyring.backend import KeyringBackend
from keyring.errors import InitError

from azdo_pat.store.backend_choice import SECRET_SERVICE, class_path
from azdo_pat.store.connection_reuse import is_at_hand

Result = TypeVar("Result")

_PAUSES: Final = (0.05, 0.15, 0.4, 1.0)

_GONE_FOR_A_MOMENT: Final = "ItemNotFoundException"
"""By name: SecretStorage, whose class it is, is not on every platform."""


class RetryBudget:
    """What is left of the will to wait, shared by all that ask.

    Attributes:
        spent: waiting was in vain once. The next of a bulk operation does not wait as long again.
    """

    def __init__(self) -> None:
        self.spent = False

    @property
    def pauses(self) -> tuple[float, ...]:
        """Seconds to wait before each further try."""
        return () if self.spent else _PAUSES


class RetryingBackend:
    """One backend, asked again after a short pause where that helps.

    Args:
        backend: the backend. Each method raises what it raises.
        patience: shared with others.
        asks_somebody: there is a desktop, and so perhaps somebody who just declined to have a
            collection made: that answer stands.
    """

    def __init__(
        self, backend: KeyringBackend, patience: RetryBudget, *, asks_somebody: bool
    ) -> None:
        self.backend = backend
        self._patience = patience
        self._asks_somebody = asks_somebody

    def get(self, service: str, user: str) -> str | None:
        """Return a secret, or None."""
        return self._ask(lambda: self.backend.get_password(service, user))

    def set(self, service: str, user: str, text: str) -> None:
        """Store a secret."""
        self._ask(lambda: self.backend.set_password(service, user, text))

    def delete(self, service: str, user: str) -> None:
        """Delete a secret, or find that it went while it was asked for."""
        self._collection_is_there()
        try:
            self.backend.delete_password(service, user)
        except Exception as error:
            # Not asked again: whether it is gone now is for the caller to look.
            if not self._passes(error):
                raise
            time.sleep(_PAUSES[0])

    def _ask(self, call: Callable[[], Result]) -> Result:
        for pause in self._patience.pauses:
            if not self._collection_is_there():
                break
            try:
                return call()
            except Exception as error:
                if not self._passes(error):
                    raise
            time.sleep(pause)
        else:
            self._patience.spent = True
        answer = call()
        self._patience.spent = False
        return answer

    def _passes(self, error: Exception) -> bool:
        if isinstance(error, InitError):
            return not self._asks_somebody
        return type(error).__name__ == _GONE_FOR_A_MOMENT

    def _collection_is_there(self) -> bool:
        """Wait for a Secret Service's collection; False if it has none, and keyring must ask."""
        if sys.platform != "linux" or class_path(self.backend) != SECRET_SERVICE:
            return True
        if hasattr(self.backend, "preferred_collection") or is_at_hand(self.backend):
            return True
        from azdo_pat.store.secret_service import has_collection  # noqa: PLC0415 - Linux only

        for pause in self._patience.pauses:
            if has_collection():
                return True
            time.sleep(pause)
        found = has_collection()
        self._patience.spent = not found
        return found
