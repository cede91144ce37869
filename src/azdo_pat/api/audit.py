"""The audit log of an organization (spec: audit 7.2, `Audit Log`)."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from azdo_pat.api.addresses import Service, segment, with_query
from azdo_pat.api.call import ApiCall
from azdo_pat.api.http import Http
from azdo_pat.api.json_fields import Record
from azdo_pat.api.paging import Continuations
from azdo_pat.api.refusals import naming_the_right
from azdo_pat.api.response import Response
from azdo_pat.api.service_errors import unreadable
from azdo_pat.errors import UnavailableError
from azdo_pat.models import AuditEvent, Organization
from azdo_pat.times import rfc3339

_API_VERSION: Final = "7.2-preview.1"
_LOG: Final = "an audit log"
_WHOLE: Final = "a complete audit log"
_TOKENS: Final = "Token."


class AuditLog:
    """Reads audit logs. A sign-in with the permission "View audit log" is needed.

    Args:
        http: the connection.
        odd: called with a description of each event that could not be read.
    """

    def __init__(self, http: Http, odd: Callable[[str], None] = lambda _: None) -> None:
        self._http = http
        self._odd = odd

    def token_events(self, organization: Organization, since: datetime) -> Iterator[AuditEvent]:
        """Yield the events about personal access tokens and SSH keys; see `events`."""
        return self.events(organization, since, area=_TOKENS)

    def events(
        self, organization: Organization, since: datetime, *, area: str = ""
    ) -> Iterator[AuditEvent]:
        """Yield the events whose action begins with `area`, newest first.

        The service filters by time only, so the whole log since then is read, one request per
        page, made when it is reached. It keeps 90 days. An event that is at the end of a page and
        again at the beginning of the next is yielded once.

        Raises:
            RefusedError: the user may not read the log.
            PatError: it cannot be read.
        """
        base = self._http.addresses.base(Service.AUDIT)
        url = f"{base}/{segment(organization.name)}/_apis/audit/auditlog"
        query = {"startTime": rfc3339(since, "milliseconds"), "api-version": _API_VERSION}
        continuations = Continuations()
        before: list[object] = []
        while True:
            page, answer = self._page(
                ApiCall(method="GET", url=with_query(url, query), organization=organization.name)
            )
            rows = page.rows("decoratedAuditLogEntries")
            for row in _others(rows, before):
                yield from self._event(row, answer, area)
            before = rows  # an event is repeated there, and all of the log would fill the memory
            following = page.url_part("continuationToken")
            # The last page has a continuation token, too.
            if page.value("hasMore") is not True:
                return
            if not following:
                raise unreadable(answer, f"{_WHOLE} (a page is repeated)")
            continuations.require_new(following, answer, _WHOLE)
            query["continuationToken"] = following

    def _page(self, call: ApiCall) -> tuple[Record, Response]:
        with naming_the_right(
            f"you cannot read the audit log of {call.organization}",
            f"ask a Project Collection Administrator of {call.organization} for the permission"
            " View audit log, or to look the token up there; a personal access token also"
            " needs the scope vso.auditlog",
        ):
            body, answer = self._http.json(call, _LOG)
        page = Record(body, _LOG, answer)
        # Microsoft's example wraps the page, its specification does not.
        return page.record("value", _LOG) or page, answer

    def _event(self, row: object, answer: Response, area: str) -> Iterator[AuditEvent]:
        if not isinstance(row, dict):
            self._odd(f"an event of the audit log of {answer.asked.organization}")
            return
        event = Record(row, "an event", answer)
        action = event.shown_text("actionId")
        if not action.startswith(area):
            return
        data = row.get("data")
        token = Record(data if isinstance(data, dict) else {}, "a token", answer)
        try:
            time = event.moment("timestamp")
        except UnavailableError:
            self._odd(f"an event of the audit log of {answer.asked.organization} (timestamp)")
            time = None
        yield AuditEvent(
            time=time,
            action=action,
            token=token.shown_text("DisplayName"),
            actor=event.shown_text("actorDisplayName"),
            actor_mail=event.shown_text("actorUPN"),
            address=event.shown_text("ipAddress"),
            program=event.shown_text("userAgent"),
            details=event.shown_text("details"),
        )


def _others(rows: list[object], before: list[object]) -> Iterator[object]:
    """Yield the rows whose `id` none of the rows before has; those without one, too."""
    seen = {_id_of(row) for row in before}
    for row in rows:
        identifier = _id_of(row)
        if identifier is None or identifier not in seen:
            yield row
        seen.add(identifier)


def _id_of(row: object) -> str | None:
    found = row.get("id") if isinstance(row, dict) else None
    return found if isinstance(found, str) else None
