"""Delivers a secret to Azure Key Vault, as a new version of the secret there."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from azdo_pat.deliveries.placeholders import OVERWRITE_HINT
from azdo_pat.errors import ConflictError, RefusedError
from azdo_pat.models import HeldSecret

if TYPE_CHECKING:
    from azdo_pat.deliveries.placeholders import DeliveryContext
    from azdo_pat.deliveries.services import KeyVault, VaultSecret
    from azdo_pat.delivery_targets import KeyVaultTarget
    from azdo_pat.models import Handover

TAG: Final = "azdo-pat-id"
"""The tag with the authorization id of the token."""

FINGERPRINT_TAG: Final = "azdo-pat-fingerprint"
"""The tag that tells whether the other one belongs to this version: those who set another one may
have copied the tags."""

_MOST_TAGS: Final = 15
"""Source: Azure Key Vault, "About Azure Key Vault secrets"."""

_NO_RIGHT: Final = frozenset({"ForbiddenByRbac", "AccessDenied"})
"""The codes of a refusal for want of a right, by a role or by an access policy. Others hold for
every request."""


def probe(target: KeyVaultTarget, context: DeliveryContext) -> None:
    """Check that the vault can be read, and that what is there can be replaced.

    Without the right to read it, only that the vault can be reached.

    Raises:
        ConflictError: the secret is disabled, deleted, managed, or someone else has changed it.
        PatError: the vault cannot be read.
    """
    vault = context.services.key_vault(target.vault)
    found, can_read = _read(vault, target)
    if not can_read:
        return
    if found is not None:
        _require_replaceable(found, context)
        return
    is_deleted = False
    with suppress(RefusedError):  # only setting the secret would tell
        is_deleted = vault.is_deleted(target.secret)
    if is_deleted:
        raise ConflictError(
            "a deleted secret has this name, and can still be recovered",
            hint=f"to recover it, run: az keyvault secret recover --vault-name {vault.name}"
            f" --name {target.secret}",
        )


def deliver(target: KeyVaultTarget, handover: Handover, context: DeliveryContext) -> None:
    """Set the secret, and keep its tags, content type and beginning.

    If it cannot be read, they cannot be kept.

    Raises:
        ConflictError: someone else has changed the secret, or is just doing so.
        PatError: it could not be set.
    """
    vault = context.services.key_vault(target.vault)
    found, can_read = _read(vault, target)
    if not can_read:
        vault.put(target.secret, handover.secret, expires=handover.pat.expires)
        context.say(
            f"{target.place}: was set without the tags and the content type that it may have had,"
            " as the sign-in cannot read it"
        )
        return
    if found is not None:
        if found.value == handover.secret:
            return
        _require_replaceable(found, context)
    _set(vault, target, handover, found)


def held(target: KeyVaultTarget, context: DeliveryContext) -> HeldSecret | None:
    """Return the secret, and the token that its tags name; None if they name none."""
    found, _ = _read(context.services.key_vault(target.vault), target)
    if found is None or TAG not in found.tags:
        return None
    return HeldSecret(found.value, found.tags[TAG], found.tags.get(FINGERPRINT_TAG, ""))


def _read(vault: KeyVault, target: KeyVaultTarget) -> tuple[VaultSecret | None, bool]:
    """Return the newest version, None if there is none; and whether the sign-in can read it."""
    try:
        return vault.get(target.secret), True
    except RefusedError as error:
        if error.code not in _NO_RIGHT:
            raise
        return None, False


def _set(
    vault: KeyVault, target: KeyVaultTarget, handover: Handover, found: VaultSecret | None
) -> None:
    kept = dict(found.tags) if found else {}
    own = {TAG: handover.pat.id, FINGERPRINT_TAG: handover.fingerprint} if handover.pat.id else {}
    tags = kept | own
    if len(tags) > _MOST_TAGS:
        tags = kept
    made = vault.put(
        target.secret,
        handover.secret,
        content_type=found.content_type if found else "",
        tags=tags,
        not_before=found.not_before if found else None,
        expires=handover.pat.expires,
    )
    if (
        found
        and made.previous not in {"", found.version}
        and not _is_own(vault, made, handover, target)
    ):
        raise ConflictError(
            f"someone else has set the secret at the same time; their version is {made.previous}",
            hint="check which value is right, and who else sets it",
        )
    newest = vault.get(target.secret)
    if newest is None or newest.value != handover.secret or newest.tags != tags:
        raise ConflictError(
            "someone else has changed the secret right after it was set",
            hint="check who else sets it, as only one can",
        )


def _is_own(vault: KeyVault, made: VaultSecret, handover: Handover, target: KeyVaultTarget) -> bool:
    """Return whether the version before has the same secret, sent again after a lost answer."""
    before = vault.get(target.secret, made.previous)
    return before is not None and before.value == handover.secret


def _require_replaceable(found: VaultSecret, context: DeliveryContext) -> None:
    if found.managed:
        raise ConflictError(
            "the secret belongs to a certificate of the vault, and cannot be set",
            hint="choose another name",
        )
    if not context.recognizes(found.value):
        raise ConflictError(
            "the vault holds a secret that this machine has not delivered",
            hint=OVERWRITE_HINT,
        )
