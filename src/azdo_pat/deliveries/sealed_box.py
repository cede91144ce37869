"""Encrypts a secret for the holder of a key: libsodium's sealed boxes, which GitHub asks for.

pynacl is an extra, and imported only here, when something is delivered to GitHub.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.errors import UsageError

if TYPE_CHECKING:
    from azdo_pat.models import Secret


def require_library() -> None:
    """Check that secrets can be encrypted.

    Raises:
        UsageError: pynacl is not installed.
    """
    try:
        import nacl.public  # noqa: PLC0415 - an extra, which other deliveries do without
    except ImportError as error:
        from azdo_pat.install_commands import adding  # noqa: PLC0415 - for this hint alone

        raise UsageError(
            "a delivery to GitHub needs pynacl, which is not installed",
            hint=f"to install it, run: {adding('pynacl')}; or deliver with GitHub's own client:"
            " --deliver 'command:gh secret set NAME'",
        ) from error
    del nacl


def sealed(secret: Secret, key: bytes) -> bytes:
    """Return a secret that only the holder of a key can read.

    Args:
        secret: what to encrypt.
        key: the public one, 32 bytes.

    Raises:
        UsageError: pynacl is not installed.
    """
    require_library()
    from nacl.public import PublicKey, SealedBox  # noqa: PLC0415 - as above

    return bytes(SealedBox(PublicKey(key)).encrypt(secret.reveal().encode()))
