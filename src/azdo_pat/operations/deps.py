"""The dependencies of operations that create tokens, and their request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from azdo_pat.renewal import DEFAULT_RENEWAL, Renewal

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from azdo_pat.api.tokens import Tokens
    from azdo_pat.models import Handover
    from azdo_pat.operations.organization_cache import OrganizationCache
    from azdo_pat.renewal import Delivery
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State


@dataclass(frozen=True, kw_only=True)
class CreateRequest:
    """What the user asked for.

    Attributes:
        store: store the secret in the keyring.
        replace: overwrite a secret that is stored under the name; its token stays active.
        fail_if_shortened: treat a shortened lifetime as a failure, and revoke the token.
        renewal: how it is to be renewed and delivered; its secret is delivered at once.
    """

    name: str
    scopes: tuple[str, ...]
    expires: datetime
    store: bool = True
    replace: bool = False
    fail_if_shortened: bool = False
    renewal: Renewal = DEFAULT_RENEWAL


@dataclass(frozen=True, kw_only=True)
class Deps:
    """The dependencies of operations that create tokens.

    Attributes:
        exclusive: locks a key between processes of this machine; raises ConflictError when
            another one holds it.
        now: the clock.
        service_time: returns the service's time by its last response; None before the first.
        deliver: delivers a secret to one target; raises PendingError if that fails.
        user: returns the sign-in name; empty if unknown.
    """

    tokens: Tokens
    organization_cache: OrganizationCache
    secrets: SecretStore
    state: State
    exclusive: Callable[[str], AbstractContextManager[None]]
    now: Callable[[], datetime]
    deliver: Callable[[Delivery, Handover], None]
    user: Callable[[], str] = str
    service_time: Callable[[], datetime | None] = field(default=lambda: None)

    def service_now(self) -> datetime:
        """Return the time by the service's clock, or by this machine's if that is unknown."""
        return self.service_time() or self.now()
