"""Write documents in the formats for programs: json, jsonl, csv, tsv."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TextIO, assert_never

from azdo_pat.formats import Format
from azdo_pat.output.escape import visible
from azdo_pat.output.serialize import Document, json_text

_LINES_PER_FLUSH: Final = 100
"""The page size of the service, so that a page is visible while the next one loads."""

_FORMULA: Final = "(^|;)(?=[\\s'\"]*[=+@\uff1d\uff0b\uff20\uff0d-])"
"""A semicolon begins a cell where the user's language has it between them. The full-width signs
are as good as the others where they are typed."""
_NUMBER: Final = r"[+-]?\d+([.,]\d+)?"


def write_document(document: object, form: Format, out: TextIO) -> None:
    """Write a JSON document in any format but `table`.

    jsonl writes each item of a list on a line of its own, csv and tsv as a row.
    """
    match form:
        case Format.JSON:
            out.write(json_text(document) + "\n")
        case Format.JSONL:
            for each in document if isinstance(document, list) else [document]:
                _write_line(each, out)
        case Format.CSV | Format.TSV:
            _write_rows(document, DelimitedWriter(out, form))
        case Format.NONE:
            pass
        case Format.TABLE:
            msg = "a table must be drawn, not written"
            raise ValueError(msg)
        case _:
            assert_never(form)


def stream_documents(
    documents: Iterable[Document], columns: Sequence[str], form: Format, out: TextIO
) -> int:
    """Write objects as they arrive, one per line, and return how many; `form` is streamed."""
    write = _item_writer(columns, form, out)
    count = 0
    for count, document in enumerate(documents, start=1):
        write(document)
        if count % _LINES_PER_FLUSH == 0:
            out.flush()
    out.flush()
    return count


def _item_writer(columns: Sequence[str], form: Format, out: TextIO) -> Callable[[Document], object]:
    if form is Format.NONE:
        return lambda _: None
    if form is Format.JSONL:
        return lambda document: _write_line(document, out)
    delimited = DelimitedWriter(out, form)
    delimited.header(columns)
    return lambda document: delimited.row([document[column] for column in columns])


def _write_line(document: object, out: TextIO) -> None:
    out.write(json_text(document, indent=None) + "\n")


def _write_rows(document: object, delimited: "DelimitedWriter") -> None:
    match document:
        case None:
            pass
        case dict():
            _write_rows([document], delimited)
        case list() if document and all(isinstance(each, dict) for each in document):
            columns = columns_of(document)
            delimited.header(columns)
            for each in document:
                delimited.row([each.get(column) for column in columns])
        case list():
            for each in document:
                delimited.row(each if isinstance(each, list) else [each])
        case _:
            delimited.row([document])


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
