"""One token being made: what is done at each step, and undone when a later one fails."""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
from azdo_pat.journal import Create, Deliver, RevokeReplaced
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
from azdo_pat.results import RecoveryOutcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from azdo_pat.journal import Issue
    from azdo_pat.models import Organization, ServicePat
    from azdo_pat.operations.context import CreateRequest, Deps


@dataclass(kw_only=True)
class Issuance:
    """One token being made, with its entry in the journal.

    Attributes:
        operation: as it stands in the journal.
        previous: the secret that the new one overwrites, to be put back if something fails. If
            the process dies the new one stays, and the next run goes on with it.
        try_out: uses the new secret once it is stored; what it raises undoes the token.
    """

    deps: Deps
    operation: Issue
    previous: Secret | None = field(default=None, repr=False)
    try_out: Callable[[Secret], object] | None = None

    def __post_init__(self) -> None:
        """Write the operation into the journal before it has any effect."""
        self._key = self.deps.state.begin(self.operation)
        entry = self.operation.entry._replace(key=self._key)
        self.operation = self.operation._replace(entry=entry)

    @property
    def _organization(self) -> Organization:
        return self.operation.entry.organization

    def post(self, request: CreateRequest) -> NewPat:
        """Ask the service; on silence, undo what the request may have made."""
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
        """Revoke a token whose life was shortened, where the user wants it whole or not at all."""
        granted = new.pat.valid_to
        if request.fail_if_shortened and granted is None:
            raise self._take_back(
                new, UnavailableError("the expiry that the service granted cannot be read")
            )
        if request.fail_if_shortened and granted and is_shortened(request.expires, granted):
            problem = RefusedError(
                f"{self._organization.name} granted {request.name!r} a life until"
                f" {granted:%Y-%m-%d %H:%M} UTC only, and {request.expires:%Y-%m-%d %H:%M} UTC was"
                " asked for",
                hint="a policy limits the life of tokens: ask for less with --expires, or leave"
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
            if self.try_out is not None:
                self.try_out(new.secret)
            record = self._record(new.pat, request)
            rest = follow_up(self.operation)
            key = self.deps.state.finish(self._key, record, rest)
        except KeyboardInterrupt:
            raise self._take_back(new, CancelledError("interrupted")) from None
        except PatError as error:
            raise self._take_back(new, error) from error
        except BaseException:
            # A keyring's backend, or the output, may raise anything.
            self.discard(new)
            raise
        with suppress(StoreError):
            if new.pat.target_accounts:
                self.deps.organization_cache.learn(self._organization, new.pat.target_accounts[0])
        return rest and rest._replace(entry=rest.entry._replace(key=key))

    def discard(self, new: NewPat) -> str:
        """Put back what was stored before, and revoke what was made; return what became of it.

        In this order: a run that is killed between leaves a token whose secret is nowhere, which
        the next run revokes; not a secret that is lost. What could not be undone stays in the
        journal.
        """
        identifier = new.pat.authorization_id
        try:
            self._put_back()
        except StoreError:
            if self.previous is not None:
                return (
                    f"whether the keyring holds the secret of the new token {identifier} or still"
                    " the one before is not known, and both tokens live"
                )
            restored = False
        else:
            restored = True
        try:
            self.deps.tokens.revoke(self._organization, identifier)
        except PatError:
            return f"the new token {identifier} could not be revoked"
        revoked = "the new token was revoked again"
        with suppress(StoreError):
            if restored:
                self.deps.state.finish(self._key)
            else:  # the next run need not wait for a list that is late
                self.deps.state.explain(self._key, revoked)
        return revoked

    def _put_back(self) -> None:
        """See that the secret of the new token is not what the keyring holds.

        Raises:
            StoreError: the keyring refuses.
        """
        if not holds_secret_of(self.operation, self.deps):
            return
        where = (self._organization.url, self.operation.entry.name)
        if self.previous is None:
            self.deps.secrets.delete(*where)
        else:
            self.deps.secrets.put(*where, self.previous)

    def _take_back(self, new: NewPat, cause: PatError) -> PatError:
        """Undo what was made, and say so in the error that made it necessary."""
        outcome = self.discard(new)
        hint = cause.hint
        if outcome.endswith("revoked again"):
            pass
        elif outcome.endswith("revoked"):
            identifier = new.pat.authorization_id
            hint = f"revoke it: pat revoke {identifier} --org {self._organization.name}"
        else:
            hint = "when the keyring works again, pat list finds out and revokes one of them"
        return _same_kind(cause, f"{cause.message}; {outcome}", hint)

    def _after_page(self, error: SignInError) -> PatError:
        """Hold that nothing was made where a page came in place of an answer.

        It mostly says that nobody is signed in, and then the search fails as well; a proxy's
        page hides what the service did. What cannot be known stays in the journal.
        """
        undone = False
        try:
            undone = roll_back(self.operation, self.deps)
        except SignInError:
            pass  # nobody is signed in, then
        except PatError as second:
            unknown = (
                f"whether {self.operation.entry.name!r} was made is not known ({second.message})"
            )
            return _same_kind(error, f"{error.message}; {unknown}", error.hint)
        with suppress(StoreError):
            self.deps.state.finish(self._key)
        if not undone:
            return error
        return _same_kind(error, f"{error.message}; the token it made was revoked", error.hint)

    def _after_silence(self, error: PatError) -> PatError:
        """Look for what the unanswered request made, and say what became of it.

        Where nothing is found the journal's entry stays: a slow service may still be at work.
        """
        again = "the next command that signs in (pat list, for example) looks again, and revokes it"
        try:
            undone = roll_back(self.operation, self.deps)
        except DoubtfulError as second:
            return _same_kind(error, f"{error.message}; {second.message}", second.hint)
        except PatError as second:
            unknown = (
                f"whether {self.operation.entry.name!r} was made is not known ({second.message})"
            )
            return _same_kind(error, f"{error.message}; {unknown}", again)
        if not undone:
            with suppress(StoreError):
                self._may_come_late()  # notes the time of this search
            hint = "try again; if one is made late, the next command that signs in revokes it"
            return _same_kind(error, f"{error.message}; no token of it is there", hint)
        with suppress(StoreError):
            self.deps.state.finish(self._key)
        return _same_kind(error, f"{error.message}; the token it made was revoked", "try again")

    def granted(self, pat: ServicePat, request: CreateRequest) -> Pat:
        """Return the token as the service granted it, with what this machine did."""
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
            unread=pat.unread - {Field.TARGETS},  # it was asked for this organization
        )

    def _record(self, pat: ServicePat, request: CreateRequest) -> StoredPat | None:
        return recorded(self.operation, pat) if request.store else None

    def _may_come_late(self) -> bool:
        return may_come_late(self.operation.entry, self.operation.new.searched, self.deps)


def recorded(operation: Issue, pat: ServicePat) -> StoredPat:
    """Return what is remembered of the token that an operation made.

    The scopes are those that were asked for, and so is an expiry that the service does not tell:
    by what differs from it a token is due as soon as it is made, and so again and again.
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
    """Revoke the token that was made; or complete, where its secret has taken another's place."""
    entry, new = operation.entry, operation.new
    try:
        is_stored = holds_secret_of(operation, deps)
    except StoreError:
        # A keyring that refuses is told where this run needs it; the next one looks again.
        return RecoveryOutcome.UNDECIDED
    overwrites = not isinstance(operation, Create) or operation.overwrites
    known_dead = bool(entry.reason)
    if is_stored and overwrites and not known_dead:
        if made := listed(entry, new.authorization_id, deps):
            _complete(operation, made, deps)
            return RecoveryOutcome.COMPLETED
        if may_come_late(entry, new.searched, deps):
            # A list may be late, and the secret that it replaced is gone for certain.
            return RecoveryOutcome.UNDECIDED
    undone = roll_back(operation, deps)
    if not undone and may_come_late(entry, new.searched, deps):
        return RecoveryOutcome.UNDECIDED
    if is_stored:
        deps.secrets.delete(entry.organization.url, entry.name)
    return RecoveryOutcome.ROLLED_BACK if undone else RecoveryOutcome.NOTHING_DONE


def _complete(operation: Issue, made: ServicePat, deps: Deps) -> None:
    """Index a token that lives and whose secret is stored, and do what follows."""
    rest = follow_up(operation)
    key = deps.state.finish(operation.entry.key, recorded(operation, made), rest)
    match rest:
        case Deliver():
            recover_delivery(rest._replace(entry=rest.entry._replace(key=key)), deps)
        case RevokeReplaced():
            revoke_replaced(rest._replace(entry=rest.entry._replace(key=key)), deps)


def _same_kind(cause: PatError, message: str, hint: str) -> PatError:
    """Make an error of the cause's class that says more."""
    more = copy(cause)
    more.args = (message,)
    more.message, more.hint = message, hint
    return more
