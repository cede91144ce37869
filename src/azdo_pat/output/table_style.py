"""The stream properties for tables; apart, so that documents import nothing else of tables."""

from dataclasses import dataclass
from datetime import tzinfo


@dataclass(frozen=True, kw_only=True)
class TableStyle:
    """The stream that a table is drawn on.

    Attributes:
        color: colours may be used.
        width: in columns; None is as wide as the content.
        zone: the time zone of dates; None is the system's own.
    """

    color: bool
    width: int | None
    zone: tzinfo | None = None
