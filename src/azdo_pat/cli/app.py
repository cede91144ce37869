"""The composition root: each part of the program is made here, on first use.

Imports stand inside the functions that need them: a command pays for what it uses.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

from azdo_pat.cli.runtime import Runtime
from azdo_pat.cli.session import Session
from azdo_pat.errors import NotFoundError, PatError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from azdo_pat.api.directory import Directory
    from azdo_pat.api.tokens import Tokens
    from azdo_pat.cli.global_options import GlobalOptions
    from azdo_pat.models import Handover, Organization, Secret
    from azdo_pat.operations.deps import Deps
    from azdo_pat.operations.local_secrets import Storage
    from azdo_pat.operations.organization_cache import OrganizationCache
    from azdo_pat.renewal import Delivery
    from azdo_pat.results import Recovered
    from azdo_pat.services.ensure import Maker
    from azdo_pat.services.find_tokens import TokenFinder
    from azdo_pat.store.state import State


class App:
    """The composed program, for one run of one command."""

    def __init__(self, options: GlobalOptions) -> None:
        self.runtime = Runtime(options)
        self.session = Session(self.runtime)

    @cached_property
    def tokens(self) -> Tokens:
        """The token lifecycle API; unfinished operations of earlier runs are recovered first."""
        self._recover_first(self.untouched_tokens)
        return self.untouched_tokens

    @cached_property
    def untouched_tokens(self) -> Tokens:
        """The token lifecycle API, without recovery."""
        from azdo_pat.api.tokens import Tokens

        self._set_aside_if_damaged(self.runtime.state_folder / "state.db")
        return Tokens(self.session.http, self._say_odd)

    def _recover_first(self, tokens: Tokens) -> None:
        """Recover unfinished operations; a failure does not stop the current command."""
        try:
            self.session.secrets.clear_probes()
            if self.state.unfinished():
                self.recover(tokens, again=False)
        except PatError as error:
            self.runtime.messages.detail(
                f"what an earlier run left behind is still there: {error.message}"
            )

    def finish_what_is_due(self, organization: Organization | None = None) -> Sequence[Recovered]:
        """Recover due operations in a command that does not need a sign-in itself.

        Without this, nothing would recover the tokens of a user who runs only `pat ensure`.

        Args:
            organization: recover only there; None for everywhere.

        Returns:
            The outcome of each operation, which was reported on stderr.
        """
        url = organization.url if organization else None
        self.recover_local(url)
        unfinished = self.state.unfinished(url)
        if not unfinished:
            return ()
        from azdo_pat.journal import is_due

        if not any(is_due(each, self.runtime.now()) for each in unfinished):
            return ()
        try:
            self.session.access_token()
            return self.recover(self.tokens, again=True, org_url=url)
        except PatError as error:
            self.runtime.messages.warn(
                f"what an earlier run left behind is still there: {error.message}"
            )
            return ()

    def recover(
        self, tokens: Tokens, *, again: bool, org_url: str | None = None
    ) -> Sequence[Recovered]:
        """Recover unfinished operations and report each outcome; see `operations.recovery`."""
        from azdo_pat.cli.recovery_messages import say_recovered
        from azdo_pat.operations.recovery import RecoveryScope, recover

        deps = self.deps_for(tokens)
        recovered = []
        scope = RecoveryScope(
            user=self.session.user(), api_root=self.session.api_root, org_url=org_url, again=again
        )
        for each in recover(deps, scope):
            say_recovered(self.runtime.messages, each)
            recovered.append(each)
        return recovered

    def recover_local(self, org_url: str | None = None) -> None:
        """Recover imports and forgets, which need no sign-in, and report each outcome."""
        if not self.state.unfinished(org_url):
            return
        from azdo_pat.cli.recovery_messages import say_recovered
        from azdo_pat.operations.local_secrets import recover_local

        for each in recover_local(self.storage, org_url=org_url):
            say_recovered(self.runtime.messages, each)

    @property
    def storage(self) -> Storage:
        """What it takes to change what is stored here."""
        from azdo_pat.operations.local_secrets import Storage

        return Storage(
            secrets=self.session.secrets,
            state=self.state,
            exclusive=self.exclusive,
            now=self.runtime.now,
        )

    @cached_property
    def odd_rows(self) -> dict[str, str]:
        """What could not be read of the service's answers in this run: the first of it."""
        return {}

    def _say_odd(self, what: str) -> None:
        """Say once a run that an answer has something that cannot be read; each with -v."""
        # One step, as several organizations are listed side by side.
        if self.odd_rows.setdefault("first", what) is what:
            self.runtime.messages.notice(
                f"the service's answer cannot be read in full: {what}; what cannot be read is"
                " shown as unknown, and is in the way of nothing else"
            )
        else:
            self.runtime.messages.detail(f"cannot be read in full: {what}")

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

    @cached_property
    def browser(self) -> TokenFinder:
        """Listing and finding tokens."""
        from azdo_pat.services.find_tokens import TokenFinder

        return TokenFinder(
            tokens=self.tokens, organization_cache=self.organization_cache, state=self.state
        )

    def exclusive(self, key: str) -> AbstractContextManager[None]:
        """Give the lock of that key between processes; see `store.locks.exclusive`."""
        from azdo_pat.store.locks import exclusive

        return exclusive(self.runtime.state_folder / "locks", key)

    def in_line(self, key: str) -> AbstractContextManager[None]:
        """Give a lock of that key between processes, waiting for it for two minutes."""
        from azdo_pat.store.locks import waiting

        digest = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return waiting(self.runtime.state_folder / "locks" / f"{digest}.lock", 120)

    @cached_property
    def deps(self) -> Deps:
        """What making tokens needs."""
        return self.deps_for(self.tokens)

    def deps_for(self, tokens: Tokens) -> Deps:
        """Return what making tokens needs, with this client."""
        from azdo_pat.operations.deps import Deps

        return Deps(
            tokens=tokens,
            organization_cache=self.organization_cache,
            secrets=self.session.secrets,
            state=self.state,
            exclusive=self.exclusive,
            now=self.runtime.now,
            deliver=self._deliver,
            user=self.session.user,
            service_time=self.session.service_time,
        )

    def _deliver(self, delivery: Delivery, handover: Handover) -> None:
        from azdo_pat.deliveries.dispatch import deliver
        from azdo_pat.deliveries.placeholders import DeliveryEnvironment

        context = DeliveryEnvironment(
            environment=self.runtime.environment, alone=self.in_line, lend=self.session.secrets.lend
        )
        deliver(delivery, handover, context)

    @cached_property
    def maker(self) -> Maker:
        """What it takes to make a token of the organization at hand, or to replace one."""
        from azdo_pat.services.ensure import Maker

        organization = self.organization

        def try_out(secret: Secret) -> object:
            return self.directory.check_secret(organization, secret)

        return Maker(
            deps=self.deps,
            browser=self.browser,
            alone=lambda name: self.in_line(f"ensure {name!r} in {organization.url}"),
            try_out=try_out,
        )

    def at(self, organization: Organization) -> App:
        """Return the parts for another organization, which may have a sign-in of its own."""
        sources = {**self.runtime.options.sources, "org": "the token"}
        other = App(self.runtime.options._replace(org=organization.url, sources=sources))
        other.session.secrets, other.state = self.session.secrets, self.state
        other.odd_rows = self.odd_rows
        return other

    @cached_property
    def state(self) -> State:
        """The state file."""
        from azdo_pat.store.database import has_header
        from azdo_pat.store.state import State

        file = self.runtime.state_folder / "state.db"
        if not has_header(file):  # the whole of it is looked at where a request is made anyway
            self._set_aside_if_damaged(file)
        return State(file)

    def look_at_state(self) -> None:
        """Look at the whole of the state file; move it aside if it is damaged."""
        self._set_aside_if_damaged(self.runtime.state_folder / "state.db")

    def _set_aside_if_damaged(self, file: Path) -> None:
        from azdo_pat.store.repair import set_aside_if_damaged

        if aside := set_aside_if_damaged(file, self.runtime.now()):
            self.runtime.messages.warn(
                f"the state file was damaged and is now {aside}; no secret is lost, and"
                " pat doctor --fix finds out anew what it knew"
            )

    @property
    def damaged_states(self) -> Sequence[Path]:
        """The damaged state files that were moved aside and not yet rebuilt from."""
        from azdo_pat.store.repair import damaged_files

        return damaged_files(self.runtime.state_folder / "state.db")

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
                "you belong to no organization of Azure DevOps",
                hint="sign in as a user who does; to see who you are, run: pat status",
            )
        names = ", ".join(each.name for each in organizations)
        raise UsageError(
            f"which organization? you have {names}",
            hint=f"add --org {organizations[0].name}, or set it once: pat config set org"
            f" {organizations[0].name}",
        )
