"""The values that all packages share: tokens, secrets, organizations, identities.

Dataclasses if values are changed by `replace` or hold a secret; NamedTuples for the others, as
defining a frozen dataclass takes half a millisecond of every start.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple, NoReturn

from azdo_pat.renewal import DEFAULT_RENEWAL, Renewal

GLOBAL_TOKENS_STOP: Final = "2026-12-01"
"""The day on which tokens for all organizations stop working, regardless of their expiry.

Source: Azure DevOps blog, "Retirement of Global Personal Access Tokens in Azure DevOps". The block
on creating them that it had announced for March 2026 was withdrawn.
"""

_GLOBAL_END: Final = datetime.fromisoformat(f"{GLOBAL_TOKENS_STOP}T00:00:00+00:00")


def are_global_tokens_stopped(now: datetime) -> bool:
    """Return whether tokens for all organizations have stopped working by then."""
    return now >= _GLOBAL_END


def global_tokens_stop(now: datetime) -> str:
    """Return that a global token stops working, or has stopped, and when."""
    verb = "stopped" if are_global_tokens_stopped(now) else "stops"
    return f"{verb} working on {GLOBAL_TOKENS_STOP}"


def effective_expiry(valid_to: datetime | None, *, is_global: bool) -> datetime | None:
    """Return when a token stops working; None if unknown."""
    if not is_global:
        return valid_to
    return _GLOBAL_END if valid_to is None else min(valid_to, _GLOBAL_END)


VARIABLE: Final = "AZURE_DEVOPS_EXT_PAT"
"""The variable that `az devops` reads, and many other programs."""

USER_NAME: Final = "pat"
"""The user name for tools that require one beside a token. The service accepts any; git sends
nothing at all if it is empty."""


class Secret:
    """The text of a token, or another text that must not be shown.

    `repr`, `str` and formatting show stars; `reveal` and `basic` return the text. It cannot be
    pickled, is compared as a whole, and does not reveal its length.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself: for the keyring, a request, or the output that was asked for."""
        return self._text

    def basic(self, user: str = "") -> str:
        """Return it with a user name as the credentials of HTTP's Basic scheme (RFC 7617)."""
        from base64 import b64encode  # noqa: PLC0415 - few commands need it

        return b64encode(f"{user}:{self._text}".encode()).decode("ascii")

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
    """The status of a token."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class Origin(StrEnum):
    """Who created a token, as far as its name or this machine's records tell."""

    PAT = "pat"
    GIT = "git"
    SERVICE_HOOKS = "service-hooks"
    LOAD_TEST = "load-test"
    TEAMS = "teams"
    ARTIFACTS = "artifacts"
    IDE = "ide"
    UNKNOWN = "unknown"


class Setting(NamedTuple):
    """One setting with its value and source.

    Attributes:
        value: None if it is not set.
        source: `default`, `config file`, the name of the environment variable, or the option.
    """

    key: str
    value: str | bool | int | None
    source: str
    summary: str = ""


@dataclass(frozen=True, kw_only=True)
class Organization:
    """An Azure DevOps organization, or a collection of Azure DevOps Server.

    Attributes:
        name: its name in URLs, in lower case (organization names ignore case).
        url: its URL, without a trailing slash; part of the keyring service name.
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


class PendingKind(StrEnum):
    """The kind of a step that is still pending."""

    UNDELIVERED = "undelivered"
    """A secret has not been delivered to every target."""
    UNREVOKED = "unrevoked"
    """A token that should be revoked has not been."""
    GRACE = "grace"
    """A token that was replaced is still active, as its grace period is running."""
    INTERRUPTED = "interrupted"
    """The outcome of an interrupted operation is unknown."""


class Pending(NamedTuple):
    """A step that an earlier run has left for a later one.

    Attributes:
        name: the name under which the secret is stored.
        org: the organization's name.
        kind: what is pending.
        until: when the grace period ends, for `GRACE`; else None.
        reason: why it could not be done, in words; empty if that is unknown, or for `GRACE`.
        fix: the command line that does it; for `GRACE`, the one that revokes the token at once.
        message: what is pending, in words.
        org_url: the organization's URL.
        id: the authorization id of the token that is to be revoked; None for none.
        user: the sign-in name of the tokens' owner; empty if unknown. Only that user can do it.
    """

    name: str
    org: str
    kind: PendingKind
    until: datetime | None
    reason: str
    fix: str
    message: str
    org_url: str
    id: str | None = None
    user: str = ""


@dataclass(frozen=True, kw_only=True)
class Pat:
    """One personal access token, as the service or this machine's records know it.

    Attributes:
        name: the display name; not unique.
        id: the authorization id; None for an imported secret whose id is unknown.
        org: the organization's name; None for a token that is valid for all organizations.
        status: as the service reports it.
        scopes: in the service's order; `app_token` is full access.
        created: when, aware, or None if unknown.
        expires: when it stops working, aware, or None if unknown; of a global token on
            `GLOBAL_TOKENS_STOP` at the latest.
        is_global: valid for all of its user's organizations (target accounts null).
        stored: its secret is in this machine's keyring.
        origin: who created it.
        unread: the fields of the service's answer that could not be read. Their values are not
            known, so no filter selects the token, and nothing is assumed about it.
        pending: what earlier runs have left for a later one, of it or of a token that it replaces.
        renewal_due: from when on `pat renew` replaces it, aware; None if it does not.
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
    pending: tuple[Pending, ...] = ()
    renewal_due: datetime | None = field(default=None, compare=False)  # of this machine


class ServicePat(NamedTuple):
    """A token exactly as the lifecycle API describes it (spec: `PatToken`).

    Attributes:
        authorization_id: empty if it could not be read.
        display_name: its readable part; not to be compared if it is among `unread`.
        target_accounts: GUIDs of its organizations; None means all of them. Empty if they are
            unknown, which never means all of them.
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
        """Return whether it is known to have this display name."""
        return Field.NAME not in self.unread and self.display_name == name

    def filled(self, name: str, scopes: tuple[str, ...]) -> "ServicePat":
        """Return it with requested values for a name and scopes that could not be read."""
        return self._replace(
            display_name=name if Field.NAME in self.unread else self.display_name,
            scopes=scopes if Field.SCOPES in self.unread else self.scopes,
            unread=self.unread - {Field.NAME, Field.SCOPES},
        )

    def may_be(self, authorization_id: str, name: str) -> bool:
        """Return whether it has this id, or may have it because its own could not be read.

        Args:
            authorization_id: in lower case.
            name: the display name of the token that has the id.
        """
        if self.authorization_id:
            return self.authorization_id == authorization_id
        return Field.NAME in self.unread or self.display_name == name


class NewPat(NamedTuple):
    """The response to a create request: the token and, only this once, its secret."""

    pat: ServicePat
    secret: Secret


class PatRequest(NamedTuple):
    """The request to create a token (spec: `PatTokenCreateRequest`)."""

    display_name: str
    scopes: tuple[str, ...]
    valid_to: datetime


class PatChanges(NamedTuple):
    """The changes to a token; None leaves a field unchanged (spec: `PatTokenUpdateRequest`)."""

    display_name: str | None = None
    scopes: tuple[str, ...] | None = None
    valid_to: datetime | None = None


class Handover(NamedTuple):
    """A secret to hand to a program, with the facts about its token.

    Attributes:
        org_url: the URL of the organization.
        fingerprint: of the secret, salted; empty where no target keeps it.
    """

    pat: "Pat"
    secret: Secret
    org_url: str
    fingerprint: str = ""


class HeldSecret(NamedTuple):
    """A secret that was delivered to a vault, and what was noted with it.

    Attributes:
        authorization_id: of its token, as noted: anyone who can write there can note any id.
        fingerprint: of the secret that the note was made for, which may have been another one.
    """

    secret: Secret
    authorization_id: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class StoredPat:
    """The index entry of a token that this machine has handled; never its secret.

    Attributes:
        org_url: the organization's URL, as in the keyring's service name.
        org: the organization's name.
        stored: its secret was stored in the keyring (False after `create --no-store`).
        origin: PAT for one that `pat` created, UNKNOWN for an imported one.
        renewal: how it is renewed and delivered.
        fingerprint: the salted hash that identifies its secret; empty if an earlier version
            stored it.
        is_global: its token is valid for all of its user's organizations.
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
    fingerprint: str = field(default="", compare=False)  # a different salt, but the same secret
    is_global: bool = False

    @classmethod
    def unknown(cls, organization: Organization, name: str, fingerprint: str = "") -> "StoredPat":
        """Return the entry of a secret of which only the name is known."""
        return cls(
            org_url=organization.url,
            org=organization.name,
            name=name,
            id=None,
            scopes=(),
            created=None,
            expires=None,
            origin=Origin.UNKNOWN,
            fingerprint=fingerprint,
        )

    def described_by(self, pat: Pat) -> "StoredPat":
        """Return it with what the service says of its token."""
        return replace(
            self,
            id=pat.id,
            scopes=pat.scopes,
            created=pat.created,
            expires=pat.expires,
            is_global=pat.is_global,
        )

    @property
    def organization(self) -> Organization:
        """Its organization, as far as this machine knows it."""
        return Organization(name=self.org, url=self.org_url)

    @property
    def life(self) -> timedelta | None:
        """Its lifetime from its creation to its expiry; None if unknown."""
        return None if self.created is None or self.expires is None else self.expires - self.created

    @property
    def renewal_due(self) -> datetime | None:
        """From when on `pat renew` replaces it; None if it does not."""
        if not self.stored or self.id is None or self.expires is None:
            return None
        return self.expires - self.renewal.window(self.life)

    def as_pat(self, status: Status) -> Pat:
        """Return it as a token with the given status."""
        return Pat(
            name=self.name,
            id=self.id,
            org=None if self.is_global else self.org,
            status=status,
            scopes=self.scopes,
            created=self.created,
            expires=self.expires,
            is_global=self.is_global,
            stored=self.stored,
            origin=self.origin,
            renewal_due=None if self.is_global else self.renewal_due,
        )

    def status_at(self, now: datetime) -> Status:
        """Return the status by the expiry alone: a revocation is not known on this machine."""
        expired = self.expires is not None and self.expires <= now
        return Status.EXPIRED if expired else Status.UNKNOWN


class Identity(NamedTuple):
    """The signed-in user (spec: `Profile`).

    Attributes:
        id: the member id.
        name: the display name.
        mail: the mail address, empty if the profile has none.
    """

    id: str
    name: str
    mail: str = ""


class AccessToken(NamedTuple):
    """A Microsoft Entra access token and its claims.

    Attributes:
        secret: the bearer.
        source: where it came from, in words: `PAT_ACCESS_TOKEN`, `Azure CLI`.
        user: the user's sign-in name, empty if the token has none.
        tenant: the Entra tenant's id, empty if the token has none.
        expires: when it expires, None if the token does not say.
        sign_in_hint: how the user gets another one if it is rejected; empty for the usual way.
        is_pat: it is a personal access token in place of one, which only few APIs accept.
        is_application: it is of a service principal or managed identity, not of a user.
    """

    secret: Secret
    source: str
    user: str = ""
    tenant: str = ""
    expires: datetime | None = None
    sign_in_hint: str = ""
    is_pat: bool = False
    is_application: bool = False


class SourceReport(NamedTuple):
    """One possible source of the access token, and what it returned.

    Attributes:
        used: this source provided the access token.
        detail: the reason why not, or a description.
    """

    name: str
    used: bool
    detail: str


class PolicyName(StrEnum):
    """The policies of a tenant that restrict tokens, by the service's names.

    Source: Azure DevOps documentation, "Manage personal access tokens using policies"; the names
    are from ADOPS, `Get-ADOPSTenantPolicy`.
    """

    GLOBAL = "RestrictGlobalPersonalAccessToken"
    FULL_ACCESS = "RestrictFullScopePersonalAccessToken"
    LIFESPAN = "RestrictPersonalAccessTokenLifespan"
    LEAKED = "EnableLeakedPersonalAccessTokenAutoRevocation"


class TenantPolicy(NamedTuple):
    """A policy of the tenant to which an organization belongs.

    Attributes:
        max_days: the longest lifetime that `LIFESPAN` allows; None if it does not say.
        has_exceptions: some users or groups are exempt.
    """

    name: PolicyName
    is_on: bool
    max_days: int | None = None
    has_exceptions: bool = False


class User(NamedTuple):
    """A user of an organization (spec: `GraphUser`). What cannot be read is empty.

    Attributes:
        descriptor: what identifies the user in other requests.
        name: the display name; not unique.
        upn: the name by which the user signs in.
        is_guest: a guest of the tenant.
        is_deleted: the account no longer exists in the tenant, but still does in the organization.
    """

    descriptor: str
    name: str
    upn: str
    mail: str
    is_guest: bool = False
    is_deleted: bool = False

    @property
    def handle(self) -> str:
        """What people know the user by: the sign-in name, if it can be read."""
        return self.upn or self.name or self.descriptor


class SessionToken(NamedTuple):
    """A token, or an SSH key, of any user, as the administration API describes it.

    Attributes:
        is_valid: neither expired nor revoked; None if that cannot be read.
        correlating_id: the hash of its secret (`services.admin_whose`); empty if unknown.
    """

    pat: ServicePat
    is_valid: bool | None
    correlating_id: str


class OwnedPat(NamedTuple):
    """A token and its owner."""

    pat: "Pat"
    owner: User

    @property
    def place(self) -> tuple[object, ...]:
        """What sorts tokens by owner and name."""
        from azdo_pat.naming import natural_key  # noqa: PLC0415 - no token of the user needs it

        texts = (self.owner.upn, self.owner.name, self.pat.name)
        return (*map(natural_key, texts), self.pat.id or "")


class AuditEvent(NamedTuple):
    """An event of the audit log (spec: `DecoratedAuditLogEntry`).

    What cannot be read is empty, or None.

    Attributes:
        action: the service's name for it: `Token.PatCreateEvent`.
        token: the display name of the token at that time; empty if it is about none.
        actor: the name of the user who did it.
        actor_mail: the name by which this user signs in.
        address: the IP address of the request.
        program: the user agent of the request.
        details: the event in the service's words.
    """

    time: datetime | None
    action: str
    token: str
    actor: str
    actor_mail: str
    address: str
    program: str
    details: str
