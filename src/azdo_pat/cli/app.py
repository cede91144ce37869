"""The composition root: each part of the program is made here, on first use.

Imports stand inside the functions that need them: a command pays for what it uses.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

from azdo_pat.cli.runtime import Runtime
from azdo_pat.cli.session import Session
from azdo_pat.errors import NotFoundError, PatError, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from azdo_pat.api.audit import AuditLog
    from azdo_pat.api.directory import Directory
    from azdo_pat.api.graph import Graph
    from azdo_pat.api.http import Http
    from azdo_pat.api.tenant_policies import TenantPolicies
    from azdo_pat.api.token_admin import TokenAdmin
    from azdo_pat.api.tokens import Tokens
    from azdo_pat.cli.delivery_services import DeliveryServices
    from azdo_pat.cli.global_options import GlobalOptions
    from azdo_pat.deliveries.placeholders import DeliveryContext
    from azdo_pat.deliveries.services import Recognizes
    from azdo_pat.delivery_targets import Delivery
    from azdo_pat.models import Handover, HeldSecret, Organization
    from azdo_pat.operations.organization_cache import OrganizationCache
    from azdo_pat.results.recovery import Recovered, Unrecovered
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State


class App:
    """The composed program, for one run of one command; use cases see it as `operations.deps.Deps`.

    Attributes:
        recovers: recover unfinished operations before the first use of the tokens API.
    """

    recovers = True

    def __init__(self, options: GlobalOptions) -> None:
        self.runtime = Runtime(options)
        self.session = Session(self.runtime)
        self.now = self.runtime.now
        self.environment = self.runtime.environment

    @cached_property
    def tokens(self) -> Tokens:
        """The token lifecycle API; unfinished operations of earlier runs are recovered first."""
        from azdo_pat.api.tokens import Tokens

        self.look_at_state()
        self.tokens = Tokens(self.session.http, self._say_odd)  # recovery uses it already
        if self.recovers:
            self._recover_first()
        return self.tokens

    def _recover_first(self) -> None:
        """Recover unfinished operations; a failure does not stop the current command."""
        try:
            self.secrets.clear_probes()
            if self.state.unfinished():
                from azdo_pat.operations.recovery import recover

                recover(self)
        except PatError as error:
            self.runtime.messages.detail(
                f"unfinished operations of earlier runs could not be recovered: {error.message}"
            )

    def report(self, event: Recovered | Unrecovered) -> None:
        """Report on stderr what became of an operation of an earlier run."""
        from azdo_pat.cli.recovery_messages import say

        say(self.runtime.messages, event)

    @cached_property
    def odd_rows(self) -> dict[str, str]:
        """What could not be read of the service's answers in this run: the first of it."""
        return {}

    @cached_property
    def undelivered(self) -> dict[int, Recovered]:
        """The deliveries of earlier runs that failed again in this run; shared by all of it."""
        return {}

    def _say_odd(self, what: str) -> None:
        """Say once a run that an answer has something that cannot be read; each with -v."""
        # One step, as several organizations are listed side by side.
        if self.odd_rows.setdefault("first", what) is what:
            self.runtime.messages.notice(
                f"the service's answer cannot be read in full: {what};"
                " each field that cannot be read is shown as unknown"
            )
        else:
            self.runtime.messages.detail(f"cannot be read in full: {what}")

    @property
    def state_folder(self) -> Path:
        """The folder of the local state; it need not exist."""
        return self.runtime.state_folder

    @property
    def secrets(self) -> SecretStore:
        """The keyring."""
        return self.session.secrets

    @cached_property
    def audit(self) -> AuditLog:
        """The audit log."""
        from azdo_pat.api.audit import AuditLog

        return AuditLog(self.session.http, self._say_odd)

    @cached_property
    def graph(self) -> Graph:
        """The users of an organization."""
        from azdo_pat.api.graph import Graph

        return Graph(self.session.http, self._say_odd)

    @cached_property
    def token_admin(self) -> TokenAdmin:
        """The tokens of all users, for administrators."""
        from azdo_pat.api.token_admin import TokenAdmin

        return TokenAdmin(self.session.http, self._say_odd)

    @cached_property
    def tenant_policies(self) -> TenantPolicies:
        """The policies of the tenant."""
        from azdo_pat.api.tenant_policies import TenantPolicies

        return TenantPolicies(self.session.http)

    @cached_property
    def directory(self) -> Directory:
        """Profile and organizations."""
        from azdo_pat.api.directory import Directory

        return Directory(self.session.http, self._say_odd)

    @cached_property
    def organization_cache(self) -> OrganizationCache:
        """The names behind the GUIDs of organizations."""
        from azdo_pat.operations.organization_cache import OrganizationCache
        from azdo_pat.organizations import HOSTED_ROOT

        return OrganizationCache(
            state=self.state,
            directory=self.directory,
            api_root=self.session.api_root or HOSTED_ROOT,
        )

    def exclusive(self, key: str) -> AbstractContextManager[None]:
        """Give the lock of that key between processes; see `store.locks.exclusive`."""
        from azdo_pat.store.locks import exclusive

        return exclusive(self.state_folder / "locks", key)

    @contextmanager
    def in_line(self, key: str) -> Iterator[None]:
        """Give a lock of that key between processes, waiting for it for two minutes."""
        from azdo_pat.store.locks import waiting

        digest = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        with ExitStack() as stack:
            with self.runtime.waits("waiting for another run of pat to end"):
                stack.enter_context(waiting(self.state_folder / "locks" / f"{digest}.lock", 120))
            yield

    def probe(self, delivery: Delivery, organization: Organization, recognizes: Recognizes) -> None:
        """Check that a secret can be delivered to one target; see `deliveries.dispatch`."""
        from azdo_pat.deliveries.dispatch import probe

        probe(delivery, organization, self._delivery_context(recognizes))

    def deliver(self, delivery: Delivery, handover: Handover, recognizes: Recognizes) -> None:
        """Deliver a secret to one target; see `deliveries.dispatch`."""
        from azdo_pat.deliveries.dispatch import deliver

        deliver(delivery, handover, self._delivery_context(recognizes))

    def held_by(self, delivery: Delivery) -> HeldSecret | None:
        """Return what a vault holds; see `deliveries.dispatch`."""
        from azdo_pat.deliveries.dispatch import held

        return held(delivery, self._delivery_context(lambda _: True))

    def _delivery_context(self, recognizes: Recognizes) -> DeliveryContext:
        from azdo_pat.deliveries.placeholders import DeliveryContext

        return DeliveryContext(
            environment=self.environment,
            alone=self.in_line,
            lend=self.secrets.lend,
            services=self.delivery_services,
            recognizes=recognizes,
            say=self.runtime.messages.notice,
        )

    @cached_property
    def delivery_services(self) -> DeliveryServices:
        """The clients of the services that secrets are delivered to."""
        from azdo_pat.cli.delivery_services import DeliveryServices

        return DeliveryServices(self.session, self._http_of)

    def _http_of(self, organization: str) -> Http:
        """Return the connection to an organization, with the sign-in for it."""
        if not organization or organization == self.organization.name:
            return self.session.http
        from azdo_pat.organizations import hosted

        return self.at(hosted(organization, self.session.api_root)).session.http

    def at(self, organization: Organization) -> App:
        """Return the parts for another organization, which may have a sign-in of its own."""
        sources = {**self.runtime.options.sources, "org": "the token"}
        other = App(self.runtime.options._replace(org=organization.url, sources=sources))
        other.session.secrets = self.session.secrets
        other.runtime.share_waiting_line(self.runtime)
        other.state, other.odd_rows = self.state, self.odd_rows
        other.undelivered = self.undelivered
        return other

    @cached_property
    def state(self) -> State:
        """The state file."""
        from azdo_pat.store.database import has_header
        from azdo_pat.store.state import State

        file = self.state_folder / "state.db"
        if not has_header(file):  # the whole of it is looked at where a request is made anyway
            self._set_aside_if_damaged(file)
        return State(file)

    def look_at_state(self) -> None:
        """Look at the whole of the state file; move it aside if it is damaged."""
        self._set_aside_if_damaged(self.state_folder / "state.db")

    def _set_aside_if_damaged(self, file: Path) -> None:
        from azdo_pat.store.repair import set_aside_if_damaged

        if aside := set_aside_if_damaged(file, self.now()):
            self.runtime.messages.warn(
                f"the state file was damaged and is now {aside}; no secret is lost;"
                " to rebuild the file, run: pat doctor --fix"
            )

    @property
    def damaged_states(self) -> Sequence[Path]:
        """The damaged state files that were moved aside and not yet rebuilt from."""
        from azdo_pat.store.repair import damaged_files

        return damaged_files(self.state_folder / "state.db")

    def require_whole_state(self) -> None:
        """Check that no state file was lost, on which all that is known about tokens depends.

        Raises:
            StoreError: a damaged one was moved aside, and is not yet rebuilt.
        """
        _ = self.state  # moves one aside that is not even a database
        if self.damaged_states:
            raise StoreError(
                "the state file was damaged, so pat does not know which tokens are stored",
                hint="to rebuild it, run: pat doctor --fix",
            )

    @cached_property
    def organization(self) -> Organization:
        """The organization at hand: located, or the only one that the user has.

        Raises:
            UsageError: none is named and the user has several.
            NotFoundError: the user has none.
            RefusedError: it is a collection of Azure DevOps Server.
        """
        found, source = self.session.located
        if found is None:
            found, source = self._only_one(), "the only one you have"
        self.runtime.messages.detail(f"organization {found.name} ({source})")
        if not found.hosted:
            from azdo_pat.services.unsupported_server import no_lifecycle

            raise no_lifecycle(found)
        return found

    def _only_one(self) -> Organization:
        organizations = self.organization_cache.all()
        if len(organizations) == 1:
            return organizations[0]
        if not organizations:
            raise NotFoundError(
                "you are not a member of any Azure DevOps organization",
                hint="sign in as a user who is a member; to see who is signed in, run: pat status",
            )
        names = ", ".join(each.name for each in organizations)
        raise UsageError(
            f"no organization given, and you have several: {names}",
            hint=f"add --org {organizations[0].name}; or, to set it once, run: pat config set org"
            f" {organizations[0].name}",
        )
