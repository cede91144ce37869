"""Build the tables of `pat admin`, for people."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from azdo_pat.dates import local_minute
from azdo_pat.models import AuditEvent, OwnedPat, User
from azdo_pat.output.explanation_tables import action_text
from azdo_pat.output.table_model import Cell, Column, Table, Tone, pairs_table
from azdo_pat.output.token_tables import pats_table, revocations_table
from azdo_pat.results.admin import OnOff, OwnedRevocation, PolicyState, RevocationRule

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


def users_table(users: Sequence[User]) -> Table:
    """Return the users, with notes on guests and deleted accounts."""
    rows = [
        (
            Cell(each.name or "unknown"),
            Cell(each.upn or each.descriptor),
            Cell("" if each.mail == each.upn else each.mail),
            Cell(
                ", ".join(["guest"] * each.is_guest + ["deleted in the tenant"] * each.is_deleted),
                Tone.WARNING if each.is_deleted else Tone.PLAIN,
            ),
        )
        for each in users
    ]
    columns = (Column("NAME", 16), Column("UPN", 24), Column("MAIL", 16), Column("NOTES", 8))
    return Table(columns, rows)


def owned_table(pats: Sequence[OwnedPat], now: datetime, zone: tzinfo | None) -> Table:
    """Return the table of tokens, with the owner of each."""
    owners = [each.owner.handle for each in pats]
    return pats_table([each.pat for each in pats], now, zone, owners)


def owned_revocations_table(revocations: Sequence[OwnedRevocation]) -> Table:
    """Return the outcome for each token, with its owner."""
    owners = [each.owner.handle for each in revocations]
    return revocations_table([each.item for each in revocations], owners)


def owners_table(pats: Sequence[OwnedPat]) -> Table:
    """Return how many of the tokens, and of those for all organizations, each owner has."""
    by_owner: dict[str, list[OwnedPat]] = {}
    for each in pats:
        by_owner.setdefault(each.owner.descriptor, []).append(each)
    rows = [
        (
            Cell(owned[0].owner.handle),
            Cell(owned[0].owner.name),
            Cell(str(len(owned))),
            Cell(str(sum(bool(each.pat.is_global) for each in owned) or "")),
        )
        for owned in by_owner.values()
    ]
    columns = (Column("OWNER", 24), Column("NAME", 16), Column("TOKENS", 6), Column("GLOBAL", 6))
    return Table(columns, rows)


def rule_table(rule: RevocationRule, zone: tzinfo | None) -> Table:
    """Return a rule that ends access tokens, with all its properties."""
    return pairs_table(
        [
            ("Organization", Cell(rule.org)),
            ("Scopes", Cell(" ".join(rule.scopes))),
            ("Issued before", Cell(local_minute(rule.before, zone) if rule.before else "now")),
            ("Outcome", Cell("planned" if rule.is_planned else "created")),
        ]
    )


def owned_pat_table(owned: OwnedPat, token: Table) -> Table:
    """Return the table of one token with its owner above."""
    owner = owned.owner
    name = owner.name or "unknown"
    text = f"{name} <{owner.upn}>" if owner.upn else f"{name} ({owner.descriptor})"
    return token._replace(rows=[(Cell("Owner", Tone.FAINT), Cell(text)), *token.rows])


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
    return Table(columns, rows, [[_origin(each)] for each in events])


def _origin(event: AuditEvent) -> Cell:
    address = f"from {event.address}" if event.address else ""
    program = f"with {event.program}" if event.program else ""
    return Cell(" ".join(each for each in (address, program) if each), Tone.FAINT)
