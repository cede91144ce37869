"""The journaled operations: what each records until it is finished.

An operation is recorded before its first effect, and its entry is closed together with the
last one. The entry must be enough for another run to complete the operation or roll it back.

NamedTuples, as in `models`: most runs read the journal and find it empty.
"""

from datetime import datetime
from typing import Final, NamedTuple

from azdo_pat.models import Organization, StoredPat
from azdo_pat.renewal import DEFAULT_RENEWAL, Renewal


class JournalEntry(NamedTuple):
    """What is recorded of every operation.

    Attributes:
        name: the name under which the secret is stored, which is locked.
        started: when it began.
        user: the sign-in name of the tokens' owner, if known.
        reason: why it could not be completed, if that was tried.
        key: the number of the entry; None before `State.begin`.
    """

    organization: Organization
    name: str
    started: datetime
    user: str = ""
    reason: str = ""
    key: int | None = None

    @property
    def token(self) -> str:
        """The token that it is about, in words."""
        return f"{self.name!r} in {self.organization.name}"


class NewToken(NamedTuple):
    """A token that an operation requests, and what is known of it afterwards.

    Attributes:
        scopes: the requested scopes.
        valid_to: the requested expiry.
        renewal: how the token is to be renewed and delivered.
        authorization_id: of the created token; None while unknown.
        fingerprint: of its secret; empty if the secret will not be stored, or is not known yet.
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
    """A token that a rotation or migration has replaced.

    Attributes:
        due: when to revoke it.
        is_global: it is valid for all of its user's organizations.
    """

    authorization_id: str
    due: datetime
    is_global: bool = False


class Create(NamedTuple):
    """Create a token, store its secret, and deliver it.

    Attributes:
        overwrites: the new secret replaces a stored one.
    """

    entry: JournalEntry
    new: NewToken
    overwrites: bool = False


class Rotate(NamedTuple):
    """Create a replacement token, store its secret, deliver it, revoke the old token.

    Attributes:
        replaced: the old token; None if it stays active.
    """

    entry: JournalEntry
    new: NewToken
    replaced: Replaced | None = None


class Exec(NamedTuple):
    """Create a token for one command, and revoke it when the command has ended.

    Its secret is stored nowhere. The name stays locked while the command runs.
    """

    entry: JournalEntry
    new: NewToken


class Deliver(NamedTuple):
    """Deliver the secret that is stored under the name to every target of its token.

    Attributes:
        replaced: the token to revoke after that; None for none.
    """

    entry: JournalEntry
    replaced: Replaced | None = None


class RevokeReplaced(NamedTuple):
    """Revoke a token that a rotation or migration has replaced, when that is due."""

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
    """Store a secret that was created elsewhere.

    Attributes:
        stored: the index entry of its token once the secret is stored.
    """

    entry: JournalEntry
    stored: StoredPat


class TakeOver(NamedTuple):
    """Store the secret of a token that another machine has made, and then deliver it.

    Attributes:
        stored: the index entry of that token.
        replaced: the token that was stored until then, to revoke afterwards; None for none.
    """

    entry: JournalEntry
    stored: StoredPat
    replaced: Replaced | None = None


class Forget(NamedTuple):
    """Delete a stored secret.

    Attributes:
        authorization_id: of its token; None if unknown.
        fingerprint: of the secret that is deleted.
    """

    entry: JournalEntry
    authorization_id: str | None
    fingerprint: str


Operation = (
    Create | Rotate | Exec | Deliver | RevokeReplaced | Revoke | Rename | Import | TakeOver | Forget
)

Issue = Create | Rotate | Exec
"""The operations that create a token."""

Local = Import | TakeOver | Forget
"""The operations that change nothing on the service."""

VERBS: Final[dict[type[Operation], str]] = {
    Create: "create",
    Rotate: "rotate",
    Exec: "exec --new",
    Deliver: "deliver",
    RevokeReplaced: "revoke",
    Revoke: "revoke",
    Rename: "rename",
    Import: "import",
    TakeOver: "takeover",
    Forget: "forget",
}
"""The verb for each operation, for messages."""


def title(operation: Operation) -> str:
    """Return which operation it is, in words: `create of 'ci' in contoso`."""
    return f"{VERBS[type(operation)]} of {operation.entry.token}"


def open_question(operation: Operation) -> str:  # noqa: PLR0911 - one line for each operation
    """Return what is not known, or not done, until an operation is recovered."""
    token = operation.entry.token
    match operation:
        case Exec(new=NewToken(authorization_id=str(identifier))):
            return f"the token {token} ({identifier}), made for one command, is not revoked yet"
        case Create() | Rotate() | Exec():
            return f"an interrupted {title(operation)} may have created a token"
        case Deliver():
            return f"the new secret of {token} has not been delivered"
        case RevokeReplaced(replaced=replaced):
            return (
                f"the token replaced by {token} has not been revoked ({replaced.authorization_id})"
            )
        case Revoke(authorization_id=identifier):
            return f"it is unknown whether the token {token} is revoked ({identifier})"
        case Rename(new_name=new_name):
            return (
                f"it is unknown whether {token} is now named {new_name!r} and its secret stored"
                " under that name"
            )
        case Import() | TakeOver() | Forget():
            return f"the outcome of an interrupted {title(operation)} is unknown"


def is_due(operation: Operation, now: datetime) -> bool:
    """Return whether an operation is due; a planned revocation may not be due yet."""
    return not isinstance(operation, RevokeReplaced) or operation.replaced.due <= now


def revoked_by(operation: Operation) -> str | None:
    """Return the authorization id of the token that an operation will revoke; None for none."""
    match operation:
        case (
            Rotate(replaced=Replaced(authorization_id))
            | TakeOver(replaced=Replaced(authorization_id))
            | Deliver(replaced=Replaced(authorization_id))
            | RevokeReplaced(replaced=Replaced(authorization_id))
            | Revoke(authorization_id=authorization_id)
            | Exec(new=NewToken(authorization_id=authorization_id))
        ):
            return authorization_id
        case _:
            return None
