"""The index of messages: no error is missing, and what the guide quotes is in it."""

import re
from pathlib import Path

from message_source import unread
from messages import PAGE

GUIDE = Path(__file__).parent.parent / "docs" / "guides" / "trouble.md"

PASSED_ON = {
    ("api/service_errors", "failure.message"),
    ("cli/admin_revoke_messages", "'; '.join(wrong)"),
    ("cli/emulator", "str(error)"),
    ("cli/exit", "message"),
    ("config/declarations", "error.message"),
    ("config/declarations", "lines[0]"),
    ("deliveries/dispatch", "error.message"),
    ("deliveries/dispatch", "named.message"),
    ("deliveries/tool_target", "error.message"),
    ("operations/delivery", "'; '.join((each.one_line for each in failures))"),
    ("operations/delivery", "error.message"),
    ("operations/issue", "outcome.message"),
    ("operations/issue", "second.message"),
    ("services/migrate_plan", "error.message"),
    ("store/keyring_errors", "meaning.message"),
}
"""Errors with the message of another one, which is in the index where that one is made."""


def pieces(message: str) -> list[str]:
    """Return what is the same in each message of a kind, without what names differ."""
    parts = re.split(r"…|'[^']*'|\([^)]*\)|: |[A-Z]{4,}|contoso|/\S+", message)
    return [" ".join(part.split()).strip(" ;,.") for part in parts]


def is_of_kind(quoted: str, message: str) -> bool:
    """Return whether the longest piece of one message is in the other."""
    longest = max(pieces(quoted), key=len)
    return longest in message or (
        len(piece := max(pieces(message), key=len)) > 12 and piece in quoted
    )


def test_the_message_of_each_error_can_be_read_from_the_source() -> None:
    assert unread() == PASSED_ON


def test_each_message_that_the_guide_quotes_is_in_the_index() -> None:
    index = re.findall(r"^\| `+ ?(.+?) ?`+ \|", PAGE.read_text("utf-8"), re.MULTILINE)
    bullets = re.findall(r"^- (`.*?`)(?::| \(|,? come)", GUIDE.read_text("utf-8"), re.MULTILINE)
    quoted = [message for bullet in bullets for message in re.findall(r"`((?!pat )[^`]+)`", bullet)]
    assert len(quoted) > 30
    assert [each for each in quoted if not any(is_of_kind(each, other) for other in index)] == []
