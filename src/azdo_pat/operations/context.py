"""What making tokens needs, and what is asked of it."""

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
    """What the user asks for.

    Attributes:
        store: put the secret in the keyring.
        replace: overwrite a secret that is stored under the name; its token lives on.
        fail_if_shortened: take a shortened life for a failure, and revoke the token.
        renewal: how it is to be looked after; its secret is delivered at once.
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
    """What making tokens needs.

    Attributes:
        exclusive: a lock by key between processes of this machine; raises ConflictError when
            another one holds it.
        now: the clock.
        service_time: gives the service's time by its last answer; None before the first.
        deliver: brings a secret to one place; raises PendingError where that cannot be done.
        user: gives the sign-in name; empty where it is not known.
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
        """Return the time by the service's clock, or by this machine's where that is not known."""
        return self.service_time() or self.now()
