"""Brings secrets where they are to go: which module does what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azdo_pat.deliveries import command, file, setup
from azdo_pat.errors import PendingError
from azdo_pat.redaction import remember

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azdo_pat.deliveries.facts import Surroundings
    from azdo_pat.models import Handover
    from azdo_pat.upkeep import Delivery

CARRIERS: Final[Mapping[str, Callable[[Delivery, Handover, Surroundings], None]]] = {
    "command": command.deliver,
    "file": file.deliver,
    "setup": setup.deliver,
}
"""By kind. Each raises `PendingError`, and may be called again with the same: what it did before
it does once more, to the same effect."""


class Carrier:
    """Delivers."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    def deliver(self, delivery: Delivery, handover: Handover) -> None:
        """Bring a secret to one place.

        Raises:
            PendingError: it could not be done.
        """
        carrier = CARRIERS.get(delivery.kind)
        if carrier is None:
            raise PendingError(
                f"this pat knows no delivery of the kind {delivery.kind!r}",
                hint="upgrade pat, or declare another delivery",
            )
        remember(handover.secret.reveal())
        carrier(delivery, handover, self._surroundings)
