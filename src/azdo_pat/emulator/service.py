"""The tokens of the emulated service and the rules for making, changing and ending them."""

from __future__ import annotations

import threading
import unicodedata
import uuid
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from azdo_pat.emulator import times
from azdo_pat.emulator.body import NEVER, TokenRequest, read_guid
from azdo_pat.emulator.crowd import Crowd
from azdo_pat.emulator.directory import ORGANIZATIONS, SUBJECTS, Organization, User
from azdo_pat.emulator.errors import (
    TOKEN_NOT_FOUND,
    ServiceError,
    TokenError,
    TokenRefusedError,
)
from azdo_pat.emulator.library.library import Holdings, Library
from azdo_pat.emulator.paging import ListQuery, Page, page_of
from azdo_pat.emulator.people import People
from azdo_pat.emulator.policies import Creation, Policies
from azdo_pat.emulator.scopes import are_valid
from azdo_pat.emulator.spoiling import Spoilers
from azdo_pat.emulator.tokens import Status, Token, hash_secret, new_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from azdo_pat.emulator.audit import Event
    from azdo_pat.emulator.rules import Rule

LONGEST_NAME: Final = 256

# Azure DevOps blog, "Retirement of Global Personal Access Tokens".
END_OF_GLOBAL_TOKENS: Final = datetime(2026, 12, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Everything that a state file keeps."""

    signing_key: bytes = field(repr=False)
    policies: Policies = field(default_factory=Policies)
    clock_offset: timedelta = timedelta()
    tokens: tuple[Token, ...] = ()
    events: tuple[Event, ...] = ()
    rules: tuple[Rule, ...] = ()
    crowd: Crowd = field(default_factory=lambda: Crowd(count=0))
    holdings: Holdings = field(default_factory=Holdings)


class Service:
    """The one stateful thing; safe to use from many threads at once.

    ``clock`` gives an aware datetime; ``save`` is called after each change with what is kept.
    """

    def __init__(
        self,
        contents: Contents,
        *,
        clock: Callable[[], datetime],
        save: Callable[[Contents], None],
    ) -> None:
        self._lock = threading.RLock()
        self._clock = clock
        self._save = save
        self._offset = contents.clock_offset
        self._policies = contents.policies
        self._tokens: dict[str, Token] = {}
        self._owned: defaultdict[str, dict[str, Token]] = defaultdict(dict)
        self._by_secret: dict[str, str] = {}
        for token in contents.tokens:
            self._keep(token)
        self._rules = list(contents.rules)
        self._events = list(contents.events)
        self.people = People(contents.crowd)
        self.library = Library(contents.holdings, lock=self._lock, changed=self._store)
        self.signing_key = contents.signing_key
        self.not_before = 0
        """The earliest ``nbf`` of an access token that is accepted."""
        self.spoilers = Spoilers()

    def now(self) -> datetime:
        """The time as the emulator has it: the given clock, plus what was advanced."""
        return self._clock() + self._offset

    def advance(self, span: timedelta) -> datetime:
        """Move the clock; gives the new time."""
        with self._lock:
            self._offset += span
            self._store()
            return self.now()

    def reject_access_tokens(self) -> int:
        """Reject every access token issued so far; gives the ``nbf`` that a new one must have."""
        with self._lock:
            self.not_before = int(self.now().timestamp()) + 1
            return self.not_before

    @property
    def policies(self) -> Policies:
        """Those in force."""
        return self._policies

    @policies.setter
    def policies(self, policies: Policies) -> None:
        with self._lock:
            self._policies = policies
            self._store()

    def invent(self, crowd: Crowd) -> None:
        """Put a crowd of users in place of the one that there was, and of its tokens."""
        with self._lock:
            for user_id in set(self._owned) - {user.user_id for user in SUBJECTS}:
                for token in self._owned.pop(user_id).values():
                    del self._tokens[token.authorization_id]
                    self._by_secret.pop(token.secret_hash, None)
            self.people = People(crowd)
            self._store()

    def policies_of(self, organization: Organization | None) -> Policies:
        """Those in force in an organization; None for the calls that belong to none."""
        return self._policies.of(organization.name) if organization else self._policies

    def all_tokens(self) -> tuple[Token, ...]:
        """Of every user, in the order they were made."""
        with self._lock:
            return tuple(self._tokens.values())

    def put(self, tokens: Iterable[Token]) -> None:
        """Add tokens as they are, past all rules."""
        with self._lock:
            for token in tokens:
                self._keep(token)
            self._store()

    def clear(self) -> int:
        """Forget all tokens; gives how many there were."""
        with self._lock:
            count = len(self._tokens)
            self._tokens.clear()
            self._owned.clear()
            self._by_secret.clear()
            self._store()
            return count

    def tokens_of(self, user: User) -> list[Token]:
        """All of a user, those for SSH among them."""
        with self._lock:
            invented = self.people.crowd.tokens_of(user) if user.invented else ()
            # Those that were changed stand in for the invented ones.
            found = {token.authorization_id: token for token in invented}
            return list((found | self._owned.get(user.user_id, {})).values())

    def list_page(self, user: User, organization: Organization, query: ListQuery) -> Page:
        """A page of the user's tokens.

        Those of the user's other organizations are among them: the service has this quirk,
        and clients must look at ``targetAccounts``.
        """
        now = self.now()
        hides = now >= END_OF_GLOBAL_TOKENS and self.policies_of(organization).global_hidden
        own = (
            token
            for token in self.tokens_of(user)
            if not token.ssh and not (hides and token.target_accounts is None)
        )
        viewer = viewer_of(user, organization)
        return page_of(own, query, now=now, viewer=viewer)

    def get(self, user: User, authorization_id: str) -> Token:
        """One token of the user.

        Raises:
            TokenRefusedError: there is none with this id.
        """
        with self._lock:
            token = self._find(authorization_id)
        if token is None or token.ssh or token.owner_id != user.user_id:
            raise TokenRefusedError(TokenError.TOKEN_NOT_FOUND)
        return token

    def create(
        self, user: User, organization: Organization, request: TokenRequest
    ) -> tuple[Token, str]:
        """A new token and its secret, which is not kept and cannot be had again.

        Raises:
            TokenRefusedError: with the error that the service gives.
        """
        with self._lock:
            now = self.now()
            name = _checked_name(request.display_name or "")
            scope = _checked_scope(request.scope or "")
            valid_to = _checked_end(request.valid_to or NEVER, now)
            policies = self.policies_of(organization)
            policies.check_creation(scope)
            if request.all_orgs:
                policies.check_global()
            policies.check_scope(scope)
            secret = new_secret(now)
            token = Token(
                authorization_id=str(uuid.uuid4()),
                owner_id=user.user_id,
                display_name=name,
                scope=scope,
                target_accounts=None if request.all_orgs else (organization.organization_id,),
                valid_from=times.quantise(now),
                valid_to=times.quantise(policies.limit(valid_to, start=now)),
                secret_hash=hash_secret(secret),
            )
            self._keep(token)
            self._store()
            return token, secret

    def update(self, user: User, organization: Organization, request: TokenRequest) -> Token:
        """The token with the fields changed that the request holds.

        Raises:
            TokenRefusedError: with the error that the service gives.
        """
        with self._lock:
            now = self.now()
            authorization_id = read_guid(request.authorization_id or "")
            if authorization_id is None:
                raise TokenRefusedError(TokenError.INVALID_AUTHORIZATION_ID)
            token = self.get(user, authorization_id)
            if not token.belongs_to(organization.organization_id):
                raise TokenRefusedError(TokenError.TOKEN_NOT_FOUND)
            if token.status(now) is Status.REVOKED:
                raise TokenRefusedError(TokenError.INVALID_TOKEN)
            if token.status(now) is Status.EXPIRED:
                raise TokenRefusedError(TokenError.EXPIRED)
            changed = self._changed(token, organization, request, now)
            self._keep(changed)
            self._store()
            return changed

    def revoke(self, user: User, organization: Organization, authorization_id: str) -> Token:
        """End a token.

        Raises:
            ServiceError: 404; it is unknown, already revoked, another user's or of another
                organization.
        """
        with self._lock:
            token = self._find(authorization_id)
            if (
                token is None
                or token.ssh
                or token.status(self.now()) is Status.REVOKED
                or token.owner_id != user.user_id
                or not token.belongs_to(organization.organization_id)
            ):
                raise ServiceError(
                    TOKEN_NOT_FOUND,
                    f"No valid session token found for authorization id {authorization_id}.",
                )
            self._keep(replace(token, revoked=True, revoked_from=None))
            self._store()
            return token

    def administers(self, user: User, organization: Organization) -> bool:
        """Whether the user is a Project Collection Administrator of the organization."""
        names = self.policies_of(organization).administrators
        known_as = {user.key, user.user_id, user.object_id, user.mail}
        return organization.has(user) and not known_as.isdisjoint(names)

    def revoke_all(
        self, authorization_ids: Iterable[str], organization: Organization, *, ssh: bool
    ) -> list[Token]:
        """End tokens of members, or their SSH keys; gives those that it ended.

        What is unknown, revoked already, of the other kind or another organization's is passed
        over.
        """
        with self._lock:
            delay = self.policies_of(organization).revocation_delay_seconds
            start = self.now() + timedelta(seconds=delay) if delay else None
            found = [self._find(each) for each in dict.fromkeys(authorization_ids)]
            ended = [
                token
                for token in found
                if token is not None
                and token.ssh is ssh
                and not token.revoked
                and token.belongs_to(organization.organization_id)
                and self._is_of_member(token, organization)
            ]
            for token in ended:
                self._keep(replace(token, revoked=True, revoked_from=start))
            self._store()
            return ended

    def add_rule(self, rule: Rule) -> None:
        """Refuse access tokens from now on that the rule matches."""
        with self._lock:
            self._rules.append(rule)
            self._store()

    def rules_of(self, organization: Organization) -> list[Rule]:
        """The revocation rules of an organization."""
        with self._lock:
            rules = list(self._rules)
        return [rule for rule in rules if rule.organization_id == organization.organization_id]

    def record(self, events: Iterable[Event], organization: Organization) -> None:
        """Add events to the audit log of an organization, unless it keeps none."""
        if self.policies_of(organization).auditing_disabled:
            return
        with self._lock:
            self._events.extend(events)
            self._store()

    def events(self) -> tuple[Event, ...]:
        """The audit log of all organizations, in the order in which it was written."""
        with self._lock:
            return tuple(self._events)

    def authenticate(self, secret: str, organization: Organization) -> User | None:
        """The user whose active token of this organization bears the secret."""
        token = self.token_of(secret, organization)
        if token is None:
            return None
        return self.people.with_id(token.owner_id)

    def token_of(self, secret: str, organization: Organization) -> Token | None:
        """The active token of this organization that bears the secret."""
        with self._lock:
            token = self._with_secret(secret)
        now = self.now()
        if token is None or token.status(now) is not Status.ACTIVE:
            return None
        if token.target_accounts is None and self._global_tokens_are_off(organization, now):
            return None
        if not token.belongs_to(organization.organization_id):
            return None
        owner = self.people.with_id(token.owner_id)
        works = owner is not None and organization.has(owner) and not owner.deleted
        return token if works else None

    def _is_of_member(self, token: Token, organization: Organization) -> bool:
        owner = self.people.with_id(token.owner_id)
        return owner is not None and organization.has(owner)

    def _find(self, authorization_id: str) -> Token | None:
        return self._tokens.get(authorization_id) or self.people.crowd.token(authorization_id)

    def _with_secret(self, secret: str) -> Token | None:
        found = self._by_secret.get(hash_secret(secret))
        invented = self.people.crowd.token_with(secret) if found is None else None
        return self._find(invented.authorization_id if invented else found or "")

    def _global_tokens_are_off(self, organization: Organization, now: datetime) -> bool:
        """Whether none works there: after their end, and where not everyone may create tokens.

        Source: Microsoft Learn, "Manage PATs with policies for administrators".
        """
        creation = self.policies_of(organization).creation
        return now >= END_OF_GLOBAL_TOKENS or creation is not Creation.ALLOWED

    def knows(self, secret: str) -> bool:
        """Whether the secret is that of an active token, of whatever organization."""
        return any(self.authenticate(secret, organization) for organization in ORGANIZATIONS)

    def _changed(
        self, token: Token, organization: Organization, request: TokenRequest, now: datetime
    ) -> Token:
        # Judged are the fields sent: an old name or scope may be one no longer allowed.
        policies = self.policies_of(organization)
        name, scope, valid_to = token.display_name, token.scope, token.valid_to
        if request.display_name is not None:
            name = _checked_name(request.display_name)
        if request.scope is not None:
            scope = _checked_scope(request.scope)
            policies.check_scope(scope)
        if request.valid_to is not None:
            end = _checked_end(request.valid_to, now)
            valid_to = times.quantise(policies.limit(end, start=token.valid_from))
        targets = token.target_accounts
        if request.all_orgs:
            policies.check_global()
            targets = None  # the spec's example of an update makes a token global so
        if request.all_orgs is False and targets is None:
            targets = (organization.organization_id,)
        return replace(
            token, display_name=name, scope=scope, valid_to=valid_to, target_accounts=targets
        )

    def _keep(self, token: Token) -> None:
        self._tokens[token.authorization_id] = token
        self._owned[token.owner_id][token.authorization_id] = token
        self._by_secret[token.secret_hash] = token.authorization_id

    def _store(self) -> None:
        self._save(
            Contents(
                signing_key=self.signing_key,
                policies=self._policies,
                clock_offset=self._offset,
                tokens=tuple(self._tokens.values()),
                events=tuple(self._events),
                rules=tuple(self._rules),
                crowd=self.people.crowd,
                holdings=self.library.holdings,
            )
        )


def viewer_of(user: User, organization: Organization) -> str:
    """What a continuation token is bound to besides its filters."""
    return f"{user.user_id}@{organization.organization_id}"


def _checked_name(name: str) -> str:
    if not name.strip():
        raise TokenRefusedError(TokenError.DISPLAY_NAME_REQUIRED)
    bad = any(unicodedata.category(character) in {"Cc", "Cs"} for character in name)
    if bad or len(name) > LONGEST_NAME:
        raise TokenRefusedError(TokenError.INVALID_DISPLAY_NAME)
    return name


def _checked_scope(scope: str) -> str:
    if not are_valid(scope):
        raise TokenRefusedError(TokenError.INVALID_SCOPE)
    return scope


def _checked_end(valid_to: datetime, now: datetime) -> datetime:
    if not now < valid_to <= times.one_year_after(now):
        raise TokenRefusedError(TokenError.INVALID_VALID_TO)
    return valid_to
