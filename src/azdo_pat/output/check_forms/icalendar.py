"""Write when tokens expire as a calendar (RFC 5545)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from azdo_pat.dates import local_date
from azdo_pat.findings import Checked, Kind
from azdo_pat.judgement import command, has_ended, is_replaced
from azdo_pat.output.check_forms.watched import Watched, report_of
from azdo_pat.output.check_forms.wording import advice
from azdo_pat.output.sanitize import without_commands
from azdo_pat.times import rfc3339

_LINE: Final = 75
"""Octets of a line, at most (section 3.1)."""
_ALARMS: Final = ("-P7D", "-P1D")
_REPLACED: Final = "The program that created it creates another one; there is nothing to do."


def icalendar_text(checked: Checked) -> str:
    """Return a calendar with an event for each active token at its expiry.

    Of the tokens of many users, only those with findings have one.

    A token that `pat renew` replaces has an alarm one day before, when that is certainly late; one
    that another program replaces has none.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//azdo-pat//{checked.command}//EN",
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
    what_to_do, alarms = _advice(watched, now)
    where = f" in {pat.org}" if pat.org else ""
    whose = f" of {watched.owner.handle}" if watched.owner else ""
    title = f"Token '{pat.name}'{whose}{where} expires"
    yield "BEGIN:VEVENT"
    yield f"UID:{_uid(watched)}"
    yield f"DTSTAMP:{_time(now)}"
    yield f"DTSTART:{_time(expires)}"
    yield f"SUMMARY:{_text(title)}"
    yield f"DESCRIPTION:{_text(what_to_do)}"
    yield "TRANSP:TRANSPARENT"
    for trigger in alarms:
        yield "BEGIN:VALARM"
        yield "ACTION:DISPLAY"
        yield f"TRIGGER:{trigger}"
        yield f"DESCRIPTION:{_text(title)}"
        yield "END:VALARM"
    yield "END:VEVENT"


def _advice(watched: Watched, now: datetime) -> tuple[str, tuple[str, ...]]:
    """Return what to do about a token, and when to remind of it."""
    due = watched.pat.renewal_due
    run = _to_do(watched)
    if not is_replaced(watched.pat, now):
        return run, _ALARMS
    if due is None:
        return _REPLACED, ()
    return f"pat renew replaces it from {local_date(due, UTC)} on, if it is scheduled. {run}", (
        _ALARMS[-1],
    )


def _to_do(watched: Watched) -> str:
    """Return what to do before a token expires, and who does it."""
    pat, owner = watched.pat, watched.owner
    urgent = [each for each in watched.findings if each.kind in {Kind.EXPIRING, Kind.GLOBAL}]
    for finding in [*urgent, *(watched.findings if owner else ())]:
        if text := advice(finding):
            return f"{text[0].upper()}{text[1:]}"
    if owner and not pat.stored:
        return "Ask the owner whether it is needed."
    if pat.is_global:
        return f"Run: {command(pat, 'migrate')}"
    fix = command(pat, "rotate") if pat.stored else command(pat, "update", "--expires", "30d")
    return f"Run: {fix}"


def _uid(watched: Watched) -> str:
    """Return what makes a later import update the event instead of adding another one."""
    pat, owner = watched.pat, watched.owner
    # The token that replaces a stored one has its name.
    by_name = f"{owner.descriptor}/{pat.name}" if owner and not pat.stored else pat.name
    known_by = f"{pat.org}/{by_name}" if pat.stored or pat.id is None else pat.id
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
