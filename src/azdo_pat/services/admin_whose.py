"""Finds the token of a leaked secret, without sending the secret anywhere."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import NotFoundError, PartialError, UnavailableError
from azdo_pat.naming import looks_like_secret
from azdo_pat.services.admin_tokens import OwnedTokens

if TYPE_CHECKING:
    from azdo_pat.models import OwnedPat, Secret
    from azdo_pat.services.admin_tokens import Scan

_PREFIX: Final = "CrossMicrosoftCorrelatingId:"
_LENGTH: Final = 15
_JWT: Final = "eyJ"
"""How the header of a JWT begins: `{"`, in base64."""


def correlating_id(secret: Secret) -> str:
    """Return the hash of a secret by which Microsoft's programs refer to it (C3ID).

    Source: microsoft/security-utilities, `RegexPattern.cs`.
    """
    inner = sha256(secret.reveal().encode()).hexdigest().upper()
    return b64encode(sha256(f"{_PREFIX}{inner}".encode()).digest()[:_LENGTH]).decode()


def token_of(secret: Secret, scan: Scan) -> OwnedPat:
    """Return the token that has a secret.

    Raises:
        NotFoundError: no token of the users has it.
        PartialError: none that could be read has it.
        UnavailableError: the service does not report the hashes of secrets.
    """
    wanted = correlating_id(secret)
    read = told = 0
    for owner, token in scan.tokens():
        if token.correlating_id == wanted:
            return OwnedTokens(scan.deps).owned(owner, token)
        read += 1
        told += bool(token.correlating_id)
    where = scan.deps.organization.name
    if scan.unread:
        reasons = [each.error.message for each in scan.failures]
        raise PartialError(
            "no token that could be read has this secret, but the tokens of some users of"
            f" {where} could not be read ({scan.unread}):"
            f" {[*reasons, scan.why_unlisted][0]}",
            hint="try again later",
        )
    if read and not told:
        raise UnavailableError(
            f"{where} does not report the hashes that identify the token of a secret",
            hint="to look for the token by its scopes or dates, run: pat admin list --all-users",
        )
    raise NotFoundError(f"no token of {where} has this secret", hint=_why_not(secret.reveal()))


def _why_not(text: str) -> str:
    """Return what else a secret may be that no token has."""
    if text.startswith(_JWT):
        return "it is an access token (JWT): such tokens can be ended by a rule (pat admin rule)"
    if not looks_like_secret(text):
        return (
            "it does not look like the secret of a token, which has 52 or 84 letters and digits:"
            " give it alone, without a name before it, and decoded"
        )
    return "it may be a token of another organization, or one that was revoked long ago"
