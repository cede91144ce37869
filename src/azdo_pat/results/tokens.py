"""What became of a token, or of many."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from azdo_pat.errors import PatError
from azdo_pat.models import Pat, Secret
from azdo_pat.renewal import Destination

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


class Shown(NamedTuple):
    """A token, and where its secret is delivered.

    Attributes:
        destinations: its delivery targets, and what became of the last delivery to each.
    """

    pat: Pat
    destinations: tuple[Destination, ...]


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
