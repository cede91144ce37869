"""Each request that a delivery sends to a service, held to Microsoft's document of it."""

from collections.abc import Iterator
from typing import Any

import pytest

from azdo_pat.emulator.run import Options, start
from drivers import Emulator, InProcess
from openapi import SPECS, Sent, faults

pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(), reason=f"Microsoft's OpenAPI documents are not there: {SPECS}"
)
VAULT = "contoso-ci"
GROUPS, CONNECTIONS, SECRETS = (
    "variablegroups-7.2",
    "serviceEndpoint-7.2",
    "keyvault-secrets-2025-07-01",
)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Start an emulator with vaults."""
    with start(Options(vaults=True)) as running:
        yield Emulator(running)


@pytest.fixture
def pat(pat: InProcess, emulator: Emulator) -> InProcess:
    """Run `pat` with an access token for vaults, too."""
    token = emulator.mint("user", resource="https://vault.azure.net")
    return InProcess(pat.root, {**pat.env, "PAT_KEYVAULT_ACCESS_TOKEN": token})


def operations(emulator: Emulator, document: str, *places: str) -> set[str]:
    """Assert that nothing that was sent is at fault; return which operations it was of.

    Args:
        emulator: what it was sent to.
        document: that of the service.
        places: parts of the paths of its requests.
    """
    vaults = document == SECRETS
    found = set()
    for entry in emulator.requests:
        if any(place in entry["path"] for place in places):
            path = entry["path"].removeprefix(f"/{VAULT}") if vaults else entry["path"]
            sent = Sent(entry["method"], path, entry["query"], entry["body"])
            operation, wrong = faults(sent, document)
            assert wrong == [], f"{operation} {entry}"
            found.add(operation)
    return found


def deliver_thrice(pat: InProcess, target: str) -> None:
    """Deliver a new token, one that replaces it, and that one again."""
    ensure = ("ensure", "ci", "--scope", "code", "--deliver", target, "-q", "-o", "none")
    for command in (ensure, ("rotate", "ci", "-q", "-o", "none"), ("deliver", "ci", "-q")):
        result = pat(*command)
        assert result.exit_code == 0, result.stderr


def test_variable_groups(pat: InProcess, emulator: Emulator) -> None:
    variables: dict[str, Any] = {
        "PLAIN": {"value": "a", "isReadOnly": True},
        "OTHER": {"value": "b", "isSecret": True},
    }
    emulator.add_variable_group(
        "a, b*", projects=["fabric", "Web Shop"], description="d", variables=variables
    )
    deliver_thrice(pat, "variable-group:Web Shop/a, b*#PLAIN")
    assert operations(emulator, GROUPS, "/variablegroups") == {
        "Variablegroups_Get Variable Groups",
        "Variablegroups_Get",
        "Variablegroups_Update",
    }


def test_service_connections(pat: InProcess, emulator: Emulator) -> None:
    emulator.add_service_connection(
        "a b",
        projects=["fabric", "Web Shop"],
        scheme="UsernamePassword",
        parameters={"username": "u", "password": "old"},
        data={"kept": "yes"},
    )
    deliver_thrice(pat, "service-connection:Web Shop/a b")
    assert operations(emulator, CONNECTIONS, "/serviceendpoint/") == {
        "Endpoints_Get Service Endpoints",
        "Endpoints_Get",
        "Endpoints_Update Service Endpoint",
        "Types_Get Service Endpoint Types",
    }


def test_secrets_of_key_vaults(pat: InProcess, emulator: Emulator) -> None:
    kept = {"contentType": "text/plain", "tags": {"team": "build"}, "attributes": {"nbf": 1}}
    emulator.set_secret(VAULT, "there", "former", **kept)
    for name in ("new", "there"):
        deliver_thrice(pat, f"keyvault:{VAULT}/{name}")
    assert operations(emulator, SECRETS, "/secrets/", "/deletedsecrets/") == {
        "GetLatestSecret",
        "GetDeletedSecret",
        "SetSecret",
    }


RIGHT = {
    "method": "PUT",
    "path": "/secrets/build-pat",
    "query": {"api-version": "2025-07-01"},
    "body": {"value": "x", "tags": {"team": "build"}, "attributes": {"exp": 1}},
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, []),
        ({"query": {}}, ["api-version is missing", "the version of the API is not 2025-07-01"]),
        (
            {"query": {"api-version": "2025-07-01", "if": "x"}},
            ["if in the query is not declared"],
        ),
        (
            {"query": {"api-version": "7.4"}},
            ["the version of the API is not 2025-07-01"],
        ),
        ({"body": None}, ["body is missing"]),
        ({"body": {"value": None}}, ["body: None is not of type 'string' (value)"]),
        ({"body": {"tags": {}}}, ["body: 'value' is a required property ()"]),
        (
            {"body": {"value": "x", "tags": {"team": 1}}},
            ["body: 1 is not of type 'string' (tags/team)"],
        ),
        ({"path": "/secrets/build_pat"}, ["secret-name: 'build_pat' does not match "]),
        ({"method": "GET"}, ["body in the body is not declared"]),
    ],
)
def test_the_judge_finds_what_is_wrong(changed: dict[str, Any], said: list[str]) -> None:
    _, wrong = faults(Sent(**{**RIGHT, **changed}), SECRETS)
    assert len(wrong) == len(said), wrong
    assert [each.startswith(begin) for each, begin in zip(wrong, said, strict=True)] == [
        True for _ in said
    ], wrong
