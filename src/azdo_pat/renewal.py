"""How a token is renewed: when it is due, where its secret is delivered, which file declares it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from azdo_pat.delivery_targets import Delivery


WITHIN: Final = timedelta(days=7)
"""The longest default renewal window, which is when Azure DevOps itself sends a notice."""


class Renewal(NamedTuple):
    """How a token is renewed and delivered; remembered with it for every rotation.

    Attributes:
        deliveries: where its secret goes.
        renew_before: how long before its end it is due; None for a third of its life.
        source: the absolute path of the file that declares it (`pat apply`); empty for none.
        shortened: a policy gave it less life than was asked for.
        grace: how long a token that is replaced stays active; zero if it is revoked at once.
    """

    deliveries: tuple[Delivery, ...] = ()
    renew_before: timedelta | None = None
    source: str = ""
    shortened: bool = False
    grace: timedelta = timedelta()

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
        grace: how long a token that is replaced stays active; zero if it is revoked at once.
    """

    name: str
    org: str
    scopes: tuple[str, ...]
    expires: datetime
    renew_before: timedelta | None
    deliveries: tuple[Delivery, ...]
    line: int
    grace: timedelta = timedelta()
