"""Write when tokens expire as a calendar (RFC 5545)."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Final

from azdo_pat.findings import Checked, Kind
from azdo_pat.judgement import command, has_ended, is_replaced
from azdo_pat.models import Pat
from azdo_pat.output.check_forms.watched import Watched, report_of
from azdo_pat.output.sanitize import without_commands
from azdo_pat.times import rfc3339

_LINE: Final = 75
"""Octets of a line, at most (section 3.1)."""
_ALARMS: Final = ("-P7D", "-P1D")
_REPLACED: Final = "Another token replaces it before that; there is nothing to do."


def icalendar_text(checked: Checked) -> str:
    """Return a calendar with an event for each active token at its expiry.

    Tokens that are replaced in time by themselves have no alarm.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//azdo-pat//pat check//EN",
        "X-WR-CALNAME:Azure DevOps tokens",
        *(
            line
            for each in report_of(checked).tokens
            if each.pat.expires is not None and not has_ended(each.pat, checked.now)
            for line in _event(each, each.pat.expires, checked.now)
        ),
        "END:VCALENDAR",
    ]
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _event(watched: Watched, expires: datetime, now: datetime) -> Iterator[str]:
    pat = watched.pat
    replaced = is_replaced(pat, now)
    where = f" in {pat.org}" if pat.org else ""
    title = f"Token '{pat.name}'{where} expires"
    yield "BEGIN:VEVENT"
    yield f"UID:{_uid(pat)}"
    yield f"DTSTAMP:{_time(now)}"
    yield f"DTSTART:{_time(expires)}"
    yield f"SUMMARY:{_text(title)}"
    yield f"DESCRIPTION:{_text(_REPLACED if replaced else f'Run: {_command(watched)}')}"
    yield "TRANSP:TRANSPARENT"
    for trigger in () if replaced else _ALARMS:
        yield "BEGIN:VALARM"
        yield "ACTION:DISPLAY"
        yield f"TRIGGER:{trigger}"
        yield f"DESCRIPTION:{_text(title)}"
        yield "END:VALARM"
    yield "END:VEVENT"


def _command(watched: Watched) -> str:
    """Return what to run before a token expires."""
    pat = watched.pat
    for finding in watched.findings:
        if finding.kind in {Kind.EXPIRING, Kind.GLOBAL} and finding.fix:
            return finding.fix
    if pat.is_global:
        return command(pat, "migrate")
    return command(pat, "rotate") if pat.stored else command(pat, "update", "--expires", "30d")


def _uid(pat: Pat) -> str:
    """Return what makes a later import update the event instead of adding another one."""
    known_by = pat.id or f"{pat.org}/{pat.name}"
    return f"{sha256(known_by.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}@azdo-pat"


def _time(moment: datetime) -> str:
    return rfc3339(moment).replace("-", "").replace(":", "")


def _text(text: str) -> str:
    text = without_commands(text, broken=True).replace("\\", r"\\")
    return text.replace(";", r"\;").replace(",", r"\,")


def _folded(line: str) -> Iterator[str]:
    """Yield a line in pieces that are short enough; all but the first begin with a space."""
    piece, room = "", _LINE
    for character in line:
        size = len(character.encode())
        if size > room:
            yield piece
            piece, room = " ", _LINE - 1
        piece += character
        room -= size
    yield piece
