"""Seeing to it that a token is there, with these scopes and some life left."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.models import Organization, Pat, Secret, Status, StoredPat
from azdo_pat.organizations import is_of_root
from azdo_pat.renewal import DEFAULT_RENEWAL
from azdo_pat.results import Action, Ensured, EnsureOutcome
from azdo_pat.services.margins import margin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta

    from azdo_pat.operations.context import Deps
    from azdo_pat.renewal import Delivery, Renewal
    from azdo_pat.services.browse import TokenFinder
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State


class Wanted(NamedTuple):
    """What is to be there.

    Attributes:
        expires: the end of a token that has to be made.
        renew_before: how long before its end a token is replaced; None for a third of its life.
        deliveries: where its secret goes; None for where it went before.
        source: the file that declares it; None for what is remembered.
    """

    name: str
    scopes: tuple[str, ...]
    expires: datetime
    renew_before: timedelta | None = None
    deliveries: tuple[Delivery, ...] | None = None
    source: str | None = None

    def renewal(self, known: StoredPat | None) -> Renewal:
        """Return how the token is to be looked after: as it is known to be, but for what is set."""
        renewal = known.renewal if known else DEFAULT_RENEWAL
        if self.deliveries is not None:
            renewal = renewal.delivered_to(self.deliveries)
        return renewal._replace(
            renew_before=renewal.renew_before if self.renew_before is None else self.renew_before,
            source=renewal.source if self.source is None else self.source,
        )


class Maker(NamedTuple):
    """What it takes where a token has to be made.

    Attributes:
        alone: lets one process at a time ensure the token of that name; the others wait, and
            find it done.
        try_out: uses a secret; raises what is wrong with it.
        listed: tokens as the service has just listed them, by id in lower case, for who ensures
            many at once.
    """

    deps: Deps
    browser: TokenFinder
    alone: Callable[[str], AbstractContextManager[None]]
    try_out: Callable[[Secret], object]
    listed: Mapping[str, Pat] = MappingProxyType({})


def where_known(name: str, state: State, api_root: str | None) -> Organization | None:
    """Return the organization of the only token of that name whose secret is here."""
    entries = [
        each
        for each in state.stored()
        if each.stored and each.name == name and is_of_root(each.org_url, each.org, api_root)
    ]
    if len(entries) != 1:
        return None
    return Organization(name=entries[0].org, url=entries[0].org_url)


def as_wanted(
    organization: Organization, wanted: Wanted, *, state: State, secrets: SecretStore, now: datetime
) -> Ensured | None:
    """Return the token if it is there as wanted, by keyring and state alone; None if not.

    It is not as wanted where its secret is to go elsewhere than it went.
    """
    entry = state.find(organization.url, wanted.name)
    action, _ = needed(entry, wanted, now=now)
    if entry is None or action is not Action.KEEP:
        return None
    secret = secrets.get(organization.url, wanted.name)
    if secret is None:
        return None
    return Ensured(outcome=EnsureOutcome.KEPT, pat=entry.as_pat(Status.UNKNOWN), secret=secret)


def needed(entry: StoredPat | None, wanted: Wanted, *, now: datetime) -> tuple[Action, str]:
    """Say what it takes, by what this machine knows of the token, and why; the keyring apart."""
    if entry is None or not entry.stored:
        return Action.CREATE, "no token of that name has its secret here"
    if set(entry.scopes) != set(wanted.scopes):
        return Action.ROTATE, "its scopes differ"
    renewal = wanted.renewal(entry)
    if entry.expires is None:
        return Action.ROTATE, "its end is not known"
    if entry.expires - now <= margin(entry, renewal.renew_before):
        return Action.ROTATE, f"it ends {entry.expires:%Y-%m-%d %H:%M} UTC"
    if renewal.deliveries != entry.renewal.deliveries:
        return Action.DELIVER, "its secret is to go elsewhere"
    return Action.KEEP, ""


def ensure(organization: Organization, wanted: Wanted, maker: Maker, *, verify: bool) -> Ensured:
    """Make the token if it is not there, rotate it if it is due or its scopes differ.

    Args:
        organization: where.
        wanted: what is to be there.
        maker: the collaborators.
        verify: ask the service whether it takes the secret; one that it refuses is replaced.

    Raises:
        ConflictError: a secret whose token nobody here knows is stored under the name.
        PatError: as `create` and `rotate` raise it.
    """
    deps = maker.deps
    with maker.alone(wanted.name):
        # Another process may have done it while this one waited.
        found = as_wanted(
            organization, wanted, state=deps.state, secrets=deps.secrets, now=deps.now()
        )
        if found is None:
            found = _delivered_elsewhere(organization, wanted, deps)
        if found is not None and not verify:
            return found
        if found is not None and _accepted(found, maker):
            return replace(found, pat=replace(found.pat, status=Status.ACTIVE))
        return _made_good(organization, wanted, maker)


def _delivered_elsewhere(organization: Organization, wanted: Wanted, deps: Deps) -> Ensured | None:
    """Deliver a token's secret to other places than before; None if the token itself is due."""
    entry = deps.state.find(organization.url, wanted.name)
    if entry is None:
        return None
    as_before = wanted._replace(deliveries=entry.renewal.deliveries)
    found = as_wanted(
        organization, as_before, state=deps.state, secrets=deps.secrets, now=deps.now()
    )
    if found is None:
        return None
    from azdo_pat.operations.delivery import deliver_anew  # noqa: PLC0415 - as below

    undelivered = deliver_anew(organization, entry, wanted.renewal(entry), deps)
    return replace(found, outcome=EnsureOutcome.DELIVERED, undelivered=undelivered)


def _made_good(organization: Organization, wanted: Wanted, maker: Maker) -> Ensured:
    # Whoever finds all well pays for none of it.
    from azdo_pat.operations.context import CreateRequest  # noqa: PLC0415 - see above
    from azdo_pat.services.create import create  # noqa: PLC0415 - see above
    from azdo_pat.services.rotate import RotateRequest, rotate  # noqa: PLC0415 - see above

    entry = maker.deps.state.find(organization.url, wanted.name)
    old = _listed(organization, entry, maker)
    if old is None or old.status is Status.REVOKED:
        created = create(
            organization,
            CreateRequest(
                name=wanted.name,
                scopes=wanted.scopes,
                expires=wanted.expires,
                replace=_may_overwrite(organization, wanted.name, entry, old, maker),
                renewal=wanted.renewal(entry),
            ),
            maker.deps,
        )
        created = replace(created, replaced=None)  # that one is dead
        return Ensured(
            outcome=EnsureOutcome.CREATED,
            pat=created.pat,
            secret=created.secret,
            created=created,
            undelivered=created.undelivered,
        )
    request = RotateRequest(
        expires=wanted.expires,
        otherwise=wanted.expires,
        scopes=wanted.scopes,
        name=wanted.name,
        renewal=wanted.renewal(entry),
    )
    rotated = rotate(organization, old, request, maker.deps, try_out=maker.try_out)
    made = rotated.created
    return Ensured(
        outcome=EnsureOutcome.ROTATED,
        pat=made.pat,
        secret=made.secret,
        rotated=rotated,
        undelivered=made.undelivered,
    )


def _may_overwrite(
    organization: Organization,
    name: str,
    entry: StoredPat | None,
    listed: Pat | None,
    maker: Maker,
) -> bool:
    """Tell whether the name holds the secret of a dead token; False where it holds none.

    Args:
        organization: where.
        name: the one under which a new secret is to be stored.
        entry: what this machine knows by that name.
        listed: its token, which is revoked; None where the service does not list it. It may be
            another user's then, and alive: its secret tells.
        maker: the collaborators.

    Raises:
        ConflictError: a secret is stored there that may be in use.
    """
    from azdo_pat.errors import ConflictError  # noqa: PLC0415 - as above
    from azdo_pat.naming import as_argument  # noqa: PLC0415 - as above
    from azdo_pat.operations.ownership import (  # noqa: PLC0415 - as above
        Owner,
        conflict,
        is_refused,
        owner_of,
    )

    secret = maker.deps.secrets.get(organization.url, name)
    if secret is None:
        return False
    owner = owner_of(secret, entry, entry.id if entry else None)
    if owner is not Owner.THIS or entry is None:
        raise conflict(owner, name, entry, organization.name)
    if listed is None and not is_refused(secret, maker.try_out):
        raise ConflictError(
            f"the stored secret of {name!r} works, and {organization.name} does not list its token"
            f" {entry.id} among yours",
            hint="it may be another user's: sign in as that user, or delete the secret:"
            f" pat forget {as_argument(name)}",
        )
    return True


def _listed(organization: Organization, entry: StoredPat | None, maker: Maker) -> Pat | None:
    """Return the token of an entry as the service has it, revoked or not; None if unknown."""
    from azdo_pat.errors import NotFoundError  # noqa: PLC0415 - as above

    if entry is None or entry.id is None:
        return None
    if entry.id.lower() in maker.listed:
        return maker.listed[entry.id.lower()]
    try:
        (pat,) = maker.browser.find(organization, [entry.id])
    except NotFoundError:
        return None
    return pat


def _accepted(found: Ensured, maker: Maker) -> bool:
    from azdo_pat.errors import SignInError  # noqa: PLC0415 - as above

    try:
        maker.try_out(found.secret)
    except SignInError:
        return False
    return True
