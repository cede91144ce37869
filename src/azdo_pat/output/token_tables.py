"""Build the tables of tokens, and of what was done with each, for people."""

from collections.abc import Collection, Sequence
from datetime import datetime, tzinfo
from itertools import pairwise, takewhile
from typing import Final

from azdo_pat.dates import distance, local_date, local_minute
from azdo_pat.findings import Finding, Kind, Severity
from azdo_pat.judgement import has_ended, is_active, is_unfinished, of_token
from azdo_pat.models import GLOBAL_TOKENS_STOP, Field, Origin, Pat, Pending, PendingKind, Status
from azdo_pat.origins import maker_name
from azdo_pat.output.table_model import Cell, Column, Table, Tone, pairs_table
from azdo_pat.results.plans import Change, ChangeOutcome, Migration, MigrationOutcome
from azdo_pat.results.tokens import Outcome, Revocation
from azdo_pat.scopes import FULL_ACCESS

_WHOLE_ID: Final = 36
_LEAST_PREFIX: Final = 8
_WORDS: Final = {
    Kind.FULL_ACCESS: "full access",
    Kind.BROAD: "broad scopes",
    Kind.UNREADABLE: "not fully readable",
}
_OF_SCOPES: Final = (Kind.FULL_ACCESS, Kind.BROAD)
_TONES: Final = {
    Severity.NOTE: Tone.PLAIN,
    Severity.WARNING: Tone.WARNING,
    Severity.ERROR: Tone.ALARM,
}
_CHANGE_TONES: Final = {
    ChangeOutcome.CREATED: Tone.GOOD,
    ChangeOutcome.ROTATED: Tone.GOOD,
    ChangeOutcome.DELIVERED: Tone.GOOD,
    ChangeOutcome.TAKEN_OVER: Tone.GOOD,
    ChangeOutcome.REVOKED: Tone.GOOD,
    ChangeOutcome.FAILED: Tone.ALARM,
    ChangeOutcome.NOT_REACHED: Tone.WARNING,
}
_MIGRATION_TONES: Final = {
    MigrationOutcome.CREATED: Tone.GOOD,
    MigrationOutcome.REFUSED: Tone.ALARM,
    MigrationOutcome.NOT_REACHED: Tone.WARNING,
}
_OUTCOME_TONES: Final = {
    Outcome.REVOKED: Tone.GOOD,
    Outcome.PENDING: Tone.WARNING,
    Outcome.FAILED: Tone.ALARM,
    Outcome.NOT_REACHED: Tone.WARNING,
}


def pats_table(
    pats: Sequence[Pat], now: datetime, zone: tzinfo | None, owners: Sequence[str] = ()
) -> Table:
    """Return the table of tokens; the organization is a column only if there are several.

    Args:
        pats: the tokens.
        now: the current time.
        zone: the time zone of dates.
        owners: the owner of each token, in place of its organization; empty for no column.
    """
    many = bool(owners) or len({pat.org for pat in pats if pat.org is not None}) > 1
    places = owners or [_org(pat) for pat in pats]
    columns = [Column("NAME", 12), Column("ID", _WHOLE_ID)]
    columns += [Column("OWNER" if owners else "ORG", 10)] if many else []
    columns += [Column("SCOPES", 14), Column("EXPIRES", 13), Column("NOTES", 13)]
    rows, marks = [], []
    for pat, short, place in zip(pats, _id_cells(pats), places, strict=True):
        row = [_name(pat), short]
        row += [Cell(place)] if many else []
        scopes = Cell(short_scopes(pat.scopes)) if pat.scopes else Cell("unknown", Tone.FAINT)
        notes = _notes(pat, now, zone)
        rows.append([*row, scopes, _expiry(pat, now, zone), notes])
        marks.append(_mark(pat, now, notes.tone))
    return Table(columns, rows, marks=marks)


def pat_table(pat: Pat, now: datetime, zone: tzinfo | None) -> Table:
    """Return one token with all its properties, one per row."""
    return pairs_table(token_pairs(pat, now, zone))


def token_pairs(pat: Pat, now: datetime, zone: tzinfo | None) -> list[tuple[str, Cell]]:
    """Return the properties of one token, each with its label."""
    expiry = _expiry(pat, now, zone)
    pairs = [
        ("Name", _name(pat)),
        ("ID", Cell(pat.id or "unknown")),
        ("Organization", Cell(_org(pat))),
        ("Status", _status(pat, now)),
        ("Scopes", Cell(" ".join(map(_explained, pat.scopes)) or "unknown")),
        ("Created", Cell(_moment(pat.created, now, zone))),
        ("Expires", Cell(_moment(pat.expires, now, zone), expiry.tone)),
        ("Secret", Cell("in the keyring of this machine" if pat.stored else "not stored here")),
    ]
    if pat.origin is not Origin.UNKNOWN:
        pairs.append(("Made by", Cell(maker_name(pat.origin))))
    pairs += pending_pairs(pat.pending, now)
    return pairs


def revocations_table(revocations: Sequence[Revocation], owners: Sequence[str] = ()) -> Table:
    """Return the outcome for each token, and why it failed.

    Args:
        revocations: the outcomes.
        owners: the owner of each token; empty for no column.
    """
    ids = _id_cells([each.pat for each in revocations])
    rows = []
    for place, (each, short) in enumerate(zip(revocations, ids, strict=True)):
        row = [_name(each.pat), short]
        row += [Cell(owners[place])] if owners else []
        row += [
            Cell(str(each.outcome), _OUTCOME_TONES.get(each.outcome, Tone.PLAIN)),
            Cell("; ".join(part for part in (each.error, each.left_in_keyring) if part)),
        ]
        rows.append(row)
    columns = [Column("NAME", 16), Column("ID", _WHOLE_ID)]
    columns += [Column("OWNER", 10)] if owners else []
    columns += [Column("OUTCOME", 15), Column("", 20)]
    return Table(columns, rows)


def changes_table(changes: Sequence[Change], now: datetime, zone: tzinfo | None) -> Table:
    """Return the action for each token, and the reason; errors are messages."""
    many = len({each.org for each in changes}) > 1
    columns = [Column("NAME", 12)] + ([Column("ORG", 10)] if many else [])
    columns += [Column("OUTCOME", 15), Column("EXPIRES", 13)]
    has_reasons = any(each.why for each in changes)
    columns += [Column("WHY", 20)] if has_reasons else []
    rows = []
    for each in changes:
        planned = each.outcome is ChangeOutcome.PLANNED
        outcome = f"to {each.action}" if planned else str(each.outcome)
        row = [Cell(each.pat.name)] + ([Cell(each.org)] if many else [])
        row += [
            Cell(outcome, _CHANGE_TONES.get(each.outcome, Tone.PLAIN)),
            _expiry(each.pat, now, zone),
        ]
        row += [Cell(each.why)] if has_reasons else []
        rows.append(row)
    marks = [
        Tone.WARNING if each.pending else _CHANGE_TONES.get(each.outcome, Tone.PLAIN)
        for each in changes
    ]
    return Table(columns, rows, marks=marks)


def migrations_table(migrations: Sequence[Migration], now: datetime, zone: tzinfo | None) -> Table:
    """Return what replaces each global token in each organization, or why nothing does."""
    rows = []
    for each in migrations:
        planned = each.outcome is MigrationOutcome.PLANNED
        outcome = "to create" if planned else str(each.outcome)
        exists = planned or each.pat.id is not None
        rows.append(
            [
                Cell(each.pat.name),
                Cell(each.org),
                Cell(short_scopes(each.pat.scopes) or "unknown"),
                Cell(outcome, _MIGRATION_TONES.get(each.outcome, Tone.PLAIN)),
                _expiry(each.pat, now, zone) if exists else Cell("-", Tone.FAINT),
                Cell(each.reason),
            ]
        )
    columns = [Column("NAME", 12), Column("ORG", 10), Column("SCOPES", 10), Column("OUTCOME", 9)]
    return Table([*columns, Column("EXPIRES", 13), Column("", 16)], rows)


def short_scopes(scopes: Sequence[str]) -> str:
    """Return scopes as `--scope` takes them at their shortest."""
    return " ".join(
        "full" if scope == FULL_ACCESS else scope.removeprefix("vso.") for scope in scopes
    )


def short_ids(ids: Sequence[str]) -> list[str]:
    """Return for each id its shortest prefix, of 8 characters or more, that no other id has.

    An id that stands there twice (two records of one token) need only differ from the others.
    """
    ordered = sorted({each.lower() for each in ids})
    lengths = dict.fromkeys(ordered, _LEAST_PREFIX)
    for one, other in pairwise(ordered):
        needed = _shared_length(one, other) + 1
        lengths[one] = max(lengths[one], needed)
        lengths[other] = max(lengths[other], needed)
    return [each[: lengths[each.lower()]] for each in ids]


def _shared_length(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _id_cells(pats: Sequence[Pat]) -> list[Cell]:
    return [Cell(short or "-", Tone.FAINT) for short in short_ids([pat.id or "" for pat in pats])]


def _name(pat: Pat) -> Cell:
    if Field.NAME in pat.unread and not pat.name:
        return Cell("unknown", Tone.FAINT)
    return Cell(pat.name) if pat.name else Cell("(unnamed)", Tone.FAINT)


def _org(pat: Pat) -> str:
    return pat.org or ("all" if pat.is_global else "unknown")


def _explained(scope: str) -> str:
    return f"{scope} (full access)" if scope == FULL_ACCESS else scope


def _expiry(pat: Pat, now: datetime, zone: tzinfo | None) -> Cell:
    if pat.expires is None:
        return Cell("unknown", Tone.FAINT)
    if pat.status is Status.REVOKED or has_ended(pat, now):
        tone = Tone.FAINT
    else:
        tone = Tone.WARNING if _is_marked(pat, now) else Tone.PLAIN
    return Cell(distance(pat.expires, now), tone, spare=local_date(pat.expires, zone))


def _moment(moment: datetime | None, now: datetime, zone: tzinfo | None) -> str:
    if moment is None:
        return "unknown"
    return f"{distance(moment, now)} ({local_minute(moment, zone)})"


def _status(pat: Pat, now: datetime) -> Cell:
    warnings, tone = _warnings(pat, now, but=_OF_SCOPES)  # which have a row of their own
    if is_active(pat, now):
        warnings.insert(0, status_text(pat))
    return Cell(", ".join(warnings), tone)


def status_text(pat: Pat) -> str:
    """Return the status; that of a stored token is not known until the service is asked."""
    if pat.status is not Status.UNKNOWN or not pat.stored:
        return str(pat.status)
    return "active (not checked)" if pat.expires else "not checked"


def pending_pairs(pending: Sequence[Pending], now: datetime) -> list[tuple[str, Cell]]:
    """Return what is pending, one per row."""
    rows: list[tuple[str, Cell]] = []
    for each in pending:
        reason = each.reason and f": {each.reason}"
        text, tone = f"{each.message}{reason}; to finish it, run: {each.fix}", Tone.WARNING
        if each.until is not None:
            # The message ends with that time.
            text, tone = f"{each.message} ({distance(each.until, now)})", Tone.PLAIN
        rows.append(("" if rows else "Pending", Cell(text, tone)))
    return rows


def _steps(pat: Pat, zone: tzinfo | None) -> list[str]:
    """Return what is still to be done with a token, in few words."""
    steps = []
    for each in pat.pending:
        if each.id != pat.id:
            steps += ["not delivered"] if each.kind is PendingKind.UNDELIVERED else []
        elif each.until is not None:
            end = min(each.until, pat.expires or each.until)
            steps.append(f"replaced, active until {local_minute(end, zone)}")
        else:
            steps.append("to be revoked")
    return steps


def _notes(pat: Pat, now: datetime, zone: tzinfo | None) -> Cell:
    notes, tone = _warnings(pat, now)
    if steps := _steps(pat, zone):
        notes += steps
        tone = Tone.WARNING if tone is Tone.PLAIN and is_unfinished(pat) else tone
    notes += ["secret here"] if pat.stored else []
    if pat.origin not in {Origin.PAT, Origin.UNKNOWN}:
        notes.append(f"made by {maker_name(pat.origin)}")
    return Cell(", ".join(notes), tone)


def _mark(pat: Pat, now: datetime, noted: Tone) -> Tone:
    """Return how much a token needs attention; one that has ended does only if it is missed."""
    if not is_active(pat, now) and not any(of_token(pat, now)):
        return Tone.WARNING if is_unfinished(pat) else Tone.PLAIN
    return noted


def _warnings(pat: Pat, now: datetime, but: Collection[Kind] = ()) -> tuple[list[str], Tone]:
    """Return what there is to say of a token, but for some kinds, and its tone."""
    if pat.status is Status.REVOKED:
        return [str(pat.status)], Tone.FAINT
    if has_ended(pat, now) and not (pat.is_global and pat.status is not Status.EXPIRED):
        return [str(Status.EXPIRED)], Tone.ALARM
    found = [each for each in of_token(pat, now) if each.kind not in but]
    said = [(_word(each, now), each.severity) for each in found]
    told = [(word, severity) for word, severity in said if word]
    worst = max((severity.rank for _, severity in told), default=Severity.NOTE.rank)
    return [word for word, _ in told], _TONES[list(Severity)[worst]]


def _word(finding: Finding, now: datetime) -> str:
    """Return a finding as a short note for a table of tokens; empty if the table leaves it out."""
    match finding.kind:
        case Kind.GLOBAL:
            verb = "stops" if now.date().isoformat() < GLOBAL_TOKENS_STOP else "stopped"
            return f"global, {verb} {GLOBAL_TOKENS_STOP}"
        case Kind.EXPIRING if finding.severity is not Severity.NOTE:
            return "expires soon"
        case Kind.EXPIRING if finding.fix:
            return "renewal due"
        case kind:
            return _WORDS.get(kind, "")


def _is_marked(pat: Pat, now: datetime) -> bool:
    """Return whether a token expires soon, and is not renewed by itself."""
    return any(
        each.kind is Kind.EXPIRING and each.severity is not Severity.NOTE
        for each in of_token(pat, now)
    )
