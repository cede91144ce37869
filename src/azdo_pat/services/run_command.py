"""Runs one command with a token of its own, which is revoked when the command has ended."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from azdo_pat.errors import ConflictError
from azdo_pat.journal import Exec, JournalEntry
from azdo_pat.operations.command_token import with_token_of_its_own
from azdo_pat.operations.lock_keys import lock_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from azdo_pat.models import Organization
    from azdo_pat.operations.deps import Deps
    from azdo_pat.operations.issue import CreateRequest
    from azdo_pat.results.tokens import CommandRun, Created


def run_command(
    organization: Organization,
    request: CreateRequest,
    deps: Deps,
    run: Callable[[Created], int],
) -> CommandRun:
    """Create a token, let `run` use it, and revoke it; see `with_token_of_its_own`.

    While another command uses a token of that name, or one of an earlier command is not revoked
    yet, a number is added to the name.

    Args:
        organization: where the token is valid.
        request: the token, whose secret is not to be stored.
        deps: the dependencies.
        run: runs the command and returns its exit status.

    Raises:
        PatError: as for `with_token_of_its_own`.
    """
    _ = deps.tokens  # see `Deps`
    with _name_of_its_own(organization, request.name, deps) as name:
        operation = Exec(
            JournalEntry(organization, name, deps.now(), deps.session.user()), request.new_token
        )
        return with_token_of_its_own(operation, replace(request, name=name), deps, run)


@contextmanager
def _name_of_its_own(organization: Organization, wanted: str, deps: Deps) -> Iterator[str]:
    """Lock a name that no command uses, and that no earlier one has left in the journal."""
    for number in count(1):
        name = wanted if number == 1 else f"{wanted} ({number})"
        with ExitStack() as lock:
            try:
                lock.enter_context(deps.exclusive(lock_key(name, organization.url)))
            except ConflictError:
                continue
            if not deps.state.unfinished(organization.url, name):
                yield name
                return
