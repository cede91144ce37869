"""Build the tables of all results but tokens, and of what a query returns, for people."""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Final

from azdo_pat.dates import distance, local_minute
from azdo_pat.models import Setting
from azdo_pat.output.delivery_tables import destination_cells
from azdo_pat.output.glyphs import Glyph
from azdo_pat.output.table_model import Cell, Column, Table, Tone, pairs_table
from azdo_pat.output.token_tables import pending_pairs, short_scopes
from azdo_pat.output.writers import columns_of, field_text
from azdo_pat.results.diagnosis import Check, Health, SignedIn, StatusReport
from azdo_pat.results.tools import KnownTool, SetupResult, ToolSetup
from azdo_pat.scopes import Recipe, Scope

_HEALTH_TONES: Final = {
    Health.OK: Tone.GOOD,
    Health.PROBLEM: Tone.ALARM,
    Health.SKIPPED: Tone.FAINT,
    Health.FIXED: Tone.GOOD,
}


def checks_table(checks: Sequence[Check]) -> Table:
    """Return the result of each check, with the fix for each problem."""
    rows = [
        (
            Cell(each.name, Tone.FAINT),
            Cell(str(each.status), _HEALTH_TONES[each.status]),
            Cell(each.detail.replace("\n", " ")),
        )
        for each in checks
    ]
    columns = (Column("CHECK", 12), Column("STATUS", 8), Column("", 20))
    return Table(columns, rows, [_fix(each.fix) for each in checks])


def _fix(fix: str) -> list[Cell]:
    """Return the line below a problem."""
    text = " ".join(fix.splitlines())
    return [Cell(f"{Glyph.FIX.shown(ascii_only=False)} {text}")] if fix else []


def scopes_table(scopes: Sequence[Scope]) -> Table:
    """Return the scopes; `high` marks the most powerful ones."""
    rows = [
        (
            Cell(short_scopes([scope.value])),
            Cell(scope.name),
            Cell("high" if scope.high_privilege else "", Tone.WARNING),
        )
        for scope in scopes
    ]
    return Table((Column("SCOPE", 99), Column("NAME", 12), Column("POWER", 5)), rows)


def recipes_table(recipes: Sequence[Recipe]) -> Table:
    """Return the recipes: the name for `--for`, the scopes, and the purpose."""
    rows = [
        (Cell(recipe.name), Cell(short_scopes(recipe.scopes)), Cell(recipe.summary))
        for recipe in recipes
    ]
    return Table((Column("RECIPE", 99), Column("SCOPES", 16), Column("FOR", 16)), rows)


def set_ups_table(set_ups: Sequence[SetupResult]) -> Table:
    """Return what changed in a tool's files."""
    rows = [
        (Cell(each.tool), Cell(each.file), Cell(str(each.outcome)), Cell(each.token))
        for each in set_ups
    ]
    columns = (Column("TOOL", 8), Column("FILE", 20), Column("OUTCOME", 9), Column("TOKEN", 12))
    return Table(columns, rows)


def tools_table(tools: Sequence[KnownTool]) -> Table:
    """Return the tools of `pat setup`, and the files in which each is set up."""
    rows = [
        (
            Cell(tool.name),
            Cell(tool.summary),
            Cell(", ".join(dict.fromkeys(map(_set_up_in, tool.setups)))),
        )
        for tool in tools
    ]
    return Table((Column("TOOL", 11), Column("HOW", 40), Column("SET UP IN", 12)), rows)


def _set_up_in(setup: ToolSetup) -> str:
    destination = setup.destination
    lacks = f" ({destination.state})" if destination and destination.lacks_secret else ""
    return f"{setup.file or 'yes'}{lacks}"


def settings_table(settings: Sequence[Setting]) -> Table:
    """Return the settings and where each value came from."""
    rows = [
        (
            Cell(setting.key),
            Cell("-", Tone.FAINT) if setting.value is None else Cell(field_text(setting.value)),
            Cell(setting.source),
        )
        for setting in settings
    ]
    return Table((Column("KEY", 99), Column("VALUE", 16), Column("FROM", 12)), rows)


def signed_in_table(signed_in: SignedIn, now: datetime, zone: tzinfo | None) -> Table:
    """Return the user, tenant and expiry of a sign-in."""
    kept = (
        Cell("yes; it renews itself", Tone.GOOD) if signed_in.remembered else Cell("no", Tone.ALARM)
    )
    return pairs_table(
        [
            ("Signed in", Cell(signed_in.user, Tone.GOOD)),
            ("Tenant", Cell(signed_in.tenant)),
            ("Access token", Cell(_expiry(signed_in.expires, now, zone))),
            ("Saved", kept),
        ]
    )


def status_table(report: StatusReport, now: datetime, zone: tzinfo | None) -> Table:
    """Return the sign-in, organization, keyring, files and problems."""
    facts = pairs_table(
        [
            *_sign_in_pairs(report, now, zone),
            *_organization_pairs(report),
            ("Keyring", _keyring(report)),
            ("Secrets", _secrets(report)),
            ("Config", Cell(report.config_file)),
            ("State", Cell(report.state_file)),
            *pending_pairs([each for each in report.pending if each.until], now),
            *_listed("Deliveries", destination_cells(report.destinations)),
        ]
    )
    problems = [(Cell("Problem", Tone.ALARM), Cell(each.message)) for each in report.problems]
    fixes = [_fix(each.fix) for each in report.problems]
    return facts._replace(rows=[*facts.rows, *problems], below=[*([] for _ in facts.rows), *fixes])


def _sign_in_pairs(
    report: StatusReport, now: datetime, zone: tzinfo | None
) -> list[tuple[str, Cell]]:
    pairs = [("Signed in", _user(report))]
    if report.identity is not None:
        mail = f" <{report.identity.mail}>" if report.identity.mail else ""
        pairs.append(("Profile", Cell(f"{report.identity.name}{mail}")))
    if report.tenant:
        pairs.append(("Tenant", Cell(report.tenant)))
    if report.token_source:
        until = report.token_expires and f", {_expiry(report.token_expires, now, zone)}"
        pairs.append(("Access token", Cell(f"from {report.token_source}{until or ''}")))
    sources = [Cell(f"{source.name}: {source.detail}") for source in report.sources]
    return pairs + _listed("Sources", sources)


def _expiry(moment: datetime, now: datetime, zone: tzinfo | None) -> str:
    verb = "expires" if moment > now else "expired"
    return f"{verb} {distance(moment, now)} ({local_minute(moment, zone)})"


def _user(report: StatusReport) -> Cell:
    if report.signed_in is None:
        return Cell("unknown: the service did not answer", Tone.WARNING)
    if not report.signed_in:
        return Cell("no", Tone.ALARM)
    return Cell(f"yes, as {report.user}" if report.user else "yes", Tone.GOOD)


def _organization_pairs(report: StatusReport) -> list[tuple[str, Cell]]:
    organization = report.organization
    if organization is None:
        at_hand = Cell("none set", Tone.WARNING)
    else:
        source = f" (from {report.organization_source})" if report.organization_source else ""
        at_hand = Cell(f"{organization.name}{source}")
    pairs = [("Organization", at_hand)]
    if organization is not None:
        pairs.append(("", Cell(organization.url)))
    names = ", ".join(each.name for each in report.organizations)
    return [*pairs, ("Organizations", Cell(names or "unknown")), ("Service", Cell(report.api_root))]


def _keyring(report: StatusReport) -> Cell:
    if report.keyring_usable:
        return Cell(report.keyring)
    return Cell(f"{report.keyring} (not usable)".lstrip(), Tone.ALARM)


def _secrets(report: StatusReport) -> Cell:
    if report.stored_secrets is None:
        return Cell("unknown", Tone.WARNING)
    return Cell(f"{report.stored_secrets} stored")


def _listed(label: str, cells: list[Cell]) -> list[tuple[str, Cell]]:
    return [(label if number == 0 else "", cell) for number, cell in enumerate(cells)]


def document_table(document: object) -> Table | list[str]:
    """Return a document of any shape as a table, or as bare lines if a table does not fit it.

    A list of objects is a table with their keys as headings; a list of lists, one without; an
    object has a line for each key; a text or a number stands alone; null is nothing.
    """
    match document:
        case None:
            return []
        case dict():
            return pairs_table([(str(key), Cell(field_text(document[key]))) for key in document])
        case list() if document and all(isinstance(each, dict) for each in document):
            keys = columns_of(document)
            columns = [Column(key.upper()) for key in keys]
            return Table(columns, [_row(map(each.get, keys)) for each in document])
        case list() if document and all(isinstance(each, list) for each in document):
            width = max(len(each) for each in document)
            padded = [each + [None] * (width - len(each)) for each in document]
            return Table([Column("")] * width, [_row(each) for each in padded])
        case list():
            return [field_text(each) for each in document]
        case _:
            return [field_text(document)]


def _row(values: Iterable[object]) -> list[Cell]:
    return [Cell(field_text(value)) for value in values]
