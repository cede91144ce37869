"""Maps the GUIDs of a token's target accounts to organizations."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from azdo_pat.errors import StoreError, UnavailableError
from azdo_pat.models import (
    Organization,
    Pat,
    ServicePat,
    Status,
    effective_expiry,
)
from azdo_pat.origins import origin_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azdo_pat.api.directory import Directory
    from azdo_pat.models import Identity
    from azdo_pat.store.state import State


class Membership(Enum):
    """Whether a token belongs to the current organization."""

    HERE = auto()
    ELSEWHERE = auto()
    EVERYWHERE = auto()
    UNKNOWN = auto()


class OrganizationCache:
    """Caches the user's organizations, so that a listing needs no request for them.

    The service is asked at most once per run, and only for a GUID or an organization that
    is not cached. The GUID of an organization does not change, but its name may be given to
    another one: revoking by a filter first checks it (`confirm`).
    """

    def __init__(self, *, state: State, directory: Directory, api_root: str) -> None:
        self._state = state
        self._directory = directory
        self._api_root = api_root
        self._known: dict[str, Organization] | None = None
        self._asked = False
        self._me: Identity | None = None

    def me(self) -> Identity:
        """Return the signed-in user from the service's profile."""
        self._me = self._me or self._directory.me()
        return self._me

    def all(self) -> tuple[Organization, ...]:
        """Fetch the user's organizations from the service, and cache them."""
        organizations = self._directory.organizations(self.me().id)
        self._asked = True
        self._keep(organizations)
        return organizations

    def place(
        self, target_accounts: tuple[str, ...] | None, organization: Organization
    ) -> Membership:
        """Return whether a token with these target accounts belongs to the organization.

        A token that is not known to belong to the organization counts as another's: the list of one
        organization also contains tokens of others. If the service's answer does not tell, it may
        be any.
        """
        if target_accounts is None:
            return Membership.EVERYWHERE
        if not target_accounts:
            return Membership.UNKNOWN
        here = self._id_of(organization)
        return (
            Membership.HERE
            if here in {each.lower() for each in target_accounts}
            else Membership.ELSEWHERE
        )

    def name_of(self, account_id: str) -> str:
        """Return the organization's name, or the GUID itself if no name is known."""
        found = self._by_id(account_id)
        return found.name if found else account_id

    def learn(self, organization: Organization, account_id: str) -> None:
        """Cache a GUID that the service revealed, for example in a created token."""
        if self._organizations().get(account_id.lower()) is None:
            self._keep([replace(organization, id=account_id.lower())])

    def confirm(self, organization: Organization) -> None:
        """Ask the organization itself for its GUID, and replace the cached one.

        Raises:
            PatError: it cannot be asked.
        """
        told = self._directory.account_id(organization).lower()
        if self._id_by_url(organization.url) != told:
            self._keep([replace(organization, id=told)])

    def pat(
        self, token: ServicePat, organization: Organization, status: Status = Status.UNKNOWN
    ) -> Pat:
        """Convert the service's token into one with its organization's name."""
        place = self.place(token.target_accounts, organization)
        org: str | None = organization.name
        if place in {Membership.EVERYWHERE, Membership.UNKNOWN}:
            org = None
        elif place is Membership.ELSEWHERE:
            org = self.name_of((token.target_accounts or ("",))[0])
        return Pat(
            name=token.display_name,
            id=token.authorization_id or None,
            org=org,
            # A row without an id is not reliable in its other fields either.
            status=status if token.authorization_id else Status.UNKNOWN,
            scopes=token.scopes,
            created=token.valid_from,
            expires=effective_expiry(token.valid_to, is_global=place is Membership.EVERYWHERE),
            is_global=place is Membership.EVERYWHERE,
            origin=origin_of(token.display_name),
            unread=token.unread,
        )

    def _id_of(self, organization: Organization) -> str | None:
        """Find the organization's GUID: cached, in the user's list, or from the organization.

        The user's list can lack an organization where the user is a guest.
        """
        found = self._id_by_url(organization.url)
        if found is None and not self._asked:
            self._try_all()  # if that fails, the organization itself is asked
            found = self._id_by_url(organization.url)
        if found is None:
            found = self._directory.account_id(organization).lower()
            self._keep([replace(organization, id=found)])
        return found

    def _try_all(self) -> None:
        """Fetch the user's organizations once; an unreadable answer must not hide tokens."""
        self._asked = True
        with suppress(UnavailableError):
            self.all()

    def _id_by_url(self, url: str) -> str | None:
        return next((key for key, each in self._organizations().items() if each.url == url), None)

    def _by_id(self, account_id: str) -> Organization | None:
        wanted = account_id.lower()
        found = self._organizations().get(wanted)
        if found is None and not self._asked:
            self._try_all()
            found = self._organizations().get(wanted)
        return found

    def _organizations(self) -> dict[str, Organization]:
        if self._known is None:
            remembered: Sequence[Organization] = self._state.organizations(self._api_root)
            self._known = {each.id.lower(): each for each in remembered if each.id}
        return self._known

    def _keep(self, organizations: Sequence[Organization]) -> None:
        """Add organizations to the cache; ignore a failure of the state file.

        The cache is optional: a listing must work even if nothing can be written.
        """
        organizations = [each for each in organizations if each.id]
        with suppress(StoreError):
            # A GUID under a new name no longer has the cached name.
            newer = {each.id for each in organizations}
            known = {
                each.url: each for each in self._organizations().values() if each.id not in newer
            }
            known |= {each.url: each for each in organizations}
            self._known = {each.id.lower(): each for each in known.values() if each.id}
            self._state.remember_organizations(self._api_root, tuple(known.values()))
