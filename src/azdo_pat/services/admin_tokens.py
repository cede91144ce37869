"""Lists the tokens of many users, for administrators."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from azdo_pat.api.service_errors import PauseError
from azdo_pat.errors import NotFoundError, PatError, RefusedError, SignInError
from azdo_pat.judgement import command_for
from azdo_pat.models import Field, Origin, OwnedPat, Pat, Status, effective_expiry
from azdo_pat.naming import natural_key
from azdo_pat.origins import origin_of
from azdo_pat.scopes import FULL_ACCESS
from azdo_pat.services.find_tokens import Filters
from azdo_pat.services.parallel import SIDE_BY_SIDE, ReadAhead, results_side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from azdo_pat.models import Organization, SessionToken, User
    from azdo_pat.operations.deps import AdminDeps
    from azdo_pat.store.scan_file import ScanFile

_HOPELESS_AFTER: Final = 25
"""Users in a row that could not be read: then the service is down, and waiting for each is vain."""


class UserFailure(NamedTuple):
    """A user whose tokens could not be read, and why."""

    user: User
    error: PatError


Answer: TypeAlias = "tuple[User, Sequence[SessionToken] | None]"
"""A user with the tokens; with None for one who has left."""


class Selection(NamedTuple):
    """Which tokens to list; a token must meet every condition that is set.

    Attributes:
        created_before: only tokens that were created before this time.
        only_full: only tokens with full access.
    """

    filters: Filters = Filters()
    created_before: datetime | None = None
    only_full: bool = False

    def match(self, pat: Pat) -> bool:
        """Return whether a token meets all conditions."""
        if pat.status is not Status.UNKNOWN and pat.status not in self.filters.statuses:
            return False  # one whose status cannot be read is never hidden
        unread: frozenset[Field] = pat.unread if self.filters.doubtful else frozenset()
        created_before = None if Field.CREATED in unread else self.created_before
        if created_before and not (pat.created and pat.created < created_before):
            return False
        if self.only_full and FULL_ACCESS not in pat.scopes and Field.SCOPES not in unread:
            return False
        return self.filters.match(pat)


class Scan:
    """Reads the tokens of many users side by side; holds those of few users at a time.

    A user whose tokens cannot be read does not end it; such users are read once more at the end.

    Args:
        users: whose tokens to read.
        deps: the parts of the program.
        ssh: read SSH keys instead of tokens.
        jobs: how many users to read side by side.
        saved: the file to save the tokens to; users who are already in it are not read again.

    Attributes:
        deps: the parts of the program, with the sign-in that is used.
        saved: see above.
        users: how many users were begun so far.
        gone: the users who are no longer in the organization.
        failures: the users whose tokens could not be read.
        done: called after each user who could be read, or has left.
    """

    def __init__(
        self,
        users: Iterable[User],
        deps: AdminDeps,
        *,
        ssh: bool = False,
        jobs: int = SIDE_BY_SIDE,
        saved: ScanFile | None = None,
    ) -> None:
        self.deps = deps
        self.users = 0
        self.gone: list[User] = []
        self.failures: list[UserFailure] = []
        self.done: Callable[[], None] = lambda: None
        self._to_read = users if isinstance(users, Sequence) else ReadAhead(users)
        self._organization = deps.organization
        self._admin = deps.token_admin
        self._ssh = ssh
        self._jobs = jobs
        self.saved = saved
        self._has_ended = False
        self._knows_users = saved is not None and bool(saved.done)
        self._reading = ExitStack()
        if isinstance(self._to_read, ReadAhead):
            self._reading.callback(self._to_read.close)

    @property
    def total(self) -> int | None:
        """How many users there are; None while they are being listed."""
        to_read = self._to_read
        return to_read.total if isinstance(to_read, ReadAhead) else len(to_read)

    @property
    def is_complete(self) -> bool:
        """Whether all users were read, or have left."""
        return self._has_ended and not self.unread

    @property
    def unread(self) -> int:
        """How many users could not be read."""
        return len(self.failures) + self.unlisted

    @property
    def unlisted(self) -> int:
        """How many of them could not even be read in the list of users."""
        return self.saved.subject.unlisted if self.saved else self.deps.graph.unreadable

    @property
    def why_unlisted(self) -> str:
        """What there is to say of these."""
        number = self.unlisted
        those = "a user" if number == 1 else f"{number} users"
        return f"the service's list of users has {those} without a descriptor that can be read"

    def close(self) -> None:
        """Let the threads end that read the tokens of the users who are left."""
        self._reading.close()

    def tokens(self) -> Iterator[tuple[User, SessionToken]]:
        """Yield the tokens in any order, those of one user together.

        Raises:
            SignInError: the sign-in is not accepted, or no longer.
            RefusedError: the signed-in user may not administer tokens.
            UnavailableError: no user's tokens could be read for a while, or the service asked for a
                pause that is too long to wait for.
        """
        for user, tokens in self._answers():
            self.done()
            if tokens is None:
                self.gone.append(user)
            for token in tokens or ():
                yield user, token
        self._has_ended = True

    def _answers(self) -> Iterator[Answer]:
        if self.saved is not None:
            for answer in self.saved.read():
                self.users += 1
                yield answer
        yield from self._pass(self._begun(), is_last=False)
        again, self.failures = self.failures, []
        yield from self._pass([each.user for each in again], is_last=True)
        self.failures.sort(key=lambda each: natural_key(each.user.handle))

    def _begun(self) -> Iterator[User]:
        known = set(self.saved.done) if self.saved is not None else set[str]()
        for user in self._to_read:
            if user.descriptor not in known:  # pages of a list that changes may overlap
                known.add(user.descriptor)
                self.users += 1
                yield user

    def _pass(self, users: Iterable[User], *, is_last: bool) -> Iterator[Answer]:
        in_a_row = 0
        missing: list[User] = []
        read = partial(self._read, is_last=is_last)
        answers = results_side_by_side(read, users, self._jobs)
        self._reading.callback(answers.close)
        for user, answer in answers:
            if isinstance(answer, PatError):
                self.failures.append(UserFailure(user, answer))
                in_a_row += 1
                # In the last pass, all failed before, so many say nothing about the service.
                if in_a_row == _HOPELESS_AFTER and not is_last:
                    raise answer
                continue
            in_a_row = 0
            if answer is None and not self._knows_users:
                # Where every user is unknown, it is not they who have left.
                missing.append(user)
                if len(missing) == _HOPELESS_AFTER:
                    raise self._without_api()
                continue
            self._knows_users = True
            yield from self._saved((each, None) for each in missing)
            missing.clear()
            yield from self._saved([(user, answer)])
        if missing and not self.failures:
            raise self._without_api()
        yield from self._saved((each, None) for each in missing)

    def _saved(self, answers: Iterable[Answer]) -> Iterator[Answer]:
        for user, tokens in answers:
            if self.saved is not None:
                self.saved.add(user, tokens)
            yield user, tokens

    def _without_api(self) -> RefusedError:
        return RefusedError(
            "the service that administers tokens does not know any of the users of"
            f" {self._organization.name} (HTTP 404)",
            hint="check that the users are still in the organization, that it is one of Azure"
            " DevOps Services, and that no proxy answers in its place",
        )

    def _read(self, user: User, *, is_last: bool) -> Sequence[SessionToken] | PatError | None:
        """Return the tokens of a user, the reason why there are none, or None if the user left."""
        try:
            tokens = self._admin.tokens(
                self._organization, user.descriptor, ssh=self._ssh, is_last=is_last
            )
            return tuple(tokens)
        except NotFoundError:
            return None
        except (SignInError, PauseError):  # of all users
            raise
        except RefusedError as error:
            if type(error) is RefusedError:  # it would be refused for every user
                raise
            return error
        except PatError as error:
            return error


class OwnedTokens:
    """Makes tokens of the administration API into those of the program."""

    def __init__(self, deps: AdminDeps) -> None:
        self._organization: Organization = deps.organization
        self._now = deps.now()
        self._made = deps.state.made()
        known = deps.state.stored(deps.organization.url)
        self._stored = frozenset(each.id for each in known if each.id and each.stored)
        self._due = {each.id: each.renewal_due for each in known if each.id}

    def owned(self, owner: User, token: SessionToken) -> OwnedPat:
        """Return a token with its owner."""
        pat = token.pat
        is_global = pat.target_accounts is None
        made = Pat(
            name=pat.display_name,
            id=pat.authorization_id or None,
            org=self._organization.name if pat.target_accounts else None,
            status=self._status(token),
            scopes=pat.scopes,
            created=pat.valid_from,
            expires=effective_expiry(pat.valid_to, is_global=is_global),
            is_global=is_global,
            stored=pat.authorization_id in self._stored,
            origin=origin_of(pat.display_name),
            unread=pat.unread,
            renewal_due=None if is_global else self._due.get(pat.authorization_id),
        )
        if pat.authorization_id in self._made:
            made = replace(made, origin=Origin.PAT)
        return OwnedPat(made, owner)

    def _status(self, token: SessionToken) -> Status:
        """Return the status; the service tells only whether a token is valid."""
        ends = token.pat.valid_to
        if not token.pat.authorization_id:
            return Status.UNKNOWN
        if ends is not None and ends <= self._now:
            return Status.EXPIRED
        if token.is_valid is None:
            return Status.UNKNOWN
        return Status.ACTIVE if token.is_valid else Status.REVOKED


def matching(scan: Scan, selection: Selection) -> Iterator[OwnedPat]:
    """Yield the tokens of a scan that match, as they arrive; see `Scan.tokens`."""
    owned = OwnedTokens(scan.deps)
    for owner, token in scan.tokens():
        found = owned.owned(owner, token)
        if selection.match(found.pat):
            yield found


def revoke_command(owned: OwnedPat, org: str, *, is_mine: bool = False) -> str:
    """Return the command line by which an administrator revokes a token; empty without its id.

    Args:
        owned: the token with its owner.
        org: the name of the owner's organization.
        is_mine: the administrator is the owner.
    """
    pat, owner = owned
    if pat.id is None:
        return ""
    # With the user, it is found at once, and the beginning of its id is exact.
    options = ["--user", owner.upn or owner.descriptor]
    options += ["--include-global"] * pat.is_global + ["--include-mine"] * is_mine
    return command_for("admin revoke", pat.id, pat.name, *options, org=org)
