"""The lock on a name, held while the secret under it is stored, moved or deleted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

Exclusive = Callable[[str], AbstractContextManager[None]]
"""Locks a key between processes of this machine; raises ConflictError when another one holds it,
and StoreError if it cannot be taken."""


def lock_key(name: str, org_url: str) -> str:
    """Return the key of the lock on a token's name in an organization, as errors show it."""
    return f"{name!r} in {org_url}"
