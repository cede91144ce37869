"""The saved sign-ins, read without MSAL and its cache."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from azdo_pat.models import Secret

_VERSION: Final = 1


class SignIn(NamedTuple):
    """One account in one tenant.

    Attributes:
        account: the id of the account at home (MSAL's `home_account_id`).
        user: the sign-in name.
        tenant: the id of the tenant.
        client_id: of the application that signed in.
        token: the last access token.
        expires: when it expires.
        challenge: the claims that Entra requires of the next sign-in; empty for none.
    """

    account: str
    user: str
    tenant: str
    client_id: str
    token: Secret
    expires: datetime
    challenge: str = ""

    @property
    def key(self) -> str:
        """Its unique key: the account, and the tenant where it is a member or guest."""
        return f"{self.account}|{self.tenant}"


class SignIns(NamedTuple):
    """All sign-ins of this user on this machine at one authority.

    Attributes:
        all: by key.
        chosen: the key of the sign-in for each organization, by its URL.
        latest: the key of the one to use for all other organizations.
    """

    all: Mapping[str, SignIn] = MappingProxyType({})
    chosen: Mapping[str, str] = MappingProxyType({})
    latest: str = ""

    def of(self, organization: str) -> SignIn | None:
        """Return the sign-in for an organization, by its URL; empty for any."""
        return self.all.get(self.chosen.get(organization, "")) or self.all.get(self.latest)

    def with_fresh(self, sign_in: SignIn) -> "SignIns":
        """Return them with the sign-in of the same key replaced."""
        return self._replace(all={**self.all, sign_in.key: sign_in})

    def signed_in(self, sign_in: SignIn, organization: str) -> "SignIns":
        """Return them with a new sign-in, for this organization and all without their own."""
        chosen = {**self.chosen, organization: sign_in.key} if organization else self.chosen
        return self.with_fresh(sign_in)._replace(chosen=chosen, latest=sign_in.key)


def written(sign_ins: SignIns) -> Secret:
    """Serialize them."""
    document = {
        "version": _VERSION,
        "latest": sign_ins.latest,
        "organizations": dict(sign_ins.chosen),
        "sign_ins": [
            {
                "account": each.account,
                "user": each.user,
                "tenant": each.tenant,
                "client_id": each.client_id,
                "access_token": each.token.reveal(),
                "expires": each.expires.timestamp(),
                "challenge": each.challenge,
            }
            for each in sign_ins.all.values()
        ],
    }
    return Secret(json.dumps(document, separators=(",", ":")))


def read(text: Secret | None) -> SignIns:
    """Parse serialized sign-ins; none if the text has another format."""
    try:
        document = json.loads(text.reveal()) if text is not None else {}
        if document.get("version") != _VERSION:
            return SignIns()
        found = [
            SignIn(
                account=str(each["account"]),
                user=str(each["user"]),
                tenant=str(each["tenant"]),
                client_id=str(each["client_id"]),
                token=Secret(str(each["access_token"])),
                expires=datetime.fromtimestamp(each["expires"], UTC),
                challenge=str(each["challenge"]),
            )
            for each in document["sign_ins"]
        ]
        chosen = {str(url): str(key) for url, key in document["organizations"].items()}
        latest = str(document["latest"])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return SignIns()
    return SignIns(all={each.key: each for each in found}, chosen=chosen, latest=latest)
