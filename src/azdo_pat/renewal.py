"""How a token is renewed: when it is due, where its secret is delivered, which file declares it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from azdo_pat.delivery_targets import Delivery


WITHIN: Final = timedelta(days=7)
"""The longest default renewal window, which is when Azure DevOps itself sends a notice."""


UNTIL_READ: Final = timedelta(days=1)
"""How long an old token stays active so that all who read the new one from a vault can do so."""


class Renewal(NamedTuple):
    """How a token is renewed and delivered; remembered with it for every rotation.

    Attributes:
        deliveries: where its secret goes.
        renew_before: how long before its end it is due; None for a third of its life.
        source: the absolute path of the file that declares it (`pat apply`); empty for none.
        shortened: a policy gave it less life than was asked for.
        grace: how long a token that is replaced stays active; zero if it is revoked at once;
            None if the user has not said, see `overlap`.
    """

    deliveries: tuple[Delivery, ...] = ()
    renew_before: timedelta | None = None
    source: str = ""
    shortened: bool = False
    grace: timedelta | None = None

    @property
    def overlap(self) -> timedelta:
        """How long a token that is replaced stays active.

        What the user has set; or else a day if the secret is in a vault, because those who use it
        read it there in their own time, once a day at the latest by the defaults of most.
        """
        if self.grace is not None:
            return self.grace
        return UNTIL_READ if self.waits_for_readers else timedelta()

    @property
    def waits_for_readers(self) -> bool:
        """Whether the secret is in a vault, and the user has set no grace period."""
        if self.grace is not None or not self.deliveries:
            return False
        from azdo_pat.delivery_targets import is_polled  # noqa: PLC0415 - see that module

        return any(map(is_polled, self.deliveries))

    def window(self, life: timedelta | None) -> timedelta:
        """Return how long before its end a token is due for `pat renew`.

        It is its own window (`--renew-before`), or a week, or a third of its lifetime if shorter.

        Args:
            life: its lifetime; None if unknown.
        """
        if self.renew_before is not None:
            return self.window_of(life, self.renew_before)
        return min(WITHIN, self.window_of(life, None))

    def window_of(self, life: timedelta | None, renew_before: timedelta | None) -> timedelta:
        """Return the given renewal window, or a third of the lifetime, as in certbot.

        If a policy granted a lifetime shorter than the window, the token would be due as soon as
        it is created, again and again.
        """
        if life is None:
            return timedelta(days=1) if renew_before is None else renew_before
        if renew_before is None or (self.shortened and renew_before >= life):
            return life / 3
        return renew_before

    def delivered_to(self, deliveries: tuple[Delivery, ...]) -> Renewal:
        """Return it with other places; what `pat setup` has set up is ended by `--undo` alone."""
        from azdo_pat.delivery_targets import ToolTarget  # noqa: PLC0415 - see that module

        set_up = [each for each in self.deliveries if isinstance(each, ToolTarget)]
        return self._replace(deliveries=tuple(dict.fromkeys([*deliveries, *set_up])))


DEFAULT_RENEWAL: Final = Renewal()


class Declaration(NamedTuple):
    """A token that a file declares (`pat apply`).

    Attributes:
        org: what the file calls its organization; empty for the one at hand.
        expires: the expiry of a token that has to be created.
        renew_before: how long before its end it is replaced; None for a third of its life.
        line: where it stands in the file.
        grace: as for `Renewal`.
    """

    name: str
    org: str
    scopes: tuple[str, ...]
    expires: datetime
    renew_before: timedelta | None
    deliveries: tuple[Delivery, ...]
    line: int
    grace: timedelta | None = None


class LastDelivery(NamedTuple):
    """The last delivery of a token's secret to one target.

    Attributes:
        org_url: the URL of the token's organization.
        name: the token's name.
        at: when it was tried.
        fingerprint: of the secret that was delivered there last; empty for none.
        reason: why the last try failed; empty if it succeeded.
    """

    org_url: str
    name: str
    target: Delivery
    at: datetime
    fingerprint: str
    reason: str = ""


class DeliveryState(StrEnum):
    """Whether a delivery target has the current secret of its token."""

    DELIVERED = "delivered"
    FAILED = "failed"
    """The last try failed."""
    PENDING = "pending"
    """It has not been tried yet."""
    READY = "ready"
    """It was only tried whether that can be done (`pat deliver --dry-run`)."""
    UNKNOWN = "unknown"
    """An earlier version delivered there, and did not record it."""


class Destination(NamedTuple):
    """A delivery target of a token, and what became of the last delivery there.

    Attributes:
        org: the name of the token's organization.
        name: the token's name.
        at: when it was last tried; None if that is unknown.
        reason: why that failed; empty if it succeeded.
    """

    org: str
    name: str
    target: Delivery
    state: DeliveryState
    at: datetime | None = None
    reason: str = ""

    @property
    def lacks_secret(self) -> bool:
        """Whether it does not have the current secret of its token, as far as is known."""
        return self.state in {DeliveryState.FAILED, DeliveryState.PENDING}
