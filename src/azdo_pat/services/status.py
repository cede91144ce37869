"""Reports the signed-in user, the organization, the keyring, and problems with them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from azdo_pat.errors import PatError, UnavailableError
from azdo_pat.journal import (
    Deliver,
    Exec,
    Forget,
    Import,
    Local,
    NewToken,
    RevokeReplaced,
    TakeOver,
    is_due,
    open_question,
)
from azdo_pat.operations.left_behind import left_behind
from azdo_pat.organizations import HOSTED_ROOT
from azdo_pat.results.diagnosis import Problem, StatusReport
from azdo_pat.services.destinations import all_destinations
from azdo_pat.services.known_organizations import require_known
from azdo_pat.services.pending import pending
from azdo_pat.store.repair import damaged_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from azdo_pat.journal import Operation
    from azdo_pat.models import Identity, Organization, Pending
    from azdo_pat.operations.deps import Deps
    from azdo_pat.store.secrets import SecretStore

Found = TypeVar("Found")


def report_status(deps: Deps, *, config_file: str) -> StatusReport:
    """Check everything that `pat` depends on; problems are reported, not raised."""
    problems: list[PatError] = []

    def trying(work: Callable[[], Found], otherwise: Found) -> Found:
        try:
            return work()
        except PatError as error:
            problems.append(error)
            return otherwise

    state_file = deps.state_folder / "state.db"
    damage = _damage(state_file)  # before a damaged one is moved aside, which is told
    nowhere: tuple[Organization | None, str] = (None, "")
    organization, source = trying(lambda: deps.session.located, nowhere)
    search = deps.session.search
    token, user = search.token, ""
    identity: Identity | None = None
    organizations: tuple[Organization, ...] = ()
    if token is not None:
        identity = trying(deps.organization_cache.me, None)
        organizations = trying(deps.organization_cache.all, ()) if identity else ()
        user = token.user or (identity.mail if identity else "")
    elif search.failure:
        problems.append(search.failure)
    # A service that does not answer has not refused the user.
    unknown = token is not None and any(isinstance(each, UnavailableError) for each in problems)
    if organization is not None:
        asked = organizations if identity and not unknown else None
        trying(partial(require_known, organization, asked, deps), otherwise=False)
    if organization is None and not problems and len(organizations) == 1:
        organization, source = organizations[0], "the only one you have"
    stored_secrets = trying(lambda: _count_stored(deps), None)
    problems += trying(lambda: _left_open(deps, token.user if token else None), [])
    nothing: tuple[Pending, ...] = ()
    left = trying(lambda: pending(left_behind(deps), deps.now()), nothing)
    problems += damage
    keyring = trying(deps.secrets.describe, "")
    return StatusReport(
        api_root=deps.session.api_root or HOSTED_ROOT,
        # With its GUID, if the user's list has it.
        organization=next(
            (each for each in organizations if organization and each.url == organization.url),
            organization,
        ),
        organization_source=source,
        signed_in=None if unknown and identity is None else identity is not None,
        user=user,
        tenant=token.tenant if token else "",
        token_source=token.source if token else "",
        token_expires=token.expires if token else None,
        sources=search.with_unasked(deps.session.source_names),
        identity=identity,
        organizations=organizations,
        keyring=keyring,
        keyring_usable=bool(keyring) and trying(lambda: _answers(deps.secrets), otherwise=False),
        stored_secrets=stored_secrets,
        config_file=config_file,
        state_file=str(state_file),
        # Several problems can have the same cause.
        problems=tuple(dict.fromkeys(Problem(each.message, each.hint) for each in problems)),
        pending=left,
        destinations=trying(lambda: all_destinations(deps), ()),
    )


def _count_stored(deps: Deps) -> int | None:
    return sum(each.stored for each in deps.state.stored())


def _damage(state_file: Path) -> list[PatError]:
    """Return the problem that a damaged state file is not rebuilt, if so."""
    names = ", ".join(each.name for each in damaged_files(state_file))
    if not names:
        return []
    return [
        PatError(
            "a damaged state file was moved aside, so pat does not know which tokens are stored"
            f": {names}",
            hint="to rebuild the state file, run: pat doctor --fix",
        )
    ]


def _left_open(deps: Deps, user: str | None) -> list[PatError]:
    """Describe the unfinished operations that are due, and how to finish each.

    `user` is the signed-in user; None if no user is signed in.
    """
    found = []
    for operation in left_behind(deps):
        if not is_due(operation, deps.now()):
            continue
        owner, reason = operation.entry.user, operation.entry.reason
        is_anothers = user is not None and owner not in {"", user}
        reason = f": {reason}" if reason and isinstance(operation, Deliver) else ""
        hint = _next_step(operation)
        if is_anothers and not isinstance(operation, Local):
            hint = f"to finish it, sign in as {owner}"
        found.append(PatError(f"{open_question(operation)}{reason}", hint=hint))
    return found


def _next_step(operation: Operation) -> str:
    match operation:
        case Deliver():
            return "fix the cause, then run: pat renew; the replaced token stays active until then"
        case RevokeReplaced() | Exec(new=NewToken(authorization_id=str())):
            return "the next command that signs in (for example pat list) will revoke it"
        case Import() | TakeOver() | Forget():
            return "to check, run: pat list --stored"
        case _:
            return "the next command that signs in (for example pat list) will check"


def _answers(secrets: SecretStore) -> bool:
    """Read an entry that does not exist, which raises if the keyring is locked or hangs."""
    secrets.get("check", "status", confirm_absence=False)
    return True
