"""What became of operations that an earlier run left unfinished."""

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.errors import PatError
from azdo_pat.models import Organization

if TYPE_CHECKING:
    from azdo_pat.journal import Operation  # read by few runs: the journal is mostly empty


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
