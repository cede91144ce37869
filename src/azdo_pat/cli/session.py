"""The organization, the sign-in, the HTTP connection and the keyring of one run.

Imports are inside the functions that need them, so that a command imports only what it uses.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import UTC
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from azdo_pat import __version__
from azdo_pat.errors import PatError, StoreError, UsageError
from azdo_pat.homes import expanded, home_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from azdo_pat.api.http import Http
    from azdo_pat.api.trace import Exchange
    from azdo_pat.auth.azure_cli import AzureCliSource
    from azdo_pat.auth.chain import Search, TokenSource
    from azdo_pat.auth.client import Client
    from azdo_pat.auth.msal_client import MsalClient
    from azdo_pat.auth.saved_sign_in import OwnSource, SavedSignIns
    from azdo_pat.auth.sign_ins import SignIn
    from azdo_pat.auth.storage import SignInStorage
    from azdo_pat.cli.runtime import Runtime
    from azdo_pat.models import AccessToken, Organization, Secret
    from azdo_pat.store.secrets import SecretStore


class Session:
    """The sign-in, organization, connection and keyring of one run.

    Attributes:
        applications: whether a service principal or managed identity may sign in; to be set before
            anyone does.
    """

    applications = False

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    @cached_property
    def api_root(self) -> str | None:
        """`PAT_API_URL`, validated; None for Microsoft's hosts."""
        given = self.runtime.environment.get("PAT_API_URL")
        if not given:
            return None
        from azdo_pat.organizations import api_root

        return api_root(given)

    @cached_property
    def search(self) -> Search:
        """The search for an access token, done once."""
        from azdo_pat.auth.chain import first_that_answers

        found = first_that_answers(
            self._sources, self.runtime.now(), applications=self.applications
        )
        if found.token is not None:
            self.runtime.messages.detail(f"access token from {found.token.source}")
        return found

    def renewed_token(self, rejected: AccessToken, claims: str) -> AccessToken | None:
        """Return a new access token in place of one that the service rejected, or None.

        The source that it came from is asked; the variable has no other.
        """
        from azdo_pat.auth.azure_cli import NAME as AZURE_CLI
        from azdo_pat.auth.saved_sign_in import NAME as SAVED

        if rejected.source not in {SAVED, AZURE_CLI}:
            return None
        self.runtime.messages.detail("the access token was rejected: requesting a new one")
        now = self.runtime.now()
        if rejected.source == AZURE_CLI:
            fresh = self._azure_cli().in_place_of(rejected, now)
        else:
            fresh = self._own_source().in_place_of(rejected.secret, claims, now)
        if fresh is not None:
            self.search = self.search._replace(token=fresh)
        return fresh

    @property
    def _sources(self) -> Iterator[TokenSource]:
        from azdo_pat.auth.chain import Withheld
        from azdo_pat.auth.client import MICROSOFT
        from azdo_pat.auth.environment import EnvironmentSource

        yield EnvironmentSource(value=self.runtime.options.access_token)
        from azdo_pat.auth.saved_sign_in import NAME

        if self._may_see_sign_ins_at(self.authority) or not self.memory.any:
            yield self._own_source()
        else:
            yield Withheld(name=NAME)
        az = self._azure_cli()
        asked = self._may_see_sign_ins_at(MICROSOFT) or az.program is None
        yield az if asked else Withheld(name=az.name)

    def _may_see_sign_ins_at(self, authority: str) -> bool:
        """Return whether access tokens of an authority may be sent to `PAT_API_URL`.

        Any local process may listen on `http://127.0.0.1:PORT`, so it must not get a sign-in at
        Microsoft. It may get one at an emulator.
        """
        from azdo_pat.auth.client import is_microsoft

        plain = (self.api_root or "").startswith("http:")
        return not (plain and is_microsoft(authority))

    @property
    def may_be_signed_in(self) -> bool:
        """Whether there is something to sign in with, as far as is known without the network."""
        given = self.runtime.options.access_token
        if (given is not None and given.reveal().strip()) or self.memory.any:
            return True
        return self._azure_cli().was_used

    @property
    def source_names(self) -> tuple[str, ...]:
        """The names of all sources of access tokens, in their order."""
        return tuple(source.name for source in self._sources)

    def _azure_cli(self) -> AzureCliSource:
        from azdo_pat.auth.azure_cli import AzureCliSource  # only where it is asked: 4 ms

        tenant = str(self.runtime.setting("tenant") or "")
        return AzureCliSource(
            environment=self.runtime.environment, tenant=tenant, waits=self.runtime.waits
        )

    def _own_source(self) -> OwnSource:
        from azdo_pat.auth.saved_sign_in import OwnSource

        return OwnSource(
            memory=self.memory, organization=self.url_at_hand, entra=self.renewing_entra
        )

    def url_at_hand(self) -> str:
        """Return the URL of the current organization, or an empty string."""
        try:
            found, _ = self.located
        except PatError:  # reported when the organization is needed
            return ""
        return found.url if found is not None else ""

    def renewing_entra(self, sign_in: SignIn, cache: Secret | None) -> MsalClient:
        """Return the client that renews a sign-in, from MSAL's cache; imports MSAL."""
        from azdo_pat.auth.client import Client

        client = Client(
            authority=self.authority, tenant=sign_in.tenant, client_id=sign_in.client_id
        )
        return self.entra(client, cache)

    @cached_property
    def authority(self) -> str:
        """The Entra authority: `PAT_AUTHORITY`, or Microsoft's own."""
        from azdo_pat.auth.client import authority_root

        return authority_root(self.runtime.environment.get("PAT_AUTHORITY"))

    @cached_property
    def memory(self) -> SavedSignIns:
        """The saved sign-ins."""
        from azdo_pat.auth.saved_sign_in import SavedSignIns
        from azdo_pat.auth.storage import ChunkedStorage, KeyringStorage

        owner = f"sign-in:{self.authority}"
        small = ChunkedStorage if sys.platform == "win32" else KeyringStorage
        return SavedSignIns(
            sign_ins=small(self.secrets, owner, "sign-ins"),
            cache=self._cache_place(owner),
            turn=self._sign_in_turn,
            marker=self.runtime.state_folder / "sign-ins",
            name=self.authority,
        )

    def _cache_place(self, owner: str) -> SignInStorage:
        place: SignInStorage
        if sys.platform in {"win32", "darwin"}:
            from azdo_pat.auth.protected_storage import ProtectedFileStorage

            digest = sha256(owner.encode()).hexdigest()[:16]
            place = ProtectedFileStorage(self.runtime.state_folder / f"sign-in-{digest}.bin")
        else:
            from azdo_pat.auth.storage import KeyringStorage

            place = KeyringStorage(self.secrets, owner, "refresh")
        return place

    def _sign_in_turn(self) -> AbstractContextManager[None]:
        from azdo_pat.store.locks import waiting

        return waiting(self.runtime.state_folder / "locks" / "sign-in.lock", 30)

    def entra_client(self, *, tenant: str | None, client_id: str | None) -> Client:
        """Return the application and tenant to sign in with; default: the organization's tenant."""
        from azdo_pat.auth.client import ANY_TENANT, AZURE_CLI, Client

        wanted = str(tenant or self.runtime.setting("tenant") or "")
        found, _ = self.located
        if not wanted and found is not None and found.hosted:
            from azdo_pat.api.entra_transport import tenant_of

            wanted = tenant_of(self.http, found.name)
        return Client(
            authority=self.authority,
            tenant=wanted or ANY_TENANT,
            client_id=str(client_id or self.runtime.setting("client-id") or AZURE_CLI),
        )

    def entra(self, client: Client, cache: Secret | None) -> MsalClient:
        """Return the MSAL client; imports MSAL."""
        from azdo_pat.api.entra_transport import EntraHttp
        from azdo_pat.auth.msal_client import MsalClient

        http = EntraHttp(
            client.authority,
            timeout=self._timeout,
            ca_bundle=self._ca_bundle,
            trace=self._trace,
            waits=self.runtime.waits,
        )
        return MsalClient(client, http_client=http, cache=cache, now=self.runtime.now)

    @property
    def _timeout(self) -> tuple[float, float]:
        seconds = float(self.runtime.setting("timeout") or 30)
        return min(10.0, seconds), seconds

    @property
    def _ca_bundle(self) -> str | None:
        given = self.runtime.setting("ca-bundle")
        return str(expanded(Path(str(given)))) if given else None

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
            renewed=self.renewed_token,
            timeout=self._timeout,
            ca_bundle=self._ca_bundle,
            trace=self._trace,
            pausing=self._say_pause,
            waits=self.runtime.waits,
            version=__version__,
        )

    def http_without_sign_in(self, ca_bundle: str | None = None) -> Http:
        """Return a connection to services other than Azure DevOps.

        Each request has a credential of its own.

        Args:
            ca_bundle: a file of certificates to trust instead of those that are set.
        """
        from azdo_pat.api.http import Http

        def no_access_token() -> AccessToken:
            raise AssertionError("a request to another service has no credential of its own")

        return Http(
            api_root=None,
            access_token=no_access_token,
            timeout=self._timeout,
            ca_bundle=ca_bundle or self._ca_bundle,
            trace=self._trace_of_others,
            pausing=self._say_pause,
            waits=self.runtime.waits,
            version=__version__,
            headers={},
        )

    def _say_pause(self, seconds: float, reason: str) -> None:
        line = self.runtime.waiting_line
        if line is not None and not line.is_hidden:
            return  # it says so, for as long as it lasts
        self.runtime.messages.notice(f"waiting {seconds:.0f} s: {reason}")

    last_date: tuple[str, datetime] | None = None
    """The `Date` header of the service's last response, and when it arrived."""

    def service_time(self) -> datetime | None:
        """Return the time of the service's clock by its last response, or None without one."""
        if self.last_date is None:
            return None
        from email.utils import parsedate_to_datetime

        told, at = self.last_date
        try:
            return parsedate_to_datetime(told).astimezone(UTC) + (self.runtime.now() - at)
        except (TypeError, ValueError, OverflowError):
            return None

    def _trace(self, exchange: Exchange) -> None:
        headers = exchange.received.headers if exchange.received else ()
        if dates := [value for name, value in headers if name.lower() == "date"]:
            self.last_date = dates[0], self.runtime.now()
        self._trace_of_others(exchange)

    def _trace_of_others(self, exchange: Exchange) -> None:
        """Show an exchange with a service, whose clock is not that of Azure DevOps."""
        if not self.runtime.messages.verbose:
            return
        self.runtime.messages.detail(exchange.summary())
        if limit := exchange.rate_limit():
            self.runtime.messages.detail(limit)
        if self.runtime.messages.debug:
            self.runtime.messages.trace("\n".join(exchange.lines()))

    def use_pat(self, secret: Secret, source: str) -> None:
        """Sign in with a personal access token from now on; only few APIs accept one.

        Args:
            secret: the token.
            source: where it came from, in words.
        """
        from azdo_pat.auth.chain import Search
        from azdo_pat.models import AccessToken

        token = AccessToken(
            secret=secret,
            source=source,
            sign_in_hint="check that the token is active, belongs to a user of the organization,"
            " and has the scopes of: pat scopes --for admin",
            is_pat=True,
        )
        self.search = Search(token=token, failure=None, reports=())

    def user(self) -> str:
        """Return the sign-in name; empty if the access token does not contain it."""
        return self.access_token().user

    @cached_property
    def secrets(self) -> SecretStore:
        """The keyring."""
        from azdo_pat.store.secrets import SecretStore

        backend = self.runtime.environment.get("PAT_KEYRING") or self.runtime.file_values.get(
            "keyring"
        )
        if self.runtime.environment.get("PAT_SANDBOX"):
            self._require_sandbox_keyring(backend)
        return SecretStore(
            backend=str(backend) if backend else None,
            cache_file=self.runtime.state_folder / "keyring-backend",
            environment=self.runtime.environment,
            on_terminal=not self.runtime.must_not_ask
            and (sys.stdin.isatty() or self.runtime.err.isatty()),
            waits=self.runtime.waits,
        )

    def _require_sandbox_keyring(self, backend: object) -> None:
        """Check that a sandbox does not use the user's own keyring.

        Raises:
            StoreError: a start file of the user's shell has named it again.
        """
        from azdo_pat.store.secrets import SANDBOX_BACKEND

        if backend != SANDBOX_BACKEND:
            raise StoreError(
                "this is a sandbox, but PAT_KEYRING no longer names its keyring",
                hint="something that your shell runs sets it; for a shell without your settings,"
                " leave this one, and run: pat sandbox sh",
            )

    @cached_property
    def located(self) -> tuple[Organization | None, str]:
        """The current organization and where it came from, found without the network."""
        from azdo_pat.organizations import of_remotes, organization

        given = (
            self.runtime.file_values.get("org")
            if self.runtime.options.org is None
            else self.runtime.options.org
        )
        if given is not None:
            source = self.runtime.options.sources.get("org", "config file")
            return organization(str(given), root=self.api_root), source
        found = of_remotes(self._remote_urls(), root=self.api_root)
        if found is not None:
            return found, "git remote"
        from azdo_pat.config.discovery import default_organization

        azure, text = self.runtime.environment.get("AZURE_CONFIG_DIR"), None
        with suppress(UsageError):  # without a home folder there are no settings of az, either
            text = default_organization(Path(azure) if azure else home_folder() / ".azure")
        if text:
            return organization(text, root=self.api_root), "az devops defaults"
        return None, ""

    def _remote_urls(self) -> Sequence[str]:
        """Return the remotes of the git repository in the current folder; none if it is gone."""
        from azdo_pat.config.discovery import remote_urls

        try:
            folder = Path.cwd()
        except OSError:  # deleted, or not to be read: then no repository can be found in it
            return ()
        return remote_urls(folder, self.runtime.environment)
