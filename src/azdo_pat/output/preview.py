"""Show what a destructive command is about to change, before it asks."""

from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from azdo_pat.models import Pat
from azdo_pat.output.rich_table import draw
from azdo_pat.output.table_rows import pats_grid
from azdo_pat.output.table_style import TableStyle


def preview(err: TextIO, pats: Sequence[Pat], now: datetime, screen: TableStyle) -> None:
    """Draw the table of `pats` on `err`; `screen` describes that stream."""
    if pats:
        draw(pats_grid(pats, now, screen.zone), screen, err)
