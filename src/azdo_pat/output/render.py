"""Write results to stdout in the requested format."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from azdo_pat.formats import Format
from azdo_pat.output.serialize import (
    EVENT_KEYS,
    OUTCOME_KEYS,
    PAT_KEYS,
    event_document,
    finding_document,
    pat_document,
)
from azdo_pat.output.writers import stream_documents, write_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime, tzinfo
    from typing import TextIO

    from azdo_pat.findings import Finding
    from azdo_pat.formats import Grouping
    from azdo_pat.models import AuditEvent, OwnedPat, Pat, User
    from azdo_pat.output.secret_request import SecretRequest
    from azdo_pat.output.serialize import Document
    from azdo_pat.output.table_model import Table
    from azdo_pat.output.views import Item, Result
    from azdo_pat.results.admin import OwnedRevocation, TokenReport
    from azdo_pat.results.tokens import StoredSecret


T = TypeVar("T")


class TableStyle(NamedTuple):
    """The stream that a table is drawn on.

    Attributes:
        color: colours may be used.
        width: in columns; None is as wide as the content.
        zone: the time zone of dates; None is the system's own.
        ascii_only: it cannot show other signs than those of ASCII.
    """

    color: bool
    width: int | None
    zone: tzinfo | None = None
    ascii_only: bool = False


class Renderer:
    """Writes results to `out`.

    A list of tokens as JSON, the most frequent result, imports neither rich nor what other results
    and tables need (10 ms).

    Args:
        out: stdout.
        format: the output format.
        now: the current time, for distances to dates.
        screen: the width and colors of tables.
        query: the function of `--query`, applied to the document of `-o json`.
    """

    def __init__(
        self,
        *,
        out: TextIO,
        format: Format,  # noqa: A002 - the option's own name
        now: datetime,
        screen: TableStyle,
        query: Callable[[object], object] | None = None,
    ) -> None:
        self._out = out
        self._format = format
        self._now = now
        self._screen = screen
        self._query = query

    @property
    def streams(self) -> bool:
        """Whether tokens are written one by one as they arrive; a query needs all."""
        return self._query is None and self._format.is_streamed

    def pats(self, pats: Iterable[Pat]) -> int:
        """Write tokens and return how many they were; see `streams`."""
        return self._listed(
            pats, PAT_KEYS, lambda pat: pat_document(pat, self._now), self._pats_table
        )

    def owned_pats(self, pats: Iterable[OwnedPat]) -> int:
        """Write tokens of several users and return how many they were; see `streams`.

        They are sorted by owner and name, unless they are written as they arrive.
        """
        from azdo_pat.output.admin_documents import (  # noqa: PLC0415 - see the class
            OWNER_KEYS,
            owned_document,
            owned_row,
        )

        document = owned_row if self.streams and not self._format.is_json else owned_document
        if not self.streams:
            pats = sorted(pats, key=lambda each: each.place)
        return self._listed(
            pats,
            (*PAT_KEYS, *OWNER_KEYS),
            lambda each: document(each, self._now),
            self._owned_table,
        )

    def owned_revocations(self, revocations: Iterable[OwnedRevocation]) -> None:
        """Write what became of tokens of several users."""
        from azdo_pat.output.admin_documents import (  # noqa: PLC0415 - see the class
            OWNER_KEYS,
            owned_revocation_document,
            owned_revocation_row,
        )

        is_row = self.streams and not self._format.is_json
        document = owned_revocation_row if is_row else owned_revocation_document
        self._listed(
            revocations,
            (*PAT_KEYS, *OWNER_KEYS, *OUTCOME_KEYS),
            lambda each: document(each, self._now),
            self._owned_revocations_table,
        )

    def owners(self, pats: Sequence[OwnedPat]) -> None:
        """Draw a table of how many of the tokens each owner has."""
        from azdo_pat.output.admin_tables import owners_table  # noqa: PLC0415 - see the class

        self._draw(owners_table(pats))

    def users(self, users: Iterable[User]) -> int:
        """Write users and return how many they were; see `streams`."""
        from azdo_pat.output.admin_documents import (  # noqa: PLC0415 - see the class
            USER_KEYS,
            user_document,
        )

        return self._listed(users, USER_KEYS, user_document, self._users_table)

    def events(self, events: Iterable[AuditEvent]) -> int:
        """Write events of the audit log and return how many they were; see `streams`."""
        return self._listed(events, EVENT_KEYS, event_document, self._events_table)

    @property
    def draws_tokens(self) -> bool:
        """Whether tokens are shown as a table of them, for people."""
        return self._format is Format.TABLE and self._query is None

    @property
    def draws_as_it_goes(self) -> bool:
        """Whether rows appear on the screen while a list is read, if stdout is a terminal."""
        return self.streams and self._format is not Format.NONE

    @property
    def writes_rows(self) -> bool:
        """Whether a report is written as its tokens, one by one, for spreadsheets."""
        return self.streams and not self._format.is_json

    def report(self, report: TokenReport, grouping: Grouping) -> None:
        """Write the numbers of a report; as a table, also those of its groups."""
        from azdo_pat.output.admin_documents import report_document  # noqa: PLC0415 - see the class
        from azdo_pat.output.report_tables import (  # noqa: PLC0415 - see the class
            groups_table,
            totals_table,
        )

        self._write(report_document(report), lambda: totals_table(report, self._screen.zone))
        groups = groups_table(report, grouping)
        if self._format is Format.TABLE and self._query is None and groups.rows:
            self._out.write("\n")
            self._draw(groups)
            self._out.flush()

    def _listed(
        self,
        items: Iterable[T],
        keys: Sequence[str],
        document: Callable[[T], Document],
        table: Callable[[Sequence[T]], Table],
    ) -> int:
        """Write items of one type and return how many they were; see `streams`."""
        if self.streams:
            stream = (document(each) for each in items)
            return stream_documents(stream, keys, self._format, self._out)
        held = list(items)
        self._write([document(each) for each in held], lambda: table(held))
        return len(held)

    def findings(self, findings: Sequence[Finding]) -> None:
        """Write findings; as JSON without importing what other results need."""
        documents = [self._finding_document(each) for each in findings]
        self._write(documents, lambda: self._findings_table(findings))

    def _finding_document(self, finding: Finding) -> Document:
        if finding.owner is None:
            return finding_document(finding, self._now)
        from azdo_pat.output.admin_documents import (  # noqa: PLC0415 - see the class
            owned_finding_document,
            owned_finding_row,
        )

        if self.streams and not self._format.is_json:
            return owned_finding_row(finding, finding.owner, self._now)
        return owned_finding_document(finding, finding.owner, self._now)

    def show(self, result: Result) -> None:
        """Write one result."""
        from azdo_pat.output.views import view_of  # noqa: PLC0415 - see the class

        view = view_of(type(result), self._now, self._screen.zone)
        self._write(view.document(result), lambda: view.table(result))

    def show_all(self, results: Sequence[Item]) -> None:
        """Write a list of results of one type."""
        from azdo_pat.output.views import list_view_of  # noqa: PLC0415 - see the class

        if not results:
            self._write([], list)
            return
        view = list_view_of(type(results[0]), self._now, self._screen.zone)
        self._write([view.document(each) for each in results], lambda: view.table(results))

    def secret(self, held: StoredSecret, secret_request: SecretRequest) -> None:
        """Write a secret in the requested secret format, ignoring `-o`, and flush.

        Raises:
            UnavailableError: a runner's file could not be written.
        """
        from azdo_pat.output import secret_writers  # noqa: PLC0415 - no list has one

        # A program reads it: what its names and values must not do, each form sees to.
        text = secret_writers.secret_text(held, secret_request, self._now, self._query)
        getattr(self._out, "verbatim", self._out).write(f"{text}\n")
        self._out.flush()
        if secret_request.file:  # only now, when the runner knows what to mask
            secret_writers.tell_runner(held, secret_request)

    def _findings_table(self, findings: Sequence[Finding]) -> Table:
        from azdo_pat.output.finding_table import findings_table  # noqa: PLC0415 - see the class

        return findings_table(findings, self._screen.zone)

    def _owned_table(self, pats: Sequence[OwnedPat]) -> Table:
        from azdo_pat.output.admin_tables import owned_table  # noqa: PLC0415 - see the class

        return owned_table(pats, self._now, self._screen.zone)

    def _owned_revocations_table(self, revocations: Sequence[OwnedRevocation]) -> Table:
        from azdo_pat.output.admin_tables import (  # noqa: PLC0415 - see the class
            owned_revocations_table,
        )

        return owned_revocations_table(revocations)

    def _users_table(self, users: Sequence[User]) -> Table:
        from azdo_pat.output.admin_tables import users_table  # noqa: PLC0415 - see the class

        return users_table(users)

    def _events_table(self, events: Sequence[AuditEvent]) -> Table:
        from azdo_pat.output.admin_tables import events_table  # noqa: PLC0415 - see the class

        return events_table(events, self._screen.zone)

    def _pats_table(self, pats: Sequence[Pat]) -> Table:
        from azdo_pat.output.token_tables import pats_table  # noqa: PLC0415 - see the class

        return pats_table(pats, self._now, self._screen.zone)

    def _write(self, document: object, table: Callable[[], Table | list[str]]) -> None:
        if self._query is not None:
            document = self._query(document)
        if self._format is not Format.TABLE:
            write_document(document, self._format, self._out)
        elif self._query is not None:
            self._draw_document(document)
        else:
            self._draw(table())
        self._out.flush()  # what is said next on stderr stands below it, also in a log of both

    def _draw_document(self, document: object) -> None:
        from azdo_pat.output.tables import document_table  # noqa: PLC0415 - see the class

        self._draw(document_table(document))

    def _draw(self, table: Table | list[str]) -> None:
        if isinstance(table, list):
            self._out.writelines(f"{line}\n" for line in table)
        elif table.rows:
            from azdo_pat.output.rich_table import draw  # noqa: PLC0415 - see the class

            screen = self._screen
            draw(
                table,
                self._out,
                width=screen.width,
                color=screen.color,
                ascii_only=screen.ascii_only,
            )
