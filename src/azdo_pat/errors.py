"""The errors of the program: one class per exit code of the command-line contract."""

from copy import copy
from enum import IntEnum
from typing import ClassVar, Self


class ExitCode(IntEnum):
    """The exit codes that scripts may rely on."""

    DONE = 0
    FAULT = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_SIGNED_IN = 4
    REFUSED = 5
    CONFLICT = 6
    NO_STORE = 7
    PENDING = 8
    PARTIAL = 9
    FOUND = 10
    UNAVAILABLE = 11
    NOT_EXECUTABLE = 126
    NO_COMMAND = 127
    INTERRUPTED = 130


class PatError(Exception):
    """A failure that the user can read: what is wrong, and what to do about it.

    Attributes:
        message: one line, without a full stop, that says what failed and why.
        hint: the next step, often a command to run; empty if there is none.
        server_message: the service's own message, unchanged.
        activity_id: the id under which the service logged the request.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.FAULT
    error: ClassVar[str] = "fault"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        server_message: str = "",
        activity_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.server_message = server_message
        self.activity_id = activity_id

    @property
    def one_line(self) -> str:
        """The message, with the hint in parentheses."""
        hint = "; ".join(self.hint.splitlines())
        return f"{self.message} ({hint})" if hint else self.message

    def saying(self, message: str) -> Self:
        """Return the same error with another message."""
        other = copy(self)
        other.message = message
        other.args = (message,)
        return other


class UsageError(PatError):
    """The command line or the configuration is wrong, or a prompt could not be answered."""

    exit_code = ExitCode.USAGE
    error = "usage"


class NotFoundError(PatError):
    """The token, organization or user does not exist."""

    exit_code = ExitCode.NOT_FOUND
    error = "not_found"


class NoOrganizationError(NotFoundError):
    """The organization does not exist, or the user has no access to it.

    Attributes:
        organization: its name, as the request had it.
    """

    organization = ""


class SignInError(PatError):
    """The user is not signed in, or the service refused the sign-in."""

    exit_code = ExitCode.NOT_SIGNED_IN
    error = "not_signed_in"


class RefusedError(PatError):
    """The user is signed in, but a permission or a policy forbids the operation.

    Attributes:
        code: the service's name for the refusal (a `SessionTokenError`), if it gave one.
    """

    exit_code = ExitCode.REFUSED
    error = "refused"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        server_message: str = "",
        activity_id: str = "",
        code: str = "",
    ) -> None:
        super().__init__(message, hint=hint, server_message=server_message, activity_id=activity_id)
        self.code = code


class ConflictError(PatError):
    """A name is ambiguous, or already taken."""

    exit_code = ExitCode.CONFLICT
    error = "conflict"


class StoreError(PatError):
    """The keyring or the state file cannot be used."""

    exit_code = ExitCode.NO_STORE
    error = "no_store"


class DamagedError(StoreError):
    """The state file is damaged; `pat doctor --fix` moves it aside and rebuilds it."""


class PendingError(PatError):
    """The main change is done, but a part of it is still to be done."""

    exit_code = ExitCode.PENDING
    error = "pending"


class PartialError(PatError):
    """Some items of a bulk operation failed."""

    exit_code = ExitCode.PARTIAL
    error = "partial"


class UnavailableError(PatError):
    """The service or the network did not answer properly, after retries.

    Attributes:
        had_no_effect: the request certainly never reached the service, or was turned away.
    """

    exit_code = ExitCode.UNAVAILABLE
    error = "unavailable"
    had_no_effect = False


class NotExecutableError(PatError):
    """The command of `pat exec` cannot be run; the code is the one that `env` uses."""

    exit_code = ExitCode.NOT_EXECUTABLE
    error = "not_executable"


class NoCommandError(PatError):
    """The command of `pat exec` was not found; the code is the one that `env` uses."""

    exit_code = ExitCode.NO_COMMAND
    error = "no_command"


class CancelledError(PatError):
    """The user cancelled the command."""

    exit_code = ExitCode.INTERRUPTED
    error = "interrupted"


class NoAnswerError(UnavailableError):
    """The request was sent, but no answer came, so the service may have acted on it."""


class DoubtfulError(UnavailableError):
    """Tokens were found that an unanswered request, or another machine, may have created."""
