"""Delivers a secret to GitHub: to a repository, one of its environments, or an organization."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

from azdo_pat.deliveries.sealed_box import require_library, sealed
from azdo_pat.errors import ConflictError

if TYPE_CHECKING:
    from azdo_pat.deliveries.placeholders import DeliveryContext
    from azdo_pat.deliveries.services import GitHubSecret, GitHubSecretState
    from azdo_pat.delivery_targets import GitHubTarget
    from azdo_pat.models import Handover

_SEEN_SECONDS: Final = 2.0
"""How long a change may take until it can be read."""


def probe(target: GitHubTarget, context: DeliveryContext) -> None:
    """Check that the place of the secret exists, and that the token may read about its secrets.

    Whether it may change them, reading does not tell.

    Raises:
        UsageError: pynacl is not installed.
        NotFoundError: the place does not exist, or the token cannot see it.
        PatError: it cannot be read.
    """
    require_library()
    secret = context.services.github(target)
    secret.require_place()
    secret.read()


def deliver(target: GitHubTarget, handover: Handover, context: DeliveryContext) -> None:
    """Set the secret; in an organization, the same repositories as before may use it.

    GitHub never tells a value. So it is set each time, also if it is there already, and a change
    that someone else made since the last delivery is not seen.

    Raises:
        UsageError: pynacl is not installed.
        ConflictError: someone else has changed at the same time who may use it, or removed it.
        PatError: it could not be set.
    """
    secret = context.services.github(target)
    before = secret.put(partial(sealed, handover.secret))
    after = _read_again(secret, before)
    if after is None or not _may_be_new(after, before):
        raise ConflictError(
            f"{target.host} accepted the secret, but "
            + ("shows no change of it" if after else "it is not there"),
            hint="check who else sets it: gh secret list",
        )
    if before is None:
        if not target.repository:
            context.say(
                f"{target.place}: all private and internal repositories of {target.owner} may use"
                f" the new secret; to select some: {_settings(target)}"
            )
    elif (after.visibility, after.repositories) != (before.visibility, before.repositories):
        raise ConflictError(
            "someone else has changed which repositories may use the secret, when it was set",
            hint=f"check them: {_settings(target)}",
        )


def _read_again(secret: GitHubSecret, before: GitHubSecretState | None) -> GitHubSecretState | None:
    """Return what can be read of the secret after it was set, as soon as that can be seen."""
    end = time.monotonic() + _SEEN_SECONDS
    while True:
        after = secret.read()
        if (after is not None and _may_be_new(after, before)) or time.monotonic() > end:
            return after
        time.sleep(0.5)


def _may_be_new(after: GitHubSecretState, before: GitHubSecretState | None) -> bool:
    """Return whether the secret may have been set since it was read before."""
    return before is None or before.just_set or after.updated != before.updated


def _settings(target: GitHubTarget) -> str:
    """Return where the organization shows its secrets."""
    place = f"https://{target.host}/organizations/{target.owner}"
    return f"{place}/settings/secrets/{target.app}"
