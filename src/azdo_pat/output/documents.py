"""Write documents in the formats for programs: json, jsonl, csv, tsv."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TextIO, assert_never

from azdo_pat.formats import Format
from azdo_pat.output.delimited import DelimitedWriter, columns_of
from azdo_pat.output.serialize import Document, json_text

_LINES_PER_FLUSH: Final = 100
"""The page size of the service, so that a page is visible while the next one loads."""


def write_document(document: object, form: Format, out: TextIO) -> None:
    """Write a JSON document in any format but `table`.

    jsonl writes each item of a list on a line of its own, csv and tsv as a row.
    """
    match form:
        case Format.JSON:
            out.write(json_text(document) + "\n")
        case Format.JSONL:
            items = document if isinstance(document, list) else [document]
            out.writelines(json_text(each, indent=None) + "\n" for each in items)
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
        return lambda document: out.write(json_text(document, indent=None) + "\n")
    delimited = DelimitedWriter(out, form)
    delimited.header(columns)
    return lambda document: delimited.row([document[column] for column in columns])


def _write_rows(document: object, delimited: DelimitedWriter) -> None:
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
