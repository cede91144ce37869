"""The content of a table, independent of drawing: columns, cells and their tones."""

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple


class Tone(Enum):
    """The meaning of a cell, which the drawer shows as a color.

    The text must carry the same meaning, because colors may be off.
    """

    PLAIN = auto()
    FAINT = auto()
    GOOD = auto()
    WARNING = auto()
    ALARM = auto()


class Cell(NamedTuple):
    """A raw text (the drawer escapes it) and its tone.

    Attributes:
        spare: what follows in parentheses, where the table has room for it.
    """

    text: str
    tone: Tone = Tone.PLAIN
    spare: str = ""


class Column(NamedTuple):
    """A column.

    Attributes:
        title: its heading; empty in a table without headings.
        floor: the width below which it is folded only when every column is at its floor.
    """

    title: str
    floor: int = 8


class Table(NamedTuple):
    """A table: each row has one cell for each column.

    Attributes:
        below: for each row, lines below it that no column limits; empty for none at all.
        marks: for each row, how much it needs attention; on a terminal, a sign says so before those
            that do (`WARNING`, `ALARM`). Empty for none at all.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    below: Sequence[Sequence[Cell]] = ()
    marks: Sequence[Tone] = ()


def pairs_table(pairs: Sequence[tuple[str, Cell]]) -> Table:
    """Return a table of labels and values without headings."""
    rows = [(Cell(label, Tone.FAINT), cell) for label, cell in pairs]
    return Table((Column("", 13), Column("", 20)), rows)
