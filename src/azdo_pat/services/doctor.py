"""Diagnoses problems, and repairs some of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from azdo_pat.command_lines import pat_command
from azdo_pat.dates import local_minute
from azdo_pat.errors import DamagedError, DoubtfulError, PatError, StoreError, UsageError
from azdo_pat.homes import expanded
from azdo_pat.journal import revoked_by, title
from azdo_pat.judgement import in_need
from azdo_pat.models import Secret, Status, StoredPat
from azdo_pat.naming import is_full_id
from azdo_pat.operations.left_behind import left_behind
from azdo_pat.operations.local_secrets import recover_local
from azdo_pat.operations.lock_keys import lock_key
from azdo_pat.operations.recovery import due_here, recover
from azdo_pat.operations.revocation import delete_own
from azdo_pat.organizations import is_of_root
from azdo_pat.redaction import masked_hosts, masked_proxy
from azdo_pat.results.diagnosis import Check, Health
from azdo_pat.results.recovery import RecoveryOutcome
from azdo_pat.services.check import of_secret
from azdo_pat.services.find_tokens import Filters, TokenFinder
from azdo_pat.services.known_organizations import near_organization, require_known
from azdo_pat.services.pending import pending
from azdo_pat.services.state_rebuild import rebuild
from azdo_pat.store.repair import damaged_files, mark_rebuilt, set_aside
from azdo_pat.store.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from azdo_pat.journal import JournalEntry, Operation
    from azdo_pat.models import Organization
    from azdo_pat.operations.deps import Deps
    from azdo_pat.results.recovery import Recovered
    from azdo_pat.services.state_rebuild import Rebuilt

_CLOCKS_APART: Final = timedelta(minutes=5)
_FIX: Final = "pat doctor --fix"


def examine(deps: Deps, *, ca_bundle: str, fix: bool) -> tuple[Check, ...]:
    """Run all checks, continuing after failures; repair what can be repaired if `fix`.

    The client of `deps` must recover nothing by itself. `ca_bundle` is the file with the
    certificates to trust; empty for the default.
    """
    return _Examination(deps, ca_bundle, fix=fix).all()


def dismiss(identifier: str, deps: Deps) -> None:
    """Record that no interrupted command created a token.

    Raises:
        UsageError: the id is not complete, or is of a token that will be revoked.
    """
    if not is_full_id(identifier):
        raise UsageError(
            f"{identifier!r} is not a full token id",
            hint="copy the id from the warning, or run: pat list --status all -o json",
        )
    for operation in deps.state.unfinished():
        entry = operation.entry
        if revoked_by(operation) == identifier.lower():
            why = (
                f"an interrupted command for {entry.token} left it to be revoked"
                if operation in left_behind(deps)
                else "a command that is still running uses it, and it is revoked after that"
            )
            raise UsageError(
                f"the token {identifier.lower()} cannot be dismissed: {why}",
                hint="--dismiss is for tokens that an interrupted command may have created",
            )
    deps.state.dismiss(identifier)


class _Examination:
    """The checks, and the problems and repairs that they have noted."""

    def __init__(self, deps: Deps, ca_bundle: str, *, fix: bool) -> None:
        self._deps = deps
        self._ca_bundle = ca_bundle
        self._fix = fix
        self._state_path = deps.state_folder / "state.db"
        self._checks: list[Check] = []

    def all(self) -> tuple[Check, ...]:
        """Run all checks."""
        damaged = damaged_files(self._state_path)
        signed_in = self._sign_in()
        self._try("network", self._network)
        identity = None
        if not signed_in:
            self._note("service", Health.SKIPPED, "not signed in")
        else:
            identity = self._try("service", self._identity)
        self._clock()
        organization = self._organization(able_to_ask=identity is not None)
        if organization is None or not signed_in:
            self._note("permission", Health.SKIPPED, "needs a sign-in and an organization")
        else:
            self._try("permission", self._active_tokens)
        keyring = self._try("keyring", self._keyring)
        self._state_file(damaged)
        self._leftovers()
        if keyring is not None:
            self._secrets(able_to_ask=signed_in)
        return tuple(self._checks)

    def _note(
        self,
        name: str,
        health: Health,
        detail: str,
        fix: str = "",
        *,
        time: datetime | None = None,
    ) -> None:
        self._checks.append(Check(name, health, detail, fix, time))

    def _fail(self, name: str, error: PatError) -> None:
        self._note(name, Health.PROBLEM, error.message, error.hint)

    def _try(self, name: str, look: Callable[[], str]) -> str | None:
        try:
            detail = look()
        except PatError as error:
            self._fail(name, error)
            return None
        self._note(name, Health.OK, detail)
        return detail

    def _sign_in(self) -> bool:
        """Return whether a user is signed in."""
        try:
            token = self._deps.session.access_token()
        except PatError as error:
            self._fail("sign-in", error)
            return False
        until = f", expires {local_minute(token.expires)}" if token.expires else ""
        detail = f"{token.user or 'unknown user'} via {token.source}{until}"
        self._note("sign-in", Health.OK, detail, time=token.expires)
        return True

    def _network(self) -> str:
        # In any case: urllib accepts upper and lower case names.
        shown = {"https_proxy": masked_proxy, "all_proxy": masked_proxy, "no_proxy": masked_hosts}
        words = [
            f"{name}={shown[name.lower()](given)}"
            for name, given in sorted(self._deps.environment.items())
            if given and name.lower() in shown
        ]
        bundle = self._ca_bundle or self._deps.environment.get("REQUESTS_CA_BUNDLE")
        if bundle:
            if not expanded(Path(bundle)).exists():
                raise UsageError(
                    f"the certificate file {bundle} does not exist",
                    hint="set ca-bundle (pat config) or REQUESTS_CA_BUNDLE to a file that exists",
                )
            words.append(f"certificates from {bundle}")
        return ", ".join(words) or "no proxy, default certificates"

    def _identity(self) -> str:
        identity = self._deps.organization_cache.me()
        return f"signed in as {identity.name}{f' <{identity.mail}>' if identity.mail else ''}"

    def _organization(self, *, able_to_ask: bool) -> Organization | None:
        """Check the organization that is set; return it unless it is a problem."""
        try:
            found, source = self._deps.session.located
            organization = self._deps.organization
            able_to_ask = able_to_ask and organization.hosted
            listed = self._deps.organization_cache.all() if able_to_ask else None
            is_known = require_known(organization, listed, self._deps)
        except PatError as error:
            self._fail("organization", error)
            return None
        words = f"{organization.name} (from {source if found else 'your only organization'})"
        if is_known or not organization.hosted:
            self._note("organization", Health.OK, words)
        else:
            near = near_organization(organization, self._deps)
            more = f"; {near}" if near else ""
            self._note("organization", Health.SKIPPED, f"{words}, not checked{more}")
        return organization

    def _active_tokens(self) -> str:
        deps = self._deps
        try:
            found = list(TokenFinder(deps).listing(deps.organization, Filters()))
        except StoreError:  # which has a check of its own
            count = sum(1 for _ in deps.tokens.list(deps.organization, Status.ACTIVE))
            return f"active tokens: {count}"
        words = f"active tokens: {len(found)}"
        worse = in_need(found, deps.now())
        return f"{words}; need attention: {worse} (pat check)" if worse else words

    def _clock(self) -> None:
        deps = self._deps
        if deps.session.service_time() is None:  # not signed in, perhaps because the clock is wrong
            deps.directory.knock()
        told = deps.session.service_time()
        if told is None:
            self._note("clock", Health.SKIPPED, "the service could not be reached")
            return
        ahead = deps.now() - told
        if abs(ahead) > _CLOCKS_APART:
            how = "ahead of" if ahead > timedelta() else "behind"
            minutes = abs(ahead) // timedelta(minutes=1)
            check = Check(
                name="clock",
                status=Health.PROBLEM,
                detail=f"this machine's clock is {minutes} minutes {how} the service's",
                fix="correct it, or synchronize it with the network (timedatectl set-ntp true)",
            )
            self._checks.insert(0, check)  # it may cause other failures: tokens look expired
        else:
            self._note("clock", Health.OK, "agrees with the service's")

    def _keyring(self) -> str:
        self._deps.secrets.check()
        return self._deps.secrets.describe()

    def _state_file(self, damaged: Sequence[Path]) -> None:
        deps = self._deps
        try:
            count = len(deps.state.stored())
            deps.state.unfinished()
            deps.state.check_writable()
        except PatError as error:
            is_aside = (
                self._fix
                and isinstance(error, DamagedError)
                and set_aside(self._state_path, deps.now())
            )
            if is_aside:
                self._rebuild(damaged)
            else:
                self._fail("state file", error)
            return
        if self._fix and (damaged or not count):
            self._rebuild(damaged)  # without a token it may have been deleted, which is not seen
        elif not damaged:
            self._note("state file", Health.OK, f"tokens known: {count}")
        else:
            names = ", ".join(each.name for each in damaged)
            self._note(
                "state file",
                Health.PROBLEM,
                f"a damaged state file was moved aside and not rebuilt: {names}",
                _FIX,
            )

    def _rebuild(self, damaged: Sequence[Path]) -> None:
        deps = self._deps
        files = damaged_files(self._state_path)
        try:
            deps.session.access_token()
            organizations = deps.organization_cache.all()
            rebuilt = rebuild(organizations, deps, [State(each) for each in files])
        except PatError as error:
            self._fail("state file", error)
            return
        for each in files:
            mark_rebuilt(each)
        if rebuilt.found or rebuilt.carried_over or damaged:
            self._note("state file", Health.FIXED, _rebuilt_words(rebuilt))
        else:
            self._note("state file", Health.OK, "tokens known: 0")

    def _leftovers(self) -> None:
        recovered: Mapping[int | None, Recovered] = {}
        try:
            left = due_here(self._deps)
            if left and self._fix:
                recovered = {each.operation.entry.key: each for each in self._recovered()}
                left = due_here(self._deps)
        except PatError as error:
            self._fail("leftovers", error)
            return
        for operation in left:
            entry = operation.entry
            tried = recovered.get(entry.key)
            failure = tried.failure if tried else None
            reason = failure.message if failure else entry.reason
            self._note(
                "leftovers",
                Health.PROBLEM,
                f"unfinished since {local_minute(entry.started)}: {title(operation)}"
                f"{f': {reason}' if reason else ''}",
                self._how_to_finish(entry, tried),
                time=entry.started,
            )
        self._running_graces()
        if not left and all(each.name != "leftovers" for each in self._checks):
            self._note("leftovers", Health.OK, "none")

    def _running_graces(self) -> None:
        for each in pending(left_behind(self._deps), self._deps.now()):
            if each.until is not None:
                self._note("leftovers", Health.OK, each.message, time=each.until)

    def _still_active(self, operation: Operation) -> None:
        entry = operation.entry
        self._note(
            "leftovers",
            Health.PROBLEM,
            f"{entry.token} was not revoked: the request got no"
            " answer, and the token is still active",
            pat_command(
                "revoke",
                revoked_by(operation) or "",
                options=("--org", entry.organization.name),
            ),
        )

    def _recovered(self) -> Sequence[Recovered]:
        """Complete or roll back unfinished operations; note and return what became of them.

        Those that need no sign-in come first.
        """
        recover_local(self._deps)
        if not due_here(self._deps):
            return ()
        self._deps.session.access_token()
        recovered = recover(self._deps, again=True)
        for each in recovered:
            if each.outcome is RecoveryOutcome.STILL_ACTIVE:
                self._still_active(each.operation)
            elif each.is_finished and each.outcome is not None:
                what = title(each.operation)
                self._note("leftovers", Health.FIXED, f"{what}: {each.outcome.value}")
        return recovered

    def _how_to_finish(self, entry: JournalEntry, tried: Recovered | None) -> str:
        if not self._fix:
            return _FIX
        if tried is None and entry.user:
            return f"sign in as {entry.user}, and run the command again"
        if tried is not None and isinstance(tried.failure, DoubtfulError):
            return tried.failure.hint
        return "fix the cause, then run the command again"

    def _secrets(self, *, able_to_ask: bool) -> None:
        before = len(self._checks)
        try:
            entries = [each for each in self._deps.state.stored() if each.stored]
            revoked: dict[str, Collection[str]] = {}
            for entry in entries:
                if entry.org_url not in revoked:
                    revoked[entry.org_url] = self._revoked(entry) if able_to_ask else ()
                self._secret(entry, is_revoked=entry.id in revoked[entry.org_url])
        except PatError as error:
            self._fail("secrets", error)
            return
        if len(self._checks) == before:
            self._note("secrets", Health.OK, f"in the keyring: {len(entries)}")

    def _secret(self, entry: StoredPat, *, is_revoked: bool) -> None:
        secret = self._deps.secrets.get(entry.org_url, entry.name)
        if is_revoked:
            self._dead(entry, secret)
        elif finding := of_secret(entry, secret):
            what = f"{entry.name!r} in {entry.org}: {finding.message}"
            self._note("secrets", Health.PROBLEM, what, finding.fix)

    def _revoked(self, entry: StoredPat) -> Collection[str]:
        """Return the ids of the revoked tokens of an entry's organization, as far as known."""
        if not is_of_root(entry.organization, self._deps.session.api_root):
            return ()
        try:
            found = self._deps.tokens.list(entry.organization, Status.REVOKED)
            return {each.authorization_id for each in found} - {""}
        except PatError as error:
            self._fail("secrets", error)
            return ()

    def _dead(self, entry: StoredPat, secret: Secret | None) -> None:
        what = f"{entry.name!r} in {entry.org} is revoked"
        if not self._fix:
            detail = f"{what}, but {'its secret' if secret else 'its entry'} is still here"
            self._note("secrets", Health.PROBLEM, detail, _FIX)
            return
        deps = self._deps
        with deps.exclusive(lock_key(entry.name, entry.org_url)):
            now = deps.state.find(entry.org_url, entry.name)
            if now is not None and now.id == entry.id:
                delete_own(now, deps)
        self._note("secrets", Health.FIXED, f"{what}: its secret was deleted")


def _rebuilt_words(rebuilt: Rebuilt) -> str:
    found = len(rebuilt.found)
    words = f"rebuilt: found {found} stored token{'s' * (found != 1)}"
    if rebuilt.unkept and rebuilt.found:
        words += (
            "; their delivery targets, renewal windows (--renew-before) and grace periods are lost:"
            " set them again with pat ensure or pat apply"
        )
    if rebuilt.unsure:
        words += (
            "; some secrets belong to an unknown token, and no command overwrites or deletes them"
            " for a token of that name; to name the token, run: pat get NAME | pat import NAME"
            " --id ID (" + "; ".join(rebuilt.unsure) + ")"
        )
    if rebuilt.carried_over:
        words += f"; {rebuilt.carried_over} unfinished operations carried over"
    if rebuilt.unread:
        words += (
            "; its journal could not be read: an interrupted command may have left a token; to"
            " look for it, run: pat list --sort created"
        )
    return words
