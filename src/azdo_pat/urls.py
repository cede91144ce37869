"""Parses URLs without raising; an invalid URL is returned with empty parts."""

from typing import Final, NamedTuple
from urllib.parse import urlsplit

_LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}


class Url(NamedTuple):
    """The parts of a URL, unchanged unless stated otherwise.

    Attributes:
        netloc: the host, with the user and the port if it has them.
        host: in lower case, without brackets; empty if the URL has none.
    """

    scheme: str = ""
    netloc: str = ""
    host: str = ""
    port: int | None = None
    path: str = ""
    query: str = ""
    fragment: str = ""

    @property
    def user(self) -> str:
        """The user name, with the password if it has one."""
        return self.netloc.rpartition("@")[0]

    @property
    def authority(self) -> str:
        """The host in lower case, with its port if it has one."""
        return self.netloc.rpartition("@")[2].lower()

    @property
    def steps(self) -> list[str]:
        """The segments of the path that are not empty."""
        return [step for step in self.path.split("/") if step]

    @property
    def place(self) -> tuple[str, str, str]:
        """Scheme, host and path, by which a token is chosen. A URL with a user matches no token."""
        return self.scheme, self.netloc, self.path

    @property
    def is_protected(self) -> bool:
        """Whether a secret may be sent to this URL: over https, or over http on this machine."""
        return self.scheme == "https" or (self.scheme == "http" and self.host in _LOOPBACK)


INVALID: Final = Url()


def parse(text: str) -> Url:
    """Parse a URL; return `INVALID` for an invalid port, brackets, or look-alike separators."""
    try:
        parts = urlsplit(text)
        return Url(
            parts.scheme,
            parts.netloc,
            parts.hostname or "",
            parts.port,
            parts.path,
            parts.query,
            parts.fragment,
        )
    except ValueError:
        return INVALID
