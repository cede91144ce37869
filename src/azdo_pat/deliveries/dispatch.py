"""Delivers a secret: which module delivers to which target."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from azdo_pat.deliveries import command_target, file_target, tool_target
from azdo_pat.delivery_targets import CommandTarget, FileTarget, ToolTarget, UnknownTarget
from azdo_pat.errors import PendingError
from azdo_pat.redaction import remember

if TYPE_CHECKING:
    from azdo_pat.deliveries.placeholders import DeliveryContext
    from azdo_pat.delivery_targets import Delivery
    from azdo_pat.models import Handover


def deliver(delivery: Delivery, handover: Handover, context: DeliveryContext) -> None:
    """Bring a secret to one target; done again with the same, to the same effect.

    Raises:
        PendingError: it could not be done.
    """
    remember(handover.secret.reveal())
    match delivery:
        case CommandTarget():
            command_target.deliver(delivery, handover, context)
        case FileTarget():
            file_target.deliver(delivery, handover, context)
        case ToolTarget():
            tool_target.deliver(delivery, handover, context)
        case UnknownTarget(kind=kind):
            raise PendingError(
                f"this version of pat does not know delivery targets of the kind {kind!r}",
                hint="upgrade pat, or choose another delivery target",
            )
        case _:
            assert_never(delivery)
