"""Write rows as csv and tsv."""

import csv
import json
import re
from collections.abc import Sequence
from typing import Final, TextIO

from azdo_pat.formats import Format
from azdo_pat.output.escape import visible

_FORMULA: Final = "(^|;)(?=[\\s'\"]*[=+@\uff1d\uff0b\uff20\uff0d-])"
"""A semicolon begins a cell where the user's language has it between them. The full-width signs
are as good as the others where they are typed."""
_NUMBER: Final = r"[+-]?\d+([.,]\d+)?"


class DelimitedWriter:
    r"""Writes rows as csv or tsv.

    csv has a header and RFC 4180 quoting; tsv has neither, and its fields hold no tab and no line
    end. In both, true and false are words, null is empty, a list of texts is joined by spaces,
    other structures are JSON, and characters that could act on a terminal are shown as escapes
    (`\n`, `\x1b`): JSON is the format that keeps them.

    In csv a text that a spreadsheet would take for a formula has an apostrophe before it.
    """

    def __init__(self, out: TextIO, form: Format) -> None:
        self._out = out
        self._tsv = form is Format.TSV
        self._csv = csv.writer(out, lineterminator="\n")

    def header(self, columns: Sequence[str]) -> None:
        """Write the names of the columns, if the format has any."""
        if not self._tsv:
            self.row(columns)

    def row(self, values: Sequence[object]) -> None:
        """Write one row."""
        fields = [field_text(value) for value in values]
        if self._tsv:
            self._out.write("\t".join(fields) + "\n")
        else:
            self._csv.writerow([_cell(field) for field in fields])


def columns_of(documents: list[dict[str, object]]) -> list[str]:
    """Return the keys of all the objects, in the order in which they first come."""
    return list(dict.fromkeys(key for document in documents for key in document))


def field_text(value: object) -> str:
    """Return a JSON value as one field, with control characters escaped."""
    match value:
        case None:
            return ""
        case str():
            return visible(value)
        case list() if all(isinstance(each, str) for each in value):
            return visible(" ".join(value))
        case _:
            return visible(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _cell(field: str) -> str:
    """Return a field that no spreadsheet evaluates as a formula; numbers stay as they are."""
    return field if re.fullmatch(_NUMBER, field) else re.sub(_FORMULA, r"\1'", field)
