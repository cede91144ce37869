"""The operations that the journal knows: what each has to remember until it is finished.

An operation is written down before its first effect, and its entry is closed together with the
last one. What is written must be enough for another run to complete it or to roll it back.

NamedTuples, as in `models`: many runs read the journal and find nothing in it.
"""

from datetime import datetime
from typing import Final, NamedTuple

from azdo_pat.models import Organization, StoredPat
from azdo_pat.renewal import DEFAULT_RENEWAL, Renewal


class JournalEntry(NamedTuple):
    """What is noted of each operation, whatever it does.

    Attributes:
        name: under which the secret is stored; the name that is locked.
        started: when it was begun.
        user: whose tokens they are: the sign-in name, as far as it is known.
        reason: why it could not be completed, where that was tried.
        key: the number of the entry; None before `State.begin`.
    """

    organization: Organization
    name: str
    started: datetime
    user: str = ""
    reason: str = ""
    key: int | None = None


class NewToken(NamedTuple):
    """A token that an operation requests, and what is known of it since.

    Attributes:
        scopes: those that are asked for.
        valid_to: the expiry that is asked for.
        renewal: how the token is to be renewed and delivered.
        authorization_id: of the token that was made; None while that is not known.
        fingerprint: of its secret; empty for one that is not to be stored, or not known yet.
        searched: when the token of a lost answer was first searched for and not found, by the
            service's clock; None before that.
    """

    scopes: tuple[str, ...]
    valid_to: datetime
    renewal: Renewal = DEFAULT_RENEWAL
    authorization_id: str | None = None
    fingerprint: str = ""
    searched: datetime | None = None


class Replaced(NamedTuple):
    """A token that a rotation has replaced.

    Attributes:
        due: when to revoke it.
    """

    authorization_id: str
    due: datetime


class Create(NamedTuple):
    """Create a token, store its secret, and deliver it.

    Attributes:
        overwrites: the new secret takes the place of a stored one.
    """

    entry: JournalEntry
    new: NewToken
    overwrites: bool = False


class Rotate(NamedTuple):
    """Create a token in place of another one, store its secret, deliver it, revoke the old token.

    Attributes:
        replaced: the old token; None where it stays.
    """

    entry: JournalEntry
    new: NewToken
    replaced: Replaced | None = None


class Deliver(NamedTuple):
    """Deliver the secret that is stored under the name to every target of its token.

    Attributes:
        replaced: the token to revoke once that is done; None for none.
    """

    entry: JournalEntry
    replaced: Replaced | None = None


class RevokeReplaced(NamedTuple):
    """Revoke a token that a rotation has replaced, once that is due."""

    entry: JournalEntry
    replaced: Replaced


class Revoke(NamedTuple):
    """Revoke a token and delete its stored secret."""

    entry: JournalEntry
    authorization_id: str


class Rename(NamedTuple):
    """Rename a token, and store its secret under the new name instead of the old one.

    Attributes:
        searched: when the token was not found under its new name, as in `NewToken`.
    """

    entry: JournalEntry
    authorization_id: str
    new_name: str
    searched: datetime | None = None


class Import(NamedTuple):
    """Store a secret that was made elsewhere.

    Attributes:
        stored: what is remembered of its token once the secret is stored.
    """

    entry: JournalEntry
    stored: StoredPat


class Forget(NamedTuple):
    """Delete a stored secret.

    Attributes:
        authorization_id: of its token; None where that is not known.
        fingerprint: of the secret that is deleted.
    """

    entry: JournalEntry
    authorization_id: str | None
    fingerprint: str


Operation = Create | Rotate | Deliver | RevokeReplaced | Revoke | Rename | Import | Forget

Issue = Create | Rotate
"""What creates a token."""

Local = Import | Forget
"""What changes nothing on the service."""

VERBS: Final[dict[type[Operation], str]] = {
    Create: "create",
    Rotate: "rotate",
    Deliver: "deliver",
    RevokeReplaced: "revoke",
    Revoke: "revoke",
    Rename: "rename",
    Import: "import",
    Forget: "forget",
}
"""What users call each operation."""


def is_due(operation: Operation, now: datetime) -> bool:
    """Tell whether an operation is to be completed now; a planned revocation may be for later."""
    return not isinstance(operation, RevokeReplaced) or operation.replaced.due <= now


def revoked_by(operation: Operation) -> str | None:
    """Return the authorization id of the token that an operation will revoke; None for none."""
    match operation:
        case Rotate(replaced=Replaced(authorization_id)):
            return authorization_id
        case Deliver(replaced=Replaced(authorization_id)):
            return authorization_id
        case RevokeReplaced(replaced=Replaced(authorization_id)):
            return authorization_id
        case Revoke(authorization_id=authorization_id):
            return authorization_id
        case _:
            return None
