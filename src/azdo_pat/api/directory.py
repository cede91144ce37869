"""The signed-in user, their organizations, and whether a secret works."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from azdo_pat.api.addresses import Service, require_protected, with_query
from azdo_pat.api.call import ApiCall
from azdo_pat.api.credentials import Anonymous, BasicSecret
from azdo_pat.api.http import Http
from azdo_pat.api.json_fields import Record
from azdo_pat.api.response import Response
from azdo_pat.api.retries import LONG_PATIENCE, RETRYING_SECONDS
from azdo_pat.errors import SignInError, UnavailableError
from azdo_pat.models import Identity, Organization, Secret
from azdo_pat.organizations import is_name

_PROFILE_VERSION: Final = "7.1-preview.3"
_ACCOUNTS_VERSION: Final = "7.1-preview.1"
_CONNECTION_VERSION: Final = "3.0-preview"
"""Supported since TFS 2017 and by the service still. It never left preview."""

_ANONYMOUS: Final = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
"""The user that an invalid secret gets where projects are public (Azure DevOps CLI extension)."""


class Directory:
    """Reads the users and organizations that the signed-in user can see.

    Every method raises `PatError` on failure.

    Args:
        http: the connection.
        odd: called with a description of each list item that could not be read.
    """

    def __init__(self, http: Http, odd: Callable[[str], None] = lambda _: None) -> None:
        self._http = http
        self._odd = odd

    def me(self) -> Identity:
        """Return the signed-in user's profile."""
        url = f"{self._http.addresses.base(Service.PROFILE)}/_apis/profile/profiles/me"
        url = with_query(url, {"api-version": _PROFILE_VERSION})
        body, answer = self._http.json(ApiCall(method="GET", url=url), "a profile")
        profile = Record(body, "a profile", answer)
        return Identity(
            id=profile.filled_text("id"),
            name=profile.shown_text("displayName"),
            mail=profile.shown_text("emailAddress"),
        )

    def knock(self) -> None:
        """Make one request that needs no sign-in, to get the service's `Date`."""
        url = f"{self._http.addresses.base(Service.PROFILE)}/_apis/connectionData"
        self._http.probe(ApiCall(method="GET", url=url, credential=Anonymous()))

    def organizations(self, member_id: str) -> tuple[Organization, ...]:
        """Return the organizations that a user belongs to, by name.

        One whose name is not a valid organization name is left out: the user could not type it,
        and a hint that repeats it could mean something else to a shell. So is one
        whose name cannot be read. An id that cannot be read is asked for later (`account_id`).

        Args:
            member_id: the `id` of the user's profile.
        """
        url = f"{self._http.addresses.base(Service.PROFILE)}/_apis/accounts"
        url = with_query(url, {"memberId": member_id, "api-version": _ACCOUNTS_VERSION})
        body, answer = self._http.json(ApiCall(method="GET", url=url), "a list of organizations")
        accounts = Record(body, "a list of organizations", answer)
        found = []
        for row in accounts.rows("value"):
            organization, unread = self._read(row, answer)
            if unread:
                name = organization.name if organization else "name unknown"
                self._odd(f"one of your organizations ({name}: {', '.join(unread)})")
            if organization is not None:
                found.append(organization)
        return tuple(sorted(found, key=lambda organization: organization.name))

    def account_id(self, organization: Organization) -> str:
        """Ask an organization for its own GUID.

        For one that is missing in `organizations`, which can happen for a guest. Source: the
        `instanceId` of `connectionData` is the id of the host, which for an organization is the
        account id.
        """
        return self._connection(organization).guid("instanceId")

    def user_id(self, organization: Organization) -> str:
        """Return the id of the signed-in user in an organization, as `check_secret` returns it."""
        user = self._connection(organization).record("authenticatedUser", "a user")
        return user.filled_text("id") if user else ""

    def descriptor(self, organization: Organization) -> str:
        """Return the descriptor of the signed-in user, which identifies them in the graph."""
        answer = self._connection(organization, patience=LONG_PATIENCE)  # asked around a scan
        user = answer.record("authenticatedUser", "a user")
        return user.filled_text("subjectDescriptor") if user else ""

    def check_secret(self, organization: Organization, secret: Secret) -> Identity:
        """Return the user that a secret belongs to, signing in with the secret alone.

        Raises:
            SignInError: the secret does not work there.
        """
        url = organization.url
        if organization.hosted:
            url = self._http.addresses.organization(organization.name)
        url = require_protected(url)
        call = ApiCall(
            method="GET",
            url=with_query(f"{url}/_apis/connectionData", {"api-version": _CONNECTION_VERSION}),
            organization=organization.name,
            credential=BasicSecret(secret, url),
        )
        try:
            body, answer = self._http.json(call, "connection data")
        except SignInError as refusal:
            raise _useless(url, refusal.server_message, refusal.activity_id) from None
        user = Record(body, "connection data", answer).record("authenticatedUser", "a user")
        if user is None or user.filled_text("id").lower() == _ANONYMOUS:
            raise _useless(url, "", answer.activity_id)
        return Identity(
            id=user.filled_text("id"),
            name=user.shown_text("customDisplayName") or user.shown_text("providerDisplayName"),
        )

    def token_page(self, organization: Organization) -> str:
        """Return the address of the web page for creating tokens.

        Its path on TFS 2017 and 2018 differs from later servers and Azure DevOps Services ("Use
        personal access tokens", by version): a server is asked, without any credential, whether
        it has the later one.
        """
        page = f"{organization.url}/_usersSettings/tokens"
        if organization.hosted:
            return page
        answer = self._http.probe(ApiCall(method="GET", url=page, credential=Anonymous()))
        if answer is not None and answer.status == HTTPStatus.NOT_FOUND:
            return f"{organization.url}/_details/security/tokens"
        return page

    def _connection(self, organization: Organization, patience: float = RETRYING_SECONDS) -> Record:
        url = f"{self._http.addresses.organization(organization.name)}/_apis/connectionData"
        call = ApiCall(
            method="GET",
            url=with_query(url, {"api-version": _CONNECTION_VERSION}),
            organization=organization.name,
            patience=patience,
        )
        body, answer = self._http.json(call, "connection data")
        return Record(body, "connection data", answer)

    def _read(self, row: object, answer: Response) -> tuple[Organization | None, Sequence[str]]:
        """Read an organization, and return the names of the fields that cannot be read."""
        if not isinstance(row, dict):
            return None, ("accountName", "accountId")
        account = Record(row, "an organization", answer)
        try:
            name = account.filled_text("accountName").lower()
        except UnavailableError:
            return None, ("accountName",)
        if not is_name(name):
            return None, ()
        found = Organization(name=name, url=self._http.addresses.organization(name))
        try:
            return replace(found, id=account.guid("accountId")), ()
        except UnavailableError:
            return found, ("accountId",)


def _useless(url: str, server_message: str, activity_id: str) -> SignInError:
    return SignInError(
        f"{url} does not accept the secret",
        hint="the secret may be mistyped, expired, revoked, or issued for another organization;"
        " on Azure DevOps Server, IIS basic authentication must be off",
        server_message=server_message,
        activity_id=activity_id,
    )
