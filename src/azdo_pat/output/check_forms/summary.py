"""Write all findings as a Markdown table, for the page of a pipeline's run."""

import re
from collections.abc import Iterator
from typing import Final

from azdo_pat.findings import Checked, Finding
from azdo_pat.output.check_forms.wording import counted, counts, utc_minute
from azdo_pat.output.sanitize import without_commands

_ROOM_FOR_END: Final = 200


def summary(checked: Checked, room: int) -> str:
    """Return the findings as Markdown.

    Args:
        checked: what was found.
        room: bytes that it may take; the least important findings are left out, or everything.
    """
    lines: list[str] = []
    left = room - _ROOM_FOR_END
    rows = [*_head(checked), *map(_row, checked.findings)]
    for number, line in enumerate(rows):
        left -= len(f"{line}\n".encode())
        if left < 0:
            if not lines:
                return ""
            missing = min(len(rows) - number, len(checked.findings))
            lines += ["", f"{counted(missing, 'more finding')} did not fit here."]
            break
        lines.append(line)
    return "".join(f"{line}\n" for line in lines)


def _head(checked: Checked) -> Iterator[str]:
    found = counts(checked) or "nothing found"
    number = counted(checked.tokens, "token")
    yield ""
    yield "### Azure DevOps tokens that need attention"
    yield ""
    yield f"{found.capitalize()}; {number} checked on {utc_minute(checked.read_at)}."
    for failure in checked.failures:
        yield ""
        yield f"**{_plain(failure.what)} could not be checked**: {_plain(failure.reason)}"
    if checked.findings:
        yield ""
        place = "Organization" if checked.everyone is None else "Owner"
        yield f"| | Token | {place} | Finding | Expires | To fix it, run |"
        yield "| --- | --- | --- | --- | --- | --- |"


def _row(finding: Finding) -> str:
    cells = [
        str(finding.severity),
        _code(finding.name or ""),
        _plain(finding.owner.handle if finding.owner else finding.org or ""),
        _plain(f"{finding.kind}: {finding.message}"),
        utc_minute(finding.expires) if finding.expires else "",
        f"the owner: {_code(finding.owner_fix)}" if finding.owner_fix else _code(finding.fix),
    ]
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    return f"<code>{_plain(text)}</code>" if text else ""


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is: an entity never begins or ends anything."""
    return re.sub(r"[^\w ]|_", lambda found: f"&#{ord(found.group())};", without_commands(text))
