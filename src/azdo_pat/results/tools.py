"""The tools that use a token, and what became of their setup."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from azdo_pat.renewal import Destination


class SetupOutcome(StrEnum):
    """The outcome for a tool's file."""

    PLANNED = "planned"
    SET_UP = "set up"
    UNCHANGED = "unchanged"
    UNDONE = "undone"


@dataclass(frozen=True, kw_only=True)
class SetupResult:
    """A tool that was set up, or whose setup was undone.

    Attributes:
        feed: the URL of the feed; empty if the tool has none.
        token: the name of the token that it uses; empty if it asks for one.
        why: why it uses this one, in words; empty if the user named it.
        diff: the changes to the file, with secrets masked; empty for none.
        warning: a warning for the user; empty for none.
    """

    tool: str
    file: str
    outcome: SetupOutcome
    feed: str = ""
    token: str = ""
    why: str = ""
    diff: str = ""
    warning: str = ""


class ToolSetup(NamedTuple):
    """What a tool is set up for.

    Attributes:
        file: the tool's file; empty where the tool has none.
        feed: the URL of the feed; empty where the tool has none.
        org_url: of the organization whose token the tool got; empty where it asks for one.
        token: the name of that token; empty likewise.
        destination: the delivery target that this is, for a tool whose file gets the secret.
    """

    file: str
    feed: str
    org_url: str
    token: str
    destination: Destination | None = None


class KnownTool(NamedTuple):
    """A tool that `pat setup` knows, or a kind of delivery target that is in use.

    Attributes:
        summary: how it gets a token.
        secret_in_file: the tool's file holds the secret.
        feed: what the URL of its feed ends with; empty where it is set up for all feeds.
        setups: what it is set up for.
    """

    name: str
    summary: str
    secret_in_file: bool
    feed: str
    setups: tuple[ToolSetup, ...]
