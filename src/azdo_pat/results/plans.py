"""What is to become of tokens by a file, a date or a migration, and what became of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from azdo_pat.errors import PatError
from azdo_pat.models import Pat
from azdo_pat.results.tokens import OldTokenOutcome


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
