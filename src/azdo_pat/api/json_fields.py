"""Reading JSON objects field by field, so that a wrong shape is one clear error."""

import re
from datetime import UTC, datetime
from typing import Final

from azdo_pat.api.response import Response
from azdo_pat.api.service_errors import unreadable
from azdo_pat.errors import UnavailableError

_GUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class Record:
    """One JSON object of an answer.

    Args:
        value: what should be the object.
        what: what it should be, with its article: `a token`.
        answer: where it came in.

    Raises:
        UnavailableError: it is no object. Every method raises it for a missing field or one of
            the wrong type.
    """

    def __init__(self, value: object, what: str, answer: Response) -> None:
        if not isinstance(value, dict):
            raise unreadable(answer, what)
        self._fields: dict[str, object] = value
        self._what = what
        self._answer = answer

    def text(self, key: str) -> str:
        """Return a text that must be there."""
        value = self._fields.get(key)
        if not isinstance(value, str):
            raise self._wrong(key)
        return value

    def filled_text(self, key: str) -> str:
        """Return a text that must be there, not be empty, and can be sent on."""
        value = self.text(key)
        if not value or not _is_sendable(value):
            raise self._wrong(key)
        return value

    def secret(self, key: str) -> str:
        """Return a text that must be there: one word of visible ASCII, as every token is.

        What a line end in it would do to a runner's log, or to a file, nobody need find out.
        """
        value = self.filled_text(key)
        if not value.isascii() or not value.isprintable() or " " in value:
            raise self._wrong(key)
        return value

    def guid(self, key: str) -> str:
        """Return a GUID that must be there, in lower case."""
        value = self.text(key).lower()
        if not re.fullmatch(_GUID, value):
            raise self._wrong(key)
        return value

    def text_or_empty(self, key: str) -> str:
        """Return a text; empty where it is null or left out."""
        value = self._fields.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(key)
        return value

    def url_part(self, key: str) -> str:
        """Return a text that is to go into a URL; empty where it is null or left out."""
        value = self.text_or_empty(key)
        if not _is_sendable(value):
            raise self._wrong(key)
        return value

    def guids_or_none(self, key: str) -> tuple[str, ...] | None:
        """Return a list of GUIDs, in lower case; None where it is null. It must not be left out."""
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
        """Return a time that must be there, aware."""
        value = self.text(key)
        try:
            return parse_moment(value)
        except ValueError:
            raise self._wrong(key) from None

    def record(self, key: str, what: str) -> "Record | None":
        """Return an object within; None where it is null or left out."""
        value = self._fields.get(key)
        return None if value is None else Record(value, what, self._answer)

    def value(self, key: str) -> object:
        """Return what stands there; None where it is null or left out."""
        return self._fields.get(key)

    def rows(self, key: str) -> list[object]:
        """Return a list that must be there; each row is for the caller to read by itself."""
        value = self._fields.get(key)
        if not isinstance(value, list):
            raise self._wrong(key)
        return value

    def shown_text(self, key: str) -> str:
        """Return what of a text can be shown; empty where it is none."""
        value = self._fields.get(key)
        if not isinstance(value, str):
            return ""
        return value.encode("utf-8", "replace").decode()

    def _wrong(self, key: str) -> UnavailableError:
        return unreadable(self._answer, f"{self._what} ({key} is missing or of the wrong type)")


def _is_sendable(text: str) -> bool:
    """Tell whether it can be encoded: JSON can hold half of a surrogate pair, UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def parse_moment(text: str) -> datetime:
    """Return a time of the API as an aware one in UTC.

    The service writes 2 to 7 digits of a second's fraction, `Z`, an offset, or no zone at all,
    which means UTC too (the specs' examples of tokens and tokenAdmin).

    Raises:
        ValueError: it is no time.
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
