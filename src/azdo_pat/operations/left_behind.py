"""Tells what earlier runs have left from what a running command is still using."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.errors import ConflictError, StoreError
from azdo_pat.operations.lock_keys import lock_key

if TYPE_CHECKING:
    from azdo_pat.journal import Exec, Operation
    from azdo_pat.operations.deps import Deps


def left_behind(deps: Deps, org_url: str | None = None) -> tuple[Operation, ...]:
    """Return the unfinished operations, without those of commands that are still running.

    The other operations take seconds, but a command with a token of its own may run for hours.
    """
    unfinished = deps.state.unfinished(org_url)
    if not unfinished:
        return ()
    from azdo_pat.journal import Exec  # noqa: PLC0415 - mostly there is none

    return tuple(
        each for each in unfinished if not (isinstance(each, Exec) and _is_running(each, deps))
    )


def _is_running(operation: Exec, deps: Deps) -> bool:
    """Return whether a process has locked the name; a lock that cannot be tried counts as held."""
    try:
        with deps.exclusive(lock_key(operation.entry.name, operation.entry.organization.url)):
            return False
    except (ConflictError, StoreError):
        return True
