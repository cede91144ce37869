"""A request, as the endpoints see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request; ``arguments`` have lower-case names, ``repeat`` spoils continuation tokens.

    ``address`` is the client's.
    """

    method: str
    path: str
    arguments: dict[str, str]
    headers: Headers
    body: bytes
    root: str
    address: str
    activity_id: str
    repeat: bool = False
