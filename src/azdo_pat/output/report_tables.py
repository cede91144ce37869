"""Build the tables of `pat admin report`, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from azdo_pat.dates import in_words, local_minute
from azdo_pat.formats import Grouping
from azdo_pat.output.table_model import Cell, Column, Table, Tone, pairs_table
from azdo_pat.output.token_tables import short_scopes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from azdo_pat.results.admin import Group, Owner, TokenReport, Top

_GROUP_TITLES: Final = ("TOKENS", "USERS")
_OWNER_TITLES: Final = ("TOKENS", "GLOBAL", "FULL ACCESS", "EXPIRING", "LONG-LIVED")


def totals_table(report: TokenReport, zone: tzinfo | None) -> Table:
    """Return the numbers of all tokens, with what each of them counts."""
    numbers = report.numbers
    owners = report.owners.total
    pairs = [
        ("Organization", Cell(report.org)),
        ("Time", Cell(_time(report, zone))),
        ("Users", Cell(f"{report.users}, of whom {owners} have active tokens")),
        ("Active tokens", Cell(str(numbers.tokens))),
        ("  global", _counted(numbers.is_global, "valid in all organizations", Tone.ALARM)),
        ("  full access", _counted(numbers.full_access, "may do all that the user may do")),
        (
            "  expiring",
            _counted(numbers.expiring, f"within {in_words(report.within)}"),
        ),
        (
            "  long-lived",
            _counted(numbers.long_lived, f"lifetime over {in_words(report.max_life)}"),
        ),
        ("Expired", Cell(f"{report.expired}, still listed by the service")),
    ]
    if not report.is_complete:
        pairs.insert(0, ("PARTIAL", Cell(_partial(report), Tone.ALARM)))
    return pairs_table(pairs)


def _time(report: TokenReport, zone: tzinfo | None) -> str:
    at, since = (local_minute(each, zone) for each in (report.at, report.read_since))
    return at if at == since else f"{at}, of tokens read since {since}"


def _partial(report: TokenReport) -> str:
    """Return what is missing from a report that is not complete."""
    return (
        f"{report.unread} of {report.users} users could not be read: the numbers below are those"
        " of the others"
    )


def groups_table(report: TokenReport, grouping: Grouping) -> Table:
    """Return the numbers of the groups."""
    match grouping:
        case Grouping.USER:
            return _owners_table(report.owners)
        case Grouping.SCOPE:
            return _groups_table("SCOPE", [*map(_short, report.by_scope)], "other or unknown")
        case Grouping.MONTH:
            return _groups_table("EXPIRY", report.by_month, "unknown")
        case _:
            assert_never(grouping)


def _short(group: Group) -> Group:
    return group._replace(name=group.name and short_scopes([group.name]))


def _counted(number: int, meaning: str, tone: Tone = Tone.WARNING) -> Cell:
    return Cell(f"{number} ({meaning})", tone if number else Tone.PLAIN)


def _groups_table(title: str, groups: Sequence[Group], unknown: str) -> Table:
    rows = [
        (Cell(each.name or unknown), *_right((each.tokens, each.users), _GROUP_TITLES))
        for each in groups
    ]
    return Table((Column(title, 20), *map(Column, _GROUP_TITLES)), rows)


def _owners_table(owners: Top[Owner]) -> Table:
    rows = [
        (
            Cell(each.user.handle),
            *_right(each.numbers, _OWNER_TITLES),
        )
        for each in owners.items
    ]
    if left := owners.total - len(owners.items):
        rows.append((Cell(f"… and {left} more", Tone.FAINT), *[Cell("")] * len(_OWNER_TITLES)))
    return Table((Column("USER", 24), *map(Column, _OWNER_TITLES)), rows)


def _right(numbers: Sequence[int], titles: Sequence[str]) -> list[Cell]:
    """Return numbers that end where their titles do."""
    pairs = zip(numbers, titles, strict=True)
    return [Cell(str(number).rjust(len(title))) for number, title in pairs]
