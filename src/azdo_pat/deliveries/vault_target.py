"""Deliver to a field of a secret in HashiCorp Vault or OpenBao; its other fields stay."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from azdo_pat.deliveries.placeholders import OVERWRITE_HINT
from azdo_pat.errors import ConflictError, PatError, RefusedError
from azdo_pat.models import HeldSecret, Secret
from azdo_pat.times import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azdo_pat.deliveries.placeholders import DeliveryContext
    from azdo_pat.deliveries.services import KvPlace, KvSecret
    from azdo_pat.delivery_targets import VaultTarget
    from azdo_pat.models import Handover

_DENIED: Final = "denied"
"""The code of a refusal for want of a right; see `api.vault_errors`."""


def probe(target: VaultTarget, context: DeliveryContext) -> None:
    """Check that the field can be written, as far as the token may know that.

    Raises:
        ConflictError: someone else has changed the field.
        RefusedError: the token has too few rights.
        PatError: the server cannot be used.
    """
    place = _place(target, context)
    found = _readable(place)
    if found is not None:
        _require_replaceable(found, target, context)
    rights = place.rights()
    if rights is None or "root" in rights:
        can_write = found is not None or target.whole or place.has_versions
    else:
        can_write = _suffice(rights, target, place, found)
    if not can_write:
        raise _lacking(place, "the token has too few rights")


def deliver(target: VaultTarget, handover: Handover, context: DeliveryContext) -> None:
    """Write the field, if it does not hold the secret yet.

    One process of this machine at a time, as others may write other fields.

    Raises:
        ConflictError: someone else has changed the field, or is changing the secret.
        PatError: it could not be written.
    """
    place = _place(target, context)
    change = {target.field: handover.secret.reveal()}
    notes = _notes(target, handover)
    with context.alone(f"secret {target.path} of {target.address} {target.namespace}"):
        written = any(_put(change, notes, place, target, context) for _ in range(2))
    if not written:
        raise ConflictError(
            "someone else changed the secret each time, right before it was written",
            hint="to deliver again, run: pat deliver TOKEN",
        )
    if place.has_versions:
        try:
            place.annotate(notes)
        except RefusedError:  # the token may lack the right, and this delivery needs no note
            context.say(
                f"{target.place}: which token it is could not be noted in the custom metadata, so"
                " no other machine can take it over"
            )


def held(target: VaultTarget, context: DeliveryContext) -> HeldSecret | None:
    """Return the secret in the field, and the token that is noted for it; None without a note."""
    found = _readable(_place(target, context))
    if found is None:
        return None
    value = found.fields.get(target.field)
    identifier = found.notes.get(_note(target, "id"), "")
    if not isinstance(value, str) or not identifier:
        return None
    return HeldSecret(Secret(value), identifier, found.notes.get(_note(target, "fingerprint"), ""))


def _put(
    change: dict[str, str],
    notes: dict[str, str],
    place: KvPlace,
    target: VaultTarget,
    context: DeliveryContext,
) -> bool:
    """Write the field, if it has another value; return False if the secret was just changed."""
    found = _readable(place)
    if found is None:
        _write_unread(place, change, target)
        return True
    if found.fields.get(target.field) == change[target.field]:
        return True
    _require_replaceable(found, target, context)
    if not place.has_versions:
        context.say(
            f"{target.place}: an engine of version 1 does not check what it replaces, so a change"
            " by someone else in the moment before the write is lost"
        )
    if place.has_versions:
        with suppress(PatError):  # it is written again afterwards
            place.annotate(notes)
    wanted = {**found.fields, **change}
    try:
        written = _write(place, change, wanted, found)
    except ConflictError:
        return False
    _check(place.read(), wanted, change, written)
    return True


def _place(target: VaultTarget, context: DeliveryContext) -> KvPlace:
    return context.services.vault(target.address, target.namespace).locate(target.path)


def _readable(place: KvPlace) -> KvSecret | None:
    """Return the newest version; None if the token cannot read it."""
    try:
        return place.read()
    except RefusedError as error:
        if error.code != _DENIED:
            raise
        return None


def _require_replaceable(found: KvSecret, target: VaultTarget, context: DeliveryContext) -> None:
    value = found.fields.get(target.field)
    if value is not None and not context.recognizes(Secret(str(value))):
        raise ConflictError(
            "the field holds a secret that this machine has not delivered",
            hint=OVERWRITE_HINT,
        )


def _suffice(
    rights: frozenset[str], target: VaultTarget, place: KvPlace, found: KvSecret | None
) -> bool:
    """Return whether the field can be written with these rights, as policies name them."""
    if found is not None and not found.is_there:
        return ("update" if found.version else "create") in rights
    can_patch = place.has_versions and "patch" in rights
    if found is None:
        return can_patch or (target.whole and bool(rights & {"create", "update"}))
    return can_patch or "update" in rights


def _lacking(place: KvPlace, what: str) -> RefusedError:
    needed = "read, create and patch" if place.has_versions else "read, create and update"
    return RefusedError(
        f"{what} to write the field and keep the other ones",
        hint=f"ask for a policy with {needed} on {place.data}",
    )


def _write(
    place: KvPlace, change: dict[str, str], wanted: Mapping[str, object], found: KvSecret
) -> KvSecret:
    """Write the field over the version that was found; return the new version.

    Raises:
        ConflictError: another version is the newest.
    """
    if found.is_there and place.has_versions:
        try:
            written = place.patch(change, cas=found.version)
        except RefusedError:  # the right to update does, or the server is older than the method
            return place.write(wanted, cas=found.version)
        if not written.is_there:
            raise ConflictError("someone else has just deleted the secret")
        return written
    return place.write(wanted, cas=found.version)


def _check(
    after: KvSecret, wanted: Mapping[str, object], change: Mapping[str, object], written: KvSecret
) -> None:
    """Check what is there after a write.

    A version before the written one comes from a server that is behind; of one after it, only the
    field counts.

    Raises:
        ConflictError: it is not what was written.
    """
    if after.version < written.version:
        return
    expected = wanted if after.version == written.version else change
    names = wanted.keys() | after.fields.keys() if expected is wanted else change.keys()
    missing = object()
    differing = sorted(
        name for name in names if after.fields.get(name, missing) != expected.get(name, missing)
    )
    if differing:
        raise ConflictError(
            f"someone else has changed the secret at the same time: {', '.join(differing)}",
            hint="check these fields, and who else writes the secret",
        )


def _write_unread(place: KvPlace, change: dict[str, str], target: VaultTarget) -> None:
    """Write the field of a secret that the token cannot read.

    Raises:
        RefusedError: the token can only replace it as a whole, which was not allowed.
    """
    if place.has_versions:
        try:
            found = place.patch(change, cas=None)
        except RefusedError as error:
            if not target.whole and error.code == _DENIED:
                raise _lacking(place, "the token has too few rights") from error
            if not target.whole:
                raise
        else:
            if not found.is_there:
                place.write(change, cas=found.version)
            return
    elif not target.whole:
        raise _lacking(place, "the token cannot read the secret, as it must")
    place.write(change, cas=None)


def _notes(target: VaultTarget, handover: Handover) -> dict[str, str]:
    """Return the custom metadata: by field, as a secret may hold several tokens."""
    pat = handover.pat
    return {
        _note(target, "expires"): "" if pat.expires is None else rfc3339(pat.expires),
        **({_note(target, "fingerprint"): handover.fingerprint} if handover.fingerprint else {}),
        _note(target, "id"): pat.id or "",
    }


def _note(target: VaultTarget, what: str) -> str:
    return f"azdo-pat.{target.field}.{what}"
