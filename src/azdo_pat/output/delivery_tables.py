"""Build the tables that tell where secrets are delivered, for people."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from azdo_pat.dates import distance, local_minute
from azdo_pat.output.table_model import Cell, Column, Table, Tone, pairs_table
from azdo_pat.output.token_tables import token_pairs
from azdo_pat.renewal import DeliveryState, Destination
from azdo_pat.results.tokens import Shown

_TONES: Final = {
    DeliveryState.DELIVERED: Tone.GOOD,
    DeliveryState.READY: Tone.GOOD,
    DeliveryState.FAILED: Tone.ALARM,
    DeliveryState.PENDING: Tone.WARNING,
    DeliveryState.UNKNOWN: Tone.FAINT,
}


def shown_table(shown: Shown, now: datetime, zone: tzinfo | None) -> Table:
    """Return one token with its delivery targets."""
    rows = [
        (
            "" if number else "Delivered to",
            Cell(f"{each.target.place}: {_outcome(each, now, zone)}", _TONES[each.state]),
        )
        for number, each in enumerate(shown.destinations)
    ]
    return pairs_table([*token_pairs(shown.pat, now, zone), *rows])


def destinations_table(
    destinations: Sequence[Destination], now: datetime, zone: tzinfo | None
) -> Table:
    """Return delivery targets, and what became of the last delivery to each."""
    rows = [
        (
            Cell(each.name),
            Cell(each.target.place),
            Cell(_outcome(each, now, zone), _TONES[each.state]),
        )
        for each in destinations
    ]
    return Table((Column("NAME", 10), Column("TARGET", 24), Column("DELIVERY", 20)), rows)


def destination_cells(destinations: Sequence[Destination]) -> list[Cell]:
    """Return to how many targets the current secret was delivered; and to which it was not.

    Whether someone has changed it there since is not known.
    """
    if not destinations:
        return []
    lacking = [each for each in destinations if each.lacks_secret]
    reached, of = len(destinations) - len(lacking), len(destinations)
    return [
        Cell(
            f"the current secret was delivered to {reached} of {of} target{'s' * (of > 1)}",
            Tone.WARNING if lacking else Tone.GOOD,
        ),
        *(Cell(f"{each.name}: not yet in {each.target.place}", Tone.WARNING) for each in lacking),
    ]


def _outcome(destination: Destination, now: datetime, zone: tzinfo | None) -> str:
    """Return what became of the last delivery, in words."""
    if destination.reason:
        return f"{destination.state}: {destination.reason}"
    if destination.state is DeliveryState.PENDING or destination.at is None:
        return str(destination.state)
    minute = local_minute(destination.at, zone)
    return f"{destination.state} {distance(destination.at, now)} ({minute})"
