"""The composition root: each part of the program is made here, on first use.

Imports stand inside the functions that need them: a command pays for what it uses.
"""

from __future__ import annotations

import sys
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from azdo_pat import __version__
from azdo_pat.cli.surroundings import Surroundings
from azdo_pat.errors import NotFoundError, PatError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from azdo_pat.api.directory import Directory
    from azdo_pat.api.exchange import Exchange
    from azdo_pat.api.http import Http
    from azdo_pat.api.tokens import Tokens
    from azdo_pat.auth.entra import Entra
    from azdo_pat.auth.outcome import Client
    from azdo_pat.auth.own import Memory
    from azdo_pat.auth.places import Place
    from azdo_pat.auth.remembered import SignIn
    from azdo_pat.auth.source import Search, TokenSource
    from azdo_pat.deliveries.carrier import Carrier
    from azdo_pat.models import AccessToken, Delivery, Handover, Organization, Secret
    from azdo_pat.services.browse import Browser
    from azdo_pat.services.ensure import Maker
    from azdo_pat.services.organization_book import OrganizationBook
    from azdo_pat.services.recovery import Recovered
    from azdo_pat.services.workshop import Workshop
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State


class App(Surroundings):
    """The parts of the program, for one run of one command."""

    @cached_property
    def api_root(self) -> str | None:
        """`PAT_API_URL`, held to its rules; None for Microsoft's hosts."""
        given = self.environment.get("PAT_API_URL")
        if not given:
            return None
        from azdo_pat.organizations import api_root

        return api_root(given)

    @cached_property
    def search(self) -> Search:
        """The search for an access token, done once."""
        from azdo_pat.auth.source import first_that_answers

        found = first_that_answers(self._sources, self.now())
        if found.token is not None:
            self.talk.detail(f"access token from {found.token.source}")
        return found

    @property
    def _sources(self) -> Iterator[TokenSource]:
        from azdo_pat.auth.environment import VARIABLE, EnvironmentSource
        from azdo_pat.models import Secret

        given = self.environment.get(VARIABLE)
        yield EnvironmentSource(value=None if given is None else Secret(given))
        yield self._own_source()
        from azdo_pat.auth.azure_cli import AzureCliSource  # where the first has none: 4 ms

        yield AzureCliSource(environment=self.environment)

    @property
    def source_names(self) -> tuple[str, ...]:
        """The names of all sources of access tokens, in their order."""
        return tuple(source.name for source in self._sources)

    def _own_source(self) -> TokenSource:
        from azdo_pat.auth.own import OwnSource

        return OwnSource(
            memory=self.memory, organization=self._url_at_hand, entra=self._renewing_entra
        )

    def _url_at_hand(self) -> str:
        """Return the URL of the organization at hand; empty where none is, or none can be found."""
        try:
            found, _ = self.located
        except PatError:  # whoever needs the organization will say so
            return ""
        return found.url if found is not None else ""

    def _renewing_entra(self, sign_in: SignIn, cache: Secret | None) -> Entra:
        from azdo_pat.auth.outcome import Client

        client = Client(
            authority=self.authority, tenant=sign_in.tenant, client_id=sign_in.client_id
        )
        return self.entra(client, cache)

    @cached_property
    def authority(self) -> str:
        """The Entra authority: `PAT_AUTHORITY`, or Microsoft's own."""
        from azdo_pat.auth.outcome import authority_root

        return authority_root(self.environment.get("PAT_AUTHORITY"))

    @cached_property
    def memory(self) -> Memory:
        """What is remembered of sign-ins."""
        from azdo_pat.auth.own import Memory
        from azdo_pat.auth.places import KeyringPlace, PiecesPlace

        owner = f"sign-in:{self.authority}"
        small = PiecesPlace if sys.platform == "win32" else KeyringPlace
        return Memory(
            sign_ins=small(self.secrets, owner, "sign-ins"),
            cache=self._cache_place(owner),
            turn=self._sign_in_turn,
            marker=self.state_folder / "sign-ins",
            name=self.authority,
        )

    def _cache_place(self, owner: str) -> Place:
        if sys.platform in {"win32", "darwin"}:
            from azdo_pat.auth.protected import ProtectedPlace

            digest = sha256(owner.encode()).hexdigest()[:16]
            return ProtectedPlace(self.state_folder / f"sign-in-{digest}.bin")
        from azdo_pat.auth.places import KeyringPlace

        return KeyringPlace(self.secrets, owner, "refresh")

    def _sign_in_turn(self) -> AbstractContextManager[None]:
        from azdo_pat.store.locks import waiting

        return waiting(self.state_folder / "locks" / "sign-in.lock", 30)

    def entra_client(self, *, tenant: str | None, client_id: str | None) -> Client:
        """Return which application signs in, and to which tenant: the organization's, if any."""
        from azdo_pat.auth.outcome import ANY_TENANT, AZURE_CLI, Client

        wanted = str(tenant or self.setting("tenant") or "")
        found, _ = self.located
        if not wanted and found is not None and found.hosted:
            from azdo_pat.api.entra import tenant_of

            wanted = tenant_of(self.http, found.name)
        return Client(
            authority=self.authority,
            tenant=wanted or ANY_TENANT,
            client_id=str(client_id or self.setting("client-id") or AZURE_CLI),
        )

    def entra(self, client: Client, cache: Secret | None) -> Entra:
        """Return what signs in; imports MSAL."""
        from azdo_pat.api.entra import EntraHttp
        from azdo_pat.auth.entra import Entra

        http = EntraHttp(
            client.authority,
            timeout=self._timeout,
            ca_bundle=self._ca_bundle,
            trace=self._trace,
        )
        return Entra(client, http_client=http, cache=cache, now=self.now)

    @property
    def _timeout(self) -> tuple[float, float]:
        seconds = float(self.setting("timeout") or 30)
        return min(10.0, seconds), seconds

    @property
    def _ca_bundle(self) -> str | None:
        given = self.setting("ca-bundle")
        return str(Path(str(given)).expanduser()) if given else None

    def access_token(self) -> AccessToken:
        """Return the access token; see `Search.required` for what is raised."""
        return self.search.required()

    @cached_property
    def http(self) -> Http:
        """The connection to the service."""
        from azdo_pat.api.http import Http

        return Http(
            api_root=self.api_root,
            access_token=self.access_token,
            timeout=self._timeout,
            ca_bundle=self._ca_bundle,
            trace=self._trace,
            waiting=lambda seconds, reason: self.talk.notice(f"waiting {seconds:.0f} s: {reason}"),
            version=__version__,
        )

    last_date: tuple[str, datetime] | None = None
    """What the service's last answer said of the time, and when it came."""

    def _trace(self, exchange: Exchange) -> None:
        headers = exchange.received.headers if exchange.received else ()
        if dates := [value for name, value in headers if name.lower() == "date"]:
            self.last_date = dates[0], self.now()
        if not self.talk.verbose:
            return
        self.talk.detail(exchange.summary())
        if limit := exchange.rate_limit():
            self.talk.detail(limit)
        if self.talk.debug:
            self.talk.trace("\n".join(exchange.lines()))

    @cached_property
    def tokens(self) -> Tokens:
        """The lifecycle API; what an earlier run left behind is brought to its end first."""
        self._finish_what_was_begun(self.untouched_tokens)
        return self.untouched_tokens

    @cached_property
    def untouched_tokens(self) -> Tokens:
        """The same, with what an earlier run left behind still there."""
        from azdo_pat.api.tokens import Tokens

        self._set_aside_if_damaged(self.state_folder / "state.db")
        return Tokens(self.http)

    def _finish_what_was_begun(self, tokens: Tokens) -> None:
        """Bring to its end what an earlier run left behind; the command at hand goes on anyway."""
        try:
            if self.state.unfinished():
                self.recover(tokens, again=False)
        except PatError as error:
            self.talk.detail(f"what an earlier run left behind is still there: {error.message}")

    def finish_what_is_due(self, organization: Organization | None = None) -> Sequence[Recovered]:
        """Do so where the command at hand would not sign in; it goes on where that fails.

        A token that only `pat ensure` looks after would otherwise never see it done.

        Args:
            organization: do so there; None for everywhere.

        Returns:
            What became of each operation, as it was said.
        """
        url = organization.url if organization else None
        if not any(each.is_due(self.now()) for each in self.state.unfinished(url)):
            return ()
        try:
            self.access_token()
            return self.recover(self.tokens, again=True, org_url=url)
        except PatError as error:
            self.talk.warn(f"what an earlier run left behind is still there: {error.message}")
            return ()

    def recover(
        self, tokens: Tokens, *, again: bool, org_url: str | None = None
    ) -> Sequence[Recovered]:
        """Bring to its end what is left, and say what became of it; see `services.recovery`."""
        from azdo_pat.cli.leftovers import say_recovered
        from azdo_pat.services.recovery import Scope, recover

        shop = self.workshop_of(tokens)
        recovered = []
        scope = Scope(user=self.user(), api_root=self.api_root, org_url=org_url, again=again)
        for each in recover(shop, scope):
            say_recovered(self.talk, each)
            recovered.append(each)
        return recovered

    def user(self) -> str:
        """Return the sign-in name; empty where the access token does not tell."""
        return self.access_token().user

    @cached_property
    def directory(self) -> Directory:
        """Profile and organizations."""
        from azdo_pat.api.directory import Directory

        return Directory(self.http)

    @cached_property
    def book(self) -> OrganizationBook:
        """The names behind the GUIDs of organizations."""
        from azdo_pat.organizations import HOSTED_ROOT
        from azdo_pat.services.organization_book import OrganizationBook

        return OrganizationBook(
            state=self.state, directory=self.directory, api_root=self.api_root or HOSTED_ROOT
        )

    @cached_property
    def browser(self) -> Browser:
        """Listing and finding tokens."""
        from azdo_pat.services.browse import Browser

        return Browser(tokens=self.tokens, book=self.book, state=self.state)

    def exclusive(self, key: str) -> AbstractContextManager[None]:
        """Give the lock of that key between processes; see `store.locks.exclusive`."""
        from azdo_pat.store.locks import exclusive

        return exclusive(self.state_folder / "locks", key)

    def in_line(self, key: str) -> AbstractContextManager[None]:
        """Give a lock of that key between processes, waiting for it for two minutes."""
        from azdo_pat.store.locks import waiting

        digest = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return waiting(self.state_folder / "locks" / f"{digest}.lock", 120)

    @cached_property
    def workshop(self) -> Workshop:
        """What making tokens needs."""
        return self.workshop_of(self.tokens)

    def workshop_of(self, tokens: Tokens) -> Workshop:
        """Return what making tokens needs, with this client."""
        from azdo_pat.services.workshop import Workshop

        return Workshop(
            tokens=tokens,
            book=self.book,
            secrets=self.secrets,
            state=self.state,
            exclusive=self.exclusive,
            now=self.now,
            deliver=self._deliver,
            user=self.user,
        )

    def _deliver(self, delivery: Delivery, handover: Handover) -> None:
        self.carrier.deliver(delivery, handover)  # imported by the first that there is

    @cached_property
    def carrier(self) -> Carrier:
        """What brings secrets to other programs."""
        from azdo_pat.deliveries.carrier import Carrier
        from azdo_pat.deliveries.facts import Surroundings

        return Carrier(
            Surroundings(environment=self.environment, heard=self.talk.detail, alone=self.in_line)
        )

    @cached_property
    def maker(self) -> Maker:
        """What it takes to make a token of the organization at hand, or to replace one."""
        from azdo_pat.services.ensure import Maker

        organization = self.organization

        def try_out(secret: Secret) -> object:
            return self.directory.check_secret(organization, secret)

        return Maker(
            shop=self.workshop,
            browser=self.browser,
            alone=lambda name: self.in_line(f"ensure {name!r} in {organization.url}"),
            try_out=try_out,
        )

    def at(self, organization: Organization) -> App:
        """Return the parts for another organization, which may have a sign-in of its own."""
        sources = {**self.options.sources, "org": "the token"}
        other = App(self.options._replace(org=organization.url, sources=sources))
        other.secrets, other.state = self.secrets, self.state
        return other

    @cached_property
    def secrets(self) -> SecretStore:
        """The keyring."""
        from azdo_pat.store.secrets import SecretStore

        backend = self.environment.get("PAT_KEYRING") or self.file_values.get("keyring")
        return SecretStore(
            backend=str(backend) if backend else None,
            cache_file=self.state_folder / "keyring-backend",
            environment=self.environment,
        )

    @cached_property
    def state(self) -> State:
        """The state file."""
        from azdo_pat.store.database import has_header
        from azdo_pat.store.state import State

        file = self.state_folder / "state.db"
        if not has_header(file):  # the whole of it is looked at where a request is made anyway
            self._set_aside_if_damaged(file)
        return State(file)

    def _set_aside_if_damaged(self, file: Path) -> None:
        from azdo_pat.store.mending import set_aside_if_damaged

        if aside := set_aside_if_damaged(file, self.now()):
            self.talk.warn(
                f"the state file was damaged and is now {aside}; no secret is lost, and"
                " pat doctor --fix finds out anew what it knew"
            )

    @property
    def damaged_states(self) -> Sequence[Path]:
        """The damaged state files that were moved aside and not yet rebuilt from."""
        from azdo_pat.store.mending import damaged_files

        return damaged_files(self.state_folder / "state.db")

    @cached_property
    def located(self) -> tuple[Organization | None, str]:
        """The organization at hand and where its name came from, found without the network."""
        from azdo_pat.organizations import of_remotes, organization

        given = self.file_values.get("org") if self.options.org is None else self.options.org
        if given is not None:
            source = self.options.sources.get("org", "config file")
            return organization(str(given), root=self.api_root), source
        from azdo_pat.config.git import remote_urls

        found = of_remotes(remote_urls(Path.cwd(), self.environment), root=self.api_root)
        if found is not None:
            return found, "git remote"
        from azdo_pat.config.azure_cli import default_organization

        azure = self.environment.get("AZURE_CONFIG_DIR") or Path.home() / ".azure"
        text = default_organization(Path(azure))
        if text:
            return organization(text, root=self.api_root), "az devops defaults"
        return None, ""

    @cached_property
    def organization(self) -> Organization:
        """The organization at hand: located, or the only one that the user has.

        Raises:
            UsageError: none is named and the user has several.
            NotFoundError: the user has none.
            RefusedError: it is a collection of Azure DevOps Server.
        """
        found, source = self.located
        if found is None:
            found, source = self._only_one(), "the only one you have"
        self.talk.detail(f"organization {found.name} ({source})")
        if not found.hosted:
            from azdo_pat.services.server import no_lifecycle

            raise no_lifecycle(found)
        return found

    def _only_one(self) -> Organization:
        organizations = self.book.all()
        if len(organizations) == 1:
            return organizations[0]
        if not organizations:
            raise NotFoundError(
                "you belong to no organization of Azure DevOps",
                hint="sign in as somebody who does; pat status shows who you are",
            )
        names = ", ".join(each.name for each in organizations)
        raise UsageError(
            f"which organization? you have {names}",
            hint=f"add --org {organizations[0].name}, or set it once: pat config set org"
            f" {organizations[0].name}",
        )
