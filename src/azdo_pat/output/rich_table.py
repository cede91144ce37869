"""Draw tables with rich: two spaces between columns, long cells folded."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, zip_longest
from typing import Final, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from azdo_pat.output.escape import visible
from azdo_pat.output.folding import SEAMS, fold, longest_part
from azdo_pat.output.glyphs import Glyph
from azdo_pat.output.palette import Paint
from azdo_pat.output.table_model import Cell, Column, Table, Tone
from azdo_pat.output.wrapping import wrapped

_GAP: Final = 2
_NARROWEST: Final = 2
_AMPLE: Final = 24
"""A column of this width can be read well, whatever is in it."""
_ENDLESS: Final = 1_000_000
_STYLES: Final = {
    Tone.PLAIN: "",
    Tone.FAINT: Paint.FAINT.rich_style,
    Tone.GOOD: Paint.GOOD.rich_style,
    Tone.WARNING: Paint.WARNING.rich_style,
    Tone.ALARM: Paint.ALARM.rich_style,
}
_MARKS: Final = {Tone.WARNING: Glyph.WARNING, Tone.ALARM: Glyph.ERROR}


def draw(
    table: Table, out: TextIO, *, width: int | None, color: bool, ascii_only: bool = False
) -> None:
    """Write `table`, at most `width` columns wide, without cutting anything off.

    A cell that is too wide continues below itself, and a row of several lines is set apart by
    blank lines. If words would have to be broken for want of room, each row is a record instead:
    what it is about, and below it a line for each of the other columns. Widths are those of a
    terminal: a CJK letter takes two columns, a combining mark none.

    Args:
        table: what to draw.
        out: where to write it.
        width: of the terminal; None for another stream, where tables are as wide as their content,
            and rows are neither marked nor set apart.
        color: use colors.
        ascii_only: use signs of ASCII.
    """
    if width is not None:
        table = _marked(table, ascii_only=ascii_only)
    titles = [Text(visible(column.title), style="bold") for column in table.columns]
    heading = [titles] if any(title.plain for title in titles) else []
    rows = [[_text(cell, spare=True) for cell in row] for row in table.rows]
    if not heading + rows:
        return
    if width is not None and not _have_ample_room([*heading, *rows], width):
        rows = [[_text(cell, spare=False) for cell in row] for row in table.rows]
    if width is not None and heading and not _can_be_read([*heading, *rows], width):
        blocks = [_record(titles, row, width) for row in rows]
        lines, indent = [], _GAP
    else:
        widths = _widths(table.columns, [*heading, *rows], width)
        blocks = [_lines(row, widths) for row in rows]
        lines, indent = (
            [line for each in heading for line in _lines(each, widths)],
            widths[0] + _GAP,
        )
    for drawn, cells in zip(reversed(blocks), reversed(table.below), strict=False):
        for cell in cells:
            drawn.extend(_below(cell, indent, width, ascii_only=ascii_only))
    lines += _stacked(blocks, set_apart=bool(heading) and width is not None)
    console = _console(out, width, color=color)
    with console.capture() as captured:
        console.print(Text("\n").join(lines), soft_wrap=True)
    out.write(captured.get())  # not by rich, which exits the program on a broken pipe


def _marked(table: Table, *, ascii_only: bool) -> Table:
    """Return a table with a sign before each row that needs attention, if there is one."""
    glyphs = [_MARKS.get(tone) for tone in table.marks]
    if not any(glyphs):
        return table
    signs = [
        Cell(glyph.shown(ascii_only=ascii_only) if glyph else "", tone)
        for glyph, tone in zip(glyphs, table.marks, strict=True)
    ]
    rows = [[sign, *row] for sign, row in zip(signs, table.rows, strict=True)]
    return table._replace(columns=[Column("", 1), *table.columns], rows=rows)


def _stacked(blocks: Sequence[list[Text]], *, set_apart: bool) -> list[Text]:
    """Return the lines of all rows, with a blank line before and after those of several lines."""
    lines: list[Text] = []
    for number, block in enumerate(blocks):
        if number and set_apart and max(len(blocks[number - 1]), len(block)) > 1:
            lines.append(Text())
        lines += block
    return lines


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


def _text(cell: Cell, *, spare: bool) -> Text:
    text = f"{cell.text} ({cell.spare})" if spare and cell.spare else cell.text
    return Text(visible(text), style=_STYLES[cell.tone])


def _have_ample_room(rows: Sequence[Sequence[Text]], limit: int) -> bool:
    """Return whether each column can have the width of its content, or one that is ample."""
    needed = [min(width, _AMPLE) for width in _columns_of(rows, cell_len)]
    return sum(needed) <= _room(len(needed), limit)


def _can_be_read(rows: Sequence[Sequence[Text]], limit: int) -> bool:
    """Return whether no word of a usual length need be broken to fit all columns."""
    longest = _columns_of(rows, partial(longest_part, seams=SEAMS[-1]))
    return sum(min(width, _AMPLE) for width in longest) <= _room(len(longest), limit)


def _record(titles: Sequence[Text], row: Sequence[Text], limit: int) -> list[Text]:
    """Return the lines of a row that does not fit beside itself.

    The first ones hold its first column that has a title, and what stands before that.
    """
    subject = next(place for place, title in enumerate(titles, 1) if title.plain)
    head = Text(" ").join(text for text in row[:subject] if text.plain)
    lines = list(head.divide(accumulate(map(len, fold(head.plain, max(_NARROWEST, limit))))))[:-1]
    for line in lines:
        line.rstrip()
    label = max((cell_len(title.plain) for title in titles[subject:]), default=0)
    label = min(label, max(_NARROWEST, limit // 2 - 2 * _GAP))
    widths = [0, label, max(_NARROWEST, limit - label - 2 * _GAP)]
    for title, text in zip(titles[subject:], row[subject:], strict=True):
        if text.plain:
            lines += _lines([Text(), Text(title.plain, style=_STYLES[Tone.FAINT]), text], widths)
    return lines


def _columns_of(rows: Sequence[Sequence[Text]], measured: Callable[[str], int]) -> list[int]:
    """Return the largest measure of the texts of each column."""
    # Thousands of rows share most of their texts.
    columns = ({text.plain for text in column} for column in zip(*rows, strict=True))
    return [max(map(measured, texts)) for texts in columns]


def _room(columns: int, limit: int) -> int:
    return limit - _GAP * (columns - 1)


def _widths(
    columns: Sequence[Column], rows: Sequence[Sequence[Text]], limit: int | None
) -> list[int]:
    """Return the width of each column: its content's, or less where that is too much together.

    Columns give way widest first: as long as no word need be broken but after a slash, then after
    a hyphen or an @, then after a dot, then down to their floors, then as far as it takes.
    """
    widths = _columns_of(rows, cell_len)
    if limit is None:
        return widths
    room = _room(len(widths), limit)
    floors = [column.floor for column in columns]
    for seams in SEAMS[1:]:
        longest = _columns_of(rows, partial(longest_part, seams=seams))
        _squeeze(widths, [max(*pair) for pair in zip(floors, longest, strict=True)], room)
    _squeeze(widths, floors, room)
    _squeeze(widths, [_NARROWEST] * len(widths), room)
    return _without_waste(rows, widths, room)


def _without_waste(rows: Sequence[Sequence[Text]], widths: Sequence[int], room: int) -> list[int]:
    """Return widths that are no larger than the folded texts, and give what that leaves to others.

    Those get it first that need the least more for all of their content.
    """
    whole = _columns_of(rows, cell_len)
    used = [
        max(
            cell_len(part.rstrip(" "))
            for text in {text.plain for text in column}
            for part in fold(text, width) or [""]
        )
        for column, width in zip(zip(*rows, strict=True), widths, strict=True)
    ]
    left = room - sum(used)
    for place in sorted(range(len(used)), key=lambda place: whole[place] - used[place]):
        more = max(0, min(left, whole[place] - used[place]))
        used[place] += more
        left -= more
    return used


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


def _below(cell: Cell, indent: int, width: int | None, *, ascii_only: bool) -> list[Text]:
    """Return the lines below a row, which begin where its second column does."""
    room = max(_NARROWEST, width - indent) if width else _ENDLESS
    sign, stand_in = (Glyph.FIX.shown(ascii_only=each) for each in (False, True))
    text = visible(cell.text)
    if ascii_only and text.startswith(sign):
        text = stand_in + text.removeprefix(sign)
    return [
        Text(" " * indent).append_text(Text.from_ansi(line, style=_STYLES[cell.tone]))
        for line in wrapped(text, room, color=True)
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
