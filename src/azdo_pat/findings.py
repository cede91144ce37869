"""Findings: what needs the user's attention, how badly, and the command that ends it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.naming import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from azdo_pat.models import OwnedPat, Pat, User
    from azdo_pat.results.tokens import OrganizationFailure


class Severity(StrEnum):
    """How bad it is, the mildest first."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """A number that is higher for what is worse."""
        return list(Severity).index(self)


class Kind(StrEnum):
    """What a finding is about; see docs/reference/contract.md for each."""

    EXPIRED = "expired"
    EXPIRING = "expiring"
    GLOBAL = "global"
    FULL_ACCESS = "full-access"
    LONG_LIVED = "long-lived"
    BROAD = "broad"
    MADE_BY_TOOL = "made-by-tool"
    SECRET_LOST = "secret-lost"  # noqa: S105 - the name of a kind
    REFUSED = "refused"
    PENDING = "pending"
    SHORTENED = "shortened"
    POLICY = "policy"
    NO_SIGN_IN = "no-sign-in"
    SAME_NAME = "same-name"
    UNREADABLE = "unreadable"


class Finding(NamedTuple):
    """One thing that needs attention.

    Attributes:
        message: what it is, in words, without the token's name.
        fix: the command that makes it go away; empty if none does.
        org: the organization's name; None for a token of all organizations, or where it is about
            no token.
        name: the token's name; None where it is about no token.
        until: when it takes effect: mostly, when the token stops working.
        owner: whose token it is, where those of many users are checked; None for the user's own.
        owner_fix: the command that makes it go away, if only the owner can run it; else empty.
        file: the path of the file that declares the token; empty for none.
        line: where in that file; None if unknown.
    """

    kind: Kind
    severity: Severity
    message: str
    fix: str = ""
    org: str | None = None
    name: str | None = None
    id: str | None = None
    owner: User | None = None
    scopes: tuple[str, ...] = ()
    expires: datetime | None = None
    until: datetime | None = None
    file: str = ""
    line: int | None = None
    owner_fix: str = ""


class Everyone(NamedTuple):
    """What was looked at where the tokens of many users were.

    Attributes:
        org: the name of their organization.
        tokens: how many active tokens were looked at.
        pats: those with findings; the others are not kept, as there may be very many.
        knows_policies: the service tells the policies that forbid tokens.
        read_since: when the reading of tokens began that were saved; None for those of now.
    """

    org: str
    tokens: int
    pats: tuple[OwnedPat, ...]
    knows_policies: bool = True
    read_since: datetime | None = None


class Checked(NamedTuple):
    """The result of `pat check`, or of `pat admin check`.

    Attributes:
        findings: the worst first.
        pats: the user's own tokens that were looked at.
        failures: the organizations, or the users of one, that could not be read.
        now: when that was, aware.
        everyone: the tokens of many users, in place of `pats`; None for the user's own.
    """

    findings: tuple[Finding, ...]
    pats: tuple[Pat, ...]
    failures: tuple[OrganizationFailure, ...]
    now: datetime
    everyone: Everyone | None = None

    @property
    def command(self) -> str:
        """The command that found this."""
        return "pat check" if self.everyone is None else "pat admin check"

    @property
    def read_at(self) -> datetime:
        """The time as of which this is said of the tokens."""
        return (self.everyone.read_since if self.everyone else None) or self.now

    @property
    def tokens(self) -> int:
        """How many tokens were looked at."""
        return len(self.pats) if self.everyone is None else self.everyone.tokens


class Limits(NamedTuple):
    """What is too near, and what is too long.

    Attributes:
        within: a token that expires within this time needs attention.
        max_life: the longest lifetime that needs none.
        allowed: the days from its creation that a policy lets a token live, by the organization's
            name.
    """

    within: timedelta = timedelta(days=7)
    max_life: timedelta = timedelta(days=90)
    allowed: Mapping[str, int] = MappingProxyType({})


DEFAULT_LIMITS: Final = Limits()


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings: errors before warnings and notes, then what takes effect first."""

    def key(finding: Finding) -> tuple[object, ...]:
        until = finding.until
        moment = until.timestamp() if until else 0.0
        return (
            -finding.severity.rank,
            until is None,
            moment,
            natural_key(finding.name or ""),
            finding.kind,
            finding.org or "",
            natural_key(finding.owner.handle if finding.owner else ""),
            finding.id or "",
        )

    return sorted(findings, key=key)
