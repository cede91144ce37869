"""``api-version``: where it stands in a request, and which ones the service takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from azdo_pat.emulator.errors import (
    BAD_VERSION,
    NO_VERSION,
    PREVIEW_VERSION,
    VERSION_RANGE,
    ServiceError,
)

if TYPE_CHECKING:
    from azdo_pat.emulator.call import Call

_SHAPE: Final = re.compile(r"(\d{1,3})\.(\d{1,3})(?:(-preview)(?:\.(\d{1,3}))?)?", re.IGNORECASE)
_IN_ACCEPT: Final = re.compile(r"api-version=([^;,\s]+)", re.IGNORECASE)
LATEST: Final = (7, 2)
_NEWEST_ERRORS: Final = (7, 2)
_CORRELATING_IDS: Final = (7, 2)
_CHANGES_OF_CONNECTIONS: Final = (7, 2)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What versions a resource has; ``released`` ones need no ``-preview``."""

    revisions: int = 1
    released: bool = False
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version that was asked for."""

    number: tuple[int, int]
    text: str

    @property
    def has_newest_errors(self) -> bool:
        """Whether its error codes and messages are those of 7.2."""
        return self.number >= _NEWEST_ERRORS

    @property
    def has_correlating_ids(self) -> bool:
        """Whether administrators see the correlating ids of secrets (tokenAdmin 7.1, 7.2)."""
        return self.number >= _CORRELATING_IDS

    @property
    def tells_changes_of_connections(self) -> bool:
        """Whether a service connection tells when it was changed, and by whom."""
        return self.number >= _CHANGES_OF_CONNECTIONS


NEWEST: Final = Version(number=LATEST, text="7.2-preview.1")


def read_version(call: Call, resource: Resource) -> Version:
    """The version of a request, from its query or its Accept header.

    Raises:
        ServiceError: 400; there is none, or none that the resource has.
    """
    found = _IN_ACCEPT.search(call.headers.get("Accept", ""))
    text = call.arguments.get("api-version") or (found.group(1) if found else "")
    if not text:
        if resource.optional:
            return NEWEST
        raise ServiceError(
            NO_VERSION,
            f'No api-version was supplied for the "{call.method}" request. The version must be '
            'supplied either as part of the Accept header (e.g. "application/json; '
            'api-version=1.0") or as a query parameter (e.g. "?api-version=1.0").',
        )
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise ServiceError(BAD_VERSION, f'The api-version "{text}" is not a version.')
    major, minor, preview, revision = shape.groups()
    number = (int(major), int(minor))
    if number > LATEST or int(revision or 0) > resource.revisions:
        raise ServiceError(
            VERSION_RANGE,
            f"The requested REST API version of {text} is out of range for this server. "
            f"The latest REST API version this server supports is {LATEST[0]}.{LATEST[1]}.",
        )
    if not preview and not resource.released:
        raise ServiceError(
            PREVIEW_VERSION,
            f'The requested version "{text}" of the resource is under preview. The -preview flag '
            "must be supplied in the api-version for such requests. For example: "
            f'"{text}-preview"',
        )
    return Version(number=number, text=text)
