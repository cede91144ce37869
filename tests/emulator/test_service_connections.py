"""Service connections: written whole, and their confidential parameters never read."""

from typing import Any

import pytest

from emulator.stage import (
    ENDPOINTS,
    FABRIC_ID,
    UNKNOWN_ID,
    WEB_SHOP_ID,
    Stage,
    basic,
    new_connection,
    reference,
)

IN_FABRIC = "/contoso/fabric/_apis/serviceendpoint/endpoints"
IN_WEB_SHOP = "/contoso/Web Shop/_apis/serviceendpoint/endpoints"
TYPES = "/contoso/_apis/serviceendpoint/types"


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """One that is asked in the newest version of this API."""
    stage.version = "7.2-preview.4"
    return stage


def added(stage: Stage, **order: object) -> str:
    """Make a connection past all rules; its id."""
    made: str = stage.control("POST", "service-connections", {"name": "c", **order})["id"]
    return made


def read(stage: Stage, key: str, path: str = IN_FABRIC) -> Any:  # noqa: ANN401  # one or null
    answer = stage.ask("GET", f"{path}/{key}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(stage: Stage, path: str = IN_FABRIC, **query: str) -> list[dict[str, Any]]:
    answer = stage.ask("GET", path, query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["count"] == len(answer.json()["value"])
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


def put(stage: Stage, connection: dict[str, Any], **changes: object) -> dict[str, Any]:
    """Send a connection as it was read, with changes; the answer, which must be good."""
    answer = stage.ask("PUT", f"{ENDPOINTS}/{connection['id']}", body=connection | changes)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


def authorization(**parameters: str | None) -> dict[str, object]:
    return {"scheme": "Token", "parameters": parameters}


def stored(stage: Stage, key: str) -> dict[str, str | None]:
    """The parameters as they are kept, confidential ones too."""
    every = stage.control("GET", "service-connections")["serviceConnections"]
    (parameters,) = [each["parameters"] for each in every if each["id"] == key]
    found: dict[str, str | None] = parameters
    return found


def refused(stage: Stage, method: str, path: str, body: object = None, **query: str) -> Any:  # noqa: ANN401
    """Status, type and message of a request that must be refused."""
    answer = stage.ask(method, path, query, body=body)
    error = answer.json()
    return answer.status_code, error["typeKey"], error["message"]


def sample(stage: Stage) -> dict[str, Any]:
    """The connection that a new emulator has."""
    found: dict[str, Any] = read(stage, listed(stage, endpointNames="fabrikam")[0]["id"])
    return found


def test_a_new_emulator_has_a_connection(stage: Stage) -> None:
    (in_list,) = listed(stage, endpointNames="Fabrikam,other")
    connection = read(stage, in_list["id"])
    assert connection["authorization"] == authorization(apitoken=None)
    assert in_list == connection | {"authorization": {"scheme": "Token"}}
    told = ("name", "type", "url", "data", "description", "isShared", "isReady", "owner")
    assert {name: connection[name] for name in told} == {
        "name": "fabrikam",
        "type": "externaltfs",
        "url": "https://dev.azure.com/fabrikam",
        "data": {},
        "description": "The repositories of fabrikam",
        "isShared": False,
        "isReady": True,
        "owner": "Library",
    }
    assert connection["modificationDate"] == "2026-06-03T12:00:00.1233333Z"
    assert "operationStatus" not in connection
    stage.version = "7.1"
    assert set(connection) - set(read(stage, in_list["id"])) == {
        "modifiedBy",
        "creationDate",
        "modificationDate",
    }


def test_a_write_replaces_the_whole_connection(stage: Stage) -> None:
    before = sample(stage)
    changed = put(
        stage,
        before,
        authorization=authorization(apitoken="s3cret", extra="e"),
        data={"releaseUrl": "x"},
        description=None,
        serviceEndpointProjectReferences=[reference("fabrikam")],
    )
    assert changed["authorization"] == authorization(apitoken=None, extra="e")
    assert (changed["data"], changed["description"]) == ({"releaseUrl": "x"}, "")
    assert changed == read(stage, before["id"])
    assert stored(stage, before["id"]) == {"apitoken": "s3cret", "extra": "e"}
    sent = {name: changed[name] for name in changed if name not in {"data", "url", "owner"}}
    changed = put(stage, sent)
    assert (changed["data"], changed.get("url"), changed["owner"]) == ({}, None, "Library")
    assert "s3cret" not in str(stage.control("GET", "requests"))


def test_null_keeps_the_one_secret_and_leaving_it_out_does_not(stage: Stage) -> None:
    connection = sample(stage)
    key = connection["id"]
    put(stage, connection, authorization=authorization(ApiToken=None))
    assert stored(stage, key) == {"ApiToken": "not a real token"}
    put(stage, connection, authorization=authorization())
    assert stored(stage, key) == {}


def test_null_keeps_neither_of_two_secrets(stage: Stage) -> None:
    secrets = {"serviceAccountCertificate": "c", "apitoken": "t"}
    key = added(stage, type="kubernetes", parameters=secrets)
    connection = read(stage, key)
    assert connection["authorization"]["parameters"] == dict.fromkeys(secrets)
    put(
        stage, connection, authorization=authorization(apitoken="u", serviceAccountCertificate=None)
    )
    assert stored(stage, key) == {"apitoken": "u", "serviceAccountCertificate": None}


def test_one_of_two_confidential_inputs_that_is_the_only_one_set(stage: Stage) -> None:
    parameters = {"serviceprincipalid": UNKNOWN_ID, "serviceprincipalkey": "k"}
    key = added(stage, type="azurerm", scheme="ServicePrincipal", parameters=parameters)
    connection = read(stage, key)
    put(stage, connection)
    assert stored(stage, key) == parameters
    assert listed(stage, endpointIds=key)[0]["authorization"] == {
        "parameters": {"serviceprincipalid": UNKNOWN_ID},
        "scheme": "ServicePrincipal",
    }


def test_another_scheme_loses_the_secret(stage: Stage) -> None:
    connection = sample(stage)
    basic_scheme = {"scheme": "UsernamePassword", "parameters": {"username": "u", "password": None}}
    put(stage, connection, authorization=basic_scheme)
    assert stored(stage, connection["id"]) == {"username": "u", "password": None}


def test_a_type_that_is_not_known_tells_no_secret(stage: Stage) -> None:
    key = added(stage, type="of an extension", parameters={"Password": "p", "user": "u"})
    assert read(stage, key)["authorization"]["parameters"] == {"Password": None, "user": "u"}


def test_readiness(stage: Stage) -> None:
    connection = sample(stage)
    key = connection["id"]
    stage.control("PUT", "readiness", {"delaySeconds": 5})
    changed = put(stage, connection)
    status = {"state": "InProgress", "statusMessage": ""}
    assert (changed["isReady"], changed["operationStatus"]) == (False, status)
    assert listed(stage) == []
    assert [each["id"] for each in listed(stage, includeFailed="true")] == [key]
    stage.control("POST", "clock", {"advanceSeconds": 4})
    assert read(stage, key)["isReady"] is False
    stage.control("POST", "clock", {"advanceSeconds": 1})
    ready = read(stage, key)
    assert (ready["isReady"], ready["operationStatus"]) == (True, status | {"state": "Ready"})
    stage.control("PUT", "readiness", {"failure": "It does not answer."})
    failed = put(stage, ready)
    status = {"state": "Failed", "statusMessage": "It does not answer."}
    assert (failed["isReady"], failed["operationStatus"]) == (False, status)
    stage.control("PUT", "readiness", {})
    assert "operationStatus" not in put(stage, failed)


def test_what_a_write_must_have(stage: Stage) -> None:
    before = sample(stage)
    path = f"{ENDPOINTS}/{before['id']}"
    incomplete: tuple[dict[str, object], ...] = (
        {"authorization": None},
        {"name": None},
        {"type": None},
        {"serviceEndpointProjectReferences": []},
    )
    for changes in incomplete:
        for method, where in (("PUT", path), ("POST", ENDPOINTS)):
            found = refused(stage, method, where, new_connection(**changes))
            assert found[:2] == (400, "ServiceEndpointException")
    assert refused(stage, "PUT", path, new_connection(id=UNKNOWN_ID))[0] == 400
    assert refused(stage, "PUT", f"{ENDPOINTS}/x", new_connection())[0] == 400
    malformed: tuple[dict[str, object], ...] = (
        {"data": []},
        {"authorization": "x"},
        {"data": {"a": {}}},
    )
    for broken in malformed:
        found = refused(stage, "PUT", path, new_connection(**broken))
        assert found[:2] == (400, "JsonReaderException")
    assert sample(stage) == before


def test_a_new_connection(stage: Stage) -> None:
    answer = stage.ask("POST", ENDPOINTS, body=new_connection())
    assert answer.status_code == 200
    connection = answer.json()
    assert read(stage, connection["id"]) == connection
    assert connection["authorization"] == authorization(apitoken=None)
    assert stored(stage, connection["id"]) == {"apitoken": "a"}
    twice = refused(stage, "POST", ENDPOINTS, new_connection())
    assert twice[:2] == (500, "DuplicateServiceConnectionException")
    put(stage, connection)  # its own name is free for it
    references = [reference("new connection", WEB_SHOP_ID)]
    elsewhere = new_connection(serviceEndpointProjectReferences=references)
    assert stage.ask("POST", ENDPOINTS, body=elsewhere).status_code == 200


def test_an_unknown_connection_is_null(stage: Stage) -> None:
    key = sample(stage)["id"]
    assert read(stage, UNKNOWN_ID) is None
    assert read(stage, key, IN_WEB_SHOP) is None
    assert read(stage, key.upper())["id"] == key
    assert listed(stage, endpointNames="unknown") == []
    for method in ("PUT", "DELETE"):
        path = f"{ENDPOINTS}/{UNKNOWN_ID}"
        found = refused(stage, method, path, new_connection(), projectIds=FABRIC_ID)
        assert found[:2] == (404, "ServiceEndpointNotFoundException")


def test_the_filters_of_the_list(stage: Stage) -> None:
    feed = {"type": "externalnugetfeed", "parameters": {"apitoken": "t"}}
    added(stage, name="feed", **feed)
    user = {"username": "u", "password": "p"}
    added(stage, name="server", type="generic", scheme="UsernamePassword", parameters=user)

    def names(**query: str) -> list[str]:
        return [each["name"] for each in listed(stage, **query)]

    assert names() == ["fabrikam", "feed", "server"]
    assert names(endpointNames="FEED,server") == ["feed", "server"]
    assert names(type="generic") == ["server"]
    assert names(authSchemes="Token,None") == ["fabrikam", "feed"]
    assert names(owner="library") == ["fabrikam", "feed", "server"]
    assert names(owner="agentcloud") == []
    assert names(actionFilter="manage") == ["fabrikam", "feed", "server"]
    (server,) = listed(stage, endpointNames="server")
    assert server["authorization"] == {
        "parameters": {"username": "u"},
        "scheme": "UsernamePassword",
    }


def test_a_shared_connection_has_a_name_in_each_project(stage: Stage) -> None:
    key = added(stage, projects=["fabric", "Web Shop"], description="d")
    connection = read(stage, key)
    assert connection["isShared"] is True
    references = connection["serviceEndpointProjectReferences"]
    references[1] |= {"name": "theirs", "description": ""}
    put(stage, connection, serviceEndpointProjectReferences=references)
    assert (read(stage, key)["name"], read(stage, key)["description"]) == ("c", "d")
    there = read(stage, key, IN_WEB_SHOP)
    assert (there["name"], there["description"]) == ("theirs", "")
    assert [each["id"] for each in listed(stage, IN_WEB_SHOP, endpointNames="theirs")] == [key]
    assert listed(stage, endpointNames="theirs") == []


def test_a_reader_is_told_little(stage: Stage) -> None:
    """Such a reader must not take it for a connection without authorization."""
    key = sample(stage)["id"]
    stage.token = stage.access_token(user="grace")
    untold = {"data", "type", "url", "authorization"}
    assert read(stage, key)["name"] == "fabrikam"
    assert not untold & set(read(stage, key))
    assert not untold & set(listed(stage)[0])
    stage.control("PUT", "service-connections", {"name": "fabrikam", "roles": {"grace": "user"}})
    assert untold < set(read(stage, key))


@pytest.mark.parametrize(("role", "status"), [("none", 404), ("reader", 403), ("user", 403)])
def test_a_write_needs_an_administrator(stage: Stage, role: str, status: int) -> None:
    connection = sample(stage)
    stage.control("PUT", "service-connections", {"name": "fabrikam", "roles": {"ada": role}})
    assert (read(stage, connection["id"]) is None) is (role == "none")
    assert len(listed(stage)) == (role != "none")
    for method in ("PUT", "DELETE"):
        path = f"{ENDPOINTS}/{connection['id']}"
        assert refused(stage, method, path, connection, projectIds=FABRIC_ID)[0] == status
    stage.control(
        "PUT", "service-connections", {"name": "fabrikam", "roles": {"grace": "administrator"}}
    )
    stage.token = stage.access_token(user="grace")
    assert put(stage, connection)["modifiedBy"]["displayName"] == "Grace Hopper"


@pytest.mark.parametrize(
    ("scope", "reads", "writes"),
    [
        ("app_token", True, True),
        ("vso.serviceendpoint_manage", True, True),
        ("vso.serviceendpoint_query", True, False),
        ("vso.serviceendpoint", True, False),
        ("vso.variablegroups_manage", False, False),
    ],
)
def test_scopes(stage: Stage, scope: str, *, reads: bool, writes: bool) -> None:
    connection = sample(stage)
    key = connection["id"]
    stage.version = "7.2-preview.1"
    secret = stage.create(scope=scope)["token"]
    for credentials in (f"Bearer {stage.access_token(scopes=scope)}", basic(secret)):
        headers = {"Authorization": credentials}
        for path in (TYPES, IN_FABRIC, f"{IN_FABRIC}/{key}"):
            answer = stage.ask("GET", path, headers=headers)
            assert answer.status_code == (200 if reads else 401)
        answer = stage.ask("PUT", f"{ENDPOINTS}/{key}", body=connection, headers=headers)
        assert answer.status_code == (200 if writes else 401)


def test_the_types_tell_what_is_confidential(stage: Stage) -> None:
    stage.version = "7.1"
    confidential = {
        (kind["name"], scheme["scheme"]): [
            each["id"]
            for each in kind["inputDescriptors"] + scheme["inputDescriptors"]
            if each["isConfidential"]
        ]
        for kind in stage.ask("GET", TYPES).json()["value"]
        for scheme in kind["authenticationSchemes"]
    }
    assert confidential == {
        ("externaltfs", "Token"): ["apitoken"],
        ("externaltfs", "UsernamePassword"): ["password"],
        ("azdoapi", "Token"): ["apitoken"],
        ("externalnugetfeed", "None"): ["nugetkey"],
        ("externalnugetfeed", "Token"): ["apitoken"],
        ("externalnugetfeed", "UsernamePassword"): ["password"],
        ("externalnpmregistry", "UsernamePassword"): ["password"],
        ("externalnpmregistry", "Token"): ["apitoken"],
        ("externalPythonUploadFeed", "UsernamePassword"): ["password"],
        ("externalPythonUploadFeed", "Token"): ["apitoken"],
        ("github", "OAuth2"): [],
        ("github", "Token"): ["AccessToken"],
        ("generic", "UsernamePassword"): ["password"],
        ("azurerm", "ServicePrincipal"): [
            "accessToken",
            "serviceprincipalkey",
            "servicePrincipalCertificate",
        ],
        ("azurerm", "ManagedServiceIdentity"): [],
        ("kubernetes", "Token"): ["serviceAccountCertificate", "apitoken"],
        ("ssh", "UsernamePassword"): ["PrivateKey", "password"],
    }
    for query, names in (
        ({"type": "AzureRM"}, ["azurerm"]),
        ({"type": "ssh", "scheme": "Token"}, []),
        ({"scheme": "none"}, ["externalnugetfeed"]),
    ):
        found = stage.ask("GET", TYPES, query).json()["value"]
        assert [kind["name"] for kind in found] == names


def test_methods(stage: Stage) -> None:
    for method, path, allowed in (
        ("GET", ENDPOINTS, "POST"),
        ("GET", f"{ENDPOINTS}/{UNKNOWN_ID}", "PUT, DELETE"),
        ("PUT", IN_FABRIC, "GET, POST"),
        ("PATCH", f"{IN_FABRIC}/{UNKNOWN_ID}", "GET, PUT, DELETE"),
        ("POST", TYPES, "GET"),
    ):
        answer = stage.ask(method, path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert stage.ask("GET", TYPES.replace("contoso", "contoso/fabric")).status_code == 404
    stage.version = "7.2-preview.5"
    assert stage.ask("GET", IN_FABRIC).status_code == 400


def test_deleting(stage: Stage) -> None:
    key = added(stage, projects=["fabric", "Web Shop"])
    path = f"{ENDPOINTS}/{key}"
    assert refused(stage, "DELETE", path)[0] == 400
    query = {"projectIds": f"{FABRIC_ID},{UNKNOWN_ID}", "deep": "true"}
    assert stage.ask("DELETE", path, query).status_code == 204
    assert read(stage, key) is None
    assert read(stage, key, IN_WEB_SHOP)["isShared"] is False
    assert stage.ask("DELETE", path, {"projectIds": WEB_SHOP_ID}).status_code == 204
    assert read(stage, key, IN_WEB_SHOP) is None


def test_the_older_api_writes_below_a_project(stage: Stage) -> None:
    """`az` uses it, and sends no references."""
    stage.version = "5.0-preview.2"
    body = new_connection(serviceEndpointProjectReferences=None)
    connection = stage.ask("POST", IN_WEB_SHOP, body=body).json()
    path = f"{IN_WEB_SHOP}/{connection['id']}"
    changed = stage.ask("PUT", path, body=body | {"description": "d"}).json()
    assert (
        changed["serviceEndpointProjectReferences"]
        == (connection["serviceEndpointProjectReferences"])
    )
    assert stage.ask("DELETE", path).status_code == 204
    assert read(stage, connection["id"], IN_WEB_SHOP) is None


def test_changes_by_someone_else(stage: Stage) -> None:
    connection = sample(stage)
    key = connection["id"]
    order = {"name": "fabrikam", "data": {"a": "b"}, "url": "https://example.com/"}
    stage.control("PUT", "service-connections", order)
    changed = read(stage, key)
    assert (changed["data"], changed["url"]) == ({"a": "b"}, "https://example.com/")
    assert changed["modifiedBy"]["displayName"] == "Grace Hopper"
    later = {"name": "fabrikam", "when": "after-write", "parameters": {"apitoken": "theirs"}}
    stage.control("PUT", "service-connections", later)
    put(stage, connection, authorization=authorization(apitoken="ours"))
    assert stored(stage, key) == {"apitoken": "theirs"}
    stage.control("PUT", "service-connections", {"name": "fabrikam", "without": ["APITOKEN"]})
    assert stored(stage, key) == {}
    stage.control(
        "PUT", "service-connections", {"name": "fabrikam", "removed": True, "when": "before-write"}
    )
    assert refused(stage, "PUT", f"{ENDPOINTS}/{key}", connection)[0] == 404


def test_what_is_kept(stage: Stage) -> None:
    stage.control("DELETE", "service-connections")
    key = added(stage, project="Web Shop", data={"x": "y"})
    assert stage.control("GET", "service-connections") == {
        "serviceConnections": [
            {
                "id": key,
                "organization": "contoso",
                "projects": ["Web Shop"],
                "type": "externaltfs",
                "name": "c",
                "description": None,
                "modifiedBy": "ada",
                "modifiedOn": "2026-06-15T12:00:00.1233333Z",
                "roles": {},
                "url": "https://dev.azure.com/fabrikam",
                "scheme": "Token",
                "parameters": {"apitoken": "old"},
                "data": {"x": "y"},
                "owner": "Library",
                "isReady": True,
            }
        ]
    }
    assert stage.control("DELETE", "service-connections") == {"removed": 1}


@pytest.mark.parametrize(
    ("method", "name", "order"),
    [
        ("POST", "service-connections", {"name": "x", "parameters": {"a": 1}}),
        ("POST", "service-connections", {"name": "x", "data": []}),
        ("PUT", "service-connections", {"name": "x"}),
        ("PUT", "service-connections", {"name": "fabrikam", "variables": {}}),
        ("PUT", "readiness", {"delaySeconds": -1}),
        ("PUT", "readiness", {"delaySeconds": True}),
        ("PUT", "readiness", {"failure": 5}),
    ],
)
def test_control_that_is_not_understood(
    stage: Stage, method: str, name: str, order: dict[str, object]
) -> None:
    address = f"{stage.emulator.url}/_emulator/{name}"
    answer = stage.session.request(method, address, json=order, timeout=10)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
