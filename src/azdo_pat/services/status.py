"""Reports the signed-in user, the organization, the keyring, and problems with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, assert_never

from azdo_pat.errors import PatError, UnavailableError
from azdo_pat.journal import (
    VERBS,
    Create,
    Deliver,
    Forget,
    Import,
    Rename,
    Revoke,
    RevokeReplaced,
    Rotate,
    is_due,
)
from azdo_pat.operations.local_secrets import LOCAL
from azdo_pat.results import StatusReport

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from azdo_pat.auth.chain import Search
    from azdo_pat.journal import Operation
    from azdo_pat.models import Identity, Organization
    from azdo_pat.operations.organization_cache import OrganizationCache
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class StatusDeps:
    """The dependencies of the status report.

    Attributes:
        now: the time; operations planned for later are not a problem.
        source_names: of all sources of access tokens, in their order.
        damaged: the damaged state files that were moved aside and not rebuilt.
        locate: finds the current organization and where its name came from; may raise.
    """

    api_root: str
    now: datetime
    source_names: tuple[str, ...]
    locate: Callable[[], tuple[Organization | None, str]]
    config_file: str
    state_file: str
    damaged: tuple[str, ...] = ()


def report_status(
    deps: StatusDeps,
    *,
    search: Search,
    organization_cache: OrganizationCache,
    secrets: SecretStore,
    state: State,
) -> StatusReport:
    """Check everything that `pat` depends on; problems are reported, not raised."""
    problems: list[PatError] = []

    def trying(work: Callable[[], Found], otherwise: Found) -> Found:
        try:
            return work()
        except PatError as error:
            problems.append(error)
            return otherwise

    nowhere: tuple[Organization | None, str] = (None, "")
    organization, source = trying(deps.locate, nowhere)
    token = search.token
    identity: Identity | None = None
    organizations: tuple[Organization, ...] = ()
    if token is None:
        problems.extend([search.failure] if search.failure else [])
    else:
        identity = trying(organization_cache.me, None)
        organizations = trying(organization_cache.all, ()) if identity else ()
    # A service that does not answer has not refused the user.
    unknown = token is not None and any(isinstance(each, UnavailableError) for each in problems)
    if organization is None and not problems and len(organizations) == 1:
        organization, source = organizations[0], "the only one you have"
    # With its GUID, if the user's list has it.
    organization = next(
        (each for each in organizations if organization and each.url == organization.url),
        organization,
    )
    count: int | None = None
    count = trying(lambda: sum(each.stored for each in state.stored()), count)
    nothing_open: tuple[Operation, ...] = ()
    problems.extend(
        _left_open(each, token.user if token else None)
        for each in trying(state.unfinished, nothing_open)
        if is_due(each, deps.now)
    )
    if deps.damaged:
        problems.append(
            PatError(
                "a damaged state file was moved aside, so pat does not know which tokens are stored"
                f": {', '.join(deps.damaged)}",
                hint="to find out: pat doctor --fix",
            )
        )
    keyring = trying(secrets.describe, "")
    usable = bool(keyring) and trying(lambda: _answers(secrets), otherwise=False)
    return StatusReport(
        api_root=deps.api_root,
        organization=organization,
        organization_source=source,
        signed_in=None if unknown and identity is None else identity is not None,
        user=(token.user if token else "") or (identity.mail if identity else ""),
        tenant=token.tenant if token else "",
        token_source=token.source if token else "",
        token_expires=token.expires if token else None,
        sources=search.with_unasked(deps.source_names),
        identity=identity,
        organizations=organizations,
        keyring=keyring,
        keyring_usable=usable,
        stored_secrets=count,
        config_file=deps.config_file,
        state_file=deps.state_file,
        # Several problems can have the same cause.
        problems=tuple(
            dict.fromkeys(
                f"{each.message}; {each.hint}" if each.hint else each.message for each in problems
            )
        ),
    )


def _left_open(operation: Operation, user: str | None) -> PatError:
    """Describe an unfinished operation, and how to finish it.

    Args:
        operation: from the journal.
        user: the signed-in user; None if not signed in.
    """
    error = _what_is_open(operation)
    owner = operation.entry.user
    if not isinstance(operation, LOCAL) and user is not None and owner not in {"", user}:
        return PatError(error.message, hint=f"to finish it, sign in as {owner}")
    return error


def _what_is_open(operation: Operation) -> PatError:
    entry = operation.entry
    token = f"{entry.name!r} in {entry.organization.name}"
    verb = VERBS[type(operation)]
    hint = "the next command that signs in (for example pat list) will find out"
    match operation:
        case Deliver():
            message = f"the new secret of {token} has not been delivered"
            message += f": {entry.reason}" if entry.reason else ""
            hint = (
                "remove the cause, then run pat renew; the replaced token stays active until then"
            )
        case Revoke(authorization_id=identifier):
            message = f"it is unknown whether the token {token} is revoked ({identifier})"
        case Rename(new_name=new_name):
            message = (
                f"it is unknown whether {token} is now named {new_name!r} and its secret stored"
                " under that name"
            )
        case RevokeReplaced(replaced=replaced):
            identifier = replaced.authorization_id
            message = f"the token replaced by {token} has not been revoked ({identifier})"
            hint = "the next command that signs in (for example pat list) will revoke it"
        case Import() | Forget():
            message = f"the outcome of an interrupted {verb} of {token} is unknown"
            hint = "to find out: pat list --stored"
        case Create() | Rotate():
            message = f"an interrupted {verb} of {token} may have created a token"
        case _:
            assert_never(operation)
    return PatError(message, hint=hint)


def _answers(secrets: SecretStore) -> bool:
    """Read an entry that does not exist, which raises if the keyring is locked or hangs."""
    secrets.get("check", "status")
    return True
