"""Where the secret of a token is delivered, as it is remembered with the token.

Dataclasses, because targets are compared, and targets of two types are never the same. Defining
them takes a millisecond and a half, so what `pat get` imports does not import this module.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class CommandTarget:
    """A command that gets the secret on its standard input.

    Attributes:
        words: the program and its arguments.
        folder: where it runs, absolute.
        seconds: how long it may take.
    """

    KIND: ClassVar = "command"

    words: tuple[str, ...]
    folder: str = ""
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class FileTarget:
    """A file that holds the secret.

    Attributes:
        path: absolute.
        template: the lines that hold the secret, with `{token}` and the like; empty for a file
            that holds the secret and nothing else.
    """

    KIND: ClassVar = "file"

    path: str
    template: str = ""


@dataclass(frozen=True, slots=True)
class ToolTarget:
    """The file of a tool that `pat setup` has set up, or the macOS keychain.

    Attributes:
        tool: its name.
        path: of its file, absolute; empty for the keychain.
        about: the URL of the feed or organization that it was set up for.
    """

    KIND: ClassVar = "setup"

    tool: str
    path: str
    about: str


@dataclass(frozen=True, slots=True)
class UnknownTarget:
    """A target that a newer version has remembered.

    Attributes:
        kind: what that version calls it.
        document: all that is remembered of it, as JSON.
    """

    kind: str
    document: str


Delivery = CommandTarget | FileTarget | ToolTarget | UnknownTarget
"""Where the secret of a token is put each time it is a new one."""
