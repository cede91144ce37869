"""An organization with users and their tokens, as Microsoft's hosts would answer for it."""

import base64
import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from typing import Any
from urllib.parse import parse_qs, urlsplit

import responses
from requests import PreparedRequest

ROOT = "https://vssps.dev.azure.com/contoso/_apis"
ACCOUNT = "38aaa865-2c70-4bf7-a308-0c6539c38c1a"
FORBIDDEN = "TF400813: The user 'd6245f20' is not authorized to access this resource."
ENVIRONMENT = {"PAT_API_URL": None, "PAT_ORG": "contoso", "PAT_ACCESS_TOKEN": "an-access-token"}
INTERRUPT = 0
"""In place of a status: the user presses Ctrl-C."""
Answer = tuple[int, dict[str, str], str]


def correlating_id(secret: str) -> str:
    """The C3ID of a secret."""
    inner = sha256(secret.encode()).hexdigest().upper()
    return base64.b64encode(
        sha256(f"CrossMicrosoftCorrelatingId:{inner}".encode()).digest()[:15]
    ).decode()


def owner(row: dict[str, Any]) -> dict[str, object]:
    """The owner in a token object."""
    return {
        "name": row["displayName"],
        "upn": row["principalName"],
        "descriptor": row["descriptor"],
    }


@dataclass
class Administered:
    """The organization.

    Attributes:
        failures: statuses with which the next requests for a user's tokens are answered.
        bad: ids for which a request to revoke them is refused.
        revocations: the ids in each request to revoke, in order.
        on_revocation: called before such a request is answered.
        asked: the requests, in order.
        page_size: how many users a page has.
    """

    users: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    failures: dict[str, list[int]] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    revocations: list[list[str]] = field(default_factory=list)
    on_revocation: Callable[[], None] = lambda: None
    forbidden: bool = False
    asked: list[PreparedRequest] = field(default_factory=list)
    page_size: int = 2

    def user(self, name: str, **changes: object) -> str:
        """Add a user; return the descriptor."""
        descriptor = f"aad.{base64.urlsafe_b64encode(name.encode()).decode().rstrip('=')}"
        row = {
            "descriptor": descriptor,
            "displayName": name,
            "principalName": f"{name.partition(' ')[0].lower()}@contoso.example",
            "mailAddress": f"{name.partition(' ')[0].lower()}@contoso.example",
            "metaType": "member",
            **changes,
        }
        self.users.append(row)
        return str(row["descriptor"])

    def token(self, descriptor: str, name: str, **changes: object) -> dict[str, Any]:
        """Add a token of a user; return it."""
        number = sum(map(len, self.tokens.values()))
        row = {
            "authorizationId": f"{number:08x}-7084-4635-964e-3c2a57645185",
            "displayName": name,
            "scope": "vso.code",
            "validFrom": "2026-01-02T03:04:05",
            "validTo": "2099-01-02T03:04:05.67",
            "targetAccounts": [ACCOUNT],
            "isValid": True,
            "isPublic": False,
            "crossCompanyCorrelatingId": correlating_id(name),
            **changes,
        }
        self.tokens.setdefault(descriptor, []).append(row)
        return row

    @contextmanager
    def served(self) -> Iterator[None]:
        """Answer requests to Microsoft's hosts while the block runs; there are no others."""
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            for method in (responses.GET, responses.POST):
                mock.add_callback(method, _EVERYTHING, callback=self._answer)
            yield

    def _answer(self, request: PreparedRequest) -> Answer:
        self.asked.append(request)
        url = urlsplit(str(request.url))
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        _, _, place = url.path.partition("/_apis/")
        if self.forbidden:
            return _json({"$id": "1", "message": FORBIDDEN, "typeKey": "X"}, status=401)
        if place == "connectionData":
            return _json({"authenticatedUser": {"subjectDescriptor": "aad.bXlzZWxm"}})
        body = json.loads(request.body or "null")
        if place == "tokenadmin/revocations":
            return self._revoke([each["authorizationId"] for each in body])
        if place == "graph/subjectquery":
            return self._find(body["query"].casefold())
        return self._list(place, query)

    def _list(self, place: str, query: dict[str, str]) -> Answer:
        if place == "graph/users":
            start = int(query.get("continuationToken", "0"))
            end = start + self.page_size
            more = {"X-MS-ContinuationToken": str(end)} if end < len(self.users) else {}
            return _json({"value": self.users[start:end]}, headers=more)
        _, _, descriptor = place.rpartition("/")
        if place.startswith("graph/users/"):
            found = [each for each in self.users if each["descriptor"] == descriptor]
            return _json(found[0]) if found else _json({"message": "none"}, status=404)
        if self.failures.get(descriptor):
            status = self.failures[descriptor].pop(0)
            if status == INTERRUPT:
                signal.raise_signal(signal.SIGINT)
            return _json({"message": "no"}, status=status or 500)
        of_user = self.tokens.get(descriptor, [])
        rows = [each for each in of_user if each["isPublic"] == (query["isPublic"] == "true")]
        return _json({"value": rows, "continuationToken": None})

    def _find(self, wanted: str) -> Answer:
        keys = ("displayName", "principalName", "mailAddress")
        found = [
            each
            for each in self.users
            if any(str(each[key]).casefold().startswith(wanted) for key in keys)
        ]
        return _json({"value": found[:100]})

    def _revoke(self, ids: list[str]) -> Answer:
        self.revocations.append(ids)
        self.on_revocation()
        if not self.bad.isdisjoint(ids):
            return _json({"$id": "1", "message": "bad id", "typeKey": "X"}, status=400)
        for row in chain.from_iterable(self.tokens.values()):
            row["isValid"] = row["isValid"] and row["authorizationId"] not in ids
        return 204, {}, ""


_EVERYTHING = re.compile(f"({ROOT}|https://dev.azure.com/contoso/_apis)/.*")


def _json(body: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return status, headers or {}, json.dumps(body)
