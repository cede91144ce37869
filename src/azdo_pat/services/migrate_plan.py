"""Plans which token replaces a token for all organizations in each of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.command_lines import quoted
from azdo_pat.errors import ConflictError, NotFoundError, PatError, UsageError
from azdo_pat.models import Field, Organization, Origin, Pat, Status
from azdo_pat.naming import checked_name, has_controls, name_instead
from azdo_pat.near_names import did_you_mean
from azdo_pat.operations.lock_keys import renewal_lock_key
from azdo_pat.operations.ownership import Owner, conflict, is_own, is_refused, owner_of
from azdo_pat.operations.readable import require_readable
from azdo_pat.results.plans import Migration, MigrationOutcome
from azdo_pat.scopes import includes
from azdo_pat.services.find_tokens import Filters, TokenFinder
from azdo_pat.services.places import prepared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from azdo_pat.models import StoredPat
    from azdo_pat.operations.deps import Deps
    from azdo_pat.services.places import Places


@dataclass(frozen=True, kw_only=True)
class MigrateRequest:
    """The options of a migration.

    Attributes:
        organizations: those that get a token of their own.
        expires: the expiry of the new tokens.
        scopes: of the new tokens; None for those of the global token.
        name: the name of the new tokens; `{name}` is that of the global token, `{org}` that of the
            organization.
        revoke_old: revoke a global token once each organization has its replacement.
        grace: revoke it this long after the run; None for the grace period that is remembered.
    """

    organizations: tuple[Organization, ...]
    expires: datetime
    scopes: tuple[str, ...] | None = None
    name: str = "{name}"
    revoke_old: bool = False
    grace: timedelta | None = None


class Step(NamedTuple):
    """A global token in one organization.

    Attributes:
        planned: what is there already, is to be created, or why it cannot be.
    """

    organization: Organization
    planned: Migration


class Plan(NamedTuple):
    """The steps for each global token, and where they are carried out."""

    steps: tuple[Step, ...]
    places: Places


def plan(olds: Sequence[Pat], request: MigrateRequest, deps: Deps) -> Plan:
    """Plan the new tokens, from keyring, state and each organization's list.

    Raises:
        UsageError: a new token would have a scope that the global one does not have, or an invalid
            name.
    """
    for old in olds:
        _require_no_wider(old, request)
    wanted = [(old, each) for old in olds for each in request.organizations]
    names = [_name(old, each, request) for old, each in wanted]
    places_and_names = zip(wanted, names, strict=True)
    _require_apart([(old, each.name, name) for (old, each), name in places_and_names])
    places = prepared(request.organizations, deps)
    active: dict[str, Mapping[str, Pat] | PatError] = {
        each.url: _active(each, places, deps) for each in request.organizations
    }
    steps = []
    for (old, organization), name in zip(wanted, names, strict=True):
        new = _to_be(name, old, organization, request)
        planned = Migration(
            old=old, pat=new, org=organization.name, outcome=MigrationOutcome.PLANNED
        )
        try:
            listed = active[organization.url]
            if isinstance(listed, PatError):
                raise listed
            require_readable(old, organization, _needed(request))
            _require_nameable(name)
            planned = _judged(planned, request, listed, places.at(organization.url))
        except PatError as error:
            planned = replace(planned, outcome=MigrationOutcome.REFUSED, failure=error)
        steps.append(Step(organization, planned))
    return Plan(tuple(steps), places)


def _judged(
    planned: Migration, request: MigrateRequest, active: Mapping[str, Pat], deps: Deps
) -> Migration:
    """Return a step as planned, or as kept if the token is there already.

    Raises:
        ConflictError: another secret is stored under the name.
    """
    try:
        return _kept_or_planned(planned, request, active, deps)
    except ConflictError:
        # Another process may have been between storing the secret and indexing it.
        organization = deps.organization
        with deps.in_line(renewal_lock_key(planned.pat.name, organization.url)):
            return _kept_or_planned(planned, request, active_in(organization, deps), deps)


def _kept_or_planned(
    planned: Migration, request: MigrateRequest, active: Mapping[str, Pat], deps: Deps
) -> Migration:
    if found := already(planned, request, active, deps):
        return replace(planned, pat=found, outcome=MigrationOutcome.KEPT)
    may_overwrite(deps.organization, planned, active, deps)
    return planned


def _require_no_wider(old: Pat, request: MigrateRequest) -> None:
    """Check that no new token may do more than the global one.

    Raises:
        UsageError: it might.
    """
    if not old.scopes:
        return
    for scope in request.scopes or ():
        if not includes(old.scopes, scope):
            raise UsageError(
                f"{old.name!r} does not have the scope {scope}: migrating never adds a scope",
                hint="to keep the scopes of each token, leave out --scope; to create a token with"
                " other scopes, run: pat create",
            )


def _require_apart(wanted: Sequence[tuple[Pat, str, str]]) -> None:
    """Check that no two tokens would get the same replacement, unless they are alike themselves.

    Args:
        wanted: each token, with the organization and the name of its replacement.

    Raises:
        UsageError: two would.
    """
    first: dict[tuple[str, str], Pat] = {}
    for old, org, name in wanted:
        other = first.setdefault((org, name), old)
        if (other.name, set(other.scopes)) != (old.name, set(old.scopes)):
            raise UsageError(
                f"{other.name!r} ({other.id}) and {old.name!r} ({old.id}) would both be replaced by"
                f" {name!r} in {org}",
                hint="migrate one after the other, each with a --name of its own, or use {name} in"
                " --name",
            )


def _require_nameable(name: str) -> None:
    """Check that a new token can have this name, which a token of the web page may have.

    Raises:
        UsageError: it cannot.
    """
    if has_controls(name):
        raise UsageError(
            f"no new token can have the name {name!r}: it contains control characters",
            hint=f"to give the new token another name, add: --name {quoted(name_instead(name))}",
        )


def _name(old: Pat, organization: Organization, request: MigrateRequest) -> str:
    """Return the name of a new token.

    Raises:
        UsageError: the format has another placeholder, or gives an invalid name.
    """
    values = {"name": old.name, "org": organization.name}
    unknown = [each for each in re.findall(r"\{([^{}]*)\}", request.name) if each not in values]
    if unknown:
        raise UsageError(
            f"--name has the unknown placeholder {{{unknown[0]}}}",
            hint="it can have {name}, the name of the global token, and {org}, the organization",
        )
    # The name itself may contain braces, so both are replaced in one step.
    name = re.sub(r"\{(name|org)\}", lambda found: values[found[1]], request.name)
    return name if name == old.name else checked_name(name)


def _needed(request: MigrateRequest) -> set[Field]:
    """Return the fields of the global token that its replacements have from it."""
    needed = set() if request.scopes else {Field.SCOPES}
    return needed | ({Field.NAME} if "{name}" in request.name else set())


def _to_be(name: str, old: Pat, organization: Organization, request: MigrateRequest) -> Pat:
    return Pat(
        name=name,
        id=None,
        org=organization.name,
        status=Status.UNKNOWN,
        scopes=request.scopes or old.scopes,
        created=None,
        expires=request.expires,
    )


def _active(organization: Organization, places: Places, deps: Deps) -> Mapping[str, Pat] | PatError:
    """List the active tokens of an organization; or return why that failed."""
    try:
        return active_in(organization, places.at(organization.url))
    except NotFoundError as error:
        error.hint = f"{_proposal(organization, deps)}{error.hint}"
        return error
    except PatError as error:
        return error


def _proposal(unknown: Organization, deps: Deps) -> str:
    """Return which of the user's organizations has a similar name; empty if none has."""
    try:
        known = [each.name for each in deps.organization_cache.all()]
    except PatError:
        return ""
    return did_you_mean(unknown.name, known)


def active_in(organization: Organization, deps: Deps) -> Mapping[str, Pat]:
    """List the active tokens that belong to an organization alone, by their ids."""
    listing = TokenFinder(deps).listing(organization, Filters())
    return {pat.id: pat for pat in listing if pat.id and not pat.is_global}


def already(
    planned: Migration, request: MigrateRequest, active: Mapping[str, Pat], deps: Deps
) -> Pat | None:
    """Return the active token of that name whose secret is stored, if it will do.

    It has the requested scopes. If none are requested, one that `pat` has created may have fewer
    than the global token, as an earlier run with narrower scopes leaves it.
    """
    new = planned.pat
    entry = deps.state.find(deps.organization.url, new.name)
    if entry is None or not entry.stored:
        return None
    same = set(entry.scopes) == set(new.scopes)
    narrower = (
        request.scopes is None
        and entry.origin is Origin.PAT
        and bool(entry.scopes)
        and all(includes(planned.old.scopes, each) for each in entry.scopes)
    )
    found = active.get(entry.id or "")
    if found is None or not (same or narrower) or not _is_stored(entry, deps):
        return None
    return replace(found, name=new.name, scopes=entry.scopes, stored=True)


def _is_stored(entry: StoredPat, deps: Deps) -> bool:
    """Return whether the keyring has the secret of an entry."""
    secret = deps.secrets.get(entry.org_url, entry.name)
    return secret is not None and is_own(secret, entry)


def may_overwrite(
    organization: Organization, planned: Migration, active: Mapping[str, Pat], deps: Deps
) -> bool:
    """Return whether a secret is stored under the name that is to be overwritten.

    It is the global token's own, or no longer works.

    Raises:
        ConflictError: it may be in use.
    """
    name = planned.pat.name
    secret = deps.secrets.get(organization.url, name)
    if secret is None:
        return False
    entry = deps.state.find(organization.url, name)
    owner = owner_of(secret, entry, planned.old.id)
    if owner is Owner.THIS:
        return True
    in_use = entry is not None and entry.id in active
    if not in_use and is_refused(secret, organization, deps):
        return True
    raise _taken(conflict(owner, name, entry, organization.name), owner)


def _taken(error: ConflictError, owner: Owner) -> ConflictError:
    other_name = f"to give the new token another name, add --name {quoted('{name} ({org})')}"
    if owner is Owner.UNKNOWN:
        other_name += f"; {error.hint}"
    return ConflictError(error.message, hint=other_name)
