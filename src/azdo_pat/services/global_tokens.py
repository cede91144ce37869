"""Finds tokens for all organizations, also those that the service no longer lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azdo_pat.errors import ConflictError, NotFoundError, PatError
from azdo_pat.models import Pat, Status, are_global_tokens_stopped
from azdo_pat.naming import begins_id, looks_like_id
from azdo_pat.near_names import did_you_mean
from azdo_pat.operations.deps import service_now
from azdo_pat.organizations import is_of_root
from azdo_pat.services.find_tokens import Filters, TokenFinder, ambiguous

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.models import Organization, StoredPat
    from azdo_pat.operations.deps import Deps

_STATUSES: Final = (Status.ACTIVE, Status.EXPIRED, Status.REVOKED)


class GlobalTokens:
    """The user's tokens for all organizations, as one of the organizations lists them.

    Every organization lists them, so one that answers is enough.
    """

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._finder = TokenFinder(deps)
        self._home: Organization | None = deps.session.located[0] and deps.organization
        self._listed: dict[Status, Sequence[Pat]] = {}

    def in_use(self) -> tuple[Pat, ...]:
        """Return those that work, or would if global tokens had not stopped working.

        One that the service does not list is known if its secret is stored.
        """
        expired = [
            pat
            for pat in self._of(Status.EXPIRED)
            if pat.expires is not None and are_global_tokens_stopped(pat.expires)
        ]
        listed = (*self._of(Status.ACTIVE), *expired)
        if not are_global_tokens_stopped(service_now(self._deps)):
            return listed
        known = {pat.id for pat in (*listed, *self._of(Status.REVOKED))}
        hidden = [
            _as_global(each.name, each.id, each.scopes)
            for each in self._deps.state.stored()
            if each.is_global
            and each.id not in known
            and is_of_root(each.organization, self._deps.session.api_root)
        ]
        return (*listed, *{pat.id: pat for pat in hidden}.values())

    def find_each(
        self, texts: Sequence[str], scopes: tuple[str, ...] | None
    ) -> tuple[tuple[Pat, ...], tuple[PatError, ...]]:
        """Find the token for each text: by display name, id, or prefix of the id.

        Once global tokens have stopped working, one that the service does not list is known from
        the state file, or from its name and the scopes that the user gives.

        Returns:
            The found tokens, each once, and for each other text why none was found.
        """
        found: dict[str, Pat] = {}
        failures: list[PatError] = []
        for text in dict.fromkeys(texts):
            try:
                pat = self._find(text, scopes)
            except (NotFoundError, ConflictError) as error:
                failures.append(error)
            else:
                found.setdefault(pat.id or pat.name, pat)
        return tuple(found.values()), tuple(failures)

    def _find(self, text: str, scopes: tuple[str, ...] | None) -> Pat:
        for status in _STATUSES:
            matching = [
                pat for pat in self._of(status) if pat.name == text or begins_id(text, pat.id)
            ]
            if len(matching) > 1:
                raise ambiguous(text, matching)
            if matching:
                return matching[0]
        if not are_global_tokens_stopped(service_now(self._deps)):
            raise self._missing(text)
        may_be_named = scopes is not None and not looks_like_id(text)
        if known := self._remembered(text, or_else_named=may_be_named):
            return known
        if scopes is None or not may_be_named:
            raise self._missing(text)
        return _as_global(text, None, scopes)

    def _of(self, status: Status) -> Sequence[Pat]:
        if status not in self._listed:
            self._listed[status] = self._list(status)
        return self._listed[status]

    def _list(self, status: Status) -> Sequence[Pat]:
        """List them in the organization that is set, or in the first that answers."""
        filters = Filters(statuses=(status,), only_global=True)
        if self._home is not None:
            return tuple(self._finder.listing(self._home, filters))
        failure: PatError | None = None
        for organization in self._deps.organization_cache.all():
            try:
                found = tuple(self._finder.listing(organization, filters))
            except PatError as error:
                failure = failure or error
            else:
                self._home = organization
                return found
        raise failure or NotFoundError(
            "you are not a member of any Azure DevOps organization",
            hint="sign in as a user who is a member; to see who is signed in, run: pat status",
        )

    def _remembered(self, text: str, *, or_else_named: bool) -> Pat | None:
        """Return a token that the state file knows; None if it knows none, or not which one.

        A token that the service lists is one of a single organization: it may be the one that has
        replaced the global token. Its scopes are those of the global token, but not its id.

        Args:
            text: a name, an id, or the first characters of an id.
            or_else_named: the text can do without the state file, if that knows several.

        Raises:
            ConflictError: several global tokens match, and the text cannot do without.
        """
        entries = [
            each
            for each in self._deps.state.stored()
            if (each.name == text or begins_id(text, each.id))
            and is_of_root(each.organization, self._deps.session.api_root)
        ]
        gone = {each.id: each for each in entries if each.id and each.is_global}
        if len(gone) > 1 and not or_else_named:
            raise ambiguous(text, [each.as_pat(Status.UNKNOWN) for each in gone.values()])
        # Earlier versions did not record that a token is global.
        gone = gone or {each.id: each for each in entries if each.id and not self._is_listed(each)}
        if len(gone) > 1:
            return None
        known = next(iter(gone.values()), None) or next(iter(entries), None)
        if known is None or not known.scopes:
            return None
        return _as_global(known.name, known.id if gone else None, known.scopes)

    def _is_listed(self, entry: StoredPat) -> bool:
        found, _ = self._finder.find_each(entry.organization, [entry.id or ""])
        return bool(found)

    def _missing(self, text: str) -> NotFoundError:
        names = [pat.name for pat in self.in_use()]
        hint = did_you_mean(text, names) + "to list such tokens, run: pat list --global"
        if are_global_tokens_stopped(service_now(self._deps)):
            by = "it by its name, and " if looks_like_id(text) else ""
            hint += f"; if the service no longer lists it, name {by}its scopes with --scope"
        return NotFoundError(
            f"you have no token {text!r} that is valid in all your organizations", hint=hint
        )


def _as_global(name: str, authorization_id: str | None, scopes: tuple[str, ...]) -> Pat:
    """Return a global token that the service does not list."""
    return Pat(
        name=name,
        id=authorization_id,
        org=None,
        status=Status.UNKNOWN,
        scopes=scopes,
        created=None,
        expires=None,
        is_global=True,
    )
