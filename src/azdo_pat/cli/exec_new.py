"""Run a command with a token that is made for it, and revoked after it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Final, NoReturn

from azdo_pat.cli.child import Child, end_as, exit_code_of, failures_told, program_path
from azdo_pat.cli.interrupts import interruptible_once
from azdo_pat.cli.token_messages import warn_shortened
from azdo_pat.command_lines import pat_command
from azdo_pat.dates import local_minute
from azdo_pat.errors import CancelledError, PatError, PendingError
from azdo_pat.executables import command_line
from azdo_pat.expiry import parse_expiry
from azdo_pat.models import Secret
from azdo_pat.naming import name_for_command
from azdo_pat.operations.issue import CreateRequest
from azdo_pat.scopes import parse_scopes
from azdo_pat.services.run_command import run_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from azdo_pat.cli.app import App
    from azdo_pat.results.tokens import CommandRun, Created

_LIFETIME: Final = "1h"


def request_of(
    app: App,
    program: str,
    scopes: tuple[str, ...],
    recipes: tuple[str, ...],
    expires: str | None,
    allow_unknown: bool,  # noqa: FBT001  # as the option of that name
) -> CreateRequest:
    """Return the request for a token that is made for a program.

    Raises:
        UsageError: an option is malformed, or none says what the token is for.
    """
    return CreateRequest(
        name=name_for_command(program, app.runtime.machine),
        scopes=parse_scopes(scopes, recipes=recipes, allow_unknown=allow_unknown),
        expires=parse_expiry(expires or _LIFETIME, app.runtime.now()),
        store=False,
    )


def run_with_new_token(
    app: App,
    words: Sequence[str],
    request: CreateRequest,
    variables: Callable[[Secret], Mapping[str, str]],
) -> NoReturn:
    """Create a token, run the command with it, revoke it, and end as the command has ended.

    What would keep the command from running is found before there is a token.

    Args:
        app: the program.
        words: the command.
        request: the token.
        variables: returns the variables to set, from the token's secret.

    Raises:
        PendingError: the command succeeded, but its token could not be revoked.
        CancelledError: likewise, as Ctrl-C has interrupted the revocation.
        PatError: the token could not be created, or the command not be run.
    """
    child = Child()
    own = app.runtime.environment
    program = program_path(words[0], own)

    def prepared(secret: Secret) -> tuple[str | Sequence[str], Mapping[str, str]]:
        environment = {**own, **variables(secret)}
        return command_line([program, *words[1:]], environment), environment

    def run(created: Created) -> int:
        token = created.pat
        app.runtime.messages.detail(f"created {token.name!r} ({token.id}) for this command")
        warn_shortened(app, token, created.shortened_from)
        with failures_told(words[0]):
            child.start(*prepared(created.secret))
        line = app.runtime.waiting_line
        with nullcontext() if line is None else line.left_to_another_program():
            return child.wait()

    with failures_told(words[0]):
        prepared(Secret(""))
    with interruptible_once(), child:
        ended = run_command(app.organization, request, app, run)
        if ended.failure is None:
            app.runtime.messages.detail(f"revoked {ended.created.pat.name!r}")
        else:
            failure = _not_revoked(app, ended, ended.failure)
            if not ended.status:
                raise failure
            app.runtime.messages.warn(f"{failure.message}; {failure.hint}")
    end_as(ended.status)


def _not_revoked(app: App, ended: CommandRun, failure: PatError) -> PatError:
    token = ended.created.pat
    command = pat_command("revoke", token.id or "", options=("--org", app.organization.name))
    expires = f", and it expires {local_minute(token.expires)}" if token.expires else ""
    hint = (
        f"the next command that signs in (for example pat list) will revoke it{expires};"
        f" to revoke it now, run: {command}"
    )
    if isinstance(failure, CancelledError):
        return CancelledError(
            f"the command has ended with exit code {exit_code_of(ended.status)}, but its token"
            f" {token.id} may still be active: its revocation was interrupted",
            hint=hint,
        )
    return PendingError(
        f"the command has ended, but its token {token.id} could not be revoked yet:"
        f" {failure.message}",
        hint=hint,
    )
