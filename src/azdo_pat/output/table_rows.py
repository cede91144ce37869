"""Build tables of results for people: their columns and cells."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

from azdo_pat.models import GLOBAL_TOKENS_STOP, Field, Origin, Pat, Status
from azdo_pat.output.dates import distance, local_date, local_minute
from azdo_pat.output.delimited import field_text
from azdo_pat.output.serialize import SettingLike
from azdo_pat.output.short_ids import short_ids
from azdo_pat.output.table_model import Cell, Column, TableModel, Tone
from azdo_pat.results import (
    Change,
    ChangeOutcome,
    Check,
    Health,
    KnownTool,
    Outcome,
    Revocation,
    SetupResult,
)
from azdo_pat.scopes import FULL_ACCESS, Recipe, Scope

SOON: Final = timedelta(days=7)
"""Time before expiry in which a token is marked; Azure DevOps sends its mail then."""

_WHOLE_ID: Final = 36
_MAKERS: Final = {
    Origin.PAT: "pat",
    Origin.GIT: "git",
    Origin.SERVICE_HOOKS: "service hooks",
    Origin.LOAD_TEST: "a load test",
    Origin.TEAMS: "Teams",
    Origin.ARTIFACTS: "the Artifacts credential provider",
    Origin.IDE: "a development environment",
}


def pats_grid(pats: Sequence[Pat], now: datetime, zone: tzinfo | None) -> TableModel:
    """Return the table of tokens; the organization is a column only if there are several."""
    many = len({pat.org for pat in pats if pat.org is not None}) > 1
    ids = short_ids([pat.id or "" for pat in pats])
    columns = [Column("NAME", 12), Column("ID", _WHOLE_ID)]
    columns += [Column("ORG", 10)] if many else []
    # Beside an organization there is no room for a date and its distance on one line of 80.
    columns += [Column("SCOPES", 14), Column("EXPIRES", 13 if many else 25), Column("NOTES", 13)]
    rows = []
    for pat, short in zip(pats, ids, strict=True):
        row = [_name(pat), Cell(short or "-", Tone.FAINT)]
        row += [Cell(_org(pat))] if many else []
        scopes = Cell(_short_scopes(pat.scopes)) if pat.scopes else Cell("unknown", Tone.FAINT)
        row += [scopes, _expiry(pat, now, zone), _notes(pat, now)]
        rows.append(tuple(row))
    return TableModel(columns=tuple(columns), rows=tuple(rows))


def pat_grid(pat: Pat, now: datetime, zone: tzinfo | None) -> TableModel:
    """Return one token with all its properties, one per row."""
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
        pairs.append(("Made by", Cell(_MAKERS[pat.origin])))
    return pairs_grid(pairs)


def _name(pat: Pat) -> Cell:
    if Field.NAME in pat.unread and not pat.name:
        return Cell("unknown", Tone.FAINT)
    return Cell(pat.name)


def _org(pat: Pat) -> str:
    return pat.org or ("all" if pat.is_global else "unknown")


def revocations_grid(revocations: Sequence[Revocation]) -> TableModel:
    """Return the outcome for each token, and why it failed."""
    ids = short_ids([revocation.pat.id or "" for revocation in revocations])
    rows = tuple(
        (
            _name(each.pat),
            Cell(short or "-", Tone.FAINT),
            Cell(str(each.outcome), _OUTCOME_TONES.get(each.outcome, Tone.PLAIN)),
            Cell("; ".join(part for part in (each.error, each.left_in_keyring) if part)),
        )
        for each, short in zip(revocations, ids, strict=True)
    )
    columns = (Column("NAME", 16), Column("ID", _WHOLE_ID), Column("OUTCOME", 15), Column("", 20))
    return TableModel(columns=columns, rows=rows)


def changes_grid(changes: Sequence[Change], now: datetime, zone: tzinfo | None) -> TableModel:
    """Return the action for each token, and the reason or the error."""
    many = len({each.org for each in changes}) > 1
    columns = [Column("NAME", 12)] + ([Column("ORG", 10)] if many else [])
    columns += [Column("OUTCOME", 15), Column("EXPIRES", 13), Column("", 20)]
    rows = []
    for each in changes:
        planned = each.outcome is ChangeOutcome.PLANNED
        outcome = f"to {each.action}" if planned else str(each.outcome)
        row = [Cell(each.pat.name)] + ([Cell(each.org)] if many else [])
        row += [
            Cell(outcome, _CHANGE_TONES.get(each.outcome, Tone.PLAIN)),
            _expiry(each.pat, now, zone),
            Cell(each.error or each.why),
        ]
        rows.append(tuple(row))
    return TableModel(columns=tuple(columns), rows=tuple(rows))


def checks_grid(checks: Sequence[Check]) -> TableModel:
    """Return the result of each check, with the fix for each problem."""
    rows = tuple(
        (
            Cell(each.name, Tone.FAINT),
            Cell(str(each.status), _HEALTH_TONES[each.status]),
            Cell(f"{each.detail}{each.fix and f'; {each.fix}'}".replace("\n", " ")),
        )
        for each in checks
    )
    return TableModel(columns=(Column("CHECK", 12), Column("STATUS", 8), Column("", 20)), rows=rows)


_HEALTH_TONES: Final = {
    Health.OK: Tone.GOOD,
    Health.PROBLEM: Tone.ALARM,
    Health.SKIPPED: Tone.FAINT,
    Health.FIXED: Tone.GOOD,
}

_CHANGE_TONES: Final = {
    ChangeOutcome.CREATED: Tone.GOOD,
    ChangeOutcome.ROTATED: Tone.GOOD,
    ChangeOutcome.DELIVERED: Tone.GOOD,
    ChangeOutcome.REVOKED: Tone.GOOD,
    ChangeOutcome.FAILED: Tone.ALARM,
    ChangeOutcome.NOT_REACHED: Tone.WARNING,
}

_OUTCOME_TONES: Final = {
    Outcome.REVOKED: Tone.GOOD,
    Outcome.FAILED: Tone.ALARM,
    Outcome.NOT_REACHED: Tone.WARNING,
}


def scopes_grid(scopes: Sequence[Scope]) -> TableModel:
    """Return the scopes; `high` marks the most powerful ones."""
    rows = tuple(
        (
            Cell(_short_scopes([scope.value])),
            Cell(scope.name),
            Cell("high" if scope.high_privilege else "", Tone.WARNING),
        )
        for scope in scopes
    )
    columns = (
        Column("SCOPE", 99),
        Column("NAME", 12),
        Column("POWER", 5),
    )
    return TableModel(columns=columns, rows=rows)


def recipes_grid(recipes: Sequence[Recipe]) -> TableModel:
    """Return the recipes: the name for `--for`, the scopes, and the purpose."""
    rows = tuple(
        (Cell(recipe.name), Cell(_short_scopes(recipe.scopes)), Cell(recipe.summary))
        for recipe in recipes
    )
    columns = (Column("RECIPE", 99), Column("SCOPES", 16), Column("FOR", 16))
    return TableModel(columns=columns, rows=rows)


def set_ups_grid(set_ups: Sequence[SetupResult]) -> TableModel:
    """Return what changed in a tool's files."""
    rows = tuple(
        (Cell(each.tool), Cell(each.file), Cell(str(each.outcome)), Cell(each.token))
        for each in set_ups
    )
    columns = (Column("TOOL", 8), Column("FILE", 20), Column("OUTCOME", 9), Column("TOKEN", 12))
    return TableModel(columns=columns, rows=rows)


def tools_grid(tools: Sequence[KnownTool]) -> TableModel:
    """Return the tools of `pat setup`, and the files in which each is set up."""
    rows = tuple(
        (
            Cell(tool.name),
            Cell(tool.summary),
            Cell(", ".join(dict.fromkeys(each.file or "yes" for each in tool.setups))),
        )
        for tool in tools
    )
    columns = (Column("TOOL", 11), Column("HOW", 40), Column("SET UP IN", 12))
    return TableModel(columns=columns, rows=rows)


def settings_grid(settings: Sequence[SettingLike]) -> TableModel:
    """Return the settings and where each value came from."""
    rows = tuple(
        (
            Cell(setting.key),
            Cell("-", Tone.FAINT) if setting.value is None else Cell(field_text(setting.value)),
            Cell(setting.source),
        )
        for setting in settings
    )
    return TableModel(
        columns=(Column("KEY", 99), Column("VALUE", 16), Column("FROM", 12)), rows=rows
    )


def pairs_grid(pairs: Sequence[tuple[str, Cell]]) -> TableModel:
    """Return a table of labels and values without headings."""
    rows = tuple((Cell(label, Tone.FAINT), cell) for label, cell in pairs)
    return TableModel(columns=(Column("", 13), Column("", 20)), rows=rows)


def _short_scopes(scopes: Sequence[str]) -> str:
    """Return scopes as `--scope` takes them at their shortest."""
    return " ".join(
        "full" if scope == FULL_ACCESS else scope.removeprefix("vso.") for scope in scopes
    )


def _explained(scope: str) -> str:
    return f"{scope} (full access)" if scope == FULL_ACCESS else scope


def _expiry(pat: Pat, now: datetime, zone: tzinfo | None) -> Cell:
    if pat.expires is None:
        return Cell("unknown", Tone.FAINT)
    text = f"{local_date(pat.expires, zone)} ({distance(pat.expires, now)})"
    if _ended(pat, now):
        return Cell(text, Tone.FAINT)
    return Cell(text, Tone.WARNING if _soon(pat, now) else Tone.PLAIN)


def _moment(moment: datetime | None, now: datetime, zone: tzinfo | None) -> str:
    if moment is None:
        return "unknown"
    return f"{local_minute(moment, zone)} ({distance(moment, now)})"


def _status(pat: Pat, now: datetime) -> Cell:
    warnings, tone = _warnings(pat, now)
    if _ended(pat, now) is None:
        warnings.insert(0, str(pat.status))
    return Cell(", ".join(warnings), tone)


def _notes(pat: Pat, now: datetime) -> Cell:
    notes, tone = _warnings(pat, now)
    notes += ["secret here"] if pat.stored else []
    if pat.origin not in {Origin.PAT, Origin.UNKNOWN}:
        notes.append(f"made by {_MAKERS[pat.origin]}")
    return Cell(", ".join(notes), tone)


def _warnings(pat: Pat, now: datetime) -> tuple[list[str], Tone]:
    """Return the warnings about a token's state, and their tone."""
    if pat.is_global and pat.status not in {Status.EXPIRED, Status.REVOKED}:
        verb = "stops" if now.date().isoformat() < GLOBAL_TOKENS_STOP else "stopped"
        return [f"global, {verb} {GLOBAL_TOKENS_STOP}"], Tone.ALARM
    ended = _ended(pat, now)
    if ended is not None:
        return [str(ended)], Tone.ALARM if ended is Status.EXPIRED else Tone.FAINT
    warnings = ["not fully readable"] if pat.unread else []
    tone = Tone.WARNING if pat.unread else Tone.PLAIN
    if _soon(pat, now):
        warnings.append("expires soon")
        tone = Tone.WARNING
    return warnings, tone


def _ended(pat: Pat, now: datetime) -> Status | None:
    """Return EXPIRED or REVOKED, or None; the clock knows of expiry before the service does."""
    if pat.status in {Status.EXPIRED, Status.REVOKED}:
        return pat.status
    return Status.EXPIRED if pat.expires is not None and pat.expires < now else None


def _soon(pat: Pat, now: datetime) -> bool:
    return pat.expires is not None and pat.expires - now < SOON
