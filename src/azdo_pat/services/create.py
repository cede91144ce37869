"""Making a token so that its secret is never lost, and no token left over."""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from azdo_pat.errors import (
    ConflictError,
    NoAnswerError,
    PatError,
    RefusedError,
    SignInError,
    StoreError,
    UnavailableError,
)
from azdo_pat.expiry import is_shortened
from azdo_pat.models import (
    GLOBAL_CREATION_BLOCKED,
    GLOBAL_TOKENS_STOP,
    Intent,
    NewPat,
    Origin,
    Pat,
    PatRequest,
    Secret,
    Status,
    StoredPat,
)
from azdo_pat.naming import as_argument
from azdo_pat.results import Created

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from azdo_pat.api.tokens import Tokens
    from azdo_pat.models import Organization, ServicePat
    from azdo_pat.services.organization_book import OrganizationBook
    from azdo_pat.store.secrets import SecretStore
    from azdo_pat.store.state import State

# The service and this machine need not agree on the time; a token made by a request that got no
# answer is looked for among those that the service dates this close to the request.
_CLOCK_DIFFERENCE: Final = timedelta(minutes=5)
# The service keeps times to 1/300 s (spec: examples of `Pats_Create`).
_ROUNDING: Final = timedelta(milliseconds=10)


@dataclass(frozen=True, kw_only=True)
class CreateRequest:
    """What the user asks for.

    Attributes:
        store: put the secret in the keyring.
        replace: overwrite a secret that is stored under the name; its token lives on.
        fail_if_shortened: take a shortened life for a failure, and revoke the token.
    """

    name: str
    scopes: tuple[str, ...]
    expires: datetime
    store: bool = True
    replace: bool = False
    fail_if_shortened: bool = False


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What making tokens needs.

    Attributes:
        exclusive: a lock by key between processes of this machine; raises ConflictError when
            another one holds it.
        now: the clock.
    """

    tokens: Tokens
    book: OrganizationBook
    secrets: SecretStore
    state: State
    exclusive: Callable[[str], AbstractContextManager[None]]
    now: Callable[[], datetime]


def refuse_global() -> RefusedError:
    """Say why no token for all organizations can be made."""
    return RefusedError(
        "a token for all organizations cannot be made: Azure DevOps has refused to create them"
        f" since {GLOBAL_CREATION_BLOCKED} and stops the last of them on {GLOBAL_TOKENS_STOP}",
        hint="make one for each organization: pat create NAME --scope S --org ORG",
        code="globalPATCreationBlocked",
    )


def create(organization: Organization, request: CreateRequest, shop: Workshop) -> Created:
    """Make a token, and put its secret in the keyring before saying so.

    Whatever fails behind the request to the service, no token is left alive whose secret is
    nowhere: it is revoked again, or, where that fails too, named in the error and kept in the
    journal.

    Raises:
        ConflictError: a secret is stored under the name, or another `pat` is at work on it.
        StoreError: the keyring or the state file refuses; nothing was made, or it was revoked.
        RefusedError: the service refused, or shortened the life against `fail_if_shortened`.
        NoAnswerError: the answer never came; what the request made was looked for and revoked.
    """
    with shop.exclusive(f"{request.name!r} in {organization.url}"):
        _settle_leftovers(organization, request.name, shop)
        replaced = _room_for(organization, request, shop)
        intent = Intent(
            operation="create",
            org_url=organization.url,
            org=organization.name,
            name=request.name,
            scopes=request.scopes,
            valid_to=request.expires,
            started=shop.now(),
        )
        key = shop.state.begin(intent)
        making = _Making(
            shop=shop,
            organization=organization,
            intent=replace(intent, key=key),
            previous=replaced.secret if replaced else None,
        )
        new = making.post(request)
        making.guard_life(new, request)
        return making.keep(new, request, replaced)


@dataclass(frozen=True, kw_only=True)
class _Replaced:
    """What is stored under the name, and will be overwritten.

    Attributes:
        id: its authorization id, where this machine knows it.
    """

    id: str | None
    secret: Secret = field(repr=False)


def _room_for(
    organization: Organization, request: CreateRequest, shop: Workshop
) -> _Replaced | None:
    """Hold that the name is free here and the keyring works, before anything is made."""
    if not request.store:
        return None
    shop.secrets.check()
    secret = shop.secrets.get(organization.url, request.name)
    if secret is None:
        return None
    if not request.replace:
        raise ConflictError(
            f"a secret is already stored under {request.name!r} for {organization.name}",
            hint=f"pat get {as_argument(request.name)} prints it; --replace overwrites it,"
            " another name leaves it be",
        )
    known = shop.state.find(organization.url, request.name)
    return _Replaced(id=known.id if known else None, secret=secret)


@dataclass(frozen=True, kw_only=True)
class _Making:
    """One create under way, with its entry in the journal.

    Attributes:
        previous: the secret that the new one overwrites, to be put back if that fails.
    """

    shop: Workshop
    organization: Organization
    intent: Intent
    previous: Secret | None = field(default=None, repr=False)

    @property
    def _key(self) -> int:
        if self.intent.key is None:
            msg = "an intent is written before it is worked on"
            raise TypeError(msg)
        return self.intent.key

    def post(self, request: CreateRequest) -> NewPat:
        """Ask the service; on silence, undo what the request may have made."""
        ask = PatRequest(display_name=request.name, scopes=request.scopes, valid_to=request.expires)
        try:
            new = self.shop.tokens.create(self.organization, ask)
        except NoAnswerError as error:
            raise self._after_silence(error) from error
        except KeyboardInterrupt:
            # The request may have left: the same search as after a lost answer, then stop.
            with suppress(PatError):
                _undo(self.organization, self.intent, self.shop)
            raise
        except SignInError as error:
            raise self._after_page(error) from error
        except PatError:
            with suppress(StoreError):
                self.shop.state.finish(self._key)
            raise
        try:
            self.shop.state.note(self._key, new.pat.authorization_id)
        except StoreError as error:
            raise self._take_back(new, error) from error
        return new

    def guard_life(self, new: NewPat, request: CreateRequest) -> None:
        """Revoke a token whose life was shortened, where the user wants it whole or not at all."""
        granted = new.pat.valid_to
        if request.fail_if_shortened and granted and is_shortened(request.expires, granted):
            problem = RefusedError(
                f"{self.organization.name} granted {request.name!r} a life until"
                f" {granted:%Y-%m-%d %H:%M} UTC only, and {request.expires:%Y-%m-%d %H:%M} UTC was"
                " asked for",
                hint="a policy limits the life of tokens: ask for less with --expires, or leave"
                " out --fail-if-shortened",
                code="patLifespanPolicyViolation",
            )
            raise self._take_back(new, problem)

    def keep(self, new: NewPat, request: CreateRequest, replaced: _Replaced | None) -> Created:
        """Store the secret, then index the token and close the journal in one transaction."""
        try:
            if request.store:
                self.shop.secrets.put(self.organization.url, request.name, new.secret)
            self.shop.state.finish(self._key, self._record(new.pat, request))
        except (StoreError, KeyboardInterrupt) as error:
            failure = self._take_back(
                new, error if isinstance(error, StoreError) else StoreError("interrupted")
            )
            if isinstance(error, KeyboardInterrupt):
                raise
            raise failure from error
        if new.pat.target_accounts:
            self.shop.book.learn(self.organization, new.pat.target_accounts[0])
        return Created(
            pat=self._granted(new.pat, request),
            secret=new.secret,
            requested_expiry=request.expires,
            shortened=is_shortened(request.expires, new.pat.valid_to),
            replaced=replaced.id if replaced else None,
        )

    def discard(self, new: NewPat) -> bool:
        """Revoke what was made, forget what was stored of it; False where that failed."""
        try:
            self.shop.tokens.revoke(self.organization, new.pat.authorization_id)
        except PatError:
            return False
        where = (self.organization.url, self.intent.name)
        with suppress(StoreError):
            if self.shop.secrets.get(*where) == new.secret:
                if self.previous is None:
                    self.shop.secrets.delete(*where)
                else:
                    self.shop.secrets.put(*where, self.previous)
        with suppress(StoreError):
            self.shop.state.finish(self._key)
        return True

    def _take_back(self, new: NewPat, cause: PatError) -> PatError:
        """Revoke the new token, and say so in the error that made it necessary."""
        revoked = self.discard(new)
        identifier = new.pat.authorization_id
        if revoked:
            outcome, hint = "the new token was revoked again", cause.hint
        else:
            outcome = f"the new token {identifier} could not be revoked"
            hint = f"revoke it: pat revoke {identifier} --org {self.organization.name}"
        return _same_kind(cause, f"{cause.message}; {outcome}", hint)

    def _after_page(self, error: SignInError) -> PatError:
        """Hold that nothing was made where a page came in place of an answer.

        It mostly says that nobody is signed in, and then the search fails as well; a proxy's
        page hides what the service did.
        """
        undone = False
        with suppress(PatError):
            undone = _undo(self.organization, self.intent, self.shop)
        with suppress(StoreError):
            self.shop.state.finish(self._key)
        if not undone:
            return error
        return _same_kind(error, f"{error.message}; the token it made was revoked", error.hint)

    def _after_silence(self, error: NoAnswerError) -> PatError:
        """Look for what the unanswered request made, and say what became of it."""
        try:
            undone = _undo(self.organization, self.intent, self.shop)
        except _DoubtfulError as second:
            return NoAnswerError(f"{error.message}; {second.message}", hint=second.hint)
        except PatError as second:
            return _same_kind(
                error,
                f"{error.message}; whether {self.intent.name!r} was made is not known"
                f" ({second.message})",
                "the next pat create of that name looks again, and revokes it if it is there",
            )
        outcome = "the token it made was revoked" if undone else "it made no token"
        return _same_kind(error, f"{error.message}; {outcome}", "try again")

    def _granted(self, pat: ServicePat, request: CreateRequest) -> Pat:
        return Pat(
            name=pat.display_name,
            id=pat.authorization_id,
            org=None if pat.target_accounts is None else self.organization.name,
            status=Status.ACTIVE,
            scopes=pat.scopes,
            created=pat.valid_from,
            expires=pat.valid_to,
            is_global=pat.target_accounts is None,
            stored=request.store,
            origin=Origin.PAT,
        )

    def _record(self, pat: ServicePat, request: CreateRequest) -> StoredPat | None:
        if not request.store:
            return None
        return StoredPat(
            org_url=self.organization.url,
            org=self.organization.name,
            name=request.name,
            id=pat.authorization_id,
            scopes=pat.scopes,
            created=pat.valid_from,
            expires=pat.valid_to,
        )


def _settle_leftovers(organization: Organization, name: str, shop: Workshop) -> None:
    """Undo what an earlier create of that name left behind when it was killed.

    The lock on the name is held, so no live process is at work on it. A secret that was stored
    but never indexed is the killed create's own, and goes with its token.
    """
    for intent in shop.state.unfinished(organization.url, name):
        undone = _undo(organization, intent, shop)
        if intent.key is not None:
            shop.state.finish(intent.key)
        if undone and shop.state.find(organization.url, name) is None:
            # A keyring that refuses is told where this create needs it.
            with suppress(StoreError):
                shop.secrets.delete(organization.url, name)


class _DoubtfulError(UnavailableError):
    """Tokens were found that an unanswered request may have made, or another machine."""


def _undo(organization: Organization, intent: Intent, shop: Workshop) -> bool:
    """Revoke the token that an intent made, if it made one, and then close the intent.

    Where nothing is found it stays open: a slow service may still be at work on the request. The
    next create of that name looks again.

    Raises:
        _DoubtfulError: tokens were found that may be the one, or not; none is touched.
        PatError: the service could not be asked.
    """
    made, doubtful = (
        (intent.authorization_id, [])
        if intent.authorization_id
        else _made_by(organization, intent, shop)
    )
    if made is not None:
        shop.tokens.revoke(organization, made)
    if intent.key is not None and (made or doubtful):
        shop.state.finish(intent.key)
    if doubtful:
        raise _DoubtfulError(
            f"tokens named {intent.name!r} were made at that time, perhaps by another machine:"
            f" {', '.join(doubtful)}",
            hint="revoke those whose secret nobody has: pat revoke ID",
        )
    return made is not None


def _made_by(
    organization: Organization, intent: Intent, shop: Workshop
) -> tuple[str | None, list[str]]:
    """Find the token that a request without an answer made.

    The end that was asked for is known to the millisecond and serves as a mark: another machine
    that runs the same command at the same time asks for another millisecond. A token without
    that mark (the service may have shortened its life) is doubtful, and never revoked.
    """
    known = {each.id for each in shop.state.stored(organization.url)}
    marked: list[str] = []
    doubtful: list[str] = []
    for pat in shop.tokens.list(organization, Status.ACTIVE):
        if pat.authorization_id in known or not _resembles(pat, intent):
            continue
        exact = pat.valid_to and abs(pat.valid_to - intent.valid_to) <= _ROUNDING
        (marked if exact else doubtful).append(pat.authorization_id)
    if len(marked) == 1:
        return marked[0], []
    return None, marked + doubtful


def _resembles(pat: ServicePat, intent: Intent) -> bool:
    return (
        pat.display_name == intent.name
        and set(pat.scopes) == set(intent.scopes)
        and pat.target_accounts is not None
        and pat.valid_from is not None
        and abs(pat.valid_from - intent.started) <= _CLOCK_DIFFERENCE
        and pat.valid_to is not None
        and pat.valid_to <= intent.valid_to + _ROUNDING
    )


def _same_kind(cause: PatError, message: str, hint: str) -> PatError:
    """Make an error of the cause's class that says more."""
    more = copy(cause)
    more.args = (message,)
    more.message, more.hint = message, hint
    return more
