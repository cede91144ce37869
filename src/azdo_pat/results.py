"""The frozen values that use cases return and the output renders."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from azdo_pat.errors import PatError
from azdo_pat.models import (
    AuditEvent,
    Identity,
    Organization,
    Origin,
    OwnedPat,
    Pat,
    Pending,
    PolicyName,
    Secret,
    SourceReport,
    User,
)
from azdo_pat.renewal import Destination

if TYPE_CHECKING:
    from azdo_pat.journal import Operation  # read by few runs: the journal is mostly empty


@dataclass(frozen=True, kw_only=True)
class Created:
    """A created token.

    Attributes:
        pat: the token as granted; `pat.stored` says whether its secret is in the keyring.
        secret: the secret itself, for the output format that the user chose.
        shortened_from: the requested expiry if the service granted an earlier one; else None.
        replaced: the authorization id of the token whose stored secret was overwritten.
        undelivered: why its secret could not be delivered to every target; empty if it was.
    """

    pat: Pat
    secret: Secret
    shortened_from: datetime | None = None
    replaced: str | None = None
    undelivered: str = ""


INTERRUPTED: Final = "interrupted"
"""The reason for items that Ctrl-C has left undone."""


class OldTokenOutcome(StrEnum):
    """The outcome for a token that was replaced."""

    REVOKED = "revoked"
    LATER = "later"
    PENDING = "pending"
    UNDELIVERED = "undelivered"
    KEPT = "kept"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class Rotated:
    """A rotated token.

    Attributes:
        created: the new token.
        replaced: the old token, as it was before.
        old: the outcome for the old token.
        due: when the old token will be revoked, for `LATER`.
        reason: why it could not be revoked, for `PENDING`, or the new secret not be delivered, for
            `UNDELIVERED`, where the old one lives on; the next run tries again.
        waits_for_readers: the old token lives on because the secret is in a vault.
    """

    created: Created
    replaced: Pat
    old: OldTokenOutcome
    due: datetime | None = None
    reason: str = ""
    waits_for_readers: bool = False


class RecoveryOutcome(StrEnum):
    """The outcome for an operation that an earlier run left in the journal."""

    COMPLETED = "completed"
    ROLLED_BACK = "rolled back"
    NOTHING_DONE = "nothing done"
    """It never reached the service."""
    STILL_ACTIVE = "still active"
    """The token that should be revoked is still active."""
    TAKEN_OVER = "taken over"
    """Another machine has renewed the token, whose secret is stored and delivered instead."""
    UNDECIDED = "undecided"
    """A slow service may still be at work on it."""


class Recovered(NamedTuple):
    """The outcome of recovering an unfinished operation.

    Attributes:
        outcome: None if recovery failed.
        failure: why it is still unfinished; None if recovery did not fail.
    """

    operation: "Operation"
    outcome: RecoveryOutcome | None = None
    failure: PatError | None = None

    @property
    def is_finished(self) -> bool:
        """Whether it is no longer in the journal."""
        return self.outcome not in {None, RecoveryOutcome.UNDECIDED}


class Unrecovered(NamedTuple):
    """Why unfinished operations could not be recovered.

    Attributes:
        organization: in which; None for all.
    """

    failure: PatError
    organization: Organization | None = None


class CommandRun(NamedTuple):
    """A command that was run with a token of its own, and has ended.

    Attributes:
        created: the token.
        status: how the command ended, as `subprocess` tells it: its exit code, or a signal's
            number below zero.
        failure: why the token could not be revoked yet; None if it is revoked.
    """

    created: "Created"
    status: int
    failure: PatError | None = None


class EnsureOutcome(StrEnum):
    """What was done to ensure a token."""

    CREATED = "created"
    ROTATED = "rotated"
    KEPT = "kept"
    DELIVERED = "delivered"
    TAKEN_OVER = "taken over"


@dataclass(frozen=True, kw_only=True)
class Ensured:
    """An ensured token, and what was done for it.

    Attributes:
        undelivered: why its secret could not be delivered to every target; empty if it was.
        created: the created token, for `CREATED`.
        rotated: the rotation, for `ROTATED`.
        taken_from: the vault that holds it, for `TAKEN_OVER`.
        old_until: when the token that was stored until then will be revoked; None if it is not.
        unrevoked: why that token could not be revoked; empty if it was, or is not due.
    """

    outcome: EnsureOutcome
    pat: Pat
    secret: Secret
    created: Created | None = None
    rotated: Rotated | None = None
    undelivered: str = ""
    taken_from: str = ""
    old_until: datetime | None = None
    unrevoked: str = ""


class Action(StrEnum):
    """What to do with a token."""

    CREATE = "create"
    ROTATE = "rotate"
    DELIVER = "deliver"
    KEEP = "keep"
    REVOKE = "revoke"


class ChangeOutcome(StrEnum):
    """The outcome of a change."""

    PLANNED = "planned"
    CREATED = "created"
    ROTATED = "rotated"
    DELIVERED = "delivered"
    TAKEN_OVER = "taken over"
    KEPT = "kept"
    REVOKED = "revoked"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, kw_only=True)
class Change:
    """A planned or completed change of one token among many.

    Attributes:
        pat: the token as it is now; it has no id before it is created.
        org: the organization's name.
        why: the reason for the action, in words.
        error: why it failed, or what is still to be done; empty otherwise.
        pending: it is done, except for what `error` says.
        old_until: when the old token will be revoked, if its grace period is running; else None.
        failure: the error itself, for its exit code; None if there is none.
    """

    action: Action
    outcome: ChangeOutcome
    pat: Pat
    org: str
    why: str = ""
    error: str = ""
    pending: bool = False
    old_until: datetime | None = None
    failure: PatError | None = None


class MigrationOutcome(StrEnum):
    """The outcome for a global token in one organization."""

    PLANNED = "planned"
    CREATED = "created"
    KEPT = "kept"
    REFUSED = "refused"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, kw_only=True)
class Migration:
    """What replaces a global token in one organization.

    Attributes:
        old: the global token.
        pat: the token that replaces it there, or is to; it has no id before it is created.
        org: the organization's name.
        failure: why there is none, for `REFUSED`.
        undelivered: why its secret could not be delivered to every target; empty if it was.
    """

    old: Pat
    pat: Pat
    org: str
    outcome: MigrationOutcome
    failure: PatError | None = None
    undelivered: str = ""

    @property
    def reason(self) -> str:
        """Why there is no token, or what is still to be done; empty if it is done."""
        return self.failure.message if self.failure else self.undelivered


class GlobalTokenOutcome(NamedTuple):
    """What became of a global token.

    Attributes:
        outcome: `KEPT` if it was not to be revoked, or some organization has no replacement yet.
        due: when it will be revoked, for `LATER`.
        reason: why it could not be revoked, for `PENDING` and `UNDELIVERED`.
    """

    old: Pat
    outcome: OldTokenOutcome
    due: datetime | None = None
    reason: str = ""


class Health(StrEnum):
    """The result of one check of `pat doctor`."""

    OK = "ok"
    PROBLEM = "problem"
    SKIPPED = "skipped"
    FIXED = "fixed"


class Check(NamedTuple):
    """One check of `pat doctor`.

    Attributes:
        detail: the state, or the problem.
        fix: how to repair it; empty if there is nothing to repair.
    """

    name: str
    status: Health
    detail: str
    fix: str = ""


class Problem(NamedTuple):
    """What keeps `pat` from working.

    Attributes:
        message: what is wrong.
        fix: the next step; empty if none is known.
    """

    message: str
    fix: str = ""

    @property
    def text(self) -> str:
        """Both in one sentence."""
        return f"{self.message}; {self.fix}" if self.fix else self.message


class SetupOutcome(StrEnum):
    """The outcome for a tool's file."""

    PLANNED = "planned"
    SET_UP = "set up"
    UNCHANGED = "unchanged"
    UNDONE = "undone"


@dataclass(frozen=True, kw_only=True)
class SetupResult:
    """A tool that was set up, or whose setup was undone.

    Attributes:
        feed: the URL of the feed; empty if the tool has none.
        token: the name of the token that it uses; empty if it asks for one.
        why: why it uses this one, in words; empty if the user named it.
        diff: the changes to the file, with secrets masked; empty for none.
        warning: a warning for the user; empty for none.
    """

    tool: str
    file: str
    outcome: SetupOutcome
    feed: str = ""
    token: str = ""
    why: str = ""
    diff: str = ""
    warning: str = ""


class ToolSetup(NamedTuple):
    """What a tool is set up for.

    Attributes:
        file: the tool's file; empty where the tool has none.
        feed: the URL of the feed; empty where the tool has none.
        org_url: of the organization whose token the tool got; empty where it asks for one.
        token: the name of that token; empty likewise.
        destination: the delivery target that this is, for a tool whose file gets the secret.
    """

    file: str
    feed: str
    org_url: str
    token: str
    destination: Destination | None = None


class Shown(NamedTuple):
    """A token, and where its secret is delivered.

    Attributes:
        destinations: its delivery targets, and what became of the last delivery to each.
    """

    pat: Pat
    destinations: tuple[Destination, ...]


class KnownTool(NamedTuple):
    """A tool that `pat setup` knows, or a kind of delivery target that is in use.

    Attributes:
        summary: how it gets a token.
        secret_in_file: the tool's file holds the secret.
        feed: what the URL of its feed ends with; empty where it is set up for all feeds.
        setups: what it is set up for.
    """

    name: str
    summary: str
    secret_in_file: bool
    feed: str
    setups: tuple[ToolSetup, ...]


class Updated(NamedTuple):
    """An updated token.

    Attributes:
        shortened_from: the requested expiry if the service granted an earlier one; else None.
        left_behind: it was renamed, but a secret that was imported under its old name stays
            there, as several tokens had that name.
    """

    pat: Pat
    shortened_from: datetime | None = None
    left_behind: bool = False


@dataclass(frozen=True, kw_only=True)
class StoredSecret:
    """A secret from the keyring, with the index entry of its token.

    Attributes:
        org_url: the URL of its organization; empty for a token for all organizations.
        outcome: what was done to ensure the token, if that was requested.
    """

    pat: Pat
    secret: Secret
    org_url: str = ""
    outcome: str = ""


class Outcome(StrEnum):
    """The outcome for one item of a bulk operation."""

    PLANNED = "planned"
    REVOKED = "revoked"
    ALREADY_REVOKED = "already revoked"
    EXPIRED = "expired"
    """It had expired before; only of tokens of other users."""
    PENDING = "pending"
    """The service has accepted the revocation, but may not have carried it out yet; likewise."""
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """The outcome for one token to revoke.

    Attributes:
        error: why it failed; empty otherwise.
        left_in_keyring: why its secret could not be deleted although it is revoked.
        doubtful: no answer came, so it may be revoked.
    """

    pat: Pat
    outcome: Outcome
    error: str = ""
    left_in_keyring: str = ""
    doubtful: bool = False


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


class OrganizationFailure(NamedTuple):
    """An organization whose tokens could not be listed, and the reason.

    Attributes:
        user: the one whose tokens could not be listed, where those of others could.
    """

    org: str
    reason: str
    user: str = ""

    @property
    def what(self) -> str:
        """What could not be listed."""
        return self.user or self.org


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


class SignedIn(NamedTuple):
    """The result of `pat login`.

    Attributes:
        user: the sign-in name.
        tenant: the id of the tenant that was signed in to.
        expires: when the access token expires; a saved sign-in renews it.
        remembered: the sign-in was saved for the next command.
    """

    user: str
    tenant: str
    expires: datetime
    remembered: bool


class StatusReport(NamedTuple):
    """The result of `pat status`.

    Attributes:
        organization: the current one, None if none is set; `organization_source` says where
            it came from.
        signed_in: None if the service did not answer.
        stored_secrets: how many; None if the state file cannot be read.
        problems: what keeps `pat` from working.
        pending: what earlier runs have left for a later one.
        destinations: the delivery targets of all stored tokens.
    """

    api_root: str
    organization: Organization | None
    organization_source: str
    signed_in: bool | None
    user: str
    tenant: str
    token_source: str
    token_expires: datetime | None
    sources: tuple[SourceReport, ...]
    identity: Identity | None
    organizations: tuple[Organization, ...]
    keyring: str
    keyring_usable: bool
    stored_secrets: int | None
    config_file: str
    state_file: str
    problems: tuple[Problem, ...]
    pending: tuple[Pending, ...] = ()
    destinations: tuple[Destination, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Who or what gave a token its name, and what to do about the token.

    Attributes:
        maker: the tool, in words; empty if no tool is known to give the name.
        occasion: when it creates a token, as sentences; empty if no tool is known.
        rights: what its tokens can do, in words; empty if that is not known.
        harmless: None if that depends on facts that `pat` does not know.
        verdict: the reason, as a sentence.
        advice: what to do, as sentences.
        machine: the machine in the name; None if there is none.
        this_machine: whether this is that machine; None if there is none.
        tokens: the tokens that have the name, as far as they could be looked up.
        audit: the events of the audit log about the name; None if it was not read.
        audited_since: the time from which the audit log was read; None if it was not.
    """

    name: str
    origin: Origin
    maker: str
    occasion: str
    rights: str
    harmless: bool | None
    verdict: str
    advice: str
    machine: str | None = None
    this_machine: bool | None = None
    tokens: tuple[Pat, ...] = ()
    audit: tuple[AuditEvent, ...] | None = None
    audited_since: datetime | None = None

    @property
    def is_missing(self) -> bool:
        """Whether neither a tool nor a token is known by the name."""
        return not (self.maker or self.tokens or self.audit)

    @property
    def text(self) -> str:
        """All of it in sentences."""
        maker = f"This name is given by {self.maker}." if self.maker else ""
        rights = f"Such a token can {self.rights}." if self.rights else ""
        parts = (maker, self.occasion, rights, self.verdict, self.advice)
        return " ".join(part for part in parts if part)


class Explained(NamedTuple):
    """The result of `pat explain`.

    Attributes:
        steps: what to do if the user is in doubt, in this order.
        unseen: why the service was not asked for the tokens; None if it was.
        unaudited: why the audit log could not be read; None if it was, or was not asked for.
        near: asks whether a similar name is meant, before a hint; empty if there is none.
    """

    explanations: tuple[Explanation, ...]
    steps: tuple[str, ...]
    unseen: PatError | None = None
    unaudited: PatError | None = None
    near: str = ""
