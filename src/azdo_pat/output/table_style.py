"""The stream properties for tables; apart, so that documents import nothing else of tables."""

from datetime import tzinfo
from typing import NamedTuple


class TableStyle(NamedTuple):
    """The stream that a table is drawn on.

    Attributes:
        color: colours may be used.
        width: in columns; None is as wide as the content.
        zone: the time zone of dates; None is the system's own.
    """

    color: bool
    width: int | None
    zone: tzinfo | None = None
