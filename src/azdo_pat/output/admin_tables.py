"""Build the tables of `pat admin`, for people."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from azdo_pat.models import AuditEvent
from azdo_pat.output.dates import local_minute
from azdo_pat.output.explanation_tables import action_text
from azdo_pat.output.table_model import Cell, Column, Table, Tone
from azdo_pat.results import OnOff, PolicyState

_STATE_TONES: Final = {OnOff.ON: Tone.GOOD, OnOff.OFF: Tone.PLAIN, OnOff.UNKNOWN: Tone.FAINT}


def policies_table(policies: Sequence[PolicyState]) -> Table:
    """Return the policies, and what each means where it is on."""
    rows = [
        (
            Cell(str(each.name)),
            Cell(str(each.state), _STATE_TONES[each.state]),
            Cell(
                each.meaning
                + ("" if each.max_days is None else f" ({each.max_days} days)")
                + (", with exceptions" if each.has_exceptions else "")
            ),
        )
        for each in policies
    ]
    return Table((Column("POLICY", 20), Column("STATE", 7), Column("MEANING IF ON", 20)), rows)


def events_table(events: Sequence[AuditEvent], zone: tzinfo | None) -> Table:
    """Return the events, one per row, with address and program below each."""
    rows = [
        (
            Cell(local_minute(each.time, zone) if each.time else "unknown"),
            Cell(action_text(each)),
            Cell(each.token or "-", Tone.PLAIN if each.token else Tone.FAINT),
            Cell(each.actor_mail or each.actor or "unknown"),
        )
        for each in events
    ]
    columns = (Column("TIME", 16), Column("EVENT", 12), Column("TOKEN", 12), Column("BY", 16))
    return Table(columns, rows, [_origin(each) for each in events])


def _origin(event: AuditEvent) -> Cell:
    address = f"from {event.address}" if event.address else ""
    program = f"with {event.program}" if event.program else ""
    return Cell(" ".join(each for each in (address, program) if each), Tone.FAINT)
