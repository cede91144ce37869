"""How a token is looked after: when it is due, where its secret goes, which file declares it."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple


class Delivery(NamedTuple):
    """A place where the secret of a token is put each time it is a new one.

    Attributes:
        kind: what brings it there: `command`, `file`, or `setup` for the file of a tool
            that `pat setup` has set up.
        target: the words of the command; of a file its path, absolute, as the only one; of a tool
            its name, the path of its file, and the URL of the feed.
        template: of a file: the lines that hold the secret, with `{token}` and the like; empty for
            a file that holds the secret and nothing else.
        folder: where the command runs, absolute.
        seconds: how long the command may take.
    """

    kind: str
    target: tuple[str, ...]
    template: str = ""
    folder: str = ""
    seconds: int = 60

    def __str__(self) -> str:
        """Name it in a sentence."""
        return f"{self.kind} {' '.join(self.target)}"


class Renewal(NamedTuple):
    """How a token is looked after; remembered with it, so that each rotation knows.

    Attributes:
        deliveries: where its secret goes.
        renew_before: how long before its end it is due; None for a third of its life.
        source: the absolute path of the file that declares it (`pat apply`); empty for none.
        shortened: a policy gave it less life than was asked for.
    """

    deliveries: tuple[Delivery, ...] = ()
    renew_before: timedelta | None = None
    source: str = ""
    shortened: bool = False

    def delivered_to(self, deliveries: tuple[Delivery, ...]) -> "Renewal":
        """Return it with other places; what `pat setup` has set up is ended by `--undo` alone."""
        set_up = [each for each in self.deliveries if each.kind == "setup"]
        return self._replace(deliveries=tuple(dict.fromkeys([*deliveries, *set_up])))


DEFAULT_RENEWAL: Final = Renewal()


class Declaration(NamedTuple):
    """A token that a file declares (`pat apply`).

    Attributes:
        org: what the file calls its organization; empty for the one at hand.
        expires: the end of a token that has to be made.
        renew_before: how long before its end it is replaced; None for a third of its life.
        line: where it stands in the file.
    """

    name: str
    org: str
    scopes: tuple[str, ...]
    expires: datetime
    renew_before: timedelta | None
    deliveries: tuple[Delivery, ...]
    line: int
