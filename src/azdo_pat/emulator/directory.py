"""Who and what exists in the emulator: two tenants, a few users, four organizations."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

TENANT_ID: Final = "7f0b9c1e-5d43-4f6a-9a51-2c8e6f1d0b37"
OTHER_TENANT_ID: Final = "c2a6e0d4-93b1-4e7f-8d25-6b0f4a1c7e58"
ANONYMOUS_ID: Final = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"


@dataclass(frozen=True, kw_only=True)
class User:
    """Someone of a tenant; ``user_id`` is the member id, ``object_id`` the one in that tenant.

    ``kind`` is the prefix of the descriptor: ``aad`` for people, ``svc`` for service identities.
    ``deleted`` ones have left the tenant. ``invented`` ones are of a crowd.
    """

    key: str
    user_id: str
    object_id: str
    display_name: str
    mail: str
    kind: str = "aad"
    guest: bool = False
    deleted: bool = False
    invented: bool = False
    tenant_id: str = TENANT_ID

    @property
    def descriptor(self) -> str:
        """How the graph and the administration of tokens name the user."""
        encoded = base64.urlsafe_b64encode(self.object_id.encode()).decode().rstrip("=")
        return f"{self.kind}.{encoded}"


@dataclass(frozen=True, kw_only=True)
class Organization:
    """An organization; ``organization_id`` is the GUID that ``targetAccounts`` holds.

    In another tenant a user is another identity, so no one of the first tenant is a member.
    Invented users are members where it is ``crowded``.
    """

    organization_id: str
    name: str
    owner_id: str
    member_ids: frozenset[str]
    tenant_id: str = TENANT_ID
    crowded: bool = False

    def has(self, user: User) -> bool:
        """Whether the user is a member."""
        return user.user_id in self.member_ids or (user.invented and self.crowded)


ADA: Final = User(
    key="ada",
    user_id="d6245f20-2af8-44f4-9451-8107cb2767db",
    object_id="1c0d5f3a-7be2-4f5e-8c6d-40a1b1f0e9aa",
    display_name="Ada Lovelace",
    mail="ada@contoso.example",
)
GRACE: Final = User(
    key="grace",
    user_id="2f9a4b6c-0d1e-4c3b-8a79-5e6f7d8c9b0a",
    object_id="93b7e6d5-c4a3-4b21-9f80-1e2d3c4b5a69",
    display_name="Grace Hopper",
    mail="grace@contoso.example",
)
KATHERINE: Final = User(
    key="katherine",
    user_id="8e1c7d42-6b3f-4a90-b5e8-17c2d9f0a463",
    object_id="47a9f6e0-52c8-4d1b-a3f7-9b8e6d5c4a12",
    display_name="Katherine Johnson",
    mail="katherine@partner.example",
    guest=True,
)
MARY: Final = User(
    key="mary",
    user_id="c7f2b8a1-9d54-4e36-8a0c-f3e1d2b4c5a6",
    object_id="e5d8c3b2-a174-4f69-b08d-6c2a1f9e7d34",
    display_name="Mary Jackson",
    mail="mary@contoso.example",
    deleted=True,
)
BUILD: Final = User(
    key="build",
    user_id="3d6a5e9c-1f82-4b7d-9c04-a8b7e6f5d421",
    object_id="b41d9e7a-3c65-4f20-8e1b-d7c9a0f28354",
    display_name="Project Collection Build Service (contoso)",
    mail="",
    kind="svc",
)
ADA_ABROAD: Final = User(
    key="ada-abroad",
    user_id="f4a1c7d9-2b36-4e58-9d07-3c5b8e6f1a20",
    object_id="a9e3d5b7-6c14-4f82-b0d9-81f7c2e4a635",
    display_name="Ada Lovelace",
    mail="ada@contoso.example",
    guest=True,
    tenant_id=OTHER_TENANT_ID,
)
"""Ada as a guest of the other tenant, where she signs in with the account of her own."""

ANONYMOUS: Final = User(
    key="anonymous",
    user_id=ANONYMOUS_ID,
    object_id=ANONYMOUS_ID,
    display_name="Anonymous",
    mail="",
)

CONTOSO: Final = Organization(
    organization_id="38aaa865-2c70-4bf7-a308-0c6539c38c1a",
    name="contoso",
    owner_id=GRACE.user_id,
    member_ids=frozenset(each.user_id for each in (ADA, GRACE, KATHERINE, MARY, BUILD)),
    crowded=True,
)
FABRIKAM: Final = Organization(
    organization_id="6affcbef-fe5d-44c6-8a29-439b79aaa118",
    name="fabrikam",
    owner_id=ADA.user_id,
    member_ids=frozenset({ADA.user_id}),
)
NORTHWIND: Final = Organization(
    organization_id="bf83696f-383b-4980-95b5-1f1127640a8a",
    name="northwind",
    owner_id="5c1f0a9e-8b7d-4e6c-a5f4-3d2e1c0b9a88",
    member_ids=frozenset({"5c1f0a9e-8b7d-4e6c-a5f4-3d2e1c0b9a88"}),
)
TAILSPIN: Final = Organization(
    organization_id="e94c1d70-2f5b-4c86-b3a1-07d9f6e8251c",
    name="tailspin",
    owner_id="b7d03e61-4a92-4f18-8c5d-9e6a2f7b1c34",
    member_ids=frozenset({"b7d03e61-4a92-4f18-8c5d-9e6a2f7b1c34"}),
    tenant_id=OTHER_TENANT_ID,
)

USERS: Final = (ADA, GRACE)
"""Those who are offered to sign in."""

PEOPLE: Final = (*USERS, KATHERINE, MARY)
SUBJECTS: Final = (*PEOPLE, BUILD)
ORGANIZATIONS: Final = (CONTOSO, FABRIKAM, NORTHWIND, TAILSPIN)
_TENANTS: Final = {
    **dict.fromkeys((TENANT_ID, "contoso.example", "organizations", "common"), TENANT_ID),
    **dict.fromkeys((OTHER_TENANT_ID, "tailspin.example"), OTHER_TENANT_ID),
}


def find_user(word: str) -> User | None:
    """The user with this key, member id, object id or mail address, in any case."""
    wanted = word.casefold()
    for user in (*PEOPLE, ADA_ABROAD):
        if wanted in {user.key, user.user_id, user.object_id, user.mail}:
            return user
    return None


def find_organization(word: str) -> Organization | None:
    """The organization with this name or GUID, in any case."""
    wanted = word.casefold()
    for organization in ORGANIZATIONS:
        if wanted in {organization.name, organization.organization_id}:
            return organization
    return None


def find_tenant(word: str) -> str | None:
    """The id of the tenant with this id or domain; that of the users for ``organizations``."""
    return _TENANTS.get(word.casefold())


def identity_in(tenant_id: str, user: User) -> User | None:
    """Who a user is in a tenant; None for someone whom it does not know."""
    if tenant_id == user.tenant_id:
        return user
    return ADA_ABROAD if user is ADA else None


def tenant_of(path: str) -> str:
    """The tenant of the organization that the path of a request belongs to."""
    organization = find_organization(path.strip("/").partition("/")[0])
    return organization.tenant_id if organization else TENANT_ID
