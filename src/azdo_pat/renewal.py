"""How a token is renewed: when it is due, where its secret is delivered, which file declares it."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple


class CommandTarget(NamedTuple):
    """A command that gets the secret on its standard input.

    Attributes:
        words: the program and its arguments.
        folder: where it runs, absolute.
        seconds: how long it may take.
    """

    words: tuple[str, ...]
    folder: str = ""
    seconds: int = 60

    def __str__(self) -> str:
        """Name it in a sentence."""
        return f"command {' '.join(self.words)}"


class FileTarget(NamedTuple):
    """A file that holds the secret.

    Attributes:
        path: absolute.
        template: the lines that hold the secret, with `{token}` and the like; empty for a file
            that holds the secret and nothing else.
    """

    path: str
    template: str = ""

    def __str__(self) -> str:
        """Name it in a sentence."""
        return f"file {self.path}"


class ToolTarget(NamedTuple):
    """The file of a tool that `pat setup` has set up, or the macOS keychain.

    Attributes:
        tool: its name.
        path: of its file, absolute; empty for the keychain.
        about: the URL of the feed or organization that it was set up for.
    """

    tool: str
    path: str
    about: str

    def __str__(self) -> str:
        """Name it in a sentence."""
        return f"setup {self.tool} {self.path} {self.about}"


class UnknownTarget(NamedTuple):
    """A target that a newer version has remembered.

    Attributes:
        kind: what that version calls it.
        document: all that is remembered of it, as JSON.
    """

    kind: str
    document: str

    def __str__(self) -> str:
        """Name it in a sentence."""
        return self.kind


Delivery = CommandTarget | FileTarget | ToolTarget | UnknownTarget
"""Where the secret of a token is put each time it is a new one."""


class Renewal(NamedTuple):
    """How a token is renewed and delivered; remembered with it for every rotation.

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
        set_up = [each for each in self.deliveries if isinstance(each, ToolTarget)]
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
