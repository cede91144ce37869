"""Draw tables with rich: two spaces between columns, long cells folded."""

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Final, TextIO

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

from azdo_pat.output.escape import visible
from azdo_pat.output.palette import Paint
from azdo_pat.output.table_model import Cell, Table, Tone
from azdo_pat.output.wrapping import wrapped

_GAP: Final = 2
_NARROWEST: Final = 2
_LONG_WORD: Final = 16
_SEAMS: Final = "/-_@"
_ENDLESS: Final = 1_000_000
_STYLES: Final = {
    Tone.PLAIN: "",
    Tone.FAINT: Paint.FAINT.rich_style,
    Tone.GOOD: Paint.GOOD.rich_style,
    Tone.WARNING: Paint.WARNING.rich_style,
    Tone.ALARM: Paint.ALARM.rich_style,
}


def draw(table: Table, out: TextIO, *, width: int | None, color: bool) -> None:
    """Write `table`, at most `width` columns wide (None: any), without cutting anything off.

    A cell that is too wide continues below itself. Widths are those of a terminal: a CJK letter
    takes two columns, a combining mark none.
    """
    rows = [[_text(cell) for cell in row] for row in table.rows]
    titles = [Text(visible(column.title), style="bold") for column in table.columns]
    if any(title.plain for title in titles):
        rows.insert(0, titles)
    if not rows:
        return
    widths = _widths(table, rows, width)
    lines = [_lines(row, widths) for row in rows]
    for drawn, cells in zip(reversed(lines), reversed(table.below), strict=False):
        for cell in cells:
            drawn.extend(_below(cell, widths[0] + _GAP, width))
    console = _console(out, width, color=color)
    with console.capture() as captured:
        console.print(Text("\n").join(chain.from_iterable(lines)), soft_wrap=True)
    out.write(captured.get())  # not by rich, which exits the program on a broken pipe


def fold(text: str, width: int) -> list[str]:
    """Return `text` in slices of at most `width` columns, not counting spaces at their ends.

    The slices make up the text again. It is cut between words, and inside a word only where the
    word is too long for a line of its own (then after a slash or a hyphen, if one is near).
    """
    lines = []
    rest = text
    while rest:
        cut = _cut(rest, width)
        lines.append(rest[:cut])
        rest = rest[cut:]
    return lines


def _cut(text: str, width: int) -> int:
    """Return where the first line of `text` ends."""
    # A letter may carry many marks that take no room; what lies far beyond cannot fit in any case.
    window = text[: 8 * width + 64]
    chunks = chop_cells(window, width)
    end = len(chunks[0]) if chunks else len(window)  # marks alone take no room, and are no chunk
    if end < len(text):
        end = _seam(text, end, width)
    while text[end : end + 1] == " ":
        end += 1
    return end


def _seam(text: str, end: int, width: int) -> int:
    """Return the best place to cut `text` at or before `end`."""
    opened = text.rfind(" (", 0, end) + 1
    closed = text.find(")", end) + 1
    if opened and closed and cell_len(text[opened:closed]) <= width:
        return opened
    if text[end] == " ":
        return end
    start = text.rfind(" ", 0, end) + 1
    if start and cell_len(text[start:].split(" ", 1)[0]) <= width:
        return start
    seam = max(text.rfind(mark, 0, end) for mark in _SEAMS) + 1
    return seam if seam > end / 2 else end


def _console(out: TextIO, width: int | None, *, color: bool) -> Console:
    return Console(
        file=out,
        width=width or _ENDLESS,
        height=25,  # given, so that the environment is not asked
        color_system="256" if color else None,
        force_terminal=color,
        force_interactive=False,
        no_color=not color,
        markup=False,
        highlight=False,
        emoji=False,
    )


def _text(cell: Cell) -> Text:
    return Text(visible(cell.text), style=_STYLES[cell.tone])


def _widths(table: Table, rows: list[list[Text]], limit: int | None) -> list[int]:
    """Return the width of each column: its content's, or less where that is too much together.

    Columns give way widest first: as long as no word need be broken, then down to their floors,
    then as far as it takes.
    """
    columns = list(zip(*rows, strict=True))
    widths = [max(cell_len(text.plain) for text in column) for column in columns]
    if limit is None:
        return widths
    room = limit - _GAP * (len(widths) - 1)
    floors = [column.floor for column in table.columns]
    words = [max(_longest_word(text.plain) for text in column) for column in columns]
    _squeeze(widths, [max(*pair) for pair in zip(floors, words, strict=True)], room)
    _squeeze(widths, floors, room)
    _squeeze(widths, [_NARROWEST] * len(widths), room)
    return widths


def _longest_word(text: str) -> int:
    """Return the width of the longest word, none counting as more than a long scope's name."""
    return min(max((cell_len(word) for word in text.split(" ")), default=0), _LONG_WORD)


def _squeeze(widths: list[int], floors: list[int], room: int) -> None:
    """Narrow the widest columns, none below its floor, until all fit into `room` (or cannot)."""
    while (excess := sum(widths) - room) > 0:
        above = [n for n, width in enumerate(widths) if width > floors[n]]
        if not above:
            return
        widest = max(above, key=lambda n: widths[n])
        second = max((widths[n] for n in above if n != widest), default=0)
        target = min(widths[widest] - 1, second)
        widths[widest] = max(target, widths[widest] - excess, floors[widest])


def _lines(row: list[Text], widths: list[int]) -> list[Text]:
    """Return the lines of one row, without spaces at their ends."""
    cells = [
        [Text(part.rstrip(" "), style=text.style) for part in fold(text.plain, width)]
        for text, width in zip(row, widths, strict=True)
    ]
    return [_line(parts, widths) for parts in zip_longest(*cells, fillvalue=Text())]


def _below(cell: Cell, indent: int, width: int | None) -> list[Text]:
    """Return the lines below a row, which begin where its second column does."""
    room = max(_NARROWEST, width - indent) if width else _ENDLESS
    return [
        Text(" " * indent).append_text(Text.from_ansi(line, style=_STYLES[cell.tone]))
        for line in wrapped(visible(cell.text), room, color=True)
    ]


def _line(parts: Sequence[Text], widths: list[int]) -> Text:
    line = Text()
    owed = 0
    for part, width in zip(parts, widths, strict=True):
        if part.plain:
            line.append(" " * owed)
            line.append_text(part)
            owed = 0
        owed += width - cell_len(part.plain) + _GAP
    return line
