"""Brings secrets where they are to go: which module does what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azdo_pat.deliveries import command_target, file_target, tool_target
from azdo_pat.errors import PendingError
from azdo_pat.redaction import remember

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azdo_pat.deliveries.facts import DeliveryEnvironment
    from azdo_pat.models import Handover
    from azdo_pat.renewal import Delivery

KINDS: Final[Mapping[str, Callable[[Delivery, Handover, DeliveryEnvironment], None]]] = {
    "command": command_target.deliver,
    "file": file_target.deliver,
    "setup": tool_target.deliver,
}
"""By kind. Each raises `PendingError`, and may be called again with the same: what it did before
it does once more, to the same effect."""


class Dispatcher:
    """Delivers."""

    def __init__(self, context: DeliveryEnvironment) -> None:
        self._context = context

    def deliver(self, delivery: Delivery, handover: Handover) -> None:
        """Bring a secret to one place.

        Raises:
            PendingError: it could not be done.
        """
        deliver = KINDS.get(delivery.kind)
        if deliver is None:
            raise PendingError(
                f"this pat knows no delivery of the kind {delivery.kind!r}",
                hint="upgrade pat, or declare another delivery",
            )
        remember(handover.secret.reveal())
        deliver(delivery, handover, self._context)
