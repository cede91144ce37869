"""The composition root: each part of the program is made here, on first use.

Time, environment, streams and folders are read here and nowhere else. Imports stand inside the
functions that need them: a command pays for what it uses.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from azdo_pat import __version__
from azdo_pat.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from azdo_pat.api.directory import Directory
    from azdo_pat.api.http import Exchange, Http
    from azdo_pat.api.tokens import Tokens
    from azdo_pat.auth.source import Search, TokenSource
    from azdo_pat.cli.globals import GlobalOptions
    from azdo_pat.config.settings import Setting, Value
    from azdo_pat.models import AccessToken, Organization, Pat
    from azdo_pat.output.grid import Grid
    from azdo_pat.output.render import Renderer
    from azdo_pat.output.screen import Screen
    from azdo_pat.output.talk import Talk
    from azdo_pat.services.browse import Browser
    from azdo_pat.services.organization_book import OrganizationBook
    from azdo_pat.services.workshop import Workshop
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State

_OFF: Final = {"", "0", "false", "no", "off"}


class App:
    """The parts of the program, for one run of one command."""

    def __init__(self, options: GlobalOptions) -> None:
        self.options = options
        self.environment: Mapping[str, str] = os.environ

    # -- time, streams, folders ----------------------------------------------------------------

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC)

    @property
    def out(self) -> TextIO:
        """Standard output: data."""
        return sys.stdout

    @property
    def err(self) -> TextIO:
        """Standard error: talk."""
        return sys.stderr

    @cached_property
    def config_file(self) -> Path:
        """The configuration file; it need not exist."""
        return self._folder("PAT_CONFIG_DIR", "config_folder") / "config.toml"

    @cached_property
    def state_folder(self) -> Path:
        """Where `pat` keeps what it remembers; it need not exist."""
        return self._folder("PAT_STATE_DIR", "state_folder")

    def _folder(self, variable: str, otherwise: str) -> Path:
        given = self.environment.get(variable)
        if given:
            return Path(given).expanduser()
        from azdo_pat.config import paths

        folder: Path = getattr(paths, otherwise)()
        return folder

    # -- settings ------------------------------------------------------------------------------

    @cached_property
    def file_values(self) -> Mapping[str, Value]:
        """What the configuration file sets."""
        if not self.config_file.exists():
            return {}
        from azdo_pat.config.reading import read

        return read(self.config_file)

    def setting(self, name: str) -> Value | None:
        """Return a setting: option, environment, file, default, in this order."""
        return self.explained(name).value

    def explained(self, name: str) -> Setting:
        """Return a setting and where it came from."""
        from azdo_pat.config.settings import Setting, key_named, parse_value

        key = key_named(name)
        given = getattr(self.options, name.replace("-", "_"), None)
        if given is not None:
            source = self.options.sources.get(name.replace("-", "_"), "option")
            return Setting(key=name, value=given, source=source, summary=key.summary)
        variable = self.environment.get(key.variable)
        if variable:
            value = parse_value(key, variable, where=key.variable)
            return Setting(key=name, value=value, source=key.variable, summary=key.summary)
        if name in self.file_values:
            value = self.file_values[name]
            return Setting(key=name, value=value, source="config file", summary=key.summary)
        return Setting(key=name, value=key.default, source="default", summary=key.summary)

    def _switch(self, name: str) -> bool:
        return bool(self._quick(name))

    def _quick(self, name: str) -> Value | None:
        """Return an option or what the file says, without the import of all that is known of it."""
        given: Value | None = getattr(self.options, name.replace("-", "_"), None)
        return self.file_values.get(name) if given is None else given

    # -- talking and showing -------------------------------------------------------------------

    @cached_property
    def talk(self) -> Talk:
        """What the program says on stderr."""
        from azdo_pat.output.talk import Talk

        return Talk(
            err=self.err,
            quiet=self._switch("quiet"),
            verbose=self._switch("verbose"),
            debug=self._switch("debug"),
            color=self._color(self.err),
        )

    @property
    def may_ask(self) -> bool:
        """Tell whether somebody is there to answer a prompt."""
        if self._switch("no-input") or self.environment.get("CI", "").lower() not in _OFF:
            return False
        return sys.stdin.isatty() and self.err.isatty()

    @cached_property
    def render(self) -> Renderer:
        """What writes results to stdout, in the format that was asked for."""
        from azdo_pat.output.formats import Format
        from azdo_pat.output.render import Renderer

        return Renderer(
            out=self.out,
            format=Format(str(self._quick("output") or "table")),
            now=self.now(),
            screen=self.screen(self.out),
            draw=_draw,
            query=self.query,
        )

    @cached_property
    def query(self) -> Callable[[object], object] | None:
        """What `--query` does to a document."""
        if self.options.query is None:
            return None
        from azdo_pat.output.query import compile_query

        return compile_query(self.options.query)

    @property
    def streams(self) -> bool:
        """Tell whether tokens are written one by one as they come, none of them held."""
        return self._quick("output") in {"jsonl", "csv", "tsv", "none"} and not self.options.query

    def screen(self, stream: TextIO) -> Screen:
        """Describe a stream as a place to draw a table on."""
        from azdo_pat.output.screen import Screen

        given = self.environment.get("COLUMNS", "")
        width = int(given) if given.isascii() and given.isdigit() and int(given) > 0 else None
        if width is None and stream.isatty():
            width = shutil.get_terminal_size().columns
        return Screen(color=self._color(stream), width=width)

    @contextmanager
    def progress(self, total: int, label: str) -> Iterator[Callable[[], None]]:
        """Show progress on stderr while something long runs, where a person can see it."""
        if total <= 1 or not self.err.isatty() or self._switch("quiet"):
            yield lambda: None
            return
        from azdo_pat.output.progress import progress

        color = self._color(self.err)
        with progress(self.err, total, label, enabled=True, color=color) as done:
            yield done

    def preview(self, pats: Sequence[Pat]) -> None:
        """Show on stderr which tokens something is about to happen to."""
        from azdo_pat.output.preview import preview

        preview(self.err, pats, self.now(), self.screen(self.err))

    def _color(self, stream: TextIO) -> bool:
        wish = self._quick("color") or "auto"
        if wish != "auto":
            return wish == "always"
        plain = self.environment.get("NO_COLOR") or self.environment.get("TERM") == "dumb"
        return stream.isatty() and not plain

    # -- signing in and the service --------------------------------------------------------------

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

    @cached_property
    def workshop(self) -> Workshop:
        """What making tokens needs."""
        from azdo_pat.services.workshop import Workshop
        from azdo_pat.store.locks import exclusive

        def lock(key: str) -> AbstractContextManager[None]:
            return exclusive(self.state_folder / "locks", key)

        return Workshop(
            tokens=self.tokens,
            book=self.book,
            secrets=self.secrets,
            state=self.state,
            exclusive=lock,
            now=self.now,
        )

    # -- what this machine keeps -----------------------------------------------------------------

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

    # -- the organization at hand ------------------------------------------------------------------

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


def _draw(grid: Grid, screen: Screen, out: TextIO) -> None:
    from azdo_pat.output.table import draw

    draw(grid, screen, out)
