"""Ensures that a token exists, with given scopes and enough lifetime left."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.models import Organization, Pat, Secret, Status, StoredPat
from azdo_pat.operations.lock_keys import lock_key, renewal_lock_key
from azdo_pat.organizations import is_of_root
from azdo_pat.renewal import DEFAULT_RENEWAL
from azdo_pat.results.plans import Action
from azdo_pat.results.tokens import Ensured, EnsureOutcome
from azdo_pat.services.refused_tokens import marker_key, refusals, was_refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from azdo_pat.delivery_targets import Delivery
    from azdo_pat.operations.deps import Deps
    from azdo_pat.renewal import Renewal


class Wanted(NamedTuple):
    """The token to ensure.

    Attributes:
        expires: the expiry of a new token.
        renew_before: the renewal window; None for a third of the lifetime.
        deliveries: its delivery targets; None for those it had before.
        source: the file that declares it; None for the remembered one.
        grace: how long a token that is replaced stays active; None for the remembered time, or
            for that of a token without one, if a file declares it.
    """

    name: str
    scopes: tuple[str, ...]
    expires: datetime
    renew_before: timedelta | None = None
    deliveries: tuple[Delivery, ...] | None = None
    source: str | None = None
    grace: timedelta | None = None

    def renewal(self, known: StoredPat | None) -> Renewal:
        """Return the remembered renewal settings of the token, with those set replaced."""
        renewal = known.renewal if known else DEFAULT_RENEWAL
        if self.deliveries is not None:
            renewal = renewal.delivered_to(self.deliveries)
        return renewal._replace(
            renew_before=renewal.renew_before if self.renew_before is None else self.renew_before,
            source=renewal.source if self.source is None else self.source,
            grace=renewal.grace if self.grace is None and self.source is None else self.grace,
        )


def place_of(name: str, deps: Deps) -> Organization:
    """Return the organization that is set, or else that of the only stored token of this name.

    Raises:
        PatError: there is none, or it has no lifecycle API.
    """
    if deps.session.located[0] is None:
        entries = [
            each
            for each in deps.state.stored()
            if each.stored
            and each.name == name
            and is_of_root(each.organization, deps.session.api_root)
        ]
        if len(entries) == 1:
            return entries[0].organization
    return deps.organization


def as_wanted(organization: Organization, wanted: Wanted, deps: Deps) -> Ensured | None:
    """Return the token if keyring and state say that nothing has to be done; None otherwise.

    New delivery targets are something to do.
    """
    entry = deps.state.find(organization.url, wanted.name)
    action, _ = needed(entry, wanted, now=deps.now())
    if entry is None or action is not Action.KEEP:
        return None
    secret = deps.secrets.get(organization.url, wanted.name)
    if secret is None:
        return None
    return Ensured(outcome=EnsureOutcome.KEPT, pat=entry.as_pat(Status.UNKNOWN), secret=secret)


def needed(entry: StoredPat | None, wanted: Wanted, *, now: datetime) -> tuple[Action, str]:
    """Return the needed action and the reason, from the index entry alone."""
    if entry is None or not entry.stored:
        return Action.CREATE, "not stored here"
    if entry.is_global or set(entry.scopes) != set(wanted.scopes):
        # Rotating refuses a global token, and names the command that replaces it.
        reason = "scopes differ"
        if entry.is_global:
            reason = "valid in all organizations: only pat migrate can replace it"
        return Action.ROTATE, reason
    renewal = wanted.renewal(entry)
    if entry.expires is None:
        return Action.ROTATE, "expiry unknown"
    if entry.expires - now <= entry.renewal.window_of(entry.life, renewal.renew_before):
        return Action.ROTATE, "expired" if entry.expires <= now else "due"
    if renewal.deliveries != entry.renewal.deliveries:
        return Action.DELIVER, "delivery targets differ"
    return Action.KEEP, ""


def ensure(organization: Organization, wanted: Wanted, deps: Deps, *, verify: bool) -> Ensured:
    """Ensure that a token exists; without the network if there is nothing to do, even elsewhere.

    `verify` asks the service whether the secret works, as after a program was refused with it.

    Raises:
        PatError: as for `ensure_online`.
    """
    before = deps.state.find(organization.url, wanted.name)
    refused = was_refused(before, deps)
    found = None if verify or refused else as_wanted(organization, wanted, deps)
    if found is not None:
        _remember(organization, wanted, deps)
        return replace(found, undelivered="; ".join(_undelivered(wanted.name, deps)))
    found = ensure_online(organization, wanted, deps, verify=verify or refused)
    if found.outcome is EnsureOutcome.KEPT:
        _remember(organization, wanted, deps)
    if refused and before is not None:
        refusals(deps).remove(marker_key(before))  # it works after all, or is replaced
    return found


def _remember(organization: Organization, wanted: Wanted, deps: Deps) -> None:
    """Record the renewal settings that are set for a kept token."""
    entry = deps.state.find(organization.url, wanted.name)
    if entry is not None:
        settings = wanted.renewal(entry)
        remember_settings(entry, settings.renew_before, settings.grace, deps)


def remember_settings(
    entry: StoredPat, renew_before: timedelta | None, grace: timedelta | None, deps: Deps
) -> None:
    """Record the renewal window and the grace period of a kept token, for every later rotation."""
    if (entry.renewal.renew_before, entry.renewal.grace) == (renew_before, grace):
        return
    with deps.in_line(lock_key(entry.name, entry.org_url)):
        now = deps.state.find(entry.org_url, entry.name)
        if now is not None:
            renewal = now.renewal._replace(renew_before=renew_before, grace=grace)
            deps.state.remember(replace(now, renewal=renewal))


def _undelivered(name: str, deps: Deps) -> list[str]:
    """Recover what is due; return why the secret stored under a name could not be delivered."""
    if not deps.state.unfinished():
        return []
    from azdo_pat.journal import Deliver  # noqa: PLC0415 - the journal is mostly empty
    from azdo_pat.operations.recovery import recover_due  # noqa: PLC0415 - as above

    return [
        each.failure.message
        for each in recover_due(deps)
        if each.failure
        and isinstance(each.operation, Deliver)
        and each.operation.entry.name == name
    ]


def ensure_online(
    organization: Organization,
    wanted: Wanted,
    deps: Deps,
    *,
    verify: bool,
    listed: Mapping[str, Pat] = MappingProxyType({}),
) -> Ensured:
    """Create the token if it does not exist; rotate it if it is due or its scopes differ.

    `verify` asks the service whether the secret works; a refused one is replaced. `listed` are
    tokens as the service has just listed them, by id, when ensuring many.

    Raises:
        ConflictError: a secret of an unknown token is stored under the name.
        PatError: as for `create` and `rotate`.
    """
    _ = deps.tokens  # see `Deps`
    with deps.in_line(renewal_lock_key(wanted.name, organization.url)):
        # Another process may have done it while this one waited.
        found = as_wanted(organization, wanted, deps)
        if found is None:
            found = _delivered_elsewhere(organization, wanted, deps)
        if found is not None and not verify:
            return found
        if found is not None and _is_accepted(found.secret, organization, deps):
            return replace(found, pat=replace(found.pat, status=Status.ACTIVE))
        entry = deps.state.find(organization.url, wanted.name)
        found = _taken_over(organization, wanted, entry, deps)
        if found is not None:
            entry = deps.state.find(organization.url, wanted.name)
            if needed(entry, wanted, now=deps.now())[0] is Action.KEEP:
                return found
        old = _listed(organization, entry, listed, deps)
        if old is None or old.status is Status.REVOKED:
            return _created(organization, wanted, old, deps)
        return _rotated(organization, wanted, old, deps)


def _taken_over(
    organization: Organization, wanted: Wanted, entry: StoredPat | None, deps: Deps
) -> Ensured | None:
    """Take over the token, if another machine has put it into a vault among the targets."""
    renewal = wanted.renewal(entry)
    if not renewal.deliveries:
        return None
    from azdo_pat.services.takeover import taken_over  # noqa: PLC0415 - as below

    return taken_over(organization, wanted.name, renewal, deps)


def _delivered_elsewhere(organization: Organization, wanted: Wanted, deps: Deps) -> Ensured | None:
    """Deliver a token's secret to new targets; return None if the token itself is due."""
    entry = deps.state.find(organization.url, wanted.name)
    if entry is None:
        return None
    as_before = wanted._replace(deliveries=entry.renewal.deliveries)
    found = as_wanted(organization, as_before, deps)
    if found is None:
        return None
    taken = _taken_over(organization, wanted, entry, deps)
    if taken is not None:
        return taken
    from azdo_pat.operations.delivery import deliver_anew  # noqa: PLC0415 - as below

    undelivered = deliver_anew(organization, entry, wanted.renewal(entry), deps)
    return replace(found, outcome=EnsureOutcome.DELIVERED, undelivered=undelivered)


def _created(organization: Organization, wanted: Wanted, old: Pat | None, deps: Deps) -> Ensured:
    # Imported here, so that a run with nothing to do does not pay for it.
    from azdo_pat.operations.issue import CreateRequest  # noqa: PLC0415 - see above
    from azdo_pat.services.create import create  # noqa: PLC0415 - see above

    entry = deps.state.find(organization.url, wanted.name)
    request = CreateRequest(
        name=wanted.name,
        scopes=wanted.scopes,
        expires=wanted.expires,
        replace=_may_overwrite(organization, wanted.name, old, deps),
        renewal=wanted.renewal(entry),
    )
    created = replace(create(organization, request, deps), replaced=None)  # it no longer works
    return Ensured(
        outcome=EnsureOutcome.CREATED,
        pat=created.pat,
        secret=created.secret,
        created=created,
        undelivered=created.undelivered,
    )


def _rotated(organization: Organization, wanted: Wanted, old: Pat, deps: Deps) -> Ensured:
    from azdo_pat.services.rotate import RotateRequest, rotate  # noqa: PLC0415 - as above

    request = RotateRequest(
        expires=wanted.expires,
        otherwise=wanted.expires,
        scopes=wanted.scopes,
        name=wanted.name,
        renewal=wanted.renewal(deps.state.find(organization.url, wanted.name)),
    )
    rotated = rotate(organization, old, request, deps)
    made = rotated.created
    return Ensured(
        outcome=EnsureOutcome.ROTATED,
        pat=made.pat,
        secret=made.secret,
        rotated=rotated,
        undelivered=made.undelivered,
    )


def _may_overwrite(organization: Organization, name: str, listed: Pat | None, deps: Deps) -> bool:
    """Return whether the secret stored under the name no longer works; False if there is none.

    The token of that name is revoked if it is `listed`. If the service does not list it, it may be
    another user's and active, which its secret shows.

    Raises:
        ConflictError: a secret is stored there that may be in use.
    """
    from azdo_pat.command_lines import pat_command  # noqa: PLC0415 - as above
    from azdo_pat.errors import ConflictError  # noqa: PLC0415 - as above
    from azdo_pat.operations.ownership import (  # noqa: PLC0415 - as above
        Owner,
        conflict,
        is_refused,
        owner_of,
    )

    secret = deps.secrets.get(organization.url, name)
    if secret is None:
        return False
    entry = deps.state.find(organization.url, name)
    owner = owner_of(secret, entry, entry.id if entry else None)
    if owner is not Owner.THIS or entry is None:
        raise conflict(owner, name, entry, organization.name)
    if listed is None and not is_refused(secret, organization, deps):
        raise ConflictError(
            f"the stored secret of {name!r} works, but {organization.name} does not list its token"
            f" {entry.id} among yours",
            hint="the token may belong to another user: sign in as that user; or, to delete the"
            f" secret, run: {pat_command('forget', name)}",
        )
    return True


def _listed(
    organization: Organization, entry: StoredPat | None, listed: Mapping[str, Pat], deps: Deps
) -> Pat | None:
    """Return the token of an entry as the service lists it, revoked or not; None if unknown."""
    from azdo_pat.errors import NotFoundError  # noqa: PLC0415 - as above
    from azdo_pat.services.find_tokens import TokenFinder  # noqa: PLC0415 - as above

    if entry is None or entry.id is None:
        return None
    if entry.id in listed:
        return listed[entry.id]
    try:
        (pat,) = TokenFinder(deps).find(organization, [entry.id])
    except NotFoundError:
        return None
    return pat


def _is_accepted(secret: Secret, organization: Organization, deps: Deps) -> bool:
    """Return whether the service accepts a secret.

    Raises:
        PatError: it cannot be asked.
    """
    from azdo_pat.errors import SignInError  # noqa: PLC0415 - as above

    try:
        deps.directory.check_secret(organization, secret)
    except SignInError:
        return False
    return True
