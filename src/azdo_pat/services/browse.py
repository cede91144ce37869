"""Listing tokens, and finding the one that a user names."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, NamedTuple

from azdo_pat.errors import ConflictError, NotFoundError, PatError
from azdo_pat.models import Origin, Pat, ServicePat, Status
from azdo_pat.naming import looks_like_id
from azdo_pat.services.organization_book import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from azdo_pat.api.tokens import Tokens
    from azdo_pat.models import Organization
    from azdo_pat.services.organization_book import OrganizationBook
    from azdo_pat.store.state import State

_IN_ORDER: Final = (Status.ACTIVE, Status.EXPIRED, Status.REVOKED)


class Sort(StrEnum):
    """What a list is in order of."""

    NAME = "name"
    CREATED = "created"
    EXPIRES = "expires"


class Filters(NamedTuple):
    """Which tokens to list; each condition that is set must hold.

    Attributes:
        statuses: the service is asked for each in turn, as its answer does not tell them apart.
        names: globs, of which one must match.
        scopes: scopes, all of which the token must have.
        expires_before: active tokens that end before this moment.
        only_global: only tokens for all organizations.
    """

    statuses: tuple[Status, ...] = (Status.ACTIVE,)
    names: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    expires_before: datetime | None = None
    only_global: bool = False

    def match(self, pat: Pat) -> bool:
        """Tell whether a token fulfils all conditions but the status."""
        if self.names and not any(fnmatchcase(pat.name, glob) for glob in self.names):
            return False
        if self.only_global and not pat.is_global:
            return False
        if self.expires_before and not (pat.expires and pat.expires <= self.expires_before):
            return False
        return set(self.scopes) <= set(pat.scopes)


class Browser:
    """The user's tokens as the service lists them, with what this machine knows added."""

    def __init__(self, *, tokens: Tokens, book: OrganizationBook, state: State) -> None:
        self._tokens = tokens
        self._book = book
        self._state = state
        self._marks: dict[str, _Marks] = {}

    def listing(self, organization: Organization, filters: Filters) -> Iterator[Pat]:
        """Go through the tokens of one organization, page by page, as the service orders them.

        The service also lists tokens of the user's other organizations here; those are left out.
        """
        for token, status in self._listed(organization, filters.statuses):
            place = self._book.place(token.target_accounts, organization)
            if place is Place.ELSEWHERE:
                continue
            pat = self._marked(self._book.pat(token, organization, status), organization)
            if filters.match(pat):
                yield pat

    def recall(self, organizations: Iterable[Organization]) -> None:
        """Read what this machine knows of their tokens, once and for all listings to come."""
        for organization in organizations:
            self._marks_of(organization.url)

    def find(self, organization: Organization, texts: Sequence[str]) -> tuple[Pat, ...]:
        """Find the token that each text names: by display name, id, or prefix of the id.

        Active tokens come before expired ones and those before revoked ones, so that a name
        means the one in use.

        Raises:
            NotFoundError: nothing of that name or id in the organization.
            ConflictError: several tokens bear the name; their ids are listed.
        """
        found, failures = self.find_each(organization, texts)
        if failures:
            raise failures[0]
        return found

    def find_each(
        self, organization: Organization, texts: Sequence[str]
    ) -> tuple[tuple[Pat, ...], tuple[PatError, ...]]:
        """Find the tokens that the texts name; see `find`.

        Returns:
            Those that were found, each once, and for each other text what `find` would raise.
        """
        found: dict[str, Pat] = {}
        elsewhere: dict[str, Pat] = {}
        failures: dict[str, PatError] = {}
        for status in _IN_ORDER:
            done = found.keys() | failures.keys()
            missing = [text for text in dict.fromkeys(texts) if text not in done]
            if not missing:
                break
            matches = self._matches(organization, status, missing)
            for text, pats in matches.items():
                here = [pat for pat in pats if pat.org in {organization.name, None}]
                if len(here) > 1:
                    failures[text] = _ambiguous(text, here)
                elif here:
                    found[text] = here[0]
                elif pats:
                    elsewhere.setdefault(text, pats[0])
        for text in texts:
            if text not in found and text not in failures:
                failures[text] = _missing(text, organization, elsewhere.get(text))
        unique = {found[text].id: found[text] for text in texts if text in found}
        return tuple(unique.values()), tuple(failures.values())

    def _matches(
        self, organization: Organization, status: Status, texts: Sequence[str]
    ) -> dict[str, list[Pat]]:
        matches: dict[str, list[Pat]] = {text: [] for text in texts}
        for token, _ in self._listed(organization, (status,)):
            hits = [text for text in texts if _names(text, token)]
            if hits:
                pat = self._marked(self._book.pat(token, organization, status), organization)
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
        key = (pat.id or "").lower()
        stored = key in marks.stored_ids or pat.name in marks.stored_names
        if not stored and key not in marks.made:
            return pat
        return replace(
            pat,
            stored=stored and pat.status is not Status.REVOKED,
            origin=Origin.PAT if key in marks.made else pat.origin,
        )

    def _marks_of(self, org_url: str) -> _Marks:
        if org_url not in self._marks:
            known = self._state.stored(org_url)
            self._marks[org_url] = _Marks(
                stored_ids=frozenset(each.id.lower() for each in known if each.id and each.stored),
                stored_names=frozenset(each.name for each in known if not each.id and each.stored),
                made=self._state.made(),
            )
        return self._marks[org_url]


class _Marks(NamedTuple):
    """What the state file says of an organization's tokens.

    Attributes:
        stored_names: of imported secrets, whose authorization id nobody knows.
    """

    stored_ids: frozenset[str]
    stored_names: frozenset[str]
    made: frozenset[str]


def in_order(pats: Iterable[Pat], sort: Sort) -> list[Pat]:
    """Put tokens in order; those without the date come last, equal ones by name and id."""

    def key(pat: Pat) -> tuple[bool, float, str, str]:
        moment = {Sort.NAME: None, Sort.CREATED: pat.created, Sort.EXPIRES: pat.expires}[sort]
        absent = sort is not Sort.NAME and moment is None
        return absent, moment.timestamp() if moment else 0.0, pat.name.casefold(), pat.id or ""

    return sorted(pats, key=key)


def _names(text: str, token: ServicePat) -> bool:
    if text == token.display_name:
        return True
    return looks_like_id(text) and token.authorization_id.lower().startswith(text.lower())


def _ambiguous(text: str, pats: Sequence[Pat]) -> ConflictError:
    lines = [
        f"{pat.id}  {pat.org or 'all organizations'}  "
        + (f"expires {pat.expires:%Y-%m-%d}" if pat.expires else "expiry unknown")
        for pat in pats
    ]
    return ConflictError(
        f"{len(pats)} tokens answer to {text!r}",
        hint="\n".join(["name one by its id:", *lines]),
    )


def _missing(text: str, organization: Organization, elsewhere: Pat | None) -> NotFoundError:
    if elsewhere is not None:
        return NotFoundError(
            f"{text!r} is not a token of {organization.name} but of {elsewhere.org}",
            hint=f"add --org {elsewhere.org}",
        )
    return NotFoundError(
        f"there is no token {text!r} in {organization.name}",
        hint="pat list --status all shows those there are; names are case-sensitive",
    )
