"""Reads JSON objects field by field, with one clear error for a wrong shape."""

import re
from datetime import UTC, datetime
from typing import Final

from azdo_pat.api.response import Response
from azdo_pat.api.service_errors import unreadable
from azdo_pat.errors import UnavailableError

_GUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class Record:
    """One JSON object of a response.

    Args:
        value: the value that should be an object.
        what: what it should be, with its article: `a token`.
        answer: the response that contained it.

    Raises:
        UnavailableError: it is not an object. Every method raises it for a missing field or one of
            the wrong type.
    """

    def __init__(self, value: object, what: str, answer: Response) -> None:
        if not isinstance(value, dict):
            raise unreadable(answer, what)
        self._fields: dict[str, object] = value
        self._what = what
        self._answer = answer

    def text(self, key: str) -> str:
        """Return a required string."""
        value = self._fields.get(key)
        if not isinstance(value, str):
            raise self._wrong(key)
        return value

    def filled_text(self, key: str) -> str:
        """Return a required, non-empty string that can be encoded."""
        value = self.text(key)
        if not value or not _is_sendable(value):
            raise self._wrong(key)
        return value

    def secret(self, key: str) -> str:
        """Return a required secret: one word of visible ASCII, like every token.

        A line break in it could corrupt a log or a file that it is written to.
        """
        value = self.filled_text(key)
        if not value.isascii() or not value.isprintable() or " " in value:
            raise self._wrong(key)
        return value

    def guid(self, key: str) -> str:
        """Return a required GUID, in lower case."""
        value = self.text(key).lower()
        if not re.fullmatch(_GUID, value):
            raise self._wrong(key)
        return value

    def text_or_empty(self, key: str) -> str:
        """Return a string; empty if it is null or missing."""
        value = self._fields.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(key)
        return value

    def url_part(self, key: str) -> str:
        """Return a string that can be part of a URL; empty if it is null or missing."""
        value = self.text_or_empty(key)
        if not _is_sendable(value):
            raise self._wrong(key)
        return value

    def guids_or_none(self, key: str) -> tuple[str, ...] | None:
        """Return a required list of GUIDs, in lower case; None if it is null."""
        value = self._fields.get(key, ...)
        if value is None:
            return None
        if not isinstance(value, list):
            raise self._wrong(key)
        guids = tuple(item.lower() for item in value if isinstance(item, str))
        if len(guids) != len(value) or not all(re.fullmatch(_GUID, guid) for guid in guids):
            raise self._wrong(key)
        return guids

    def moment(self, key: str) -> datetime:
        """Return a required time, aware."""
        value = self.text(key)
        try:
            return parse_moment(value)
        except ValueError:
            raise self._wrong(key) from None

    def record(self, key: str, what: str) -> "Record | None":
        """Return a nested object; None if it is null or missing."""
        value = self._fields.get(key)
        return None if value is None else Record(value, what, self._answer)

    def value(self, key: str) -> object:
        """Return a value of any type; None if it is null or missing."""
        return self._fields.get(key)

    def rows(self, key: str) -> list[object]:
        """Return a required list; the caller reads each row by itself."""
        value = self._fields.get(key)
        if not isinstance(value, list):
            raise self._wrong(key)
        return value

    def shown_text(self, key: str) -> str:
        """Return the printable part of a string; empty if it is not a string."""
        value = self._fields.get(key)
        if not isinstance(value, str):
            return ""
        return value.encode("utf-8", "replace").decode()

    def _wrong(self, key: str) -> UnavailableError:
        return unreadable(self._answer, f"{self._what} ({key} is missing or of the wrong type)")


def _is_sendable(text: str) -> bool:
    """Return whether a string can be encoded: JSON allows lone surrogates, UTF-8 does not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def parse_moment(text: str) -> datetime:
    """Parse a time of the API into an aware one in UTC.

    The service writes 2 to 7 digits of a second's fraction, `Z`, an offset, or no zone at all,
    which also means UTC (the specs' examples of tokens and tokenAdmin).

    Raises:
        ValueError: it is not a time.
    """
    moment = datetime.fromisoformat(text)
    if len(text) <= len("2026-12-31"):
        raise ValueError("a date alone")
    try:
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("beyond the calendar") from None
