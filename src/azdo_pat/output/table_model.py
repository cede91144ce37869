"""The content of a table, independent of drawing: columns, cells and their tones."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TextIO

from azdo_pat.output.table_style import TableStyle


class Tone(Enum):
    """The meaning of a cell, which the drawer shows as a color.

    The text must carry the same meaning, because colors may be off.
    """

    PLAIN = auto()
    FAINT = auto()
    GOOD = auto()
    WARNING = auto()
    ALARM = auto()


@dataclass(frozen=True)
class Cell:
    """A raw text (the drawer escapes it) and its tone."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        title: its heading; empty in a table without headings.
        floor: the width below which it is folded only when every column is at its floor.
    """

    title: str
    floor: int = 8


@dataclass(frozen=True, kw_only=True)
class TableModel:
    """A table: each row has one cell for each column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


Draw = Callable[[TableModel, TableStyle, TextIO], None]
"""`azdo_pat.output.rich_table.draw`, or something that imports it when it is called."""
