"""Draw the charts of the page as SVG that fits any width.

Positions across are shares of the width, and text keeps the size of the page's text: what a chart
with a `viewBox` shows on a phone is too small to read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import svg
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROW: Final = 40
"""Pixels for a bar with its label above."""
_THICK: Final = 10
_PLOT: Final = 380
"""Pixels of the highest column."""
_ABOVE: Final = 22
_BELOW: Final = 44
_GAP: Final = 0.18
"""Of the room of a column."""
_ROUND: Final = 3


class Bar(NamedTuple):
    """A bar or column.

    Attributes:
        label: any text.
        value: 0 or more.
        below: a second line for the label of a column.
    """

    label: str
    value: int
    below: str = ""


def bars(name: str, title: str, rows: Sequence[Bar]) -> Markup:
    """Return horizontal bars, one below the other.

    Args:
        name: of the chart; unique in the page, and fit to be part of an id.
        title: what the chart shows, for screen readers.
        rows: at least one.
    """
    most = max(row.value for row in rows) or 1
    drawn: list[svg.Element] = []
    for place, row in enumerate(rows):
        top = place * _ROW
        width = _percent(100 * row.value / most)
        drawn += [
            _bar(top, _percent(100), "track"),
            _bar(top, width, "bar"),
            _text(row.label, x=0, y=top + 15, anchor="start"),
            _text(f"{row.value:,}", x=_percent(100), y=top + 15, anchor="end", kind="value"),
        ]
    return _chart(name, title, _described(rows), height=len(rows) * _ROW, drawn=drawn)


def _bar(top: int, width: svg.Length, kind: str) -> svg.Rect:
    return svg.Rect(x=0, y=top + 22, width=width, height=_THICK, rx=_ROUND, class_=[kind])


def columns(name: str, title: str, rows: Sequence[Bar]) -> Markup:
    """Return columns, one beside the other; see `bars`."""
    most = max(row.value for row in rows) or 1
    room = 100 / len(rows)
    floor = _ABOVE + _PLOT
    drawn: list[svg.Element] = []
    for place, row in enumerate(rows):
        height = round(_PLOT * row.value / most, 1)
        middle = _percent((place + 0.5) * room)
        if row.value:
            drawn += [
                svg.Rect(
                    x=_percent((place + _GAP / 2) * room),
                    width=_percent((1 - _GAP) * room),
                    y=floor - height,
                    height=height,
                    rx=_ROUND,
                    class_=["bar"],
                ),
                _text(_short(row.value), x=middle, y=floor - height - 7, kind="value"),
            ]
        drawn.append(_text(row.label, x=middle, y=floor + 18))
        if row.below:
            drawn.append(_text(row.below, x=middle, y=floor + 35, kind="faint"))
    line = svg.Line(x1=0, x2=_percent(100), y1=floor, y2=floor, class_=["axis"])
    return _chart(name, title, _described(rows), height=floor + _BELOW, drawn=[*drawn, line])


def _described(rows: Sequence[Bar]) -> str:
    most = max(rows, key=lambda row: row.value)
    return f"Most: {most.label}, {most.value:,}. The table after the chart has all numbers."


def _chart(
    name: str, title: str, description: str, *, height: int, drawn: Sequence[svg.Element]
) -> Markup:
    chart = svg.SVG(
        xmlns=None,  # HTML knows it
        class_=["chart"],
        width=_percent(100),
        height=height,
        extra={"role": "img", "aria-labelledby": f"{name}-title {name}-desc"},
        elements=[
            svg.Title(id=f"{name}-title", text=escape(title)),
            svg.Desc(id=f"{name}-desc", text=escape(description)),
            *drawn,
        ],
    )
    return Markup(chart.as_str())  # noqa: S704 - all texts in it are escaped


def _text(
    text: str,
    *,
    x: svg.Length | int,
    y: float,
    anchor: str = "middle",
    kind: str = "label",
) -> svg.Text:
    """Return a text; the library does not escape it."""
    return svg.Text(text=escape(text), x=x, y=round(y, 1), class_=[kind, anchor])


def _percent(share: float) -> svg.Length:
    return svg.Length(round(share, 3), "%")


def _short(number: int) -> str:
    """Return a number in at most four characters, as columns are narrow."""
    for unit, name in ((1_000_000, "M"), (1000, "k")):
        if number >= unit:
            scaled = number / unit
            return f"{scaled:.1f}{name}" if scaled < 10 else f"{scaled:.0f}{name}"  # noqa: PLR2004
    return str(number)
