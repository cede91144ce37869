"""Each answer held to Microsoft's OpenAPI documents (MIT, vsts-rest-api-specs).

They lie beside the project, not in it; without them these tests are skipped.
"""

import json
from typing import Any

import pytest
from jsonschema import Draft4Validator, FormatChecker

from emulator.stage import (
    ADA,
    ADA_ID,
    AUDIT_ACTIONS,
    AUDIT_LOG,
    ENDPOINTS,
    GRAPH_USERS,
    PATS,
    TOKEN_ADMIN,
    UNKNOWN_ID,
    VARIABLE_GROUPS,
    Stage,
    new_connection,
    new_group,
    new_token,
)
from openapi import SPECS, definitions

# What the profile example holds and the definition forgets.
PROFILE_EXTRAS = {"displayName", "publicAlias", "emailAddress"}

pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(), reason=f"Microsoft's OpenAPI documents are not there: {SPECS}"
)


def hold(value: object, name: str, document: str, extras: frozenset[str] = frozenset()) -> None:
    """Assert that a value fits a definition and has no field that the definition does not."""
    found = definitions(document)
    schema = {"$ref": f"#/definitions/{name}", "definitions": found}
    errors = Draft4Validator(schema, format_checker=FormatChecker()).iter_errors(value)
    assert [error.message for error in errors] == []
    assert isinstance(value, dict)
    assert set(value) - properties(name, found) == extras


def properties(name: str, found: dict[str, Any]) -> set[str]:
    """The names that a definition has itself and from those that it is made of."""
    names = set(found[name]["properties"])
    for part in found[name].get("allOf", ()):
        names |= properties(part["$ref"].rpartition("/")[2], found)
    return names


@pytest.fixture(params=["7.1", "7.2"])
def versioned(bare: Stage, request: pytest.FixtureRequest) -> Stage:
    """One without tokens, asked in both versions."""
    bare.version = f"{request.param}-preview.1"
    return bare


def document(stage: Stage) -> str:
    """The document of the version that is asked for."""
    assert stage.version is not None
    return f"tokens-{stage.version.partition('-')[0]}"


def hold_result(stage: Stage, answer: dict[str, Any]) -> None:
    """Assert that an answer is a `PatTokenResult`, and its token a `PatToken`."""
    hold(answer, "PatTokenResult", document(stage))
    if answer["patToken"] is not None:
        hold(answer["patToken"], "PatToken", document(stage))
        example = json.loads((SPECS / "examples/tokens-Pats-CreatePat.json").read_text("utf-8"))
        fields = example["responses"]["200"]["body"]["patToken"]
        assert list(answer["patToken"]) == list(fields)


def test_the_checker_checks() -> None:
    with pytest.raises(AssertionError):
        hold({"validTo": "zz"}, "PatToken", "tokens-7.2")
    with pytest.raises(AssertionError):
        hold({"validTill": "2026-06-15T12:00:00Z"}, "PatToken", "tokens-7.2")


def test_create_get_and_update(versioned: Stage) -> None:
    created = versioned.ask("POST", PATS, body=new_token()).json()
    authorization_id = created["patToken"]["authorizationId"]
    read = versioned.ask("GET", PATS, {"authorizationId": authorization_id}).json()
    body = {"authorizationId": authorization_id, "displayName": "renamed"}
    updated = versioned.ask("PUT", PATS, body=body).json()
    for answer in (created, read, updated):
        hold_result(versioned, answer)


@pytest.mark.parametrize(
    "changes",
    [
        {"displayName": ""},
        {"displayName": "\a"},
        {"scope": "x"},
        {"validTo": None},
        {"allOrgs": True},
        {"scope": "app_token"},
        {"validTo": "2026-12-01"},
        {"scope": "vso.code"},
    ],
)
def test_refused_creates(versioned: Stage, changes: dict[str, object]) -> None:
    policies: dict[str, object] = {"fullScopeForbidden": True, "globalBlocked": True}
    policies |= {"maximumLifespanDays": 40, "lifespanMode": "refuse"}
    if changes == {"scope": "vso.code"}:
        policies["creation"] = "disabled"
    versioned.control("PUT", "policies", policies)
    answer = versioned.ask("POST", PATS, body=new_token(**changes)).json()
    assert answer["patTokenError"] != "none"
    hold_result(versioned, answer)


def test_the_audit_log(bare: Stage) -> None:
    bare.create()
    bare.ask("GET", AUDIT_LOG)
    answer = bare.ask("GET", AUDIT_LOG).json()
    hold(answer, "AuditLogQueryResult", "audit-7.2")
    assert len(answer["decoratedAuditLogEntries"]) == 2
    example = json.loads(
        (SPECS / "examples/audit-auditLog-GET__AuditLog_QueryLog_by_date.json").read_text("utf-8")
    )
    fields = example["responses"]["200"]["body"]["value"]["decoratedAuditLogEntries"][0]
    for entry in answer["decoratedAuditLogEntries"]:
        hold(entry, "DecoratedAuditLogEntry", "audit-7.2")
        # The example lacks the name by which users sign in; the emulator has no pictures.
        assert set(entry) == set(fields) - {"actorImageUrl"} | {"actorUPN"}
    for action in bare.ask("GET", AUDIT_ACTIONS).json()["value"]:
        hold(action, "AuditActionInfo", "audit-7.2")


def test_refused_updates_and_reads(versioned: Stage) -> None:
    orders = ({"state": "expired"}, {"state": "revoked"})
    ids = [versioned.control("POST", "tokens", order)["ids"][0] for order in orders]
    for authorization_id in (*ids, UNKNOWN_ID, "x"):
        body = {"authorizationId": authorization_id, "validTo": "2026-07-01"}
        answer = versioned.ask("PUT", PATS, body=body).json()
        assert answer["patTokenError"] != "none"
        hold_result(versioned, answer)
    hold_result(versioned, versioned.ask("GET", PATS, {"authorizationId": UNKNOWN_ID}).json())


def test_the_list(versioned: Stage) -> None:
    versioned.control("POST", "tokens", {"preset": "rich"})
    for query in ({"displayFilterOption": "all", "$top": "100"}, {"$top": "2"}):
        page = versioned.ask("GET", PATS, query).json()
        hold(page, "PagedPatTokens", document(versioned))
        assert page["patTokens"]
        for token in page["patTokens"]:
            hold(token, "PatToken", document(versioned))


def test_the_graph(stage: Stage) -> None:
    users = stage.ask("GET", GRAPH_USERS).json()["value"]
    found = stage.ask("POST", "/contoso/_apis/graph/subjectquery", body={"query": "ada"}).json()
    one = stage.ask("GET", f"{GRAPH_USERS}/{users[0]['descriptor']}").json()
    for user in (*users, *found["value"], one):
        hold(user, "GraphUser", "graph-7.2")
    example = json.loads((SPECS / "examples/graph-Users-GetAllUsers.json").read_text("utf-8"))
    fields = set(example["responses"]["200"]["body"]["value"][1])
    # The examples are older than the alias.
    assert set(one) == fields | {"directoryAlias"}
    descriptor = stage.ask("GET", f"/contoso/_apis/graph/descriptors/{ADA_ID}").json()
    hold(descriptor, "GraphDescriptorResult", "graph-7.2")


def test_the_administration_of_tokens(versioned: Stage) -> None:
    bare, is_newest = versioned, document(versioned).endswith("7.2")
    described = "tokenAdmin-7.2" if is_newest else "tokenAdmin-7.1"
    bare.control("POST", "tokens", {"preset": "rich"})
    bare.control("POST", "tokens", {"count": 30})
    name = "tokenAdmin-personalAccessTokens-GetPersonalAccessTokensForAUserInYourOrganization"
    example = json.loads((SPECS / f"examples/{name}.json").read_text("utf-8"))
    fields = list(example["responses"]["200"]["body"]["value"][0])
    for query in ({"pageSize": "10"}, {"pageSize": "100"}, {"isPublic": "true"}):
        page = bare.ask("GET", f"{TOKEN_ADMIN}/personalaccesstokens/{ADA}", query).json()
        hold(page, "TokenAdminPagedSessionTokens", described)
        assert page["value"]
        for token in page["value"]:
            # The example is older than the correlating id.
            assert list(token) == fields + ["crossCompanyCorrelatingId"] * is_newest
            hold(token, "SessionToken", described)


def test_the_profile(stage: Stage) -> None:
    for who in ("me", ADA_ID):
        stage.version = "7.2-preview.3"
        profile = stage.ask("GET", f"/_apis/profile/profiles/{who}").json()
        hold(profile, "Profile", "profile-7.2", extras=frozenset(PROFILE_EXTRAS))


def test_the_accounts(stage: Stage) -> None:
    for query in ({"memberId": ADA_ID}, {"ownerId": ADA_ID}):
        answer = stage.ask("GET", "/_apis/accounts", query).json()
        assert set(answer) == {"count", "value"}
        assert answer["value"]
        for account in answer["value"]:
            hold(account, "Account", "account-7.2")


def test_variable_groups(stage: Stage) -> None:
    stage.version = "7.2-preview.2"
    linked = {"serviceEndpointId": UNKNOWN_ID, "vault": "contoso-vault"}
    order = {"name": "linked", "type": "AzureKeyVault", "providerData": linked}
    order["variables"] = {"A": {"isSecret": True, "enabled": True, "contentType": "text"}}
    stage.control("POST", "variable-groups", order)
    groups = [stage.ask("POST", VARIABLE_GROUPS, body=new_group()).json()]
    listed = stage.ask("GET", "/contoso/fabric/_apis/distributedtask/variablegroups").json()
    groups += listed["value"]
    for group in listed["value"]:
        path = f"/contoso/fabric/_apis/distributedtask/variablegroups/{group['id']}"
        groups.append(stage.ask("GET", path).json())
        groups.append(stage.ask("PUT", f"{VARIABLE_GROUPS}/{group['id']}", body=group).json())
    assert len(groups) == 10
    for group in groups:
        hold(group, "VariableGroup", "variablegroups-7.2")
        for variable in group["variables"].values():
            in_vault = group["type"] == "AzureKeyVault"
            name = "AzureKeyVaultVariableValue" if in_vault else "VariableValue"
            hold(variable, name, "variablegroups-7.2")
        for reference in group["variableGroupProjectReferences"]:
            hold(reference, "VariableGroupProjectReference", "variablegroups-7.2")
        for user in (group["createdBy"], group["modifiedBy"]):
            hold(user, "IdentityRef", "variablegroups-7.2")
        if "providerData" in group:
            provider = "AzureKeyVaultVariableGroupProviderData"
            hold(group["providerData"], provider, "variablegroups-7.2")


def test_service_connections(stage: Stage) -> None:
    stage.version = "7.2-preview.4"
    connections = [stage.ask("POST", ENDPOINTS, body=new_connection()).json()]
    stage.control("PUT", "readiness", {"failure": "It does not answer."})
    listed = stage.ask("GET", "/contoso/fabric/_apis/serviceendpoint/endpoints").json()
    connections += listed["value"]
    for connection in listed["value"]:
        path = f"/contoso/fabric/_apis/serviceendpoint/endpoints/{connection['id']}"
        detail = stage.ask("GET", path).json()
        connections.append(detail)
        changed = stage.ask("PUT", f"{ENDPOINTS}/{connection['id']}", body=detail).json()
        assert changed["operationStatus"]["state"] == "Failed"
        connections.append(changed)
    stage.token = stage.access_token(user="grace")
    connections.append(stage.ask("GET", path).json())
    assert len(connections) == 8
    for connection in connections:
        hold(connection, "ServiceEndpoint", "serviceEndpoint-7.2")
        for reference in connection["serviceEndpointProjectReferences"]:
            hold(reference, "ServiceEndpointProjectReference", "serviceEndpoint-7.2")


def test_the_types_of_service_connections(stage: Stage) -> None:
    types = stage.ask("GET", "/contoso/_apis/serviceendpoint/types").json()["value"]
    assert types
    for kind in types:
        hold(kind, "ServiceEndpointType", "serviceEndpoint-7.2")
        for scheme in kind["authenticationSchemes"]:
            hold(scheme, "ServiceEndpointAuthenticationScheme", "serviceEndpoint-7.2")
            for each in scheme["inputDescriptors"]:
                hold(each, "InputDescriptor", "serviceEndpoint-7.2")
