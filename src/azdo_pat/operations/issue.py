"""Creates one token step by step, and rolls back when a step fails."""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from azdo_pat.errors import (
    CancelledError,
    DoubtfulError,
    NoAnswerError,
    PatError,
    RefusedError,
    SignInError,
    StoreError,
    UnavailableError,
)
from azdo_pat.expiry import is_shortened
from azdo_pat.journal import Create, Deliver, RevokeReplaced, Rotate
from azdo_pat.models import (
    Field,
    NewPat,
    Origin,
    Pat,
    PatRequest,
    Secret,
    Status,
    StoredPat,
)
from azdo_pat.operations.delivery import follow_up, recover_delivery, revoke_replaced
from azdo_pat.operations.fingerprint import fingerprint_of
from azdo_pat.operations.revocation import listed
from azdo_pat.operations.rollback import holds_secret_of, may_come_late, roll_back
from azdo_pat.renewal import DEFAULT_RENEWAL, Renewal
from azdo_pat.results import RecoveryOutcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from azdo_pat.journal import Issue
    from azdo_pat.models import Organization, ServicePat
    from azdo_pat.operations.deps import Deps


@dataclass(frozen=True, kw_only=True)
class CreateRequest:
    """What the user asked for.

    Attributes:
        store: store the secret in the keyring.
        replace: overwrite a secret that is stored under the name; its token stays active.
        fail_if_shortened: treat a shortened lifetime as a failure, and revoke the token.
        renewal: how it is to be renewed and delivered; its secret is delivered at once.
    """

    name: str
    scopes: tuple[str, ...]
    expires: datetime
    store: bool = True
    replace: bool = False
    fail_if_shortened: bool = False
    renewal: Renewal = DEFAULT_RENEWAL


class _Discarded(NamedTuple):
    """What became of a token that was discarded, in words.

    Attributes:
        hint: what the user can do about it; empty if there is nothing to do.
    """

    message: str
    hint: str = ""


@dataclass(kw_only=True)
class Issuance:
    """The creation of one token, with its entry in the journal.

    Attributes:
        operation: as it is in the journal.
        previous: the secret that the new one overwrites, to be restored on failure. If
            the process dies the new one stays, and the next run completes the operation.
    """

    deps: Deps
    operation: Issue
    previous: Secret | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Write the operation into the journal before it has any effect."""
        self._key = self.deps.state.begin(self.operation)
        entry = self.operation.entry._replace(key=self._key)
        self.operation = self.operation._replace(entry=entry)

    @property
    def _organization(self) -> Organization:
        return self.operation.entry.organization

    def post(self, request: CreateRequest) -> NewPat:
        """Send the request; if no answer comes, roll back the token that it may have created."""
        ask = PatRequest(display_name=request.name, scopes=request.scopes, valid_to=request.expires)
        try:
            new = self.deps.tokens.create(self._organization, ask)
        except NoAnswerError as error:
            raise self._after_silence(error) from error
        except KeyboardInterrupt:
            # The request may have left: the same search as after a lost answer, then stop.
            raise self._after_silence(CancelledError("interrupted")) from None
        except SignInError as error:
            raise self._after_page(error) from error
        except PatError:
            with suppress(StoreError):
                self.deps.state.finish(self._key)
            raise
        new = new._replace(pat=new.pat.filled(request.name, request.scopes))
        identifier = new.pat.authorization_id
        fingerprint = fingerprint_of(new.secret) if request.store else ""
        known = self.operation.new._replace(authorization_id=identifier, fingerprint=fingerprint)
        self.operation = self.operation._replace(new=known)
        try:
            self.deps.state.note(self._key, identifier, fingerprint)
        except StoreError as error:
            raise self._take_back(new, error) from error
        return new

    def guard_life(self, new: NewPat, request: CreateRequest) -> None:
        """Revoke a token whose lifetime was shortened, if the user asked for that."""
        granted = new.pat.valid_to
        if request.fail_if_shortened and granted is None:
            raise self._take_back(
                new, UnavailableError("the expiry in the service's answer cannot be read")
            )
        if request.fail_if_shortened and granted and is_shortened(request.expires, granted):
            problem = RefusedError(
                f"{self._organization.name} limited {request.name!r} to a lifetime until"
                f" {granted:%Y-%m-%d %H:%M} UTC only, and {request.expires:%Y-%m-%d %H:%M} UTC was"
                " asked for",
                hint="a policy limits the lifetime of tokens: use a shorter --expires, or leave"
                " out --fail-if-shortened",
                code="patLifespanPolicyViolation",
            )
            raise self._take_back(new, problem)

    def keep(
        self, new: NewPat, request: CreateRequest, hand_over: Callable[[], None]
    ) -> Deliver | RevokeReplaced | None:
        """Store the secret, then index the token and close the journal in one transaction.

        Returns:
            The follow-up as it stands in the journal.
        """
        url, name = self._organization.url, request.name
        try:
            if not request.store:
                hand_over()
            else:
                self.deps.secrets.put(url, name, new.secret)
            if isinstance(self.operation, Rotate):  # the old one is revoked after that
                self.deps.directory.check_secret(self._organization, new.secret)
            record = self._record(new.pat, request)
            rest = follow_up(self.operation)
            key = self.deps.state.finish(self._key, record, rest)
        except KeyboardInterrupt:
            raise self._take_back(new, CancelledError("interrupted")) from None
        except PatError as error:
            raise self._take_back(new, error) from error
        except BaseException:
            # A keyring backend, or the output, may raise anything.
            self.discard(new)
            raise
        with suppress(StoreError):
            if new.pat.target_accounts:
                self.deps.organization_cache.learn(self._organization, new.pat.target_accounts[0])
        return rest and rest._replace(entry=rest.entry._replace(key=key))

    def discard(self, new: NewPat) -> _Discarded:
        """Restore the previous secret and revoke the new token; return the outcome.

        In this order, because a run that is killed in between then leaves a token whose secret is
        stored nowhere, which the next run revokes, and not a lost secret. What failed stays in the
        journal.
        """
        identifier = new.pat.authorization_id
        try:
            self._put_back()
        except StoreError:
            if self.previous is not None:
                return _Discarded(
                    "it is unknown whether the keyring has the secret of the new token"
                    f" {identifier} or still the previous one, and both tokens are active",
                    hint="when the keyring works again, run pat list: it finds out and revokes one"
                    " of them",
                )
            restored = False
        else:
            restored = True
        try:
            self.deps.tokens.revoke(self._organization, identifier)
        except PatError:
            return _Discarded(
                f"the new token {identifier} could not be revoked",
                hint=f"revoke it: pat revoke {identifier} --org {self._organization.name}",
            )
        revoked = "the new token was revoked again"
        with suppress(StoreError):
            if restored:
                self.deps.state.finish(self._key)
            else:  # so that the next run need not wait for a delayed list
                self.deps.state.explain(self._key, revoked)
        return _Discarded(revoked)

    def _put_back(self) -> None:
        """Remove the new token's secret from the keyring, and restore the previous one.

        Raises:
            StoreError: the keyring failed.
        """
        if not holds_secret_of(self.operation, self.deps):
            return
        where = (self._organization.url, self.operation.entry.name)
        if self.previous is None:
            self.deps.secrets.delete(*where)
        else:
            self.deps.secrets.put(*where, self.previous)

    def _take_back(self, new: NewPat, cause: PatError) -> PatError:
        """Roll back, and add the outcome to the error that caused it."""
        outcome = self.discard(new)
        message = f"{cause.message}; {outcome.message}"
        return _same_kind(cause, message, outcome.hint or cause.hint)

    def _after_page(self, error: SignInError) -> PatError:
        """Roll back after a web page came instead of an answer.

        Usually the user is not signed in, and then searching for the token fails as well; a proxy's
        page hides what the service did. An unknown outcome stays in the journal.
        """
        undone = False
        try:
            undone = roll_back(self.operation, self.deps)
        except SignInError:
            pass  # the page meant that the user is not signed in
        except PatError as second:
            unknown = (
                f"it is unknown whether {self.operation.entry.name!r} was created"
                f" ({second.message})"
            )
            return _same_kind(error, f"{error.message}; {unknown}", error.hint)
        with suppress(StoreError):
            self.deps.state.finish(self._key)
        if not undone:
            return error
        return _same_kind(
            error, f"{error.message}; the token was created and has been revoked", error.hint
        )

    def _after_silence(self, error: PatError) -> PatError:
        """Roll back after no answer came; return an error with the outcome.

        If no token is found, the journal's entry stays: a slow service may still be at work.
        """
        again = (
            "the next command that signs in (for example pat list) will look again and revoke it"
        )
        try:
            undone = roll_back(self.operation, self.deps)
        except DoubtfulError as second:
            return _same_kind(error, f"{error.message}; {second.message}", second.hint)
        except PatError as second:
            unknown = (
                f"it is unknown whether {self.operation.entry.name!r} was created"
                f" ({second.message})"
            )
            return _same_kind(error, f"{error.message}; {unknown}", again)
        if not undone:
            with suppress(StoreError):
                self._may_come_late()  # notes the time of this search
            hint = (
                "try again; if one is created late, the next command that signs in will revoke it"
            )
            return _same_kind(error, f"{error.message}; no token of this request was found", hint)
        with suppress(StoreError):
            self.deps.state.finish(self._key)
        return _same_kind(
            error, f"{error.message}; the token was created and has been revoked", "try again"
        )

    def granted(self, pat: ServicePat, request: CreateRequest) -> Pat:
        """Return the token as the service granted it, with this machine's facts added."""
        return Pat(
            name=pat.display_name,
            id=pat.authorization_id,
            org=None if pat.target_accounts is None else self._organization.name,
            status=Status.ACTIVE,
            scopes=pat.scopes,
            created=pat.valid_from,
            expires=pat.valid_to,
            is_global=pat.target_accounts is None,
            stored=request.store,
            origin=Origin.PAT,
            unread=pat.unread - {Field.TARGETS},  # it was requested for this organization
        )

    def _record(self, pat: ServicePat, request: CreateRequest) -> StoredPat | None:
        return recorded(self.operation, pat) if request.store else None

    def _may_come_late(self) -> bool:
        return may_come_late(self.operation.entry, self.operation.new.searched, self.deps)


def recorded(operation: Issue, pat: ServicePat) -> StoredPat:
    """Return the index entry of the token that an operation created.

    The scopes are the requested ones, and so is an expiry that the service does not report:
    with others the token would be due as soon as it is created, again and again.
    """
    entry, asked = operation.entry, operation.new
    shortened = pat.valid_to is not None and is_shortened(asked.valid_to, pat.valid_to)
    return StoredPat(
        org_url=entry.organization.url,
        org=entry.organization.name,
        name=entry.name,
        id=pat.authorization_id,
        scopes=asked.scopes,
        created=pat.valid_from,
        expires=pat.valid_to or asked.valid_to,
        renewal=asked.renewal._replace(shortened=shortened),
        fingerprint=asked.fingerprint,
    )


def recover_issue(operation: Issue, deps: Deps) -> RecoveryOutcome:
    """Revoke the created token; or complete the operation if its secret overwrote another one."""
    entry, new = operation.entry, operation.new
    try:
        is_stored = holds_secret_of(operation, deps)
    except StoreError:
        # A keyring failure is reported if this run needs it; the next run tries again.
        return RecoveryOutcome.UNDECIDED
    overwrites = not isinstance(operation, Create) or operation.overwrites
    known_dead = bool(entry.reason)
    if is_stored and overwrites and not known_dead:
        if made := listed(entry, new.authorization_id, deps):
            _complete(operation, made, deps)
            return RecoveryOutcome.COMPLETED
        if may_come_late(entry, new.searched, deps):
            # The list may be delayed, and the overwritten secret is certainly gone.
            return RecoveryOutcome.UNDECIDED
    undone = roll_back(operation, deps)
    if not undone and may_come_late(entry, new.searched, deps):
        return RecoveryOutcome.UNDECIDED
    if is_stored:
        deps.secrets.delete(entry.organization.url, entry.name)
    return RecoveryOutcome.ROLLED_BACK if undone else RecoveryOutcome.NOTHING_DONE


def _complete(operation: Issue, made: ServicePat, deps: Deps) -> None:
    """Index an active token whose secret is stored, and carry out its follow-up."""
    rest = follow_up(operation)
    key = deps.state.finish(operation.entry.key, recorded(operation, made), rest)
    match rest:
        case Deliver():
            recover_delivery(rest._replace(entry=rest.entry._replace(key=key)), deps)
        case RevokeReplaced():
            revoke_replaced(rest._replace(entry=rest.entry._replace(key=key)), deps)


def _same_kind(cause: PatError, message: str, hint: str) -> PatError:
    """Return an error of the cause's class with another message and hint."""
    more = copy(cause)
    more.args = (message,)
    more.message, more.hint = message, hint
    return more
