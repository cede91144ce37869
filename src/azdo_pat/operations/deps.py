"""What operations and use cases depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from azdo_pat.api.audit import AuditLog
    from azdo_pat.api.directory import Directory
    from azdo_pat.api.graph import Graph
    from azdo_pat.api.tenant_policies import TenantPolicies
    from azdo_pat.api.token_admin import TokenAdmin
    from azdo_pat.api.tokens import Tokens
    from azdo_pat.auth.chain import Search
    from azdo_pat.deliveries.services import Recognizes
    from azdo_pat.delivery_targets import Delivery
    from azdo_pat.models import AccessToken, Handover, HeldSecret, Organization
    from azdo_pat.operations.organization_cache import OrganizationCache
    from azdo_pat.results.recovery import Recovered, Unrecovered
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State


class UserSession(Protocol):
    """The organization that is set, and who is signed in."""

    @property
    def api_root(self) -> str | None:
        """`PAT_API_URL`; None for Microsoft's hosts."""

    @property
    def located(self) -> tuple[Organization | None, str]:
        """The organization that is set, None for none, and where its name came from."""

    @property
    def search(self) -> Search:
        """The search for an access token."""

    @property
    def may_be_signed_in(self) -> bool:
        """Whether there is something to sign in with, as far as is known without the network."""

    @property
    def source_names(self) -> tuple[str, ...]:
        """The names of all sources of access tokens, in their order."""

    def access_token(self) -> AccessToken:
        """Return the access token; see `Search.required` for what is raised."""

    def renewed_token(self, rejected: AccessToken, claims: str) -> AccessToken | None:
        """Return a new access token in place of one that the service rejected, or None."""

    def user(self) -> str:
        """Return the sign-in name; empty if unknown."""

    def service_time(self) -> datetime | None:
        """Return the service's time by its last response; None before the first."""


class Deps(Protocol):
    """The parts of the program that a use case may use; each is made when it is first read.

    Reading `tokens` the first time recovers the unfinished operations of earlier runs. What locks a
    name reads it before, as recovery leaves out locked names.
    """

    @property
    def session(self) -> UserSession:
        """The organization that is set, and who is signed in."""

    @property
    def tokens(self) -> Tokens:
        """The token lifecycle API."""

    @property
    def audit(self) -> AuditLog:
        """The audit log."""

    @property
    def tenant_policies(self) -> TenantPolicies:
        """The policies of the tenant."""

    @property
    def directory(self) -> Directory:
        """Profile and organizations."""

    @property
    def organization_cache(self) -> OrganizationCache:
        """The names behind the GUIDs of organizations."""

    @property
    def secrets(self) -> SecretStore:
        """The keyring."""

    @property
    def state(self) -> State:
        """The state file."""

    @property
    def state_folder(self) -> Path:
        """The folder of the local state; it need not exist."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables."""

    @property
    def organization(self) -> Organization:
        """The organization that is set, or else the only one that the user has."""

    @property
    def undelivered(self) -> dict[int, Recovered]:
        """The deliveries of earlier runs that failed again in this run, by the key of their entry.

        They are not tried again: their targets have not changed, and a command may be slow.
        """

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""

    def exclusive(self, key: str) -> AbstractContextManager[None]:
        """Lock a key between processes; raises ConflictError if another one holds it."""

    def in_line(self, key: str) -> AbstractContextManager[None]:
        """Lock a key between processes, waiting for another one that holds it."""

    def probe(self, delivery: Delivery, organization: Organization, recognizes: Recognizes) -> None:
        """Check that a secret can be delivered to one target; raises PatError if it cannot."""

    def deliver(self, delivery: Delivery, handover: Handover, recognizes: Recognizes) -> None:
        """Deliver a secret to one target; raises PendingError if that fails."""

    def held_by(self, delivery: Delivery) -> HeldSecret | None:
        """Return what a vault holds, with its note; None without a note; raises PatError."""

    def report(self, event: Recovered | Unrecovered) -> None:
        """Tell the user what became of an operation of an earlier run."""

    def at(self, organization: Organization) -> Deps:
        """Return the parts for another organization, which may have a sign-in of its own."""


class AdminDeps(Deps, Protocol):
    """What the use cases of `pat admin` depend on as well."""

    @property
    def graph(self) -> Graph:
        """The users of an organization."""

    @property
    def token_admin(self) -> TokenAdmin:
        """The tokens of all users."""


def service_now(deps: Deps) -> datetime:
    """Return the time by the service's clock, or by this machine's if that is unknown."""
    return deps.session.service_time() or deps.now()
