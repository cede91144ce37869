"""The values that everything else talks about: tokens, secrets, organizations, identities.

Dataclasses where values are changed by `replace` or hold a secret; NamedTuples for the others, as
the making of a frozen dataclass takes half a millisecond of every start.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, NoReturn

from azdo_pat.renewal import DEFAULT_RENEWAL, Renewal

GLOBAL_TOKENS_STOP: Final = "2026-12-01"
"""The day on which tokens for all organizations stop working, whatever expiry they have.

Source: Azure DevOps blog, "Retirement of Global Personal Access Tokens in Azure DevOps". The block
on creating them that it had announced for March 2026 was withdrawn.
"""

_GLOBAL_END: Final = datetime.fromisoformat(f"{GLOBAL_TOKENS_STOP}T00:00:00+00:00")


def effective_expiry(valid_to: datetime | None, *, is_global: bool) -> datetime | None:
    """Return when a token stops working; None if unknown."""
    if not is_global:
        return valid_to
    return _GLOBAL_END if valid_to is None else min(valid_to, _GLOBAL_END)


VARIABLE: Final = "AZURE_DEVOPS_EXT_PAT"
"""What `az devops` reads, and much else by its example."""

USER_NAME: Final = "pat"
"""What stands where a tool wants a user name beside a token. The service takes any; git sends
nothing at all where it is empty."""


class Secret:
    """The text of a token, or another text that must not be seen.

    `repr`, `str` and formatting show stars; `reveal` is the one way to the text. It cannot be
    pickled, compares in full, and says nothing of its length.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself: for the keyring, a request, or the output that was asked for."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, format_spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        msg = "a secret is not written to anything"
        raise TypeError(msg)


class Status(StrEnum):
    """What became of a token."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class Origin(StrEnum):
    """Who made a token, as far as its name or this machine's records tell."""

    PAT = "pat"
    GIT = "git"
    SERVICE_HOOKS = "service-hooks"
    LOAD_TEST = "load-test"
    TEAMS = "teams"
    ARTIFACTS = "artifacts"
    IDE = "ide"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Organization:
    """An Azure DevOps organization, or a collection of Azure DevOps Server.

    Attributes:
        name: its name in URLs, in lower case (organization names ignore case).
        url: where it lives, without a slash at the end; part of the keyring service name.
        id: its GUID, the one that a token's target accounts hold; None while unknown.
        hosted: False for Azure DevOps Server, which has no token lifecycle API.
    """

    name: str
    url: str
    id: str | None = None
    hosted: bool = True


class Field(StrEnum):
    """The fields of a token as the service names them (spec: `PatToken`)."""

    ID = "authorizationId"
    NAME = "displayName"
    SCOPES = "scope"
    CREATED = "validFrom"
    EXPIRES = "validTo"
    TARGETS = "targetAccounts"


@dataclass(frozen=True, kw_only=True)
class Pat:
    """One personal access token, as the service or this machine's records know it.

    Attributes:
        name: the display name; not unique.
        id: the authorization id; None for an imported secret whose id is unknown.
        org: the organization's name; None for a token that is valid for all organizations.
        status: what the service says of it.
        scopes: in the service's order; `app_token` is full access.
        created: when, aware, or None if unknown.
        expires: when it stops working, aware, or None if unknown; of a global token on
            `GLOBAL_TOKENS_STOP` at the latest.
        is_global: valid for all of its user's organizations (target accounts null).
        stored: its secret is in this machine's keyring.
        origin: who made it.
        unread: the fields of the service's answer that could not be read. What they tell is not
            known, so no filter selects the token, and nothing is taken for granted of it.
    """

    name: str
    id: str | None
    org: str | None
    status: Status
    scopes: tuple[str, ...]
    created: datetime | None
    expires: datetime | None
    is_global: bool = False
    stored: bool = False
    origin: Origin = Origin.UNKNOWN
    unread: frozenset[Field] = frozenset()


class ServicePat(NamedTuple):
    """A token exactly as the lifecycle API describes it (spec: `PatToken`).

    Attributes:
        authorization_id: empty where it could not be read.
        display_name: what of it could be read; not to be compared where it is among `unread`.
        target_accounts: GUIDs of its organizations; None means all of them. Empty where they are
            not known: that is never taken for "all".
        unread: the fields that could not be read.
    """

    authorization_id: str
    display_name: str
    scopes: tuple[str, ...]
    valid_from: datetime | None
    valid_to: datetime | None
    target_accounts: tuple[str, ...] | None
    unread: frozenset[Field] = frozenset()

    def is_named(self, name: str) -> bool:
        """Tell whether it is known to have this display name."""
        return Field.NAME not in self.unread and self.display_name == name

    def filled(self, name: str, scopes: tuple[str, ...]) -> "ServicePat":
        """Return it with what was asked for where name and scopes could not be read."""
        return self._replace(
            display_name=name if Field.NAME in self.unread else self.display_name,
            scopes=scopes if Field.SCOPES in self.unread else self.scopes,
            unread=self.unread - {Field.NAME, Field.SCOPES},
        )

    def may_be(self, authorization_id: str, name: str) -> bool:
        """Tell whether it has this id, or may have, as its own could not be read.

        Args:
            authorization_id: in lower case.
            name: the display name of the token that has the id.
        """
        if self.authorization_id:
            return self.authorization_id == authorization_id
        return Field.NAME in self.unread or self.display_name == name


class NewPat(NamedTuple):
    """What a create answers: the token and, this once, its secret."""

    pat: ServicePat
    secret: Secret


class PatRequest(NamedTuple):
    """What to ask for when a token is created (spec: `PatTokenCreateRequest`)."""

    display_name: str
    scopes: tuple[str, ...]
    valid_to: datetime


class PatChanges(NamedTuple):
    """What to change of a token; None leaves as it is (spec: `PatTokenUpdateRequest`)."""

    display_name: str | None = None
    scopes: tuple[str, ...] | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Handover:
    """A secret on its way to a program, and the facts that go with it.

    Attributes:
        org_url: the URL of the organization.
    """

    pat: "Pat"
    secret: Secret = field(repr=False)
    org_url: str


@dataclass(frozen=True, kw_only=True)
class StoredPat:
    """What this machine remembers of a token that went through it; never its secret.

    Attributes:
        org_url: the organization's URL, as in the keyring's service name.
        org: the organization's name.
        stored: its secret was put in the keyring (False after `create --no-store`).
        origin: PAT for one that `pat` made, UNKNOWN for an imported one.
        renewal: how it is looked after.
        fingerprint: the salted hash that identifies its secret; empty where an earlier version
            stored it.
    """

    org_url: str
    org: str
    name: str
    id: str | None
    scopes: tuple[str, ...]
    created: datetime | None
    expires: datetime | None
    stored: bool = True
    origin: Origin = Origin.PAT
    renewal: Renewal = DEFAULT_RENEWAL
    fingerprint: str = field(default="", compare=False)  # another salt, and the same secret

    @property
    def organization(self) -> Organization:
        """Its organization, as far as it is known here."""
        return Organization(name=self.org, url=self.org_url)

    def as_pat(self, status: Status) -> Pat:
        """Return it as a token, of which others know the status."""
        return Pat(
            name=self.name,
            id=self.id,
            org=self.org,
            status=status,
            scopes=self.scopes,
            created=self.created,
            expires=self.expires,
            stored=self.stored,
            origin=self.origin,
        )

    def status_at(self, now: datetime) -> Status:
        """Return the status as far as it is known here: whether it was revoked is not."""
        expired = self.expires is not None and self.expires <= now
        return Status.EXPIRED if expired else Status.UNKNOWN


class Identity(NamedTuple):
    """Who is signed in (spec: `Profile`).

    Attributes:
        id: the member id.
        name: the display name.
        mail: the mail address, empty where the profile has none.
    """

    id: str
    name: str
    mail: str = ""


class AccessToken(NamedTuple):
    """A Microsoft Entra access token and what it says of itself.

    Attributes:
        secret: the bearer.
        source: where it came from, in words: `PAT_ACCESS_TOKEN`, `Azure CLI`.
        user: the user's sign-in name, empty where the token does not tell.
        tenant: the Entra tenant's id, empty where the token does not tell.
        expires: when it ends, None where the token does not tell.
        anew: how the user gets another one, should the service reject it; empty for as usual.
    """

    secret: Secret
    source: str
    user: str = ""
    tenant: str = ""
    expires: datetime | None = None
    anew: str = ""


class SourceReport(NamedTuple):
    """One place that an access token may come from, and what it had to say.

    Attributes:
        used: this one answered.
        detail: why not, or what it is.
    """

    name: str
    used: bool
    detail: str


_TOOL_NAMES: Final = (
    ("git https //", Origin.GIT),
    ("git http //", Origin.GIT),
    ("service hooks azure app service", Origin.SERVICE_HOOKS),
    ("webapploadtestcdinttoken", Origin.LOAD_TEST),
    ("microsoft teams integration", Origin.TEAMS),
    ("azure devops artifacts credential provider", Origin.ARTIFACTS),
    ("vsts intellij plugin http", Origin.IDE),
)


def origin_of(name: str) -> Origin:
    """Tell which tool made a token from the display name that the tool gives it.

    Runs of colons and spaces count as one space: the documentation has spelled the name of the
    service hooks in three ways.

    Sources: "Use personal access tokens", question on unexpected notifications; the code of the
    Azure Artifacts credential provider and of the plug-in for IntelliJ.
    """
    plain = " ".join(name.casefold().replace(":", " ").split())
    for prefix, origin in _TOOL_NAMES:
        if plain.startswith(prefix):
            return origin
    return Origin.UNKNOWN
