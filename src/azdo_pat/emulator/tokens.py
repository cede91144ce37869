"""A personal access token as the service knows it, and the secrets it hands out."""

from __future__ import annotations

import base64
import hashlib
import secrets
import string
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

_ALPHABET: Final = string.ascii_letters + string.digits
_RANDOM_LENGTH: Final = 52
_FIRST_YEAR: Final = 2024
_LETTERS: Final = string.ascii_uppercase


class Status(StrEnum):
    """What a token's owner sees of it."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token; only the hash of its secret is kept.

    ``target_accounts`` is None for a global token, else the ids of its organizations. ``ssh``
    makes it the authorization of an SSH key. A revocation takes effect at ``revoked_from``, or at
    once.
    """

    authorization_id: str
    owner_id: str
    display_name: str
    scope: str
    target_accounts: tuple[str, ...] | None
    valid_from: datetime
    valid_to: datetime
    secret_hash: str
    revoked: bool = False
    revoked_from: datetime | None = None
    ssh: bool = False

    def status(self, now: datetime) -> Status:
        """Revoked goes before expired: a revoked token stays revoked when its time is over."""
        if self.revoked and (self.revoked_from is None or self.revoked_from <= now):
            return Status.REVOKED
        return Status.ACTIVE if now < self.valid_to else Status.EXPIRED

    def belongs_to(self, organization_id: str) -> bool:
        """Whether it can be used, edited and revoked through this organization."""
        return self.target_accounts is None or organization_id in self.target_accounts

    @property
    def correlating_id(self) -> str:
        """What tells whose a found secret is, without the secret.

        Source: the C3ID of microsoft/security-utilities (``RegexPattern.cs``).
        """
        text = f"CrossMicrosoftCorrelatingId:{self.secret_hash.upper()}"
        return base64.b64encode(hashlib.sha256(text.encode()).digest()[:15]).decode()


def new_secret(now: datetime) -> str:
    """84 characters: 52 random, a fixed part with the month, ``AZDO``, a checksum.

    The shape is that of the secrets issued since July 2024 (Azure DevOps release notes,
    sprint 241): the signature stands at [76:80].
    """
    return derived_secret("", secrets.token_bytes(_RANDOM_LENGTH), now)


def derived_secret(beginning: str, digest: bytes, made: datetime) -> str:
    """The secret that begins so and is the same for the same digest, of 52 bytes or more."""
    rest = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest)
    return _secret((beginning + rest)[:_RANDOM_LENGTH], made)


def _secret(random_part: str, now: datetime) -> str:
    year = _LETTERS[(now.year - _FIRST_YEAR) % len(_LETTERS)]
    fixed = f"{random_part}JQQJ99{year}{_LETTERS[now.month - 1]}ACAAAAAAAAAAAAASAZDO"
    digest = hashlib.sha256(fixed.encode()).digest()
    return fixed + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:4])


def hash_secret(secret: str) -> str:
    """The only form in which a secret is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()
