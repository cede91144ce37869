"""Finds the secret for a package feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.command_lines import pat_command
from azdo_pat.errors import RefusedError
from azdo_pat.services.refused_tokens import still_works, was_refused
from azdo_pat.tools.selection import at_place, for_packages

if TYPE_CHECKING:
    from azdo_pat.models import Secret
    from azdo_pat.operations.deps import Deps


def secret_for_feed(
    place: tuple[str, str, str], deps: Deps, *, chosen: str | None
) -> Secret | None:
    """Return the secret of the stored token that can read packages at a place, or None.

    The place is the protocol, the host and the path of the feed. `chosen` is the name of the token
    that the user has chosen for packages, if any.

    Raises:
        RefusedError: the token has expired, or the service refuses it.
        PatError: the state file or the keyring cannot be used.
    """
    stored = [entry for entry in deps.state.stored() if entry.stored]
    entries = at_place(stored, *place, api_root=deps.session.api_root, feeds=True)
    expired = refused = None
    for entry in for_packages(entries, chosen):
        if entry.expires is not None and entry.expires <= deps.now():
            expired = expired or entry
            continue
        secret = deps.secrets.get(entry.org_url, entry.name)
        if secret is None:
            continue
        if not was_refused(entry, deps) or still_works(entry, secret, deps):
            return secret
        refused = refused or entry
    if refused is not None:
        raise RefusedError(
            f"{refused.org} no longer accepts the token {refused.name!r}",
            hint="to replace it, run: "
            + pat_command("create", refused.name, options=("--for", "packages", "--replace")),
        )
    if expired is not None:
        raise RefusedError(
            f"the token {expired.name!r} for packages of {expired.org} has expired",
            hint=f"to replace it, run: {pat_command('rotate', expired.name)}",
        )
    return None
