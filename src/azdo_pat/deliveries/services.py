"""What deliveries need of the clients of services, which the composition root brings together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from azdo_pat.models import Secret


class Services(Protocol):
    """The clients of the services that distribute secrets; each is made when it is first used."""


class Recognizes(Protocol):
    """Tells whether a secret that was found at a target may be replaced."""

    def __call__(self, found: Secret) -> bool:
        """Return whether `pat` delivered it there, or has never delivered anything there.

        Otherwise someone else has changed it since the last delivery, and it is not overwritten.
        """
