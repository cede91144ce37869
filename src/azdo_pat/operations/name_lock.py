"""The lock on a name: who stores, moves or drops the secret under it does so alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

Exclusive = Callable[[str], AbstractContextManager[None]]
"""A lock by key between processes of this machine; raises ConflictError when another one holds it,
and StoreError where it cannot be had."""


def lock_key(name: str, org_url: str) -> str:
    """Return the key of the lock on a token's name in an organization, as errors show it."""
    return f"{name!r} in {org_url}"
