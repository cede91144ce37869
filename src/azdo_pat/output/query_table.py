"""Convert a document of any shape, such as the result of a query, to a table."""

from azdo_pat.output.delimited import columns_of, field_text
from azdo_pat.output.table_model import Cell, Column, TableModel
from azdo_pat.output.table_rows import pairs_grid


def shape_of(document: object) -> TableModel | list[str]:
    """Return a table, or bare lines if a table does not fit the document.

    A list of objects is a table with their keys as headings; a list of lists, one without; an
    object has a line for each key; a text or a number stands alone; null is nothing.
    """
    match document:
        case None:
            return []
        case dict():
            return pairs_grid([(str(key), Cell(field_text(document[key]))) for key in document])
        case list() if document and all(isinstance(each, dict) for each in document):
            keys = columns_of(document)
            columns = tuple(Column(key.upper()) for key in keys)
            cells = [[each.get(key) for key in keys] for each in document]
            return _grid(columns, cells)
        case list() if document and all(isinstance(each, list) for each in document):
            width = max(len(each) for each in document)
            return _grid((Column(""),) * width, [_padded(each, width) for each in document])
        case list():
            return [field_text(each) for each in document]
        case _:
            return [field_text(document)]


def _grid(columns: tuple[Column, ...], values: list[list[object]]) -> TableModel:
    rows = tuple(tuple(Cell(field_text(value)) for value in row) for row in values)
    return TableModel(columns=columns, rows=rows)


def _padded(row: list[object], width: int) -> list[object]:
    return row + [None] * (width - len(row))
