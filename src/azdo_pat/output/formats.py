"""The formats of `-o`."""

from enum import StrEnum


class Format(StrEnum):
    """How results are written on stdout."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    NONE = "none"
