"""What a use case returns: frozen values that the output renders and nothing else."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from azdo_pat.errors import PatError
from azdo_pat.journal import Operation
from azdo_pat.models import Identity, Organization, Pat, Secret, SourceReport


@dataclass(frozen=True, kw_only=True)
class Created:
    """A token that was made.

    Attributes:
        pat: the token as granted; `pat.stored` tells whether its secret is in the keyring.
        secret: the secret itself, for the form of output that the user asked for.
        requested_expiry: what was asked for.
        shortened: the service granted less than was asked for.
        replaced: the authorization id of the token whose stored secret was overwritten.
        undelivered: why its secret is not everywhere it is to go; empty where it is.
    """

    pat: Pat
    secret: Secret = field(repr=False)
    requested_expiry: datetime
    shortened: bool = False
    replaced: str | None = None
    undelivered: str = ""


INTERRUPTED: Final = "interrupted"
"""The reason for what Ctrl-C has left to be done."""


class OldTokenOutcome(StrEnum):
    """What became of a token that was replaced."""

    REVOKED = "revoked"
    LATER = "later"
    PENDING = "pending"
    UNDELIVERED = "undelivered"
    KEPT = "kept"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class Rotated:
    """A token that was replaced by a new one.

    Attributes:
        created: the new token.
        replaced: the old one, as it was.
        old: what became of it.
        due: when it will be revoked, for `LATER`.
        reason: why it could not be revoked, for `PENDING`, or the new secret not be delivered, for
            `UNDELIVERED`, where the old one lives on; the next run tries again.
    """

    created: Created
    replaced: Pat
    old: OldTokenOutcome
    due: datetime | None = None
    reason: str = ""


class RecoveryOutcome(StrEnum):
    """What became of an operation that an earlier run had left in the journal."""

    COMPLETED = "completed"
    ROLLED_BACK = "rolled back"
    NOTHING_DONE = "nothing done"
    """It never reached the service."""
    STILL_ACTIVE = "still active"
    """The token that was to be revoked is not."""
    UNDECIDED = "undecided"
    """A slow service may still be at work on it."""


class Recovered(NamedTuple):
    """What became of an unfinished operation.

    Attributes:
        outcome: what became of it; None where that failed.
        failure: why it is still unfinished; None where it did not fail.
    """

    operation: Operation
    outcome: RecoveryOutcome | None = None
    failure: PatError | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the journal holds it no longer."""
        return self.outcome not in {None, RecoveryOutcome.UNDECIDED}


class EnsureOutcome(StrEnum):
    """What it took to have a token there."""

    CREATED = "created"
    ROTATED = "rotated"
    KEPT = "kept"
    DELIVERED = "delivered"


@dataclass(frozen=True, kw_only=True)
class Ensured:
    """A token that is there, and what it took.

    Attributes:
        undelivered: why its secret is not everywhere it is to go; empty where it is.
        created: what was made, for `CREATED`.
        rotated: what was replaced, for `ROTATED`.
    """

    outcome: EnsureOutcome
    pat: Pat
    secret: Secret = field(repr=False)
    created: Created | None = None
    rotated: Rotated | None = None
    undelivered: str = ""


class Action(StrEnum):
    """What is to be done with a token."""

    CREATE = "create"
    ROTATE = "rotate"
    DELIVER = "deliver"
    KEEP = "keep"
    REVOKE = "revoke"


class ChangeOutcome(StrEnum):
    """What became of it."""

    PLANNED = "planned"
    CREATED = "created"
    ROTATED = "rotated"
    DELIVERED = "delivered"
    KEPT = "kept"
    REVOKED = "revoked"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is to be done, or was done, with one token of many.

    Attributes:
        pat: the token as it is now; one that is still to be made has no id.
        org: the organization's name.
        why: the reason for the action, in words.
        error: why it failed, or what of it is still to be done; empty otherwise.
        pending: it is done, but for what `error` says.
        failure: the failure itself, for its exit code; None where there is none.
    """

    action: Action
    outcome: ChangeOutcome
    pat: Pat
    org: str
    why: str = ""
    error: str = ""
    pending: bool = False
    failure: PatError | None = None


class Health(StrEnum):
    """What `pat doctor` says of one thing."""

    OK = "ok"
    PROBLEM = "problem"
    SKIPPED = "skipped"
    FIXED = "fixed"


class Check(NamedTuple):
    """What was found at one thing.

    Attributes:
        detail: how it is, or what is wrong.
        fix: what mends it; empty where nothing is to be mended.
    """

    name: str
    status: Health
    detail: str
    fix: str = ""


class SetupOutcome(StrEnum):
    """What became of a tool's file."""

    PLANNED = "planned"
    SET_UP = "set up"
    UNCHANGED = "unchanged"
    UNDONE = "undone"


@dataclass(frozen=True, kw_only=True)
class SetupResult:
    """A tool that was set up, or is not any more.

    Attributes:
        feed: the URL of the feed; empty where the tool has none.
        token: the name of the token that it got; empty where it asks for one.
        diff: what is changed in the file, secrets masked; empty for nothing.
        warning: what the user should know of it; empty for nothing.
    """

    tool: str
    file: str
    outcome: SetupOutcome
    feed: str = ""
    token: str = ""
    diff: str = ""
    warning: str = ""


class ToolSetup(NamedTuple):
    """What a tool is set up for.

    Attributes:
        file: the tool's file; empty where the tool has none.
        feed: the URL of the feed; empty where the tool has none.
        org_url: of the organization whose token the tool got; empty where it asks for one.
        token: the name of that token; empty likewise.
    """

    file: str
    feed: str
    org_url: str
    token: str


@dataclass(frozen=True, kw_only=True)
class KnownTool:
    """A tool that `pat setup` knows.

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


@dataclass(frozen=True, kw_only=True)
class Updated:
    """A token that was changed.

    Attributes:
        shortened: the service granted a shorter life than was asked for.
        requested_expiry: what was asked for, None if the expiry was left alone.
        left_behind: it was renamed, and a secret that was imported under its old name stays
            there, as several tokens bore that name.
    """

    pat: Pat
    requested_expiry: datetime | None = None
    shortened: bool = False
    left_behind: bool = False


@dataclass(frozen=True, kw_only=True)
class StoredSecret:
    """A secret from the keyring, with what this machine remembers of its token.

    Attributes:
        org_url: the URL of its organization; empty for a token of all organizations.
        outcome: what it took to have it there, where that was asked for.
    """

    pat: Pat
    secret: Secret = field(repr=False)
    org_url: str = ""
    outcome: str = ""


class Outcome(StrEnum):
    """What became of one item of a bulk operation."""

    PLANNED = "planned"
    REVOKED = "revoked"
    ALREADY_REVOKED = "already revoked"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """What became of one token that was to be revoked.

    Attributes:
        error: why it failed; empty otherwise.
        left_in_keyring: revoked, but its secret could not be removed here; the reason.
        doubtful: it failed, as nobody answered; it may be revoked all the same.
    """

    pat: Pat
    outcome: Outcome
    error: str = ""
    left_in_keyring: str = ""
    doubtful: bool = False


@dataclass(frozen=True, kw_only=True)
class OrganizationFailure:
    """An organization whose tokens could not be listed, and why."""

    org: str
    reason: str


class SignedIn(NamedTuple):
    """What `pat login` came to.

    Attributes:
        user: the sign-in name.
        tenant: the id of the tenant that was signed in to.
        expires: when the access token ends; it is renewed by itself where it is remembered.
        remembered: the next command is signed in, too.
    """

    user: str
    tenant: str
    expires: datetime
    remembered: bool


@dataclass(frozen=True, kw_only=True)
class StatusReport:
    """Everything `pat status` tells.

    Attributes:
        organization: the one at hand, None where none is set; `organization_source` says where
            it came from.
        signed_in: None where the service did not answer.
        stored_secrets: how many; None where the state file cannot be read.
        problems: one sentence each: what keeps `pat` from working, with the next step.
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
    problems: tuple[str, ...]
