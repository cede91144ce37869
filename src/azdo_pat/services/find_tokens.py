"""Lists tokens, and finds the ones that the user names."""

from __future__ import annotations

import math
from dataclasses import replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.command_lines import quoted
from azdo_pat.dates import local_date
from azdo_pat.errors import ConflictError, NotFoundError, PatError
from azdo_pat.models import Field, Origin, Pat, ServicePat, Status
from azdo_pat.naming import begins_id, is_full_id, looks_like_id, natural_key
from azdo_pat.near_names import did_you_mean
from azdo_pat.operations.left_behind import left_behind
from azdo_pat.operations.organization_cache import Membership
from azdo_pat.services.pending import pending_by_id
from azdo_pat.waiting import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from azdo_pat.models import Organization, Pending
    from azdo_pat.operations.deps import Deps
    from azdo_pat.results.tokens import OrganizationFailure

_SIDE_BY_SIDE: Final = 8
_MOST_PROPOSALS: Final = 3
"""Unknown names to propose others for: that takes long where there are thousands of both."""

_IN_ORDER: Final = (Status.ACTIVE, Status.EXPIRED, Status.REVOKED)


class Sort(StrEnum):
    """The sort order of a list."""

    NAME = "name"
    CREATED = "created"
    EXPIRES = "expires"


class Filters(NamedTuple):
    """Which tokens to list; a token must meet every condition that is set.

    Attributes:
        statuses: the service is asked for each in turn, as its answer does not contain the status.
        names: globs, of which one must match.
        scopes: the token must have all of them.
        expires_before: active tokens that expire before this time.
        only_global: only tokens for all organizations.
        doubtful: also tokens whose answer could not be read well enough to decide a condition.
    """

    statuses: tuple[Status, ...] = (Status.ACTIVE,)
    names: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    expires_before: datetime | None = None
    only_global: bool = False
    doubtful: bool = False

    def match(self, pat: Pat) -> bool:
        """Return whether a token meets all conditions except the status."""
        unread: frozenset[Field] = pat.unread if self.doubtful else frozenset()
        named = Field.NAME in unread or any(fnmatchcase(pat.name, glob) for glob in self.names)
        if self.names and not named:
            return False
        if self.only_global and not (pat.is_global or Field.TARGETS in unread):
            return False
        expires_before = None if Field.EXPIRES in unread else self.expires_before
        if expires_before and not (pat.expires and pat.expires <= expires_before):
            return False
        return Field.SCOPES in unread or set(self.scopes) <= set(pat.scopes)


class TokenFinder:
    """Lists the user's tokens from the service, with this machine's facts added."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._tokens = deps.tokens
        self._organizations = deps.organization_cache
        self._state = deps.state
        self._now = deps.now
        self._marks: dict[str, _Marks] = {}

    def listing(self, organization: Organization, filters: Filters) -> Iterator[Pat]:
        """Yield the tokens of one organization, page by page, in the service's order.

        The service also lists tokens of the user's other organizations here; those are left out.
        """
        for token, status in self._listed(organization, filters.statuses):
            place = self._organizations.place(token.target_accounts, organization)
            if place is Membership.ELSEWHERE:
                continue
            pat = self._marked(self._organizations.pat(token, organization, status), organization)
            if filters.match(pat):
                yield pat

    def listing_everywhere(
        self, organizations: Sequence[Organization], filters: Filters
    ) -> tuple[Sequence[Pat], Sequence[OrganizationFailure]]:
        """List the tokens of several organizations in parallel.

        Each token appears once, although the service may list it in several organizations.

        Returns:
            The tokens, and the organizations that could not be listed.
        """
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - most lists are of one

        from azdo_pat.results.tokens import OrganizationFailure  # noqa: PLC0415 - as above

        def of(organization: Organization) -> Sequence[Pat] | OrganizationFailure:
            try:
                return tuple(self.listing(organization, filters))
            except PatError as error:
                return OrganizationFailure(org=organization.name, reason=error.message)

        for each in organizations:
            self._marks_of(each.url)  # only this thread reads the state

        def of_all() -> Sequence[Sequence[Pat] | OrganizationFailure]:
            with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
                return list(pool.map(of, organizations))

        # The pool waits for its threads even after Ctrl-C, and nothing is lost by leaving these.
        answers = within(math.inf, of_all)
        found: dict[str | Pat, Pat] = {}
        for answer in answers:
            if not isinstance(answer, OrganizationFailure):
                # Every organization lists a global token, and its secret is stored for one of
                # them. Tokens whose id could not be read are compared by their readable fields.
                keyed = [(pat.id or pat, pat) for pat in answer]
                found.update({key: pat for key, pat in keyed if pat.stored or key not in found})
        failures = [each for each in answers if isinstance(each, OrganizationFailure)]
        return tuple(found.values()), tuple(failures)

    def find(self, organization: Organization, texts: Sequence[str]) -> tuple[Pat, ...]:
        """Find the token for each text: by display name, id, or prefix of the id.

        Active tokens take precedence over expired ones and those over revoked ones, so that a name
        means the one in use. A text that is one token's name, in any status, and a prefix of the
        id of another is ambiguous.

        Raises:
            NotFoundError: the organization has no such token.
            ConflictError: several tokens match; the hint lists their ids.
        """
        found, failures = self.find_each(organization, texts)
        if failures:
            raise failures[0]
        return found

    def find_each(
        self, organization: Organization, texts: Sequence[str], *, own_first: bool = False
    ) -> tuple[tuple[Pat, ...], tuple[PatError, ...]]:
        """Find the token for each text, collecting failures; see `find`.

        With `own_first`, the organization's own tokens take precedence over global ones of the
        same name and status, which they may have replaced.

        Returns:
            The found tokens, each once, and for each other text the error that `find` would raise.
        """
        matches: dict[str, list[Pat]] = {text: [] for text in texts}
        seen: list[ServicePat] = []
        for status in _IN_ORDER:
            unsettled = [
                text for text in matches if not _settled(text, matches[text], organization)
            ]
            if not unsettled:
                break
            for text, pats in self._matches(organization, status, unsettled, seen).items():
                matches[text] = _each_once([*matches[text], *pats])
        found: dict[str, Pat] = {}
        failures: list[PatError] = []
        leaving = self._leaving()
        for text, pats in matches.items():
            try:
                staying = _staying(text, pats, leaving)
                pat = _chosen(text, staying, organization, own_first=own_first)
            except PatError as error:
                if not pats and len(texts) <= _MOST_PROPOSALS:
                    near = did_you_mean(text, self._names_in(organization, seen), most=3)
                    error.hint = f"{near}{error.hint}"
                failures.append(error)
            else:
                found[pat.id or pat.name] = pat
        return tuple(found.values()), tuple(failures)

    def _names_in(self, organization: Organization, seen: Iterable[ServicePat]) -> Iterator[str]:
        """Yield the names of an organization's tokens among those that the service listed."""
        for token in seen:
            place = self._organizations.place(token.target_accounts, organization)
            if place is not Membership.ELSEWHERE and token.is_named(token.display_name):
                yield token.display_name

    def _leaving(self) -> frozenset[str]:
        """Return the ids of replaced tokens that are still to be revoked."""
        unfinished = self._state.unfinished()
        if not unfinished:
            return frozenset()
        from azdo_pat.journal import Deliver, RevokeReplaced  # noqa: PLC0415 - mostly there is none

        return frozenset(
            operation.replaced.authorization_id
            for operation in unfinished
            if isinstance(operation, Deliver | RevokeReplaced) and operation.replaced
        )

    def _matches(
        self,
        organization: Organization,
        status: Status,
        texts: Sequence[str],
        seen: list[ServicePat],
    ) -> dict[str, list[Pat]]:
        """Return the tokens that each text matches; add those that are not revoked to `seen`."""
        matches: dict[str, list[Pat]] = {text: [] for text in texts}
        # By id prefix, so that each token is compared once instead of with every text.
        begin: dict[str, list[str]] = {}
        for text in matches:
            if looks_like_id(text):
                begin.setdefault(text.lower(), []).append(text)
        lengths = {len(each) for each in begin}
        for token, _ in self._listed(organization, (status,)):
            if status is not Status.REVOKED:
                seen.append(token)
            identifier = token.authorization_id
            hits = {text for size in lengths for text in begin.get(identifier[:size], ())}
            if token.display_name in matches and token.is_named(token.display_name):
                hits.add(token.display_name)
            if hits:
                pat = self._marked(
                    self._organizations.pat(token, organization, status), organization
                )
                for text in hits:
                    matches[text].append(pat)
        return matches

    def _listed(
        self, organization: Organization, statuses: Iterable[Status]
    ) -> Iterator[tuple[ServicePat, Status]]:
        for status in statuses:
            for token in self._tokens.list(organization, status):
                yield token, status

    def _marked(self, pat: Pat, organization: Organization) -> Pat:
        marks = self._marks_of(organization.url)
        key = pat.id or ""
        stored = key in marks.stored_ids or pat.name in marks.stored_names
        pending = marks.pending.get(key, ())
        if not stored and key not in marks.made and not pending:
            return pat
        return replace(
            pat,
            stored=stored and pat.status is not Status.REVOKED,
            origin=Origin.PAT if key in marks.made else pat.origin,
            pending=() if pat.status is Status.REVOKED else pending,
            renewal_due=None if pat.is_global else marks.due.get(key),
        )

    def _marks_of(self, org_url: str) -> _Marks:
        if org_url not in self._marks:
            known = self._state.stored(org_url)
            self._marks[org_url] = _Marks(
                stored_ids=frozenset(each.id for each in known if each.id and each.stored),
                stored_names=frozenset(each.name for each in known if not each.id and each.stored),
                made=self._state.made(),
                pending=pending_by_id(known, left_behind(self._deps, org_url), self._now()),
                due={each.id: each.renewal_due for each in known if each.id},
            )
        return self._marks[org_url]


class _Marks(NamedTuple):
    """The facts of the state file about an organization's tokens.

    Attributes:
        stored_names: of imported secrets whose authorization id is unknown.
        pending: by the id of a token.
        due: from when on `pat renew` replaces a token, by id.
    """

    stored_ids: frozenset[str]
    stored_names: frozenset[str]
    made: frozenset[str]
    pending: Mapping[str, tuple[Pending, ...]]
    due: Mapping[str, datetime | None]


def in_order(pats: Iterable[Pat], sort: Sort) -> list[Pat]:
    """Sort tokens; those without the date come last, equal ones by name and id."""

    def key(pat: Pat) -> tuple[bool, float, tuple[str, ...], str]:
        moment = {Sort.NAME: None, Sort.CREATED: pat.created, Sort.EXPIRES: pat.expires}[sort]
        absent = sort is not Sort.NAME and moment is None
        return absent, moment.timestamp() if moment else 0.0, natural_key(pat.name), pat.id or ""

    return sorted(pats, key=key)


def _each_once(pats: Sequence[Pat]) -> list[Pat]:
    """Keep one row per token: the first, or the first of that status that could be read."""
    by_id: dict[str, Pat] = {}
    for pat in pats:
        if pat.id:
            first = by_id.setdefault(pat.id, pat)
            if first.unread and not pat.unread and first.status is pat.status:
                by_id[pat.id] = pat
    return [*by_id.values(), *(pat for pat in pats if not pat.id)]


def _settled(text: str, pats: Sequence[Pat], organization: Organization) -> bool:
    """Return whether tokens of further statuses cannot change the match of a text.

    They can if it may be the prefix of an id: an old token may have it as its name.
    """
    if looks_like_id(text):
        return is_full_id(text) and any(begins_id(text, pat.id) for pat in pats)
    return bool(_here(pats, organization))


def _staying(text: str, pats: Sequence[Pat], leaving: frozenset[str]) -> Sequence[Pat]:
    """Leave out replaced tokens, unless all are, or the text is an id."""
    if looks_like_id(text):
        return pats
    return [pat for pat in pats if pat.id not in leaving] or pats


def _chosen(text: str, pats: Sequence[Pat], organization: Organization, *, own_first: bool) -> Pat:
    """Choose the token that a text means among all that match it; those in use take precedence.

    Raises:
        NotFoundError: none of them belongs to the organization.
        ConflictError: several match equally.
    """
    if is_full_id(text):  # a name is hardly ever another token's id
        pats = [pat for pat in pats if begins_id(text, pat.id)] or pats
    here = _here(pats, organization)
    if not here:
        raise _missing(text, organization, pats[0] if pats else None)
    if len({pat.name == text for pat in here}) == 1:
        here = [pat for pat in here if pat.status is here[0].status]
    if own_first:
        here = [pat for pat in here if not pat.is_global] or here
    if len(here) > 1:
        raise ambiguous(text, here)
    return here[0]


def _here(pats: Sequence[Pat], organization: Organization) -> list[Pat]:
    return [pat for pat in pats if pat.org in {organization.name, None}]


def ambiguous(text: str, pats: Sequence[Pat]) -> ConflictError:
    """Return the error for a text that several tokens match; its hint lists them."""
    lines = [
        f"{pat.id or '(id unknown)'}"
        f"  {pat.org or ('all organizations' if pat.is_global else 'organization unknown')}"
        f"  {_ending(pat)}{', its secret is stored' if pat.stored else ''}"
        for pat in pats
    ]
    return ConflictError(
        f"{len(pats)} tokens match {text!r}",
        hint="\n".join(["choose one by its id:", *lines]),
    )


def _ending(pat: Pat) -> str:
    if pat.status is Status.REVOKED:
        return "revoked"
    if pat.expires is None:
        return "expiry unknown"
    return f"expire{'d' if pat.status is Status.EXPIRED else 's'} {local_date(pat.expires)}"


def _missing(text: str, organization: Organization, elsewhere: Pat | None) -> NotFoundError:
    if elsewhere is not None:
        return NotFoundError(
            f"{text!r} is a token of {elsewhere.org}, not of {organization.name}",
            hint=f"add --org {quoted(elsewhere.org or '')}",
        )
    return NotFoundError(
        f"no token {text!r} in {organization.name}",
        hint="names are case-sensitive; to list all tokens, run: pat list --status all",
    )
