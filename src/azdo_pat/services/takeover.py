"""Takes over a token from a vault, where another machine has made one, instead of making one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.delivery_targets import is_polled
from azdo_pat.models import Status
from azdo_pat.operations.delivery import followed_up
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.operations.recovery import recover_name
from azdo_pat.operations.takeover import take_over
from azdo_pat.results.tokens import Ensured, EnsureOutcome

if TYPE_CHECKING:
    from azdo_pat.models import Organization
    from azdo_pat.operations.deps import Deps
    from azdo_pat.renewal import Renewal


def taken_over(
    organization: Organization, name: str, renewal: Renewal, deps: Deps
) -> Ensured | None:
    """Take over the token in a vault, deliver it to the other targets, and revoke the old one.

    The parameters and what is raised are those of `operations.takeover.take_over`.

    Returns:
        The token; None if there is none to take over.
    """
    if not any(map(is_polled, renewal.deliveries)):
        return None
    _ = deps.tokens  # see `Deps`
    with deps.exclusive(lock_key(name, organization.url)):
        recover_name(organization, name, deps)
        found = take_over(organization, name, renewal, deps)
        if found is None:
            return None
        done = followed_up(found.then, deps)
    return Ensured(
        outcome=EnsureOutcome.TAKEN_OVER,
        pat=found.stored.as_pat(Status.ACTIVE),
        secret=found.secret,
        undelivered=done.undelivered,
        taken_from=found.place,
        old_until=done.due,
        unrevoked=done.unrevoked,
    )
