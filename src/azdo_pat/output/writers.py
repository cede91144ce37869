"""Write documents in the formats for programs: json, jsonl, csv, tsv."""

import csv
import json
import re
from collections.abc import Iterable, Sequence
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
    _writer(form, out).document(document)


def stream_documents(
    documents: Iterable[Document], columns: Sequence[str], form: Format, out: TextIO
) -> int:
    """Write objects as they arrive, one per line, and return how many; `form` is streamed."""
    writer = _writer(form, out)
    writer.begin(columns)
    count = 0
    for count, document in enumerate(documents, start=1):
        writer.item(document)
        if count % _LINES_PER_FLUSH == 0:
            out.flush()
    out.flush()
    return count


def _writer(form: Format, out: TextIO) -> "_Writer":
    match form:
        case Format.JSON:
            return _JsonWriter(out)
        case Format.JSONL:
            return _LineWriter(out)
        case Format.CSV | Format.TSV:
            return _DelimitedWriter(out, form)
        case Format.NONE:
            return _Writer(out)
        case Format.TABLE:
            msg = "a table must be drawn, not written"
            raise ValueError(msg)
        case _:
            assert_never(form)


class _Writer:
    """Writes nothing; the other formats say what they write."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def document(self, document: object) -> None:
        """Write a whole document."""

    def begin(self, columns: Sequence[str]) -> None:
        """Begin a stream of objects with these keys."""

    def item(self, document: Document) -> None:
        """Write one object of a stream."""


class _JsonWriter(_Writer):
    """One document; it is never a stream."""

    def document(self, document: object) -> None:
        self._out.write(json_text(document) + "\n")

    def item(self, document: Document) -> None:
        raise NotImplementedError


class _LineWriter(_Writer):
    """Each item on a line of its own."""

    def document(self, document: object) -> None:
        for each in document if isinstance(document, list) else [document]:
            self._write(each)

    def item(self, document: Document) -> None:
        self._write(document)

    def _write(self, value: object) -> None:
        self._out.write(json_text(value, indent=None) + "\n")


class _DelimitedWriter(_Writer):
    r"""Writes rows as csv or tsv.

    csv has a header and RFC 4180 quoting; tsv has neither, and its fields hold no tab and no line
    end. In both, true and false are words, null is empty, a list of texts is joined by spaces,
    other structures are JSON, and characters that could act on a terminal are shown as escapes
    (`\n`, `\x1b`): JSON is the format that keeps them.

    In csv a text that a spreadsheet would take for a formula has an apostrophe before it.
    """

    def __init__(self, out: TextIO, form: Format) -> None:
        super().__init__(out)
        self._tsv = form is Format.TSV
        self._csv = csv.writer(out, lineterminator="\n")
        self._columns: Sequence[str] = ()

    def document(self, document: object) -> None:
        match document:
            case None:
                pass
            case dict():
                self.document([document])
            case list() if document and all(isinstance(each, dict) for each in document):
                self.begin(columns_of(document))
                for each in document:
                    self.item(each)
            case list():
                for each in document:
                    self._row(each if isinstance(each, list) else [each])
            case _:
                self._row([document])

    def begin(self, columns: Sequence[str]) -> None:
        self._columns = columns
        if not self._tsv:
            self._row(columns)

    def item(self, document: Document) -> None:
        self._row([document.get(column) for column in self._columns])

    def _row(self, values: Sequence[object]) -> None:
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
