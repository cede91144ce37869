"""The audit log: what is recorded, for how long, and the pages in which it is read."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.emulator import times
from azdo_pat.emulator.errors import ARGUMENT, ARGUMENT_RANGE, ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from azdo_pat.emulator.call import Call
    from azdo_pat.emulator.directory import Organization, User

KEPT_FOR: Final = timedelta(days=90)
"""Source: Microsoft Learn, "Access, export, and filter audit logs"."""

_DEFAULT_BATCH: Final = 200
_LARGEST_BATCH: Final = 1000
_INT32: Final = 2**31
_BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST_TICK: Final = 3155378975999999999
"""Of .NET's `DateTime`: ids count down from it, so that they sort from the newest on."""
_CONTINUATION: Final = re.compile(r"\d{19};[0-9a-f-]{36};[0-9a-f-]{36}")


class Action(NamedTuple):
    """A kind of event; `sentence` may contain `{name}`, the display name of a token."""

    action_id: str
    area: str
    category: str
    sentence: str


# Ids and sentences: Microsoft Learn, "Azure DevOps auditing events".
CREATED: Final = Action(
    "Token.PatCreateEvent", "Token", "create", 'Personal Access Token "{name}" was created.'
)
UPDATED: Final = Action(
    "Token.PatUpdateEvent", "Token", "modify", 'Personal Access Token "{name}" was updated.'
)
REVOKED: Final = Action(
    "Token.PatRevokeEvent", "Token", "remove", 'Personal Access Token "{name}" was revoked.'
)
SSH_REVOKED: Final = Action(
    "Token.SshRevokeEvent", "Token", "remove", 'SSH Key "{name}" was revoked.'
)
READ: Final = Action("AuditLog.AccessLog", "Auditing", "access", "Accessed the audit log")
ACTIONS: Final = (READ, CREATED, REVOKED, UPDATED, SSH_REVOKED)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One entry of the audit log of an organization; ``name`` is the token's, or empty."""

    action_id: str
    organization_id: str
    user_id: str
    time: datetime
    name: str
    address: str
    user_agent: str
    mechanism: str
    activity_id: str
    unique: str

    @property
    def action(self) -> Action:
        """What happened."""
        return next(each for each in ACTIONS if each.action_id == self.action_id)

    @property
    def event_id(self) -> str:
        """Its id, which sorts from the newest event on, as Microsoft's example shows it."""
        since_year_one = self.time.astimezone(UTC) - _BEGINNING
        ticks = (since_year_one // timedelta(microseconds=1)) * 10
        return f"{_LAST_TICK - ticks:019d};{self.user_id};{self.unique}"


class Query(NamedTuple):
    """What a reader asks for; ``after`` is the id of the last event of the previous page."""

    start: datetime
    end: datetime | None
    batch: int
    after: str


class Page(NamedTuple):
    """A page of the log, newest first, and whether older events follow."""

    events: Sequence[Event]
    has_more: bool


def event(
    call: Call, who: tuple[User, Organization], action: Action, time: datetime, name: str = ""
) -> Event:
    """What the log holds of a request."""
    user, organization = who
    bearer = call.headers.get("Authorization", "").casefold().startswith("bearer")
    return Event(
        action_id=action.action_id,
        organization_id=organization.organization_id,
        user_id=user.user_id,
        time=time,
        name=name,
        address=call.address,
        user_agent=call.headers.get("User-Agent", ""),
        mechanism="UserAuthToken" if bearer else "PAT",
        activity_id=call.activity_id,
        unique=str(uuid.uuid4()),
    )


def read_query(arguments: dict[str, str]) -> Query:
    """From query parameters with lower-case names.

    Raises:
        ServiceError: 400 for a value that is none of the allowed ones.
    """
    start, end = _moment(arguments, "startTime"), _moment(arguments, "endTime")
    if start and end and start > end:
        raise ServiceError(ARGUMENT, "startTime lies after endTime.")
    after = arguments.get("continuationtoken", "")
    if after and not _CONTINUATION.fullmatch(after):
        raise ServiceError(ARGUMENT, "The continuation token is not valid.")
    if arguments.get("skipaggregation", "false").casefold() not in {"true", "false"}:
        raise ServiceError(ARGUMENT, "skipAggregation is true or false.")
    return Query(start or _BEGINNING, end, _batch(arguments.get("batchsize")), after)


def page_of(
    events: Iterable[Event], organization: Organization, query: Query, now: datetime
) -> Page:
    """The page of an organization's log that the query asks for."""
    start = max(query.start, now - KEPT_FOR)
    chosen = sorted(
        (
            each
            for each in events
            if each.organization_id == organization.organization_id
            and start <= each.time <= (query.end or now)
            and each.event_id > query.after
        ),
        key=lambda each: each.event_id,
    )
    return Page(chosen[: query.batch], len(chosen) > query.batch)


def _moment(arguments: dict[str, str], name: str) -> datetime | None:
    text = arguments.get(name.casefold())
    if text is None:
        return None
    try:
        return times.read(text)
    except (ValueError, OverflowError) as error:
        raise ServiceError(ARGUMENT, f"The value '{text}' is not valid for {name}.") from error


def _batch(text: str | None) -> int:
    if text is None:
        return _DEFAULT_BATCH
    try:
        batch = int(text)
    except ValueError as error:
        raise ServiceError(ARGUMENT, f"The value '{text}' is not valid for batchSize.") from error
    if not 1 <= batch < _INT32:
        raise ServiceError(ARGUMENT_RANGE, "batchSize is 1 or more.")
    return min(batch, _LARGEST_BATCH)
