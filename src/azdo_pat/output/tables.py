"""Build the table for each kind of result."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from azdo_pat.models import Pat
from azdo_pat.output import table_rows
from azdo_pat.output.query_table import shape_of
from azdo_pat.output.serialize import SettingLike
from azdo_pat.output.status_table import signed_in_grid, status_grid
from azdo_pat.output.table_model import TableModel
from azdo_pat.results import (
    Change,
    Check,
    KnownTool,
    Revocation,
    SetupResult,
    SignedIn,
    StatusReport,
)
from azdo_pat.scopes import Recipe, Scope


class Tables:
    """Builds the table for each kind of result.

    Args:
        now: the current time, for distances to dates.
        zone: the time zone of dates; None is the system's own.
    """

    def __init__(self, now: datetime, zone: tzinfo | None) -> None:
        self._now = now
        self._zone = zone

    def pats(self, pats: Sequence[Pat]) -> TableModel:
        """Show tokens, one a row."""
        return table_rows.pats_grid(pats, self._now, self._zone)

    def pat(self, pat: Pat) -> TableModel:
        """Show one token, one property a row."""
        return table_rows.pat_grid(pat, self._now, self._zone)

    def changes(self, changes: Sequence[Change]) -> TableModel:
        """Show the outcome, or the plan, for each token."""
        return table_rows.changes_grid(changes, self._now, self._zone)

    def checks(self, checks: Sequence[Check]) -> TableModel:
        """Show the result of each check."""
        return table_rows.checks_grid(checks)

    def revocations(self, revocations: Sequence[Revocation]) -> TableModel:
        """Show the outcome for each token."""
        return table_rows.revocations_grid(revocations)

    def status(self, report: StatusReport) -> TableModel:
        """Show the state of sign-in, organization and keyring."""
        return status_grid(report, self._now, self._zone)

    def signed_in(self, signed_in: SignedIn) -> TableModel:
        """Show the result of `pat login`."""
        return signed_in_grid(signed_in, self._now, self._zone)

    def scopes(self, scopes: Sequence[Scope]) -> TableModel:
        """Show scopes."""
        return table_rows.scopes_grid(scopes)

    def recipes(self, recipes: Sequence[Recipe]) -> TableModel:
        """Show recipes."""
        return table_rows.recipes_grid(recipes)

    def set_ups(self, set_ups: Sequence[SetupResult]) -> TableModel:
        """Show what changed in a tool's files."""
        return table_rows.set_ups_grid(set_ups)

    def tools(self, tools: Sequence[KnownTool]) -> TableModel:
        """Show the tools that can be set up, and where they are."""
        return table_rows.tools_grid(tools)

    def settings(self, settings: Sequence[SettingLike]) -> TableModel:
        """Show settings and where they came from."""
        return table_rows.settings_grid(settings)

    def anything(self, document: object) -> TableModel | list[str]:
        """Show the result of a query, as bare lines if a table does not fit it."""
        return shape_of(document)
