"""Write results to stdout in the requested format."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from azdo_pat.formats import Format
from azdo_pat.output import serialize
from azdo_pat.output.documents import stream_documents, write_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from typing import TextIO

    from azdo_pat.models import Pat
    from azdo_pat.output.secret_format import SecretFormat
    from azdo_pat.output.serialize import SettingLike
    from azdo_pat.output.table_model import Draw, TableModel
    from azdo_pat.output.table_style import TableStyle
    from azdo_pat.output.tables import Tables
    from azdo_pat.results import (
        Change,
        Check,
        Ensured,
        KnownTool,
        Revocation,
        SetupResult,
        SignedIn,
        StatusReport,
        StoredSecret,
    )
    from azdo_pat.scopes import Recipe, Scope


class Renderer:
    """Writes results to `out`, importing rich and jmespath only when they are used.

    Args:
        out: stdout.
        format: the output format.
        now: the current time, for distances to dates.
        screen: the width and colors of tables.
        draw: draws tables; called for `table` only, so that it can import what it needs.
        query: the function of `--query`, applied to the document of `-o json`.
    """

    def __init__(
        self,
        *,
        out: TextIO,
        format: Format,  # noqa: A002 - the option's own name
        now: datetime,
        screen: TableStyle,
        draw: Draw,
        query: Callable[[object], object] | None = None,
    ) -> None:
        self._out = out
        self._format = format
        self._now = now
        self._screen = screen
        self._draw = draw
        self._query = query

    def pats(self, pats: Iterable[Pat]) -> int:
        """Write tokens and return how many they were.

        jsonl, csv and tsv write each token as it comes and hold none, unless a query needs all.
        """
        if self._query is None and self._format.is_streamed:
            stream = (serialize.pat_document(pat, self._now) for pat in pats)
            return stream_documents(stream, serialize.PAT_KEYS, self._format, self._out)
        held = list(pats)
        documents = [serialize.pat_document(pat, self._now) for pat in held]
        self._show(documents, lambda: self._grids.pats(held))
        return len(held)

    def pat(self, pat: Pat) -> None:
        """Write one token."""
        document = serialize.pat_document(pat, self._now)
        self._show(document, lambda: self._grids.pat(pat))

    def ensured(self, ensured: Ensured) -> None:
        """Write a token and the outcome of `pat ensure`."""
        document = serialize.ensured_document(ensured, self._now)
        self._show(document, lambda: self._grids.pat(ensured.pat))

    def changes(self, changes: Sequence[Change]) -> None:
        """Write the outcome, or the plan, for each token."""
        documents = [serialize.change_document(each, self._now) for each in changes]
        self._show(documents, lambda: self._grids.changes(changes))

    def checks(self, checks: Sequence[Check]) -> None:
        """Write the result of each check."""
        documents = [serialize.check_document(each) for each in checks]
        self._show(documents, lambda: self._grids.checks(checks))

    def revocations(self, revocations: Sequence[Revocation]) -> None:
        """Write the outcome for each token."""
        documents = [serialize.revocation_document(each, self._now) for each in revocations]
        self._show(documents, lambda: self._grids.revocations(revocations))

    def status(self, report: StatusReport) -> None:
        """Write the state of sign-in, organization and keyring."""
        document = serialize.status_document(report)
        self._show(document, lambda: self._grids.status(report))

    def signed_in(self, signed_in: SignedIn) -> None:
        """Write the result of `pat login`."""
        document = serialize.signed_in_document(signed_in)
        self._show(document, lambda: self._grids.signed_in(signed_in))

    def scopes(self, scopes: Sequence[Scope]) -> None:
        """Write scopes."""
        documents = [serialize.scope_document(each) for each in scopes]
        self._show(documents, lambda: self._grids.scopes(scopes))

    def recipes(self, recipes: Sequence[Recipe]) -> None:
        """Write recipes."""
        documents = [serialize.recipe_document(each) for each in recipes]
        self._show(documents, lambda: self._grids.recipes(recipes))

    def set_ups(self, set_ups: Sequence[SetupResult]) -> None:
        """Write what changed in a tool's files."""
        documents = [serialize.set_up_document(each) for each in set_ups]
        self._show(documents, lambda: self._grids.set_ups(set_ups))

    def tools(self, tools: Sequence[KnownTool]) -> None:
        """Write the tools that can be set up, and where they are."""
        documents = [serialize.tool_document(each) for each in tools]
        self._show(documents, lambda: self._grids.tools(tools))

    def settings(self, settings: Sequence[SettingLike]) -> None:
        """Write settings and where they came from."""
        documents = [serialize.setting_document(each) for each in settings]
        self._show(documents, lambda: self._grids.settings(settings))

    def secret(self, held: StoredSecret, secret_format: SecretFormat) -> None:
        """Write a secret in the requested secret format, ignoring `-o`, and flush.

        Raises:
            UnavailableError: a runner's file could not be written.
        """
        from azdo_pat.output import secret_writers  # noqa: PLC0415 - no list has one

        # A program reads it: what its names and values must not do, each form sees to.
        text = secret_writers.secret_text(held, secret_format, self._now, self._query)
        getattr(self._out, "verbatim", self._out).write(f"{text}\n")
        self._out.flush()
        if secret_format.file:  # only now, when the runner knows what to mask
            secret_writers.tell_runner(held, secret_format)

    def _show(self, document: object, grid: Callable[[], TableModel]) -> None:
        if self._query is not None:
            document = self._query(document)
        if self._format is not Format.TABLE:
            write_document(document, self._format, self._out)
        elif self._query is not None:
            self._show_anything(document)
        else:
            self._draw_grid(grid())
        self._out.flush()  # what is said next on stderr stands below it, also in a log of both

    def _show_anything(self, document: object) -> None:
        shape = self._grids.anything(document)
        if isinstance(shape, list):
            self._out.writelines(f"{line}\n" for line in shape)
        else:
            self._draw_grid(shape)

    @cached_property
    def _grids(self) -> Tables:
        # A document needs none of it: 3 ms of `pat list -o json`.
        from azdo_pat.output.tables import Tables  # noqa: PLC0415 - see above

        return Tables(self._now, self._screen.zone)

    def _draw_grid(self, grid: TableModel) -> None:
        if grid.rows:
            self._draw(grid, self._screen, self._out)
