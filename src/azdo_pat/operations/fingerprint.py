"""The fingerprint of a secret: identifies it without revealing it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azdo_pat.models import Secret


def fingerprint_of(secret: Secret, salt: str = "") -> str:
    """Return the salted hash of a secret, as `SALT:HASH`.

    Args:
        secret: 52 of its characters are random, so that no dictionary helps.
        salt: of a fingerprint to compare with; empty for a new one.
    """
    salt = salt or secrets.token_hex(8)
    digest = hashlib.sha256(f"{salt}{secret.reveal()}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"{salt}:{digest}"


def matches(secret: Secret | None, fingerprint: str) -> bool:
    """Return whether a fingerprint was made from this secret."""
    salt, _, digest = fingerprint.partition(":")
    if secret is None or not digest:
        return False
    return hmac.compare_digest(fingerprint_of(secret, salt), fingerprint)
