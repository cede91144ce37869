"""A machine that runs `pat`: state file, keyring and client, all real, against an emulator."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import keyring
from keyring.errors import KeyringLocked

from api.stage import ADA_ID, CONTOSO_ID, FABRIKAM_ID, Hands
from azdo_pat.api.audit import AuditLog
from azdo_pat.api.directory import Directory
from azdo_pat.api.http import Http
from azdo_pat.api.tenant_policies import TenantPolicies
from azdo_pat.api.tokens import Tokens
from azdo_pat.api.trace import Exchange
from azdo_pat.auth.chain import Search
from azdo_pat.deliveries.services import Recognizes
from azdo_pat.delivery_targets import Delivery
from azdo_pat.models import (
    AccessToken,
    Handover,
    HeldSecret,
    Organization,
    Pat,
    PatRequest,
    Secret,
    ServicePat,
    Status,
    StoredPat,
)
from azdo_pat.operations.issue import CreateRequest
from azdo_pat.operations.organization_cache import OrganizationCache
from azdo_pat.results.recovery import Recovered, Unrecovered
from azdo_pat.services.create import create
from azdo_pat.services.find_tokens import TokenFinder
from azdo_pat.services.import_forget import ImportRequest, import_secret
from azdo_pat.services.parallel import Progress, Shown
from azdo_pat.store.locks import exclusive
from azdo_pat.store.secrets import SecretStore
from azdo_pat.store.state import State
from drivers import Emulator
from fakes import MemoryKeyring

__all__ = ["ADA_ID", "CONTOSO_ID", "FABRIKAM_ID", "NOW", "Machine", "Moody", "shown", "unusable"]

NOW = datetime(2026, 6, 15, 12, 0, 0, 123_456, tzinfo=UTC)
LOCKED = "the keyring is locked, or access to it was denied"
PATS = "*/tokens/pats"


class Moody(MemoryKeyring):
    """A keyring that locks itself at a moment of the test's choosing.

    Attributes:
        refuses: asked with the operation (`get`, `set`, `delete`), service and user name before
            each operation; True is a refusal.
    """

    priority: ClassVar[float] = -2  # keyring registers every class; no scan may choose this one

    def __init__(self) -> None:
        super().__init__()
        self.refuses: Callable[[str, str, str], bool] = lambda *_: False

    def get_password(self, service: str, username: str) -> str | None:
        self._look("get", service, username)
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._look("set", service, username)
        super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        self._look("delete", service, username)
        super().delete_password(service, username)

    def refuse(self, operation: str, name: str | None = None) -> None:
        """Refuse one operation on tokens from now on, or on the one of that name; checks work."""
        self.refuses = lambda asked, service, user: (
            asked == operation and service != "azdo-pat:check" and name in {None, user}
        )

    def _look(self, operation: str, service: str, username: str) -> None:
        if self.refuses(operation, service, username):
            raise KeyringLocked("Failed to unlock the collection!")


def shown(done: Callable[[], None]) -> Shown:
    """Return what calls a function after each token, and stops when that raises."""
    interrupted: list[bool] = []

    def count() -> None:
        try:
            done()
        except KeyboardInterrupt:
            interrupted.append(True)
            raise

    @contextmanager
    def progress(_: int) -> Iterator[Progress]:
        yield Progress(count, lambda: bool(interrupted))

    return progress


def unusable(error: Exception) -> Any:  # noqa: ANN401  # it stands for any part
    """Return what raises an error whatever is asked of it, in place of a part of the program."""

    class Unusable:
        def __getattr__(self, name: str) -> NoReturn:
            raise error

    return Unusable()


@dataclass(kw_only=True)
class MachineDeps:
    """The parts of a machine that use cases use; tests replace some of them."""

    tokens: Tokens
    audit: AuditLog
    tenant_policies: TenantPolicies
    directory: Directory
    organization_cache: OrganizationCache
    secrets: SecretStore
    state: State
    state_folder: Path
    api_root: str | None
    organization: Organization
    now: Callable[[], datetime]
    service_time: Callable[[], datetime | None]
    deliver: Callable[[Delivery, Handover, Recognizes], None]
    probe: Callable[[Delivery, Organization, Recognizes], None]
    held_by: Callable[[Delivery], HeldSecret | None]
    environment: Mapping[str, str] = field(default_factory=dict)
    locate: Callable[[], tuple[Organization | None, str]] | None = None
    search: Search = field(default_factory=lambda: Search(None, None, ()))
    may_be_signed_in: bool = True
    source_names: tuple[str, ...] = ("the test",)
    user: Callable[[], str] = str
    report: Callable[[Recovered | Unrecovered], None] = lambda _: None
    lock: Callable[[str], AbstractContextManager[None]] | None = None
    undelivered: dict[int, Recovered] = field(default_factory=dict)

    @property
    def session(self) -> "MachineDeps":
        """The organization that is set, and who is signed in."""
        return self

    @property
    def located(self) -> tuple[Organization | None, str]:
        """The organization at hand, and where its name came from."""
        return self.locate() if self.locate else (self.organization, "--org")

    def exclusive(self, key: str) -> AbstractContextManager[None]:
        """Lock a key between processes."""
        return self.lock(key) if self.lock else exclusive(self.state_folder / "locks", key)

    def in_line(self, key: str) -> AbstractContextManager[None]:
        """Lock a key between processes, as no other one holds it."""
        return self.exclusive(key)

    def access_token(self) -> AccessToken:
        """Return the access token."""
        return self.search.required()

    def renewed_token(self, rejected: AccessToken, claims: str) -> AccessToken | None:
        """Return no other access token."""

    def at(self, organization: Organization) -> "MachineDeps":
        """Return the parts for another organization."""
        return replace(self, organization=organization)


@dataclass(kw_only=True)
class Machine:
    """One user's machine; its clock stands still.

    Attributes:
        answered: called after each request that `pat` made, with what is known of it.
    """

    emulator: Emulator
    folder: Path
    keyring: Moody = field(default_factory=Moody)
    now: datetime = NOW
    timeout: float = 5.0
    answered: Callable[[Exchange], None] = lambda _: None
    deliver: Callable[[Delivery, Handover, Recognizes], None] = lambda *_: None
    probe: Callable[[Delivery, Organization, Recognizes], None] = lambda *_: None
    held_by: Callable[[Delivery], HeldSecret | None] = lambda _: None

    def __post_init__(self) -> None:
        self.state = State(self.folder / "state.db")
        self.contoso = self.organization("contoso")
        self.fabrikam = self.organization("fabrikam")
        self.hands = Hands()
        self._told: timedelta | None = None
        self.start()

    def start(self) -> None:
        """Begin a new run of the program on this machine."""
        keyring.set_keyring(self.keyring)
        self.secrets = SecretStore(backend=None, cache_file=None, environment={})
        http = Http(
            api_root=self.emulator.url,
            access_token=lambda: AccessToken(
                secret=Secret(self.emulator.access_token), source="the test"
            ),
            timeout=(self.timeout, self.timeout),
            trace=self._traced,
            sleep=self.hands.sleep,
            clock=self.hands.clock,
            version="0",
        )
        self.tokens = Tokens(http)
        self.audit = AuditLog(http)
        self.tenant_policies = TenantPolicies(http)
        self.directory = Directory(http)
        self.organization_cache = OrganizationCache(
            state=self.state, directory=self.directory, api_root=self.emulator.url
        )

    def _traced(self, exchange: Exchange) -> None:
        for name, value in exchange.received.headers if exchange.received else ():
            if name.lower() == "date":
                self._told = parsedate_to_datetime(value) - self.now
        self.answered(exchange)

    def service_time(self) -> datetime | None:
        """The service's time, as its last answer told it."""
        return None if self._told is None else self.now + self._told

    @property
    def deps(self) -> "MachineDeps":
        """What use cases need."""
        return MachineDeps(
            tokens=self.tokens,
            audit=self.audit,
            tenant_policies=self.tenant_policies,
            directory=self.directory,
            organization_cache=self.organization_cache,
            secrets=self.secrets,
            state=self.state,
            state_folder=self.folder,
            api_root=self.emulator.url,
            organization=self.contoso,
            now=lambda: self.now,
            service_time=self.service_time,
            deliver=lambda *args: self.deliver(*args),  # noqa: PLW0108  # tests set it later
            probe=lambda *args: self.probe(*args),  # noqa: PLW0108  # as above
            held_by=lambda delivery: self.held_by(delivery),  # noqa: PLW0108  # as above
        )

    @property
    def finder(self) -> TokenFinder:
        """What lists and finds tokens."""
        return TokenFinder(self.deps)

    def import_secret(self, name: str, secret: str, **changes: Any) -> Pat:  # noqa: ANN401  # fields
        """Import a secret, as `pat import` does."""
        return import_secret(
            self.contoso,
            ImportRequest(name=name, secret=Secret(secret), **changes),
            self.deps,
        )

    def organization(self, name: str, guid: str | None = None) -> Organization:
        """Return an organization of the emulator."""
        return Organization(name=name, url=f"{self.emulator.url}/{name}", id=guid)

    def made(self, name: str = "ci", organization: Organization | None = None) -> Pat:
        """Create a token the way users do, and return it."""
        return create(organization or self.contoso, self.request(name), self.deps).pat

    def request(self, name: str = "ci", **changes: Any) -> CreateRequest:  # noqa: ANN401  # fields
        """Return a request for a token of 30 days that may read code."""
        asked = {"scopes": ("vso.code",), "expires": self.now + timedelta(days=30), **changes}
        return CreateRequest(name=name, **asked)

    def elsewhere(
        self, name: str = "ci", expires: datetime | None = None, *, scope: str = "vso.code"
    ) -> str:
        """Make a token as another machine does, and return its id."""
        ask = PatRequest(
            display_name=name,
            scopes=(scope,),
            valid_to=expires or self.now + timedelta(days=30, milliseconds=250),
        )
        return self.tokens.create(self.contoso, ask).pat.authorization_id

    def held(self, name: str = "ci", organization: Organization | None = None) -> str | None:
        """Return the text that lies in the keyring."""
        service = f"azdo-pat:{(organization or self.contoso).url}"
        return self.keyring.held.get((service, name))

    @property
    def names_held(self) -> list[str]:
        """The names of all entries of the keyring."""
        return sorted(name for _, name in self.keyring.held)

    @property
    def alive(self) -> list[str]:
        """Names of the tokens that the service has as active."""
        return [each["displayName"] for each in self.emulator.tokens if each["status"] == "active"]

    @property
    def known(self) -> list[StoredPat]:
        """All entries of the state file."""
        return list(self.state.stored())

    def asked(self, method: str | None = None) -> list[str]:
        """Return the requests that reached the service, `GET /path`, of one method or all."""
        return [
            f"{each['method']} {each['path']}"
            for each in self.emulator.requests
            if method in {None, each["method"]}
        ]

    def listed(self, name: str, status: Status = Status.ACTIVE) -> ServicePat:
        """Return the one token of that name as the service lists it."""
        found = [pat for pat in self.tokens.list(self.contoso, status) if pat.display_name == name]
        assert len(found) == 1
        return found[0]
