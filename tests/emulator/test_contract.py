"""schemathesis over a running emulator, with Microsoft's token documents."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from emulator.stage import (
    ADA_ID,
    AUDIT_ACTIONS,
    AUDIT_LOG,
    FABRIC_ID,
    FABRIKAM_CONNECTION,
    GRACE,
    UNKNOWN_ID,
    Stage,
    new_connection,
    new_group,
    new_token,
)
from openapi import SPECS, read

IN_ORGANIZATION = "/{organization}/_apis/"
IN_PROJECT = "/{organization}/{project}/_apis/"
PROGRAM = Path(sys.executable).with_name("schemathesis")
CHECKS = (
    "not_a_server_error",
    "response_schema_conformance",
    "content_type_conformance",
    "response_headers_conformance",
)

# Of a session token; Microsoft's own example has them as null.
NULLS = (
    *("displayName", "targetAccounts", "token", "alternateToken", "publicData", "source"),
    "crossCompanyCorrelatingId",
)


def prepared(document: str, authorization_id: str) -> str:
    """The document with an example for each request, and with the null that it forgets."""
    value = read(document)
    found = value["definitions"]
    token = {"$ref": "#/definitions/PatToken"}
    # x-nullable beside a $ref counts for nothing.
    found["PatTokenResult"]["properties"]["patToken"] = {"x-nullable": True, "allOf": [token]}
    known = {"authorizationId": authorization_id}
    found["PatTokenCreateRequest"]["example"] = new_token()
    found["PatTokenUpdateRequest"]["example"] = known | {"displayName": "renamed"}
    for path in value["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                if parameter.get("name") in known:
                    parameter["x-example"] = authorization_id
    return json.dumps(value)


pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(not SPECS.is_dir(), reason=f"no OpenAPI documents at {SPECS}"),
    pytest.mark.skipif(not PROGRAM.exists(), reason=f"schemathesis is not installed: {PROGRAM}"),
]


def audit_document() -> str:
    """The document of the audit log, with what the emulator serves of it."""
    value = read("audit-7.2")
    served = ("/{organization}/_apis/audit/auditlog", "/{organization}/_apis/audit/actions")
    value["paths"] = {path: value["paths"][path] for path in served}
    for name in ("AuditLogEntry", "DecoratedAuditLogEntry"):
        # Microsoft's own example has texts where the document wants objects.
        value["definitions"][name]["properties"]["data"] = {"type": "object"}
    actions = value["paths"][served[1]]["get"]["responses"]["200"]
    # Its own example wraps the list.
    actions["schema"] = {"type": "object", "properties": {"value": actions["schema"]}}
    return json.dumps(value)


def served(document: str, *operations: tuple[str, str]) -> dict[str, Any]:
    """The document with what the emulator serves of it, asked for things that there are."""
    value: dict[str, Any] = read(document)
    examples = {"subjectDescriptor": GRACE, "userDescriptor": GRACE, "storageKey": ADA_ID}
    examples |= {"project": "fabric", "groupId": "1", "endpointId": FABRIKAM_CONNECTION}
    examples |= {"projectIds": FABRIC_ID}
    paths, found = value["paths"], defaultdict[str, dict[str, Any]](dict)
    for method, path in operations:
        for beginning in (IN_ORGANIZATION, IN_PROJECT):
            if method in paths.get(beginning + path, ()):
                found[beginning + path][method] = paths[beginning + path][method]
    value["paths"] = found
    for path in value["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                if parameter.get("name") in examples:
                    parameter["x-example"] = examples[parameter["name"]]
    return value


def administration_document() -> str:
    """The document of the administration of tokens, as Microsoft's own examples follow it."""
    value = served(
        "tokenAdmin-7.2",
        ("get", "tokenadmin/personalaccesstokens/{subjectDescriptor}"),
        ("post", "tokenadmin/revocations"),
        ("post", "tokenadmin/revocationrules"),
    )
    found = value["definitions"]
    token = found["SessionToken"]["properties"]
    for field in NULLS:
        token[field]["x-nullable"] = True
    for field in ("validFrom", "validTo"):  # the example has no zone
        del token[field]["format"]
    page = found["TokenAdminPagedSessionTokens"]["properties"]
    page["continuationToken"]["x-nullable"] = True
    found["TokenAdminRevocation"]["example"] = {"authorizationId": UNKNOWN_ID}
    found["TokenAdminRevocationRule"]["example"] = {"scopes": "vso.drop"}
    return json.dumps(value)


def graph_document() -> str:
    """The document of the graph, as Microsoft's own examples follow it."""
    value = served(
        "graph-7.2",
        ("get", "graph/users"),
        ("get", "graph/users/{userDescriptor}"),
        ("get", "graph/descriptors/{storageKey}"),
        ("post", "graph/subjectquery"),
    )
    value["definitions"]["GraphSubjectQuery"]["example"] = {"query": "a", "subjectKind": ["User"]}
    for path in value["paths"].values():
        for operation in path.values():
            answer = operation["responses"]["200"]
            if answer["schema"].get("type") == "array":  # the example wraps the list
                properties = {"value": answer["schema"]}
                answer["schema"] = {"type": "object", "properties": properties}
    return json.dumps(value)


@pytest.mark.parametrize("document", ["tokens-list", "tokens-get"])
def test_no_request_breaks_the_contract(stage: Stage, tmp_path: Path, document: str) -> None:
    authorization_id = stage.control("POST", "tokens", {"count": 300})["ids"][0]
    log = hold(stage, tmp_path, prepared(document, authorization_id))
    succeeded = {entry["method"] for entry in log if entry["status"] in {200, 204}}
    assert succeeded == {"GET", "POST", "PUT", "DELETE"}


def test_no_request_breaks_the_contract_of_the_audit_log(stage: Stage, tmp_path: Path) -> None:
    for number in range(30):
        stage.create(displayName=f"token {number}")
    log = hold(stage, tmp_path, audit_document())
    succeeded = {entry["path"] for entry in log if entry["status"] == 200}
    assert {AUDIT_LOG, AUDIT_ACTIONS} <= succeeded


def test_no_request_breaks_the_contract_of_the_administration(stage: Stage, tmp_path: Path) -> None:
    stage.control("POST", "tokens", {"count": 30, "user": "grace"})
    log = hold(stage, tmp_path, administration_document())
    assert {200, 201, 204} <= {entry["status"] for entry in log}


def test_no_request_breaks_the_contract_of_the_graph(stage: Stage, tmp_path: Path) -> None:
    log = hold(stage, tmp_path, graph_document())
    succeeded = {entry["path"].split("/")[4] for entry in log if entry["status"] == 200}
    assert succeeded == {"users", "descriptors", "subjectquery"}


def null_where_there_is_none(value: dict[str, Any], path: str, name: str) -> None:
    """Let one thing be null, as the service answers for an unknown id."""
    answer = value["paths"][path]["get"]["responses"]["200"]
    answer["schema"] = {"x-nullable": True, "allOf": [{"$ref": f"#/definitions/{name}"}]}


def variable_groups_document() -> str:
    """The document of variable groups, with what the emulator serves of it."""
    area = "distributedtask/variablegroups"
    value = served(
        "variablegroups-7.2",
        *(("post", area), ("put", f"{area}/{{groupId}}"), ("delete", f"{area}/{{groupId}}")),
        *(("get", area), ("get", f"{area}/{{groupId}}")),
    )
    null_where_there_is_none(value, f"{IN_PROJECT}{area}/{{groupId}}", "VariableGroup")
    value["definitions"]["VariableGroupParameters"]["example"] = new_group(name="ci-secrets")
    return json.dumps(value)


def service_connections_document() -> str:
    """The document of service connections, with what the emulator serves of it."""
    area = "serviceendpoint/endpoints"
    value = served(
        "serviceEndpoint-7.2",
        *(("post", area), ("put", f"{area}/{{endpointId}}"), ("delete", f"{area}/{{endpointId}}")),
        *(("get", area), ("get", f"{area}/{{endpointId}}"), ("get", "serviceendpoint/types")),
    )
    null_where_there_is_none(value, f"{IN_PROJECT}{area}/{{endpointId}}", "ServiceEndpoint")
    found = value["definitions"]
    found["ServiceEndpoint"]["example"] = new_connection(name="fabrikam")
    found["JObject"] = {"type": "object"}  # what it consists of refers to itself
    for field in ("type", "properties", "valueHint"):  # Microsoft's own examples have null
        found["InputDescriptor"]["properties"][field]["x-nullable"] = True
    return json.dumps(value)


def test_no_request_breaks_the_contract_of_variable_groups(stage: Stage, tmp_path: Path) -> None:
    log = hold(stage, tmp_path, variable_groups_document(), {"max-examples": "15"})
    succeeded = {entry["method"] for entry in log if entry["status"] in {200, 204}}
    assert succeeded == {"GET", "POST", "PUT", "DELETE"}


def test_no_request_breaks_the_contract_of_service_connections(
    stage: Stage, tmp_path: Path
) -> None:
    # As the service does, the emulator answers 500 to a name that is taken.
    checks = tuple(check for check in CHECKS if check != "not_a_server_error")
    changes = {"checks": ",".join(checks), "max-examples": "15"}
    log = hold(stage, tmp_path, service_connections_document(), changes)
    succeeded = {entry["method"] for entry in log if entry["status"] in {200, 204}}
    assert succeeded == {"GET", "POST", "PUT", "DELETE"}


def hold(
    stage: Stage, tmp_path: Path, document: str, changes: Mapping[str, str] = MappingProxyType({})
) -> list[dict[str, Any]]:
    """Assert that no answer breaks the document; return the log of requests."""
    place = tmp_path / "document.json"
    place.write_text(document, encoding="utf-8")
    settings = tmp_path / "schemathesis.toml"
    # With made-up ones nothing would come past the door.
    settings.write_text(
        '[parameters]\n"path.organization" = "contoso"\n"query.api-version" = "7.2-preview.1"\n',
        encoding="utf-8",
    )
    options = {
        "url": stage.emulator.url,
        "header": f"Authorization: Bearer {stage.token}",
        "checks": ",".join(CHECKS),
        "max-examples": "60",
        "phases": "examples,coverage,fuzzing",
        "seed": "20260615",
        "request-timeout": "5",
        "warnings": "off",
        **changes,
    }
    ran = subprocess.run(
        [
            str(PROGRAM),
            f"--config-file={settings}",
            "run",
            str(place),
            *(f"--{name}={value}" for name, value in options.items()),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    log: list[dict[str, Any]] = stage.control("GET", "requests")["requests"]
    assert len(log) > 100
    return log
