"""Creates a token so that neither its secret is lost nor an unused token left behind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from azdo_pat.command_lines import pat_command
from azdo_pat.errors import ConflictError, RefusedError
from azdo_pat.journal import Create, Deliver, JournalEntry
from azdo_pat.models import global_tokens_stop
from azdo_pat.operations.delivery import delivered, probe_targets
from azdo_pat.operations.issue import issue
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.operations.recovery import recover_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from azdo_pat.models import Organization, Secret
    from azdo_pat.operations.deps import Deps
    from azdo_pat.operations.issue import CreateRequest
    from azdo_pat.results.tokens import Created


def refuse_global(now: datetime) -> RefusedError:
    """Return the error that refuses to create a token for all organizations."""
    return RefusedError(
        "pat does not create tokens for all organizations: every such token"
        f" {global_tokens_stop(now)}",
        hint="to create one for each organization, run: pat create NAME --scope S --org ORG",
    )


def create(
    organization: Organization,
    request: CreateRequest,
    deps: Deps,
    hand_over: Callable[[Created], None] | None = None,
) -> Created:
    """Create a token and store its secret in the keyring.

    If anything fails after the request to the service, the token is revoked again, as its secret
    would be lost. If that fails too, the error names the token, and the operation stays in the
    journal.

    `hand_over` hands a secret that is not stored to the user; if it fails, the token is revoked.

    Raises:
        ConflictError: a secret is stored under the name, or another process is working on it.
        StoreError: the keyring or the state file failed; no token was created, or it was revoked.
        RefusedError: the service refused, or shortened the lifetime despite `fail_if_shortened`.
        NoAnswerError: no answer came; a token of the request was searched for and revoked.
        CancelledError: the user cancelled after the request; the same was done.
    """
    _ = deps.tokens  # see `Deps`
    with deps.exclusive(lock_key(request.name, organization.url)):
        recover_name(organization, request.name, deps)
        previous = _room_for(organization, request, deps)
        probe_targets(organization, request.name, request.renewal.deliveries, deps)
        known = deps.state.find(organization.url, request.name) if previous else None
        created, rest = issue(
            Create(
                JournalEntry(organization, request.name, deps.now(), deps.session.user()),
                request.new_token,
                overwrites=previous is not None,
            ),
            request,
            deps,
            previous=previous,
            hand_over=hand_over,
        )
        created = replace(created, replaced=known.id if known else None)
        if isinstance(rest, Deliver):
            _, undelivered = delivered(rest, deps)
            created = replace(created, undelivered=undelivered)
        return created


def _room_for(organization: Organization, request: CreateRequest, deps: Deps) -> Secret | None:
    """Check that the name is free and the keyring works before creating anything.

    Returns:
        The stored secret that will be overwritten.
    """
    if not request.store:
        return None
    deps.secrets.check()
    secret = deps.secrets.get(organization.url, request.name)
    if secret is not None and not request.replace:
        raise ConflictError(
            f"a secret is already stored under {request.name!r} for {organization.name}",
            hint=f"to print it, run: {pat_command('get', request.name)}; to overwrite"
            " it, add --replace; to keep it, choose another name",
        )
    return secret
