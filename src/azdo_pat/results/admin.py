"""What an administrator sees and changes of the tokens of others."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from azdo_pat.models import OwnedPat, PolicyName, User
from azdo_pat.results.tokens import Revocation


class OwnedRevocation(NamedTuple):
    """The outcome for one token to revoke, and its owner."""

    item: Revocation
    owner: User


class RevocationRule(NamedTuple):
    """A rule that ends access tokens.

    Attributes:
        scopes: an access token with any of them is refused.
        before: it ends access tokens that were issued before; None for the time of its creation.
        is_planned: it is not created yet.
    """

    org: str
    scopes: tuple[str, ...]
    before: datetime | None
    is_planned: bool


class OnOff(StrEnum):
    """Whether a policy is on."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


class PolicyState(NamedTuple):
    """A policy of the tenant that restricts tokens.

    Attributes:
        meaning: what it does where it is on, in words.
        max_days: the longest lifetime that it allows; None if it sets none, or none is known.
        has_exceptions: some users or groups are exempt; None if unknown.
    """

    name: PolicyName
    state: OnOff
    meaning: str
    max_days: int | None
    has_exceptions: bool | None


class Numbers(NamedTuple):
    """How many active tokens there are, and how many of them need a look.

    Attributes:
        is_global: valid in all organizations.
        full_access: with the scope of full access.
        expiring: expire within the time of the report.
        long_lived: have a longer lifetime than that of the report; global ones are not counted.
    """

    tokens: int = 0
    is_global: int = 0
    full_access: int = 0
    expiring: int = 0
    long_lived: int = 0

    def plus(self, other: "Numbers") -> "Numbers":
        """Return the sums."""
        return Numbers(*(one + two for one, two in zip(self, other, strict=True)))


class Owner(NamedTuple):
    """A user who has active tokens, and how many."""

    user: User
    numbers: Numbers


class Group(NamedTuple):
    """Active tokens that have something in common.

    Attributes:
        name: what they have in common; None if that is unknown, or of scopes that are not known
            once there are too many of them.
        users: how many users they belong to.
    """

    name: str | None
    tokens: int
    users: int


Ranked = TypeVar("Ranked")


class Top(NamedTuple, Generic[Ranked]):
    """The first of many.

    Attributes:
        total: how many there are, with those that are not in `items`.
    """

    items: tuple[Ranked, ...]
    total: int


@dataclass(frozen=True, kw_only=True)
class TokenReport:
    """The result of `pat admin report`.

    Attributes:
        at: when it was made.
        read_since: when the reading of the tokens began: earlier, if they were saved before.
        is_complete: all users were read; otherwise all numbers are of those who were.
        users: whose tokens were to be read.
        unread: how many of them could not be read.
        within: active tokens that expire within this time count as expiring.
        max_life: active tokens with a longer lifetime count as long-lived.
        expired: the expired tokens that the service still lists; they are in no other number.
        by_scope: the most frequent first; a token is counted for each of its scopes.
        by_month: by the month of expiry in UTC, `2026-12`, in order.
        by_age: by the time since their creation, the youngest first.
        oldest: those created first.
        broadest: those that may do most, of all with full access, a high-privilege scope, or
            validity in all organizations.
    """

    org: str
    at: datetime
    read_since: datetime
    is_complete: bool
    users: int
    unread: int
    within: timedelta
    max_life: timedelta
    numbers: Numbers
    expired: int
    by_scope: tuple[Group, ...]
    by_month: tuple[Group, ...]
    by_age: tuple[Group, ...]
    owners: Top[Owner]
    oldest: Top[OwnedPat]
    broadest: Top[OwnedPat]
