"""A client for the tests of the emulator, as bare as possible: it adds headers, nothing else."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests

from azdo_pat.emulator.run import RunningEmulator

NOW = datetime(2026, 6, 15, 12, 0, 0, 123_456, tzinfo=UTC)
PATS = "/contoso/_apis/tokens/pats"
AUDIT_LOG = "/contoso/_apis/audit/auditlog"
AUDIT_ACTIONS = "/contoso/_apis/audit/actions"
GRAPH_USERS = "/contoso/_apis/graph/users"
TOKEN_ADMIN = "/contoso/_apis/tokenadmin"
VARIABLE_GROUPS = "/contoso/_apis/distributedtask/variablegroups"
ENDPOINTS = "/contoso/_apis/serviceendpoint/endpoints"
CONNECTION = "/contoso/_apis/connectionData"
FABRIC_ID = "f7f063f1-2e78-5c72-ae7c-8afe8eda4893"
WEB_SHOP_ID = "52a8b543-8820-5e12-bcc7-f37808b09d45"
FABRIKAM_CONNECTION = "05d47947-56c6-57fa-86f6-17c6ecee7a25"
CONTOSO_ID = "38aaa865-2c70-4bf7-a308-0c6539c38c1a"
FABRIKAM_ID = "6affcbef-fe5d-44c6-8a29-439b79aaa118"
ADA_ID = "d6245f20-2af8-44f4-9451-8107cb2767db"
GRACE_ID = "2f9a4b6c-0d1e-4c3b-8a79-5e6f7d8c9b0a"
ADA = "aad.MWMwZDVmM2EtN2JlMi00ZjVlLThjNmQtNDBhMWIxZjBlOWFh"
GRACE = "aad.OTNiN2U2ZDUtYzRhMy00YjIxLTlmODAtMWUyZDNjNGI1YTY5"
UNKNOWN_ID = "00000000-1111-2222-3333-444444444444"


@dataclass(kw_only=True)
class Stage:
    """An emulator and a connection to it; `token` is Ada's access token unless changed."""

    emulator: RunningEmulator
    session: requests.Session
    token: str | None
    version: str | None = "7.2-preview.1"
    headers: dict[str, str] = field(
        default_factory=lambda: {
            "Accept": "application/json",
            "X-TFS-FedAuthRedirect": "Suppress",
        }
    )

    def ask(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send one request; `body` is sent as it is if it is bytes, as JSON otherwise."""
        sent = dict(self.headers)
        if self.token is not None:
            sent["Authorization"] = f"Bearer {self.token}"
        sent |= headers or {}
        arguments = dict(query or {})
        if self.version is not None:
            arguments["api-version"] = self.version
        return self.session.request(
            method,
            self.emulator.url + path,
            params=arguments,
            data=body if isinstance(body, bytes) else None,
            json=None if isinstance(body, bytes) else body,
            headers=sent,
            allow_redirects=False,
            timeout=10,
        )

    def control(self, method: str, name: str, body: object = None) -> Any:  # noqa: ANN401  # any document
        """One control request that must succeed."""
        address = f"{self.emulator.url}/_emulator/{name}"
        answer = self.session.request(method, address, json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fault(self, text: str) -> None:
        """Post a fault."""
        self.control("POST", "faults", {"fault": text})

    def create(self, **changes: object) -> dict[str, Any]:
        """Make a token that must succeed; its `PatToken`."""
        answer = self.ask("POST", PATS, body=new_token(**changes)).json()
        assert answer["patTokenError"] == "none", answer
        token: dict[str, Any] = answer["patToken"]
        return token

    def error(self, method: str = "POST", /, **changes: object) -> str:
        """The `patTokenError` of a create (or update, with PUT) that must be refused."""
        body = new_token(**changes) if method == "POST" else changes
        answer = self.ask(method, PATS, body=body)
        assert (answer.status_code, answer.json()["patToken"]) == (200, None), answer.text
        error: str = answer.json()["patTokenError"]
        return error

    def names(self, path: str = PATS, **query: str) -> list[str]:
        """The display names of one page of the list."""
        answer = self.ask("GET", path, {"$top": "100"} | query)
        assert answer.status_code == 200, answer.text
        return [token["displayName"] for token in answer.json()["patTokens"]]

    def connect(
        self, secret: str, path: str = CONNECTION, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """Ask for the connection data with a personal access token."""
        return self.session.get(
            self.emulator.url + path,
            auth=("anyone", secret),
            headers={**self.headers, **(headers or {})},
            allow_redirects=False,
            timeout=10,
        )

    def access_token(self, **order: object) -> str:
        """An access token of the kind ordered."""
        token: str = self.control("POST", "access-tokens", order)["accessToken"]
        return token


def basic(secret: str) -> str:
    """The header `Authorization` of a personal access token."""
    return "Basic " + b64encode(f":{secret}".encode()).decode()


def new_token(**changes: object) -> dict[str, object]:
    """The body of a create request that works."""
    fields: dict[str, object] = {
        "displayName": "new one",
        "scope": "vso.code",
        "validTo": "2026-07-15T12:00:00Z",
        "allOrgs": False,
    }
    fields.update(changes)
    return fields


def reference(name: str, project_id: str = FABRIC_ID) -> dict[str, object]:
    """A reference of a group or a connection to a project."""
    return {"name": name, "projectReference": {"id": project_id}}


def new_group(**changes: object) -> dict[str, object]:
    """The body of a request for a variable group that works."""
    fields: dict[str, object] = {
        "name": "new group",
        "type": "Vsts",
        "variables": {"PLAIN": {"value": "a"}, "SECRET": {"value": "b", "isSecret": True}},
        "variableGroupProjectReferences": [reference("new group")],
    }
    return fields | changes


def new_connection(**changes: object) -> dict[str, object]:
    """The body of a request for a service connection that works."""
    fields: dict[str, object] = {
        "name": "new connection",
        "type": "externaltfs",
        "url": "https://dev.azure.com/fabrikam",
        "authorization": {"scheme": "Token", "parameters": {"apitoken": "a"}},
        "serviceEndpointProjectReferences": [reference("new connection")],
    }
    return fields | changes
