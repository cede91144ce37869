"""Ensures that a token exists, with given scopes and enough lifetime left."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.models import Organization, Pat, Secret, Status, StoredPat
from azdo_pat.organizations import is_of_root
from azdo_pat.renewal import DEFAULT_RENEWAL
from azdo_pat.results import Action, Ensured, EnsureOutcome
from azdo_pat.services.renewal_window import window_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta

    from azdo_pat.operations.deps import Deps
    from azdo_pat.renewal import Delivery, Renewal
    from azdo_pat.services.find_tokens import TokenFinder
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State


class Wanted(NamedTuple):
    """The token to ensure.

    Attributes:
        expires: the expiry of a new token.
        renew_before: the renewal window; None for a third of the lifetime.
        deliveries: its delivery targets; None for those it had before.
        source: the file that declares it; None for the remembered one.
    """

    name: str
    scopes: tuple[str, ...]
    expires: datetime
    renew_before: timedelta | None = None
    deliveries: tuple[Delivery, ...] | None = None
    source: str | None = None

    def renewal(self, known: StoredPat | None) -> Renewal:
        """Return the remembered renewal settings of the token, with those set replaced."""
        renewal = known.renewal if known else DEFAULT_RENEWAL
        if self.deliveries is not None:
            renewal = renewal.delivered_to(self.deliveries)
        return renewal._replace(
            renew_before=renewal.renew_before if self.renew_before is None else self.renew_before,
            source=renewal.source if self.source is None else self.source,
        )


class Maker(NamedTuple):
    """The dependencies for creating a token.

    Attributes:
        alone: lets one process at a time ensure the token of a name; the others wait, and
            then find it done.
        try_out: tries a secret, and raises if it does not work.
        listed: tokens as the service has just listed them, by id in lower case, when ensuring
            many tokens.
    """

    deps: Deps
    browser: TokenFinder
    alone: Callable[[str], AbstractContextManager[None]]
    try_out: Callable[[Secret], object]
    listed: Mapping[str, Pat] = MappingProxyType({})


def where_known(name: str, state: State, api_root: str | None) -> Organization | None:
    """Return the organization of the only stored token of that name."""
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
    """Return the token if keyring and state say that nothing has to be done; None otherwise.

    New delivery targets are something to do.
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
    """Return the needed action and the reason, from the index entry alone."""
    if entry is None or not entry.stored:
        return Action.CREATE, "no secret is stored under that name"
    if set(entry.scopes) != set(wanted.scopes):
        return Action.ROTATE, "its scopes differ"
    renewal = wanted.renewal(entry)
    if entry.expires is None:
        return Action.ROTATE, "its expiry is unknown"
    if entry.expires - now <= window_of(entry, renewal.renew_before):
        return Action.ROTATE, f"it expires {entry.expires:%Y-%m-%d %H:%M} UTC"
    if renewal.deliveries != entry.renewal.deliveries:
        return Action.DELIVER, "its delivery targets differ"
    return Action.KEEP, ""


def ensure(organization: Organization, wanted: Wanted, maker: Maker, *, verify: bool) -> Ensured:
    """Create the token if it does not exist; rotate it if it is due or its scopes differ.

    Args:
        organization: where the token belongs.
        wanted: the token to ensure.
        maker: the dependencies.
        verify: ask the service whether the secret works; a refused one is replaced.

    Raises:
        ConflictError: a secret of an unknown token is stored under the name.
        PatError: as for `create` and `rotate`.
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
    """Deliver a token's secret to new targets; return None if the token itself is due."""
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
    # Imported here, so that a run with nothing to do does not pay for it.
    from azdo_pat.operations.deps import CreateRequest  # noqa: PLC0415 - see above
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
        created = replace(created, replaced=None)  # that one no longer works
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
    """Return whether the secret stored under the name no longer works; False if there is none.

    Args:
        organization: where the token belongs.
        name: the name under which the new secret will be stored.
        entry: the index entry of that name.
        listed: its token, which is revoked; None if the service does not list it. It may then be
            another user's and active, which its secret shows.
        maker: the dependencies.

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
            f"the stored secret of {name!r} works, but {organization.name} does not list its token"
            f" {entry.id} among yours",
            hint="it may be another user's: sign in as that user, or delete the secret:"
            f" pat forget {as_argument(name)}",
        )
    return True


def _listed(organization: Organization, entry: StoredPat | None, maker: Maker) -> Pat | None:
    """Return the token of an entry as the service lists it, revoked or not; None if unknown."""
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
