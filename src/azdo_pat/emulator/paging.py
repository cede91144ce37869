"""The list: filter, order, pages of 100 at most, and continuation tokens bound to all of that."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from azdo_pat.emulator.errors import ARGUMENT, ARGUMENT_RANGE, ServiceError
from azdo_pat.emulator.tokens import Status, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

LARGEST_PAGE: Final = 100
_DEFAULT_PAGE: Final = 20
_INT32: Final = 2**31
_RANK: Final = {Status.ACTIVE: 0, Status.EXPIRED: 1, Status.REVOKED: 2}


class Filter(StrEnum):
    """``displayFilterOption``."""

    ACTIVE = "active"
    REVOKED = "revoked"
    EXPIRED = "expired"
    ALL = "all"


class SortBy(StrEnum):
    """``sortByOption``; the display date is the end of the token."""

    DISPLAY_NAME = "displayName"
    DISPLAY_DATE = "displayDate"
    STATUS = "status"


_Option = TypeVar("_Option", bound=StrEnum)


@dataclass(frozen=True, kw_only=True)
class ListQuery:
    """What a list request asks for. Left out, the service lists 20 active ones by name."""

    display_filter: Filter = Filter.ACTIVE
    sort_by: SortBy = SortBy.DISPLAY_NAME
    ascending: bool = True
    top: int = _DEFAULT_PAGE
    continuation: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page; ``continuation`` is empty on the last one."""

    tokens: tuple[Token, ...]
    continuation: str


def read_query(arguments: dict[str, str]) -> ListQuery:
    """From query parameters with lower-case names.

    Raises:
        ServiceError: 400 for a value that is none of the allowed ones.
    """
    ascending = arguments.get("issortascending", "true").casefold()
    if ascending not in {"true", "false"}:
        raise ServiceError(ARGUMENT, "isSortAscending is true or false.")
    return ListQuery(
        display_filter=_option(Filter, arguments, "displayFilterOption", Filter.ACTIVE),
        sort_by=_option(SortBy, arguments, "sortByOption", SortBy.DISPLAY_NAME),
        ascending=ascending == "true",
        top=_top(arguments.get("$top")),
        continuation=arguments.get("continuationtoken", ""),
    )


def page_of(tokens: Iterable[Token], query: ListQuery, *, now: datetime, viewer: str) -> Page:
    """The page that the query asks for; ``viewer`` names who looks, and through what.

    Raises:
        ServiceError: 400; the continuation token is not one of this list with these filters.
    """
    seal = _seal_of(query, viewer)
    start = offset_of(query.continuation, seal)
    chosen = _select(tokens, query, now)
    end = start + query.top
    return Page(
        tokens=tuple(chosen[start:end]),
        continuation=continuation_to(end, seal) if end < len(chosen) else "",
    )


def first_page_again(query: ListQuery, *, viewer: str) -> str:
    """A continuation token that leads nowhere but to where the reader is."""
    return query.continuation or continuation_to(0, _seal_of(query, viewer))


def _select(tokens: Iterable[Token], query: ListQuery, now: datetime) -> list[Token]:
    if query.display_filter is Filter.ALL:
        chosen = list(tokens)
    else:
        wanted = Status(query.display_filter.value)
        chosen = [token for token in tokens if token.status(now) is wanted]
    keys: dict[SortBy, Callable[[Token], Any]] = {
        SortBy.DISPLAY_NAME: lambda token: (token.display_name.casefold(), token.authorization_id),
        SortBy.DISPLAY_DATE: lambda token: (token.valid_to, token.authorization_id),
        SortBy.STATUS: lambda token: (_RANK[token.status(now)], token.authorization_id),
    }
    chosen.sort(key=keys[query.sort_by], reverse=not query.ascending)
    return chosen


def _seal_of(query: ListQuery, viewer: str) -> str:
    return seal_of(query.display_filter, query.sort_by, str(query.ascending), viewer)


def seal_of(*words: str) -> str:
    """What binds a continuation token to the filters and the reader of a list."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def continuation_to(offset: int, seal: str) -> str:
    """The continuation token of the page that begins at an offset."""
    return base64.urlsafe_b64encode(f"{offset};{seal}".encode()).decode()


def offset_of(continuation: str, seal: str) -> int:
    """Where the page of a continuation token begins; the empty one is the first page's.

    Raises:
        ServiceError: 400; it is not one of this list with these filters.
    """
    if not continuation:
        return 0
    try:
        offset, _, found = base64.urlsafe_b64decode(continuation.encode()).decode().partition(";")
    except (ValueError, binascii.Error) as error:
        raise ServiceError(ARGUMENT, "The continuation token is not valid.") from error
    if not offset.isascii() or not offset.isdecimal() or found != seal:
        raise ServiceError(
            ARGUMENT, "The continuation token does not fit the filters of this request."
        )
    return int(offset)


def _option(kind: type[_Option], arguments: dict[str, str], name: str, default: _Option) -> _Option:
    text = arguments.get(name.casefold())
    if text is None:
        return default
    for member in kind:
        if member.value.casefold() == text.casefold():
            return member
    raise ServiceError(ARGUMENT, f"The value '{text}' is not valid for {name}.")


def _top(text: str | None) -> int:
    if text is None:
        return _DEFAULT_PAGE
    try:
        top = int(text)
    except ValueError as error:
        raise ServiceError(ARGUMENT, f"The value '{text}' is not valid for $top.") from error
    if not 1 <= top < _INT32:
        raise ServiceError(ARGUMENT_RANGE, "$top lies between 1 and 100.")
    return min(top, LARGEST_PAGE)
