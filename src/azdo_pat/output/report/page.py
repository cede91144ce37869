"""Write a report as one HTML page that needs nothing else: no script, no other file, no network."""

from __future__ import annotations

from datetime import UTC, date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from azdo_pat.dates import in_words, local_minute
from azdo_pat.models import GLOBAL_TOKENS_STOP
from azdo_pat.output.escape import visible
from azdo_pat.output.report.charts import Bar, bars, columns
from azdo_pat.scope_table import HIGH_PRIVILEGE
from azdo_pat.scopes import FULL_ACCESS
from azdo_pat.times import rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from azdo_pat.results.admin import Group, TokenReport

_LONGEST: Final = 120
"""Characters that are shown of a text: names may be of any length."""
_LABEL: Final = 44
"""Characters of the label of a bar, which does not wrap."""
_MOST_SCOPES: Final = 12
_MONTHS_SHOWN: Final = 13
_A_YEAR: Final = 12


def page(report: TokenReport, version: str) -> str:
    """Return the page.

    Args:
        report: what it shows.
        version: of the program.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "count": _count,
        "share": _share,
        "day": _day,
        "minute": partial(local_minute, zone=UTC),
        "month": _month_name,
        "mail": _mail,
    }
    return environment.get_template("page.html").render(
        report=report,
        version=version,
        numbers=report.numbers,
        within=in_words(report.within),
        max_life=in_words(report.max_life),
        scopes=report.by_scope[:_MOST_SCOPES],
        more_scopes=len(report.by_scope[_MOST_SCOPES:]),
        charts=_charts(report) if report.numbers.tokens else None,
        high_privilege=HIGH_PRIVILEGE,
        full_access=FULL_ACCESS,
        global_stop=GLOBAL_TOKENS_STOP,
    )


def _charts(report: TokenReport) -> dict[str, Markup]:
    scopes = [Bar(_scope(each.name), each.tokens) for each in report.by_scope[:_MOST_SCOPES]]
    ages = [Bar(each.name or "unknown", each.tokens) for each in report.by_age]
    months = _months(report.by_month, report.at)
    return {
        "month": columns("month-chart", "Active tokens by month of expiry", months),
        "scope": bars("scope-chart", "Active tokens by scope", scopes) if scopes else Markup(),
        "age": bars("age-chart", "Active tokens by age", ages),
    }


def _scope(name: str | None) -> str:
    if name is None:
        return "other"
    return "full access" if name == FULL_ACCESS else str(_shown(name, _LABEL))


def _months(groups: Sequence[Group], now: datetime) -> list[Bar]:
    """Return a column for each month of a year, and what is left: later, and unknown."""
    tokens = {each.name: each.tokens for each in groups}
    unknown = tokens.pop(None, 0)
    found = []
    for ahead in range(_MONTHS_SHOWN):
        years, month = divmod(now.month - 1 + ahead, _A_YEAR)
        begins = date(now.year + years, month + 1, 1)
        count = tokens.pop(f"{begins:%Y-%m}", 0)
        year = str(begins.year) if ahead == 0 or month == 0 else ""
        found.append(Bar(f"{begins:%b}", count, year))
    if later := sum(tokens.values()):
        found.append(Bar("later", later))
    return [*found, Bar("?", unknown)] if unknown else found


def _shown(value: Any, longest: int = _LONGEST) -> Any:  # noqa: ANN401  # any value of the template
    """Return a text as it is shown: of bounded length, and without invisible characters."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    text = visible(value[: longest + 1])
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _count(number: int, thing: str = "") -> str:
    """Return a number, with a thing if one is named: `1,204 users`."""
    return f"{number:,} {thing}{'s' * (number != 1)}" if thing else f"{number:,}"


def _share(number: int, whole: int) -> str:
    """Return a share in whole percent; what is there is never 0 %."""
    if not number or not whole:
        return "0%"
    percent = 100 * number / whole
    return "<1%" if percent < 1 else f"{percent:.0f}%"


def _mail(text: str) -> Markup:
    """Return a mail address that is broken after its `@`, if at all."""
    return escape(_shown(text)).replace("@", Markup("@<wbr>"))


def _day(moment: datetime | None) -> str:
    return "unknown" if moment is None else rfc3339(moment)[: len("2026-12-01")]


def _month_name(month: str | None) -> str:
    """Return `Dec 2026` for `2026-12`."""
    return "unknown" if month is None else f"{date.fromisoformat(f'{month}-01'):%b %Y}"
