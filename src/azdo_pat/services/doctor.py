"""Diagnoses problems, and repairs some of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from azdo_pat.errors import DamagedError, DoubtfulError, PatError
from azdo_pat.journal import VERBS, is_due, revoked_by
from azdo_pat.models import Organization, Secret, Status, StoredPat
from azdo_pat.naming import as_argument
from azdo_pat.operations.name_lock import lock_key
from azdo_pat.operations.ownership import is_own
from azdo_pat.operations.revocation import delete_own
from azdo_pat.organizations import is_of_root
from azdo_pat.results import Check, Health, RecoveryOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from azdo_pat.journal import JournalEntry, Operation
    from azdo_pat.operations.name_lock import Exclusive
    from azdo_pat.results import Recovered
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State

_CLOCKS_APART: Final = timedelta(minutes=5)
_FIX: Final = "pat doctor --fix"
Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class DoctorDeps:
    """The dependencies of the checks; a PatError that a callable raises is the problem to report.

    Attributes:
        sign_in: returns who is signed in, and from where, in words.
        organization: returns the current one, and where its name came from.
        identity: asks the service who the user is.
        active: lists an organization's active tokens, and returns a summary.
        listed: returns the ids of an organization's tokens by their status.
        clock: returns how far this machine's clock is ahead of the service's; None if unknown.
        network: returns which proxy and certificates are in force, in words.
        recover: completes or rolls back unfinished operations; only `pat doctor --fix` calls it.
        recover_local: does so with operations that need no sign-in.
        set_aside: moves a damaged state file aside; returns False if it cannot.
        rebuild: rebuilds the state file from service and keyring; returns a summary,
            and whether anything was found.
        damaged: the damaged files that were moved aside.
    """

    now: datetime
    api_root: str | None
    sign_in: Callable[[], str]
    organization: Callable[[], tuple[Organization, str]]
    identity: Callable[[], str]
    active: Callable[[Organization], str]
    listed: Callable[[Organization, Status], frozenset[str]]
    clock: Callable[[], timedelta | None]
    network: Callable[[], str]
    recover: Callable[[], Sequence[Recovered]]
    recover_local: Callable[[], None]
    set_aside: Callable[[], bool]
    rebuild: Callable[[], tuple[str, bool]]
    damaged: Sequence[str]
    secrets: SecretStore
    state: State
    exclusive: Exclusive


def examine(deps: DoctorDeps, *, fix: bool) -> tuple[Check, ...]:
    """Run all checks, continuing after failures; repair what can be repaired if `fix`."""
    return _Examination(deps, fix=fix).all()


@dataclass
class _Examination:
    deps: DoctorDeps
    fix: bool
    checks: list[Check] = field(default_factory=list)

    def all(self) -> tuple[Check, ...]:
        deps = self.deps
        signed_in = self._try("sign-in", deps.sign_in)
        self._try("network", deps.network)
        if signed_in is None:
            self._note("service", Health.SKIPPED, "not signed in")
        else:
            self._try("service", deps.identity)
        self._clock()
        organization = self._try_organization()
        if organization is None or signed_in is None:
            self._note("permission", Health.SKIPPED, "needs a sign-in and an organization")
        else:
            self._try("permission", lambda: deps.active(organization))
        keyring = self._try("keyring", self._keyring)
        self._state_file()
        self._leftovers()
        if keyring is not None:
            self._secrets(able_to_ask=signed_in is not None)
        return tuple(self.checks)

    def _note(self, name: str, health: Health, detail: str, fix: str = "") -> None:
        self.checks.append(Check(name=name, status=health, detail=detail, fix=fix))

    def _try(self, name: str, look: Callable[[], str]) -> str | None:
        try:
            detail = look()
        except PatError as error:
            self._note(name, Health.PROBLEM, error.message, error.hint)
            return None
        self._note(name, Health.OK, detail)
        return detail

    def _try_organization(self) -> Organization | None:
        try:
            found, source = self.deps.organization()
        except PatError as error:
            self._note("organization", Health.PROBLEM, error.message, error.hint)
            return None
        self._note("organization", Health.OK, f"{found.name} (from {source})")
        return found

    def _clock(self) -> None:
        ahead = self.deps.clock()
        if ahead is None:
            self._note("clock", Health.SKIPPED, "the service could not be reached")
        elif abs(ahead) > _CLOCKS_APART:
            how = "ahead of" if ahead > timedelta() else "behind"
            minutes = abs(ahead) // timedelta(minutes=1)
            check = Check(
                name="clock",
                status=Health.PROBLEM,
                detail=f"this machine's clock is {minutes} minutes {how} the service's",
                fix="correct it, or synchronize it with the network (timedatectl set-ntp true)",
            )
            self.checks.insert(0, check)  # it may cause other failures: tokens look expired
        else:
            self._note("clock", Health.OK, "agrees with the service's")

    def _keyring(self) -> str:
        self.deps.secrets.check()
        return self.deps.secrets.describe()

    def _state_file(self) -> None:
        deps = self.deps
        try:
            count = len(deps.state.stored())
            deps.state.unfinished()
            deps.state.check_writable()
        except PatError as error:
            if self.fix and isinstance(error, DamagedError) and deps.set_aside():
                self._rebuild()
            else:
                self._note("state file", Health.PROBLEM, error.message, error.hint)
            return
        if self.fix and not count:
            self._rebuild()  # it may have been deleted, which cannot be detected
        elif not deps.damaged:
            self._note("state file", Health.OK, f"tokens known: {count}")
        elif self.fix:
            self._rebuild()
        else:
            names = ", ".join(deps.damaged)
            self._note(
                "state file",
                Health.PROBLEM,
                f"a damaged one was moved aside and not rebuilt: {names}",
                _FIX,
            )

    def _rebuild(self) -> None:
        try:
            words, found = self.deps.rebuild()
            lost = found or bool(self.deps.damaged)
            self._note(
                "state file",
                Health.FIXED if lost else Health.OK,
                words if lost else "tokens known: 0",
            )
        except PatError as error:
            self._note("state file", Health.PROBLEM, error.message, error.hint)

    def _leftovers(self) -> None:
        failures: dict[int | None, PatError] = {}
        tried: set[int | None] = set()
        try:
            left = self._due()
            if left and self.fix:
                for each in self._recovered():
                    tried.add(each.operation.entry.key)
                    what = _words(each.operation)
                    if each.failure is not None:
                        failures[each.operation.entry.key] = each.failure
                    elif each.outcome is RecoveryOutcome.STILL_ACTIVE:
                        self._still_active(each.operation)
                    elif each.is_finished and each.outcome is not None:
                        self._note("leftovers", Health.FIXED, f"{what}: {each.outcome.value}")
                left = self._due()
        except PatError as error:
            self._note("leftovers", Health.PROBLEM, error.message, error.hint)
            return
        for operation in left:
            entry = operation.entry
            failure = failures.get(entry.key)
            reason = failure.message if failure else entry.reason
            self._note(
                "leftovers",
                Health.PROBLEM,
                f"unfinished since {entry.started:%Y-%m-%d %H:%M} UTC: {_words(operation)}"
                f"{f': {reason}' if reason else ''}",
                self._how_to_finish(entry, failure, was_tried=entry.key in tried),
            )
        if not left and all(each.name != "leftovers" for each in self.checks):
            self._note("leftovers", Health.OK, "none")

    def _still_active(self, operation: Operation) -> None:
        entry = operation.entry
        self._note(
            "leftovers",
            Health.PROBLEM,
            f"{entry.name!r} in {entry.organization.name} was not revoked: the request got no"
            " answer, and the token is still active",
            f"pat revoke {revoked_by(operation)} --org {entry.organization.name}",
        )

    def _recovered(self) -> Sequence[Recovered]:
        """Complete or roll back unfinished operations, those that need no sign-in first."""
        self.deps.recover_local()
        return self.deps.recover() if self._due() else ()

    def _how_to_finish(
        self, entry: JournalEntry, failure: PatError | None, *, was_tried: bool
    ) -> str:
        if not self.fix:
            return _FIX
        if not was_tried and entry.user:
            return f"sign in as {entry.user}, and run the command again"
        if isinstance(failure, DoubtfulError):
            return failure.hint
        return "remove the cause, and run the command again"

    def _due(self) -> list[Operation]:
        deps = self.deps
        return [
            operation
            for operation in deps.state.unfinished()
            if is_due(operation, deps.now)
            and is_of_root(
                operation.entry.organization.url,
                operation.entry.organization.name,
                deps.api_root,
            )
        ]

    def _secrets(self, *, able_to_ask: bool) -> None:
        deps = self.deps
        before = len(self.checks)
        try:
            entries = [each for each in deps.state.stored() if each.stored]
            gone: dict[str, frozenset[str] | None] = {}
            for entry in entries:
                secret = deps.secrets.get(entry.org_url, entry.name)
                if able_to_ask and is_of_root(entry.org_url, entry.org, deps.api_root):
                    if entry.org_url not in gone:
                        gone[entry.org_url] = self._revoked(entry)
                    revoked = gone[entry.org_url] or frozenset()
                    if entry.id is not None and entry.id.lower() in revoked:
                        self._dead(entry, secret)
                        continue
                if secret is None:
                    self._lost(entry)
                elif entry.id is not None and not is_own(secret, entry):
                    self._replaced(entry)
        except PatError as error:
            self._note("secrets", Health.PROBLEM, error.message, error.hint)
            return
        if len(self.checks) == before:
            self._note("secrets", Health.OK, f"in the keyring: {len(entries)}")

    def _revoked(self, entry: StoredPat) -> frozenset[str] | None:
        organization = Organization(name=entry.org, url=entry.org_url)
        try:
            return self.deps.listed(organization, Status.REVOKED)
        except PatError as error:
            self._note("secrets", Health.PROBLEM, error.message, error.hint)
            return None

    def _lost(self, entry: StoredPat) -> None:
        self._note(
            "secrets",
            Health.PROBLEM,
            f"the secret of {entry.name!r} in {entry.org} is no longer in the keyring",
            f"pat rotate {as_argument(entry.id or entry.name)} --org {entry.org}, or"
            f" pat forget {as_argument(entry.name)} --org {entry.org}",
        )

    def _replaced(self, entry: StoredPat) -> None:
        where = f"--org {entry.org}"
        self._note(
            "secrets",
            Health.PROBLEM,
            f"what is stored under {entry.name!r} in {entry.org} is no longer the secret of"
            " its token:"
            " another program has stored another one",
            f"pat forget {as_argument(entry.name)} {where} deletes it; after that, pat"
            f" rotate {entry.id}"
            f" {where} creates a new token",
        )

    def _dead(self, entry: StoredPat, secret: Secret | None) -> None:
        what = f"{entry.name!r} in {entry.org} is revoked"
        if not self.fix:
            detail = f"{what}, and {'its secret' if secret else 'its entry'} still here"
            self._note("secrets", Health.PROBLEM, detail, _FIX)
            return
        deps = self.deps
        with deps.exclusive(lock_key(entry.name, entry.org_url)):
            now = deps.state.find(entry.org_url, entry.name)
            if now is not None and now.id == entry.id:
                delete_own(now, deps.secrets, deps.state)
        self._note("secrets", Health.FIXED, f"{what}: its secret was deleted")


def _words(operation: Operation) -> str:
    entry = operation.entry
    return f"{VERBS[type(operation)]} of {entry.name!r} in {entry.organization.name}"
