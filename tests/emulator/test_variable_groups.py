"""Variable groups: written whole, and their secrets never read."""

from datetime import datetime
from typing import Any

import pytest

from emulator.stage import (
    FABRIC_ID,
    UNKNOWN_ID,
    VARIABLE_GROUPS,
    WEB_SHOP_ID,
    Stage,
    basic,
    new_group,
    reference,
)

IN_FABRIC = "/contoso/fabric/_apis/distributedtask/variablegroups"
IN_WEB_SHOP = "/contoso/Web Shop/_apis/distributedtask/variablegroups"
SAMPLE = f"{IN_FABRIC}/1"
NOT_ADMINISTRATOR = (
    "You do not have permissions to perform this operation on the variable group. A variable group"
    " Administrator can add you to the Administrator role."
)
SERVER_SET = ("id", "createdBy", "createdOn", "modifiedBy", "modifiedOn", "isShared")


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """One that is asked in the newest version of this API."""
    stage.version = "7.2-preview.2"
    return stage


def added(stage: Stage, **order: object) -> int:
    """Make a group past all rules; its id."""
    made: int = stage.control("POST", "variable-groups", {"name": "g", **order})["id"]
    return made


def read(stage: Stage, number: int, path: str = IN_FABRIC) -> Any:  # noqa: ANN401  # a group or null
    answer = stage.ask("GET", f"{path}/{number}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def put(stage: Stage, number: int, group: dict[str, Any], **changes: object) -> dict[str, Any]:
    """Send a group as it was read, with changes; the answer, which must be good."""
    sent = {name: group[name] for name in group if name not in SERVER_SET} | changes
    answer = stage.ask("PUT", f"{VARIABLE_GROUPS}/{number}", body=sent)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


def modified(group: dict[str, Any]) -> datetime:
    """When a group was changed."""
    return datetime.fromisoformat(group["modifiedOn"])


def stored(stage: Stage, number: int) -> dict[str, str | None]:
    """The values as they are kept, secrets too."""
    groups = stage.control("GET", "variable-groups")["variableGroups"]
    (variables,) = [each["variables"] for each in groups if each["id"] == number]
    return {name: variables[name]["value"] for name in variables}


def refused(stage: Stage, method: str, path: str, body: object = None, **query: str) -> Any:  # noqa: ANN401
    """Status, type and message of a request that must be refused."""
    answer = stage.ask(method, path, query, body=body)
    error = answer.json()
    return answer.status_code, error["typeKey"], error["message"]


def test_a_new_emulator_has_a_group(stage: Stage) -> None:
    answer = stage.ask("GET", IN_FABRIC, {"groupName": "ci-secrets"}).json()
    assert answer["count"] == 1
    (group,) = answer["value"]
    assert {name: group[name] for name in ("id", "type", "name", "isShared", "modifiedOn")} == {
        "id": 1,
        "type": "Vsts",
        "name": "ci-secrets",
        "isShared": False,
        "modifiedOn": "2026-06-03T12:00:00.1233333Z",
    }
    assert group["variables"] == {
        "AZURE_DEVOPS_PAT": {"value": None, "isSecret": True},
        "FEED_URL": {"value": "https://pkgs.dev.azure.com/contoso/_packaging/feed"},
        "SIGNING_KEY": {"value": None, "isSecret": True},
    }
    assert (group["createdBy"]["displayName"], group["modifiedBy"]["uniqueName"]) == (
        "Grace Hopper",
        "ada@contoso.example",
    )
    assert group["variableGroupProjectReferences"] == [
        {
            "projectReference": {"id": FABRIC_ID, "name": "fabric"},
            "name": "ci-secrets",
            "description": "What the pipelines of fabric need",
        }
    ]
    assert read(stage, 1) == group


def test_a_write_replaces_the_whole_group(stage: Stage) -> None:
    before = read(stage, 1)
    variables = {"AZURE_DEVOPS_PAT": {"value": "s3cret", "isSecret": True, "isReadOnly": True}}
    changed = put(stage, 1, before, variables=variables, description="new")
    assert changed == read(stage, 1)
    assert changed["variables"] == {
        "AZURE_DEVOPS_PAT": {"value": None, "isSecret": True, "isReadOnly": True}
    }
    assert (changed["description"], changed["createdOn"]) == ("new", before["createdOn"])
    assert modified(changed) > modified(before)
    assert stored(stage, 1) == {"AZURE_DEVOPS_PAT": "s3cret"}
    assert "s3cret" not in str(stage.control("GET", "requests"))


@pytest.mark.parametrize("kept", [{"value": None}, {}, {"value": ""}])
def test_a_secret_sent_without_a_value_stays(stage: Stage, kept: dict[str, object]) -> None:
    number = added(stage, variables={"A": {"value": "a", "isSecret": True}, "B": "b"})
    group = read(stage, number)
    put(stage, number, group, variables={"a": {"isSecret": True, **kept}, "B": {"value": "c"}})
    assert stored(stage, number) == {"a": "a", "B": "c"}


def test_a_secret_that_becomes_plain_is_lost(stage: Stage) -> None:
    number = added(stage, variables={"A": {"value": "a", "isSecret": True}})
    changed = put(stage, number, read(stage, number), variables={"A": {"value": None}})
    assert changed["variables"] == {"A": {"value": None}}
    assert stored(stage, number) == {"A": None}


def test_a_plain_variable_that_becomes_secret(stage: Stage) -> None:
    number = added(stage, variables={"A": "a"})
    put(stage, number, read(stage, number), variables={"A": {"isSecret": True}})
    assert stored(stage, number) == {"A": "a"}
    assert read(stage, number)["variables"] == {"A": {"value": None, "isSecret": True}}


def test_names_of_variables_have_no_case(stage: Stage) -> None:
    number = added(stage, variables={"A": "a"})
    variables = {"A": {"value": "b"}, "a": {"value": "c"}}
    assert put(stage, number, read(stage, number), variables=variables)["variables"] == {
        "A": {"value": "c"}
    }


def test_each_change_has_its_own_time(stage: Stage) -> None:
    """The clock of this stage stands still."""
    number = added(stage, variables={"A": "a"})
    group = read(stage, number)
    times = [modified(group), *(modified(put(stage, number, group)) for _ in range(3))]
    assert sorted(set(times)) == times


def test_what_a_write_must_have(stage: Stage) -> None:
    before = read(stage, 1)
    path = f"{VARIABLE_GROUPS}/1"
    no_references = new_group(variableGroupProjectReferences=[])
    for body in (no_references, new_group(variableGroupProjectReferences=None)):
        assert refused(stage, "PUT", path, body)[:2] == (401, "UnauthorizedRequestException")
        assert refused(stage, "POST", VARIABLE_GROUPS, body)[0] == 401
    for changes, message in (
        ({"variables": {}}, "Variable group must have at least one variable defined."),
        ({"variables": None}, "Variable group must have at least one variable defined."),
        ({"name": None}, "Variable group name is not valid."),
        (
            {"variableGroupProjectReferences": [{"projectReference": {"id": FABRIC_ID}}]},
            "Project information name is not valid for variable group.",
        ),
    ):
        body = new_group(**changes)
        assert refused(stage, "PUT", path, body) == (400, "ArgumentException", message)
        assert refused(stage, "POST", VARIABLE_GROUPS, body) == (400, "ArgumentException", message)
    malformed: tuple[dict[str, object], ...] = (
        {"variables": {"A": "text"}},
        {"variables": []},
        {"name": {}},
    )
    for broken in malformed:
        assert refused(stage, "PUT", path, new_group(**broken))[:2] == (400, "JsonReaderException")
    assert stage.ask("PUT", path, body=b"{").status_code == 400
    assert stage.ask("PUT", path, body=b"").status_code == 400
    unknown = new_group(variableGroupProjectReferences=[reference("x", UNKNOWN_ID)])
    assert refused(stage, "PUT", path, unknown)[:2] == (404, "ProjectDoesNotExistException")
    assert read(stage, 1) == before


def test_a_new_group(stage: Stage) -> None:
    answer = stage.ask("POST", VARIABLE_GROUPS, body=new_group())
    assert answer.status_code == 200
    group = answer.json()
    assert read(stage, group["id"]) == group
    assert group["id"] == 2
    assert group["variables"]["SECRET"] == {"value": None, "isSecret": True}
    assert stored(stage, 2) == {"PLAIN": "a", "SECRET": "b"}
    assert refused(stage, "POST", VARIABLE_GROUPS, new_group(name="New Group")) == (
        409,
        "VariableGroupExistsException",
        "Variable group New Group already exists.",
    )
    put(stage, 2, group)  # its own name is free for it
    renamed = new_group(name="CI-Secrets")
    assert refused(stage, "PUT", f"{VARIABLE_GROUPS}/2", renamed)[0] == 409
    elsewhere = new_group(variableGroupProjectReferences=[reference("new group", WEB_SHOP_ID)])
    assert stage.ask("POST", VARIABLE_GROUPS, body=elsewhere).json()["id"] == 3


def test_an_unknown_group_is_null_and_not_404(stage: Stage) -> None:
    for path in (f"{IN_FABRIC}/99", f"{IN_WEB_SHOP}/1", f"{IN_FABRIC}/x"):
        answer = stage.ask("GET", path)
        assert (answer.status_code, answer.json()) == (200, None)
    assert stage.ask("GET", f"/fabrikam/fabric{IN_FABRIC[15:]}/1").json() is None
    for method in ("PUT", "DELETE"):
        for path in (f"{VARIABLE_GROUPS}/99", f"/fabrikam{VARIABLE_GROUPS[8:]}/1"):
            found = refused(stage, method, path, new_group(), projectIds=FABRIC_ID)
            assert found[:2] == (404, "VariableGroupNotFoundException")


def test_projects_have_names_and_ids_in_any_case(stage: Stage) -> None:
    for project in ("FABRIC", FABRIC_ID.upper(), FABRIC_ID):
        path = IN_FABRIC.replace("fabric", project)
        assert stage.ask("GET", path).json()["count"] == 1
    for project, kind in (
        ("nowhere", "ProjectDoesNotExistWithNameException"),
        (UNKNOWN_ID, "ProjectDoesNotExistException"),
    ):
        path = IN_FABRIC.replace("fabric", project)
        assert refused(stage, "GET", path)[:2] == (404, kind)


def test_the_list_and_its_filters(stage: Stage) -> None:
    for name in ("Test.1", "test2", "other[1]"):
        added(stage, name=name, variables={"A": "a"})
    added(stage, name="test2", project="Web Shop", variables={"A": "a"})

    def names(**query: str) -> list[str]:
        answer = stage.ask("GET", IN_FABRIC, query).json()
        assert answer["count"] == len(answer["value"])
        return [group["name"] for group in answer["value"]]

    every = ["other[1]", "test2", "Test.1", "ci-secrets"]
    assert names() == every
    assert names(queryOrder="IdAscending") == every[::-1]
    assert names(groupName="TEST*") == ["test2", "Test.1"]
    assert names(groupName="*t*1*") == ["other[1]", "Test.1"]
    assert names(groupName="test?1") == []
    assert names(groupName="other[1]") == ["other[1]"]
    assert names(groupName="est2") == []
    assert names(groupIds="1,3,5") == ["test2", "ci-secrets"]
    assert names(actionFilter="manage") == every
    page = stage.ask("GET", IN_FABRIC, {"$top": "3"})
    following = page.headers["X-MS-ContinuationToken"]
    assert names(continuationToken=following) == ["ci-secrets"]
    assert "X-MS-ContinuationToken" not in stage.ask("GET", IN_FABRIC, {"$top": "4"}).headers
    for bad in ({"$top": "x"}, {"actionFilter": "own"}, {"continuationToken": "-1"}):
        assert refused(stage, "GET", IN_FABRIC, **bad)[:2] == (400, "ArgumentException")


def test_a_shared_group(stage: Stage) -> None:
    shared = {"projects": ["fabric", "Web Shop"], "variables": {"A": "a"}}
    number = added(stage, **shared)
    group = read(stage, number)
    assert group["isShared"] is True
    assert read(stage, number, IN_WEB_SHOP) == group
    references = group["variableGroupProjectReferences"]
    assert [each["projectReference"]["name"] for each in references] == ["fabric", "Web Shop"]
    put(stage, number, group)
    assert read(stage, number, IN_WEB_SHOP) is not None
    changed = put(stage, number, group, variableGroupProjectReferences=references[:1])
    assert changed["isShared"] is False
    assert read(stage, number, IN_WEB_SHOP) is None
    body = new_group(variableGroupProjectReferences=references)
    assert refused(stage, "PUT", f"{VARIABLE_GROUPS}/{number}", body) == (
        400,
        "ArgumentException",
        f"Variable group is not part of project {WEB_SHOP_ID}.",
    )
    assert refused(stage, "POST", VARIABLE_GROUPS, body)[::2] == (
        500,
        "Sharing of variable group is not allowed.",
    )


def test_a_group_linked_to_a_vault(stage: Stage) -> None:
    linked = {"serviceEndpointId": UNKNOWN_ID, "vault": "contoso-vault"}
    variables = {"A": {"isSecret": True, "enabled": True, "contentType": "text"}}
    number = added(stage, type="AzureKeyVault", providerData=linked, variables=variables)
    group = read(stage, number)
    assert (group["type"], group["providerData"]) == ("AzureKeyVault", linked)
    listed = {"A": {"enabled": True, "contentType": "text", "value": None, "isSecret": True}}
    assert group["variables"] == listed
    changed = put(stage, number, group, variables={"A": {**listed["A"], "value": "x"}})
    assert changed["variables"] == listed
    assert stored(stage, number) == {"A": None}, "its values are in the vault"


@pytest.mark.parametrize(("role", "may"), [("none", 404), ("reader", 403), ("user", 403)])
def test_a_write_needs_an_administrator(stage: Stage, role: str, may: int) -> None:
    stage.control("PUT", "variable-groups", {"name": "ci-secrets", "roles": {"grace": role}})
    stage.token = stage.access_token(user="grace")
    assert (read(stage, 1) is None) is (role == "none")
    assert stage.ask("GET", IN_FABRIC).json()["count"] == (0 if role == "none" else 1)
    for action, least in (("use", "user"), ("manage", "administrator")):
        found = stage.ask("GET", IN_FABRIC, {"actionFilter": action}).json()["count"]
        assert found == (1 if role == least else 0)
    for method in ("PUT", "DELETE"):
        path = f"{VARIABLE_GROUPS}/1"
        assert refused(stage, method, path, new_group(), projectIds=FABRIC_ID)[0] == may
    assert stage.ask("POST", VARIABLE_GROUPS, body=new_group()).status_code == 200


def test_roles(stage: Stage) -> None:
    roles = {"ada": "reader", "grace": "Administrator"}
    stage.control("PUT", "variable-groups", {"name": "ci-secrets", "roles": roles})
    (group,) = stage.control("GET", "variable-groups")["variableGroups"]
    assert group["roles"] == {"ada": "reader", "grace": "administrator"}
    assert (group["modifiedBy"], group["modifiedOn"]) == ("ada", "2026-06-03T12:00:00.1233333Z")
    assert refused(stage, "PUT", f"{VARIABLE_GROUPS}/1", new_group()) == (
        403,
        "AccessDeniedException",
        NOT_ADMINISTRATOR,
    )
    stage.token = stage.access_token(user="grace")
    put(stage, 1, read(stage, 1))


@pytest.mark.parametrize(
    ("scope", "reads", "writes"),
    [
        ("user_impersonation", True, True),
        ("app_token", True, True),
        ("vso.variablegroups_manage", True, True),
        ("vso.variablegroups_write", True, False),
        ("vso.variablegroups_read", True, False),
        ("vso.serviceendpoint_manage", False, False),
    ],
)
def test_scopes(stage: Stage, scope: str, *, reads: bool, writes: bool) -> None:
    body = new_group(name="ci-secrets")
    tokens = [{"Authorization": f"Bearer {stage.access_token(scopes=scope)}"}]
    if scope != "user_impersonation":
        stage.version = "7.2-preview.1"
        secret = stage.create(scope=scope)["token"]
        stage.version = "7.2-preview.2"
        tokens.append({"Authorization": basic(secret)})
    for headers in tokens:
        answer = stage.ask("GET", SAMPLE, headers=headers)
        assert answer.status_code == (200 if reads else 401)
        answer = stage.ask("PUT", f"{VARIABLE_GROUPS}/1", body=body, headers=headers)
        assert answer.status_code == (200 if writes else 401)


def test_strangers(stage: Stage) -> None:
    assert stage.ask("GET", "/northwind/fabric" + IN_FABRIC[15:]).status_code == 401
    stage.token = None
    for method, path in (("GET", SAMPLE), ("PUT", f"{VARIABLE_GROUPS}/1")):
        assert stage.ask(method, path, body=new_group()).status_code == 401


def test_methods_and_versions(stage: Stage) -> None:
    for method, path, allowed in (
        ("GET", VARIABLE_GROUPS, "POST"),
        ("GET", f"{VARIABLE_GROUPS}/1", "PUT, DELETE"),
        ("PATCH", IN_FABRIC, "GET, POST"),
        ("PATCH", SAMPLE, "GET, PUT, DELETE"),
    ):
        answer = stage.ask(method, path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert stage.ask("GET", f"{SAMPLE}/x").status_code == 404
    for version, status in (
        ("7.1", 200),
        ("7.1-preview.2", 200),
        ("5.0-preview.1", 200),
        ("7.2-preview.3", 400),
        (None, 400),
    ):
        stage.version = version
        assert stage.ask("GET", SAMPLE).status_code == status


def test_deleting(stage: Stage) -> None:
    number = added(stage, projects=["fabric", "Web Shop"], variables={"A": "a"})
    path = f"{VARIABLE_GROUPS}/{number}"
    assert refused(stage, "DELETE", path)[0] == 400
    answer = stage.ask("DELETE", path, {"projectIds": FABRIC_ID})
    assert (answer.status_code, answer.text) == (204, "")
    assert read(stage, number) is None
    assert read(stage, number, IN_WEB_SHOP) is not None
    assert stage.ask("DELETE", path, {"projectIds": WEB_SHOP_ID}).status_code == 204
    assert stage.ask("DELETE", path, {"projectIds": WEB_SHOP_ID}).status_code == 404


def test_the_older_api_writes_below_a_project(stage: Stage) -> None:
    """`az` uses it, and sends no references."""
    stage.version = "5.0-preview.1"
    body = new_group(variableGroupProjectReferences=None)
    group = stage.ask("POST", IN_WEB_SHOP, body=body).json()
    assert read(stage, group["id"], IN_WEB_SHOP) == group
    path = f"{IN_WEB_SHOP}/{group['id']}"
    changed = stage.ask("PUT", path, body=body | {"description": "d"}).json()
    assert changed["variableGroupProjectReferences"] == group["variableGroupProjectReferences"]
    assert stage.ask("DELETE", path).status_code == 204
    assert read(stage, group["id"], IN_WEB_SHOP) is None


def test_a_change_by_someone_else(stage: Stage) -> None:
    before = read(stage, 1)
    order = {"name": "CI-Secrets", "variables": {"NEW": "n"}, "without": ["feed_url"]}
    stage.control("PUT", "variable-groups", order)
    after = read(stage, 1)
    assert set(after["variables"]) == {"AZURE_DEVOPS_PAT", "SIGNING_KEY", "NEW"}
    assert after["modifiedBy"]["displayName"] == "Grace Hopper"
    assert modified(after) > modified(before)
    moved = {"name": "ci-secrets", "modifiedOn": "2026-06-20T00:00:00Z", "user": "katherine"}
    stage.control("PUT", "variable-groups", moved)
    assert read(stage, 1)["modifiedOn"] == "2026-06-20T00:00:00.00Z"


def test_a_change_right_before_and_right_after_a_write(stage: Stage) -> None:
    group = read(stage, 1)
    for when, name in (("before-write", "EARLY"), ("after-write", "LATE")):
        order = {"name": "ci-secrets", "when": when, "variables": {name: "x"}}
        stage.control("PUT", "variable-groups", order)
    assert read(stage, 1) == group, "they wait for a write"
    answer = put(stage, 1, group)
    assert set(answer["variables"]) == set(group["variables"]), "the early one is overwritten"
    after = read(stage, 1)
    assert set(after["variables"]) == {*group["variables"], "LATE"}
    assert modified(after) > modified(answer)
    put(stage, 1, group)
    assert read(stage, 1)["variables"] == group["variables"], "once is enough"


def test_a_group_that_is_gone_before_the_write(stage: Stage) -> None:
    group = read(stage, 1)
    stage.control(
        "PUT", "variable-groups", {"name": "ci-secrets", "when": "before-write", "removed": True}
    )
    sent = {name: group[name] for name in group if name not in SERVER_SET}
    assert refused(stage, "PUT", f"{VARIABLE_GROUPS}/1", sent)[0] == 404
    assert stage.control("GET", "variable-groups") == {"variableGroups": []}


def test_what_is_kept(stage: Stage) -> None:
    roles = {"grace": "user"}
    order = {"name": "x", "projects": ["Web Shop"], "description": "d", "roles": roles}
    added(stage, **order, variables={"A": {"value": "a", "isSecret": True, "isReadOnly": True}})
    (_, group) = stage.control("GET", "variable-groups")["variableGroups"]
    assert group == {
        "id": 2,
        "organization": "contoso",
        "projects": ["Web Shop"],
        "type": "Vsts",
        "name": "x",
        "description": "d",
        "modifiedBy": "ada",
        "modifiedOn": "2026-06-15T12:00:00.1233333Z",
        "roles": {"grace": "user"},
        "variables": {"A": {"value": "a", "isSecret": True, "isReadOnly": True}},
        "providerData": None,
    }
    assert stage.control("DELETE", "variable-groups") == {"removed": 2}


@pytest.mark.parametrize(
    ("method", "order"),
    [
        ("POST", {}),
        ("POST", {"name": ""}),
        ("POST", {"name": "x", "project": "nowhere"}),
        ("POST", {"name": "x", "projects": []}),
        ("POST", {"name": "x", "organization": "nowhere"}),
        ("POST", {"name": "x", "roles": {"nobody": "user"}}),
        ("POST", {"name": "x", "roles": {"ada": "owner"}}),
        ("POST", {"name": "x", "roles": []}),
        ("POST", {"name": "x", "variables": []}),
        ("POST", {"name": "x", "variables": {"A": {"secret": True}}}),
        ("POST", {"name": "x", "colour": "red"}),
        ("PUT", {"name": "x"}),
        ("PUT", {"name": "ci-secrets", "project": "Web Shop"}),
        ("PUT", {"name": "ci-secrets", "when": "later"}),
        ("PUT", {"name": "ci-secrets", "modifiedOn": "soon"}),
        ("PUT", {"name": "ci-secrets", "user": "nobody"}),
    ],
)
def test_control_that_is_not_understood(
    stage: Stage, method: str, order: dict[str, object]
) -> None:
    before = stage.control("GET", "variable-groups")
    address = f"{stage.emulator.url}/_emulator/variable-groups"
    answer = stage.session.request(method, address, json=order, timeout=10)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert stage.control("GET", "variable-groups") == before
