"""The composition root: each part of the program is made here, on first use.

Imports stand inside the functions that need them: a command pays for what it uses.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from azdo_pat import __version__
from azdo_pat.cli.surroundings import Surroundings
from azdo_pat.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from azdo_pat.api.directory import Directory
    from azdo_pat.api.http import Exchange, Http
    from azdo_pat.api.tokens import Tokens
    from azdo_pat.auth.source import Search, TokenSource
    from azdo_pat.models import AccessToken, Organization
    from azdo_pat.services.browse import Browser
    from azdo_pat.services.organization_book import OrganizationBook
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
        from azdo_pat.auth.azure_cli import AzureCliSource  # where the first has none: 4 ms

        yield AzureCliSource(environment=self.environment)

    def access_token(self) -> AccessToken:
        """Return the access token; see `Search.required` for what is raised."""
        return self.search.required()

    @cached_property
    def http(self) -> Http:
        """The connection to the service."""
        from azdo_pat.api.http import Http

        seconds = float(self.setting("timeout") or 30)
        return Http(
            api_root=self.api_root,
            access_token=self.access_token,
            timeout=(min(10.0, seconds), seconds),
            trace=self._trace,
            waiting=lambda seconds, reason: self.talk.notice(f"waiting {seconds:.0f} s: {reason}"),
            version=__version__,
        )

    def _trace(self, exchange: Exchange) -> None:
        status = exchange.status if exchange.status is not None else "no answer"
        activity = f" activity {exchange.activity_id}" if exchange.activity_id else ""
        note = f" ({exchange.note})" if exchange.note else ""
        self.talk.trace(
            f"{exchange.method} {exchange.url}: {status} in {exchange.seconds:.3f} s"
            f"{activity}{note}"
        )

    @cached_property
    def tokens(self) -> Tokens:
        """The lifecycle API."""
        from azdo_pat.api.tokens import Tokens

        return Tokens(self.http)

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

    @cached_property
    def workshop(self) -> Workshop:
        """What making tokens needs."""
        from azdo_pat.services.workshop import Workshop

        return Workshop(
            tokens=self.tokens,
            book=self.book,
            secrets=self.secrets,
            state=self.state,
            exclusive=self.exclusive,
            now=self.now,
        )

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
        from azdo_pat.store.state import State

        return State(self.state_folder / "state.db")

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
