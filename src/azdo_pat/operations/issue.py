"""Creates one token step by step, and rolls back when a step fails."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.command_lines import pat_command
from azdo_pat.dates import local_minute
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
from azdo_pat.journal import Create, Deliver, NewToken, RevokeReplaced, Rotate
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
from azdo_pat.results.recovery import RecoveryOutcome
from azdo_pat.results.tokens import Created

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from azdo_pat.journal import Issue
    from azdo_pat.models import ServicePat
    from azdo_pat.operations.deps import Deps


_REVOKED: Final = "the token was created and has been revoked"


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

    @property
    def new_token(self) -> NewToken:
        """The token as the journal records it."""
        return NewToken(self.scopes, self.expires, self.renewal)


def issue(
    operation: Issue,
    request: CreateRequest,
    deps: Deps,
    *,
    previous: Secret | None = None,
    hand_over: Callable[[Created], None] | None = None,
) -> tuple[Created, Deliver | RevokeReplaced | None]:
    """Create a token, store its secret and index it. The name must be locked.

    If a step fails, the token is revoked again. The secret of a rotation is tried before the
    old token may be revoked.

    `operation` is recorded in the journal before it has any effect. On failure, `previous` is
    stored again, the secret that the new one overwrites; if the process dies the new one stays, and
    the next run completes the operation. `hand_over` hands a secret that is not stored to the user.

    Returns:
        The token, and the follow-up as it stands in the journal.
    """
    issuance = begun(operation, request, deps, previous=previous)
    new = issuance.post()
    issuance.guard_life(new)
    created = issuance.created(new)
    return created, issuance.keep(new, created, hand_over)


def begun(
    operation: Issue, request: CreateRequest, deps: Deps, *, previous: Secret | None = None
) -> Issuance:
    """Record an operation in the journal, before it has any effect."""
    key = deps.state.begin(operation)
    entry = operation.entry._replace(key=key)
    return Issuance(operation._replace(entry=entry), key, request, previous, deps)


class _Discarded(NamedTuple):
    """What became of a token that was discarded, in words.

    Attributes:
        hint: what the user can do about it; empty if there is nothing to do.
    """

    message: str
    hint: str = ""


class Issuance:
    """The creation of one token, with its entry in the journal."""

    def __init__(
        self,
        operation: Issue,
        key: int,
        request: CreateRequest,
        previous: Secret | None,
        deps: Deps,
    ) -> None:
        self._operation = operation
        self._key = key
        self._request = request
        self._previous = previous
        self._deps = deps
        self._organization = operation.entry.organization

    def post(self) -> NewPat:
        """Send the request; if no answer comes, roll back the token that it may have created."""
        asked = self._request
        ask = PatRequest(display_name=asked.name, scopes=asked.scopes, valid_to=asked.expires)
        try:
            new = self._deps.tokens.create(self._organization, ask)
        except NoAnswerError as error:
            raise self._after_silence(error) from error
        except KeyboardInterrupt:
            # The request may have left: the same search as after a lost answer, then stop.
            raise self._after_silence(CancelledError("interrupted")) from None
        except SignInError as error:
            raise self._after_page(error) from error
        except PatError:
            self.close()
            raise
        new = new._replace(pat=new.pat.filled(asked.name, asked.scopes))
        identifier = new.pat.authorization_id
        fingerprint = fingerprint_of(new.secret) if asked.store else ""
        known = self._operation.new._replace(authorization_id=identifier, fingerprint=fingerprint)
        self._operation = self._operation._replace(new=known)
        try:
            self._deps.state.note(self._key, identifier, fingerprint)
        except StoreError as error:
            raise self.take_back(new, error) from error
        except KeyboardInterrupt:
            # Its id may not be written, and it is not certain that it can be found without.
            raise self.take_back(new, CancelledError("interrupted")) from None
        return new

    def guard_life(self, new: NewPat) -> None:
        """Revoke a token whose lifetime was shortened, if the user asked for that."""
        asked, granted = self._request, new.pat.valid_to
        if not asked.fail_if_shortened:
            return
        if granted is None:
            raise self.take_back(
                new, UnavailableError("the expiry in the service's answer cannot be read")
            )
        if is_shortened(asked.expires, granted):
            problem = RefusedError(
                f"{self._organization.name} shortened the lifetime of {asked.name!r}: it would"
                f" expire {local_minute(granted)}, not {local_minute(asked.expires)}"
                " as requested",
                hint="a policy limits the lifetime of tokens: use a shorter --expires, or leave"
                " out --fail-if-shortened",
                code="patLifespanPolicyViolation",
            )
            raise self.take_back(new, problem)

    def created(self, new: NewPat) -> Created:
        """Return the token as the service granted it, with this machine's facts added."""
        token, entry = new.pat, recorded(self._operation, new.pat)
        pat = Pat(
            name=token.display_name,
            id=token.authorization_id,
            org=None if token.target_accounts is None else self._organization.name,
            status=Status.ACTIVE,
            scopes=token.scopes,
            created=token.valid_from,
            expires=token.valid_to,
            is_global=token.target_accounts is None,
            stored=self._request.store,
            origin=Origin.PAT,
            unread=token.unread - {Field.TARGETS},  # it was requested for this organization
            renewal_due=entry.renewal_due if self._request.store else None,
        )
        asked = self._request.expires
        shortened_from = asked if is_shortened(asked, token.valid_to) else None
        return Created(pat=pat, secret=new.secret, shortened_from=shortened_from)

    def keep(
        self, new: NewPat, created: Created, hand_over: Callable[[Created], None] | None
    ) -> Deliver | RevokeReplaced | None:
        """Store the secret, then index the token and close the journal in one transaction.

        Returns:
            The follow-up as it stands in the journal.
        """
        try:
            if self._request.store:
                self._deps.secrets.put(self._organization.url, self._request.name, new.secret)
            elif hand_over is not None:
                hand_over(created)
            if isinstance(self._operation, Rotate):  # the old one is revoked after that
                self._deps.directory.check_secret(self._organization, new.secret)
            record = recorded(self._operation, new.pat) if self._request.store else None
            rest = _finish(self._operation, record, self._deps)
        except KeyboardInterrupt:
            raise self.take_back(new, CancelledError("interrupted")) from None
        except PatError as error:
            raise self.take_back(new, error) from error
        except BaseException:
            # A keyring backend, or the output, may raise anything.
            self.discard(new)
            raise
        with suppress(StoreError):
            if new.pat.target_accounts:
                self._deps.organization_cache.learn(self._organization, new.pat.target_accounts[0])
        return rest

    def take_back(self, new: NewPat, cause: PatError) -> PatError:
        """Roll back, and add the outcome to the error that caused it."""
        outcome = self.discard(new)
        return _extended(cause, outcome.message, outcome.hint or cause.hint)

    def discard(self, new: NewPat) -> _Discarded:
        """Restore the previous secret and revoke the new token; return the outcome.

        In this order, because a run that is killed in between then leaves a token whose secret is
        stored nowhere, which the next run revokes, and not a lost secret. What failed stays in the
        journal.
        """
        identifier = new.pat.authorization_id
        restored = True
        try:
            self._put_back()
        except StoreError:
            if self._previous is not None:
                return _Discarded(
                    "it is unknown whether the keyring has the secret of the new token"
                    f" {identifier} or the previous secret; both tokens are active",
                    hint="when the keyring works again, run pat list: it checks which secret is"
                    " stored, and revokes the other token",
                )
            restored = False
        try:
            self._deps.tokens.revoke(self._organization, identifier)
        except PatError:
            return _Discarded(
                f"the new token {identifier} could not be revoked",
                hint="to revoke it, run: "
                + pat_command("revoke", identifier, options=("--org", self._organization.name)),
            )
        revoked = "the new token was revoked"
        if restored:
            self.close()
        else:  # so that the next run need not wait for a delayed list
            with suppress(StoreError):
                self._deps.state.explain(self._key, revoked)
        return _Discarded(revoked)

    def _put_back(self) -> None:
        """Remove the new token's secret from the keyring, and restore the previous one.

        Raises:
            StoreError: the keyring failed.
        """
        if not holds_secret_of(self._operation, self._deps):
            return
        where = (self._organization.url, self._request.name)
        if self._previous is None:
            self._deps.secrets.delete(*where)
        else:
            self._deps.secrets.put(*where, self._previous)

    def _after_page(self, error: SignInError) -> PatError:
        """Roll back after a web page came instead of an answer.

        Usually the user is not signed in, and then searching for the token fails as well; a proxy's
        page hides what the service did. An unknown outcome stays in the journal.
        """
        undone = False
        try:
            undone = roll_back(self._operation, self._deps)
        except SignInError:
            pass  # the page meant that the user is not signed in
        except PatError as second:
            return _extended(error, self._unknown(second), error.hint)
        self.close()
        return _extended(error, _REVOKED, error.hint) if undone else error

    def _after_silence(self, error: PatError) -> PatError:
        """Roll back after no answer came; return an error with the outcome.

        If no token is found, the journal's entry stays: a slow service may still be at work.
        """
        try:
            undone = roll_back(self._operation, self._deps)
        except DoubtfulError as second:
            return _extended(error, second.message, second.hint)
        except PatError as second:
            again = "the next command that signs in (for example pat list) will look again and"
            return _extended(error, self._unknown(second), f"{again} revoke it")
        if undone:
            self.close()
            return _extended(error, _REVOKED, "try again")
        with suppress(StoreError):  # notes the time of this search
            may_come_late(self._operation.entry, self._operation.new.searched, self._deps)
        return _extended(
            error,
            "no token of this request was found",
            "try again; if the service still creates the token, the next command that signs in will"
            " revoke it",
        )

    def _unknown(self, failure: PatError) -> str:
        return f"it is unknown whether {self._request.name!r} was created ({failure.message})"

    def close(self) -> None:
        """Close the entry of the journal; if that fails, the next run finds nothing to do."""
        with suppress(StoreError):
            self._deps.state.finish(self._key)


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
    match _finish(operation, recorded(operation, made), deps):
        case Deliver() as rest:
            recover_delivery(rest, deps)
        case RevokeReplaced() as rest:
            revoke_replaced(rest, deps)


def _finish(
    operation: Issue, record: StoredPat | None, deps: Deps
) -> Deliver | RevokeReplaced | None:
    """Index a token, close its entry and open that of the follow-up, which is returned."""
    rest = follow_up(operation)
    key = deps.state.finish(operation.entry.key, record, rest)
    return rest and rest._replace(entry=rest.entry._replace(key=key))


def _extended(cause: PatError, addition: str, hint: str) -> PatError:
    """Return an error of the cause's class that says more, with another hint."""
    more = cause.saying(f"{cause.message}; {addition}")
    more.hint = hint
    return more
