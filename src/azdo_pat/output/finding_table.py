"""Build the table of what needs attention, for people."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from azdo_pat.dates import local_date
from azdo_pat.findings import Finding, Severity
from azdo_pat.output.table_model import Cell, Column, Table, Tone

_TONES: Final = {
    Severity.NOTE: Tone.FAINT,
    Severity.WARNING: Tone.WARNING,
    Severity.ERROR: Tone.ALARM,
}


def findings_table(findings: Sequence[Finding], zone: tzinfo | None) -> Table:
    """Return the table of findings; the organization is a column only if there are several.

    The owner is one in its place, if those of other users are among the tokens. Each command has a
    line of its own, from which it can be copied.
    """
    owned = any(each.owner for each in findings)
    many = owned or len({each.org for each in findings if each.org is not None}) > 1
    columns = [Column("", 7), Column("NAME", 12)]
    columns += [Column("OWNER", 24) if owned else Column("ORG", 8)] if many else []
    columns += [Column("WHAT", 16 if owned else 20), Column("UNTIL", 10)]
    rows = []
    for each in findings:
        row = [Cell(str(each.severity), _TONES[each.severity]), Cell(each.name or "")]
        row += [Cell(each.owner.handle if each.owner else each.org or "")] if many else []
        until = local_date(each.until, zone) if each.until else ""
        rows.append([*row, Cell(each.message), Cell(until)])
    return Table(columns, rows, [_below(each) for each in findings])


def _below(finding: Finding) -> list[Cell]:
    if finding.owner_fix:
        return [Cell(f"tell the owner: {finding.owner_fix}")]
    return [Cell(f"fix: {finding.fix}")] if finding.fix else []
