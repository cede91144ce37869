"""Where resources are: what Microsoft's own clients ask first."""

import pytest
import requests

from emulator.stage import (
    ADA,
    ADA_ID,
    CONTOSO_ID,
    ENDPOINTS,
    PATS,
    VARIABLE_GROUPS,
    Stage,
    new_connection,
    new_group,
)

TOKENS = "55967393-20ef-45c6-a96c-b5d5d5986a9a"
AUDIT = "94ff054d-5ee1-413d-9341-3f4a7827de2e"
GRAPH = "bb1e7ec9-e901-4b68-999a-de7012b920f8"
TOKEN_ADMIN = "af68438b-ed04-4407-9eb6-f1dbae3f922e"
CORE = "79134c72-4a58-4b42-976c-04e7115f32bf"
PROFILE = "8ccfef3d-2b87-4e99-8ccb-66e343d2daa8"
DISTRIBUTED_TASK = "a85b8835-c1a1-4aac-ae97-1c3d0ba72dbd"
SERVICE_ENDPOINT = "1814ab31-2f4f-4a9f-8761-f4d77dc5a5d7"
ACCOUNTS = "0d55247a-1c47-4462-9b1f-5e2125590ee6"
BELOW = {"ConnectionData", "ResourceAreas", "Pats", "projects", "auditLog", "actions"}
BELOW |= {"Users", "SubjectQuery", "Descriptors"}
BELOW |= {"personalAccessTokens", "revocations", "revocationRules"}
BELOW |= {"variablegroups", "endpoints", "types"}
BODIES: dict[str, object] = {
    "SubjectQuery": {"query": "ada"},
    "revocations": [],
    "revocationRules": {"scopes": "vso.drop"},
    f"{VARIABLE_GROUPS}/": new_group(),
    f"{ENDPOINTS}/": new_connection(),
}
OUTSIDE = {"ResourceAreas", "Profiles", "Accounts"}
FIELDS = {"id", "area", "resourceName", "routeTemplate", "resourceVersion"}
FIELDS |= {"minVersion", "maxVersion", "releasedVersion"}
AREAS = "/contoso/_apis/ResourceAreas"


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """One that is asked without a version, as these requests are."""
    stage.version = None
    return stage


def resources(stage: Stage, path: str, **query: str) -> set[str]:
    answer = stage.ask("OPTIONS", path, query)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["count"] == len(document["value"])
    return {each["resourceName"] for each in document["value"]}


def test_the_resources(stage: Stage) -> None:
    for path in ("/contoso/_apis", "/contoso/_apis/", "/Contoso/_APIS", f"/{CONTOSO_ID}/_apis"):
        assert resources(stage, path) == BELOW
    assert resources(stage, "/_apis") == OUTSIDE
    assert resources(stage, "/contoso/_apis", allHostTypes="True") == BELOW | OUTSIDE
    assert resources(stage, "/contoso/_apis/Tokens") == {"Pats"}
    assert resources(stage, "/_apis/Accounts") == {"Accounts"}
    assert resources(stage, "/contoso/_apis/git") == set()
    assert stage.ask("OPTIONS", "/nowhere/_apis").status_code == 404


def asked(stage: Stage, path: str) -> requests.Response:
    """Ask for a resource as it wants to be asked."""
    for name in (path, path.rpartition("/")[2]):
        if name in BODIES:
            return stage.ask("POST", path, body=BODIES[name])
    return stage.ask("GET", path, {"memberId": ADA_ID})


def test_a_resource_is_where_it_says_and_takes_its_newest_version(stage: Stage) -> None:
    for start in ("/contoso/_apis", "/_apis"):
        for each in stage.ask("OPTIONS", start).json()["value"]:
            assert set(each) == FIELDS
            values = {"area": each["area"], "resource": each["resourceName"], "id": "me"}
            values |= {"areaId": TOKENS, "*projectId": ""}
            values |= {"userDescriptor": "", "storageKey": ADA_ID}
            values |= {"subjectDescriptor": ADA}
            values |= {"project": "fabric", "groupId": "", "endpointId": ""}
            path = start.removesuffix("_apis") + each["routeTemplate"].format_map(values)
            newest, revision = each["maxVersion"], each["resourceVersion"]
            released = each["releasedVersion"] == newest
            stage.version = newest if released else f"{newest}-preview.{revision}"
            found = asked(stage, path)
            assert found.ok, (path, found.text)
            stage.version = f"{newest}-preview.{revision + 1}"
            assert asked(stage, path).status_code == 400, path
            stage.version = None


def test_the_areas(stage: Stage) -> None:
    root = stage.emulator.url
    urls = {each["id"]: each["locationUrl"] for each in stage.ask("GET", AREAS).json()["value"]}
    below, outside = f"{root}/contoso/", f"{root}/"
    assert urls == {
        CORE: below,
        TOKENS: below,
        AUDIT: below,
        GRAPH: below,
        TOKEN_ADMIN: below,
        DISTRIBUTED_TASK: below,
        SERVICE_ENDPOINT: below,
        PROFILE: outside,
        ACCOUNTS: outside,
    }
    listed = stage.ask("GET", "/_apis/resourceAreas").json()
    assert listed["count"] == 2
    assert {each["id"] for each in listed["value"]} == {PROFILE, ACCOUNTS}
    one = stage.ask("GET", f"{AREAS}/{TOKENS.upper()}").json()
    assert one == {"id": TOKENS, "name": "Tokens", "locationUrl": below}
    assert set(stage.ask("GET", f"{AREAS}/{CONTOSO_ID}").json().values()) == {None}
    stage.version = "7.1"  # in preview, agrees with the service's is
    assert stage.ask("GET", AREAS).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"), [("OPTIONS", "/contoso/_apis"), ("GET", AREAS), ("OPTIONS", "/_apis")]
)
def test_credentials_are_not_needed_but_must_be_good(stage: Stage, method: str, path: str) -> None:
    """What a stranger is told is what everyone is told."""
    signed_in = stage.ask(method, path)
    bearer = stage.token
    stage.token = None
    stranger = stage.ask(method, path)
    assert (stranger.status_code, stranger.json()) == (200, signed_in.json())
    for bad in ("Basic Og==", f"Bearer {bearer}x", "Bearer"):
        answer = stage.ask(method, path, headers={"Authorization": bad})
        assert answer.status_code == 401, bad
    stage.token = stage.access_token(kind="expired")
    assert stage.ask(method, path).status_code == 401


def test_the_secret_of_another_organization_does_not_do(stage: Stage) -> None:
    stage.version = "7.2-preview.1"
    secret = stage.create()["token"]
    stage.version = None
    assert stage.connect(secret, AREAS).status_code == 200
    assert stage.connect(secret, "/_apis/ResourceAreas").status_code == 200
    assert stage.connect(secret, "/fabrikam/_apis/ResourceAreas").status_code == 401


def test_the_projects(stage: Stage) -> None:
    path = "/contoso/_apis/projects"
    stage.version = "7.1"
    names = [each["name"] for each in stage.ask("GET", path).json()["value"]]
    assert names == ["fabric", "Web Shop"]
    assert stage.ask("GET", "/northwind/_apis/projects").status_code == 401
    assert stage.ask("POST", path).status_code == 405
    stage.token = None
    assert stage.ask("GET", path).status_code == 401
    stage.control("PUT", "policies", {"publicProjects": True})
    assert stage.ask("GET", path).json() == {"count": 0, "value": []}
    assert stage.ask("OPTIONS", PATS).status_code == 405
