"""What users write for a delivery to a service."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from azdo_pat.deliveries.parsing import WrittenIn, from_table, from_text
from azdo_pat.delivery_targets import (
    Delivery,
    GitHubTarget,
    KeyVaultTarget,
    ServiceConnectionTarget,
    VariableGroupTarget,
    VaultTarget,
)
from azdo_pat.errors import UsageError
from azdo_pat.store.target_codec import read_target, written_target

HERE = Path("/somewhere").absolute()
ADDRESS = "https://vault.example.com:8200"
WHERE = WrittenIn(HERE, {"VAULT_ADDR": f"{ADDRESS}/", "VAULT_NAMESPACE": "team/"})
NOWHERE = WrittenIn(HERE, {})

WRITTEN: list[tuple[str, Mapping[str, object], Delivery]] = [
    (
        "keyvault:contoso/ci-pat",
        {"keyvault": "contoso", "secret": "ci-pat"},
        KeyVaultTarget("contoso", "ci-pat"),
    ),
    (
        "keyvault:Contoso.Vault.azure.cn/ci",
        {"keyvault": "contoso.vault.azure.cn", "secret": "ci"},
        KeyVaultTarget("contoso.vault.azure.cn", "ci"),
    ),
    (
        "vault:secret/team/ci#pat",
        {"vault": "secret/team/ci", "field": "pat"},
        VaultTarget("secret/team/ci", "pat", ADDRESS, "team"),
    ),
    (
        "vault:kv/a%23b#x%2Fy",
        {"vault": "kv/a#b", "field": "x/y"},
        VaultTarget("kv/a#b", "x/y", ADDRESS, "team"),
    ),
    (
        "variable-group:Web Shop/secrets#AZURE_PAT",
        {"variable_group": "secrets", "project": "Web Shop", "variable": "AZURE_PAT"},
        VariableGroupTarget("", "Web Shop", "secrets", "AZURE_PAT"),
    ),
    (
        "variable-group:Fabrikam/Büro/a%2Fb#c%23d",
        {"variable_group": "a/b", "project": "Büro", "variable": "c#d", "org": "fabrikam"},
        VariableGroupTarget("fabrikam", "Büro", "a/b", "c#d"),
    ),
    (
        "service-connection:web/feed",
        {"service_connection": "feed", "project": "web"},
        ServiceConnectionTarget("", "web", "feed"),
    ),
    (
        "service-connection:fabrikam/web/50%25#apitoken",
        {
            "service_connection": "50%",
            "project": "web",
            "org": "fabrikam",
            "parameter": "apitoken",
        },
        ServiceConnectionTarget("fabrikam", "web", "50%", "apitoken"),
    ),
    (
        "github:contoso/web.shop#azure_pat",
        {"github": "contoso/web.shop", "secret": "AZURE_PAT"},
        GitHubTarget("contoso", "web.shop", "", "AZURE_PAT"),
    ),
    (
        "github:contoso/web@prod%2Feu#PAT",
        {"github": "contoso/web", "secret": "PAT", "environment": "prod/eu"},
        GitHubTarget("contoso", "web", "prod/eu", "PAT"),
    ),
    (
        "github:contoso#PAT",
        {"github": "contoso", "secret": "PAT"},
        GitHubTarget("contoso", "", "", "PAT"),
    ),
]


@pytest.mark.parametrize(("text", "table", "expected"), WRITTEN)
def test_text_and_table_mean_the_same(
    text: str, table: Mapping[str, object], expected: Delivery
) -> None:
    assert from_text(text, WHERE) == from_table(table, WHERE) == expected


@pytest.mark.parametrize("expected", [expected for _, _, expected in WRITTEN])
def test_what_is_shown_is_what_users_write(expected: Delivery) -> None:
    assert from_text(expected.place, WHERE) == expected


@pytest.mark.parametrize("target", [expected for _, _, expected in WRITTEN])
def test_they_are_remembered(target: Delivery) -> None:
    document = written_target(target)
    assert isinstance(document, dict)
    assert read_target(document) == target


def test_what_only_a_file_can_say() -> None:
    table = {
        "vault": "kv/ci",
        "field": "pat",
        "address": "http://127.0.0.1:8200",
        "namespace": "a/b",
        "whole": True,
    }
    expected = VaultTarget("kv/ci", "pat", "http://127.0.0.1:8200", "a/b", whole=True)
    assert from_table(table, WHERE) == from_table(table, NOWHERE) == expected
    found = from_table(
        {"github": "a/b", "secret": "C", "app": "dependabot", "host": "Git.example.com"}, NOWHERE
    )
    assert found == GitHubTarget("a", "b", "", "C", "dependabot", "git.example.com")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"BAO_ADDR": "https://bao", "VAULT_ADDR": "https://vault"}, ("https://bao", "")),
        ({"VAULT_ADDR": "https://x/vault", "BAO_NAMESPACE": "n"}, ("https://x/vault", "n")),
        ({"VAULT_ADDR": "http://localhost:8200"}, ("http://localhost:8200", "")),
    ],
)
def test_the_server_is_that_of_the_environment(
    environment: Mapping[str, str], expected: tuple[str, str]
) -> None:
    found = from_text("vault:kv/ci#pat", WrittenIn(HERE, environment))
    assert isinstance(found, VaultTarget)
    assert (found.address, found.namespace) == expected


@pytest.mark.parametrize(
    "address",
    ["", "vault", "http://vault:8200", "unix:///run/vault", "https://u:p@vault", "https://v/?a=b"],
)
def test_a_server_that_no_secret_may_be_sent_to(address: str) -> None:
    with pytest.raises(UsageError, match="address") as caught:
        from_text("vault:kv/ci#pat", WrittenIn(HERE, {"VAULT_ADDR": address}))
    assert "VAULT_ADDR" in caught.value.hint
    assert "p@" not in str(caught.value)


def test_the_host_of_github_is_that_of_the_environment() -> None:
    found = from_text("github:a/b#C", WrittenIn(HERE, {"GH_HOST": "localhost:8443"}))
    assert found == GitHubTarget("a", "b", "", "C", host="localhost:8443")
    with pytest.raises(UsageError, match="host"):
        from_text("github:a/b#C", WrittenIn(HERE, {"GH_HOST": "https://x"}))


@pytest.mark.parametrize(
    "text",
    [
        "keyvault:contoso",
        "keyvault:contoso/",
        "keyvault:/ci",
        "keyvault:contoso/a/b",
        "keyvault:contoso/bad_name",
        f"keyvault:contoso/{'a' * 128}",
        "keyvault:https:%2F%2Fcontoso/ci",
        "keyvault:a..b/ci",
        "keyvault:a@b/ci",
        "vault:secret#pat",
        "vault:secret/ci",
        "vault:secret/ci#",
        "vault:secret//ci#pat",
        "vault:secret/../sys#pat",
        "vault:secret/%2E%2E/sys#pat",
        "vault:secret/ci#a#b",
        "vault:secret/c%00i#pat",
        "vault:secret/%ff#pat",
        "variable-group:web#PAT",
        "variable-group:web/secrets",
        "variable-group:a/b/c/d#PAT",
        "variable-group:no_org/web/secrets#PAT",
        "variable-group:web/ #PAT",
        "variable-group:web/secrets#\u202ePAT",
        "service-connection:web",
        "service-connection:web/feed#",
        "service-connection:web/./x",
        "github:contoso",
        "github:contoso/web",
        "github:contoso@prod#PAT",
        "github:contoso/web@#PAT",
        "github:contoso/..#PAT",
        "github:contoso/web#1PAT",
        "github:contoso/web#GITHUB_PAT",
        "github:contoso/web#a-b",
        "github:con toso/web#PAT",
    ],
)
def test_texts_that_are_none(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_text(text, WHERE)
    assert caught.value.hint


@pytest.mark.parametrize(
    "table",
    [
        {"keyvault": "contoso"},
        {"keyvault": 1, "secret": "x"},
        {"keyvault": "contoso", "secret": "x", "field": "y"},
        {"keyvault": "contoso", "secret": "x", "vault": "a/b"},
        {"vault": "secret", "field": "x"},
        {"vault": "secret/../x", "field": "x"},
        {"vault": "secret/x"},
        {"vault": "secret/x", "field": "y", "whole": "yes"},
        {"vault": "secret/x", "field": "y", "address": "http://vault"},
        {"variable-group": "x", "project": "y", "variable": "z"},
        {"variable_group": "x", "variable": "z"},
        {"variable_group": "x", "project": "y"},
        {"variable_group": "x", "project": "y", "variable": "z", "org": "https://x"},
        {"service_connection": "x"},
        {"service_connection": "x", "project": "y", "parameter": ""},
        {"github": "a/b"},
        {"github": "a/", "secret": "X"},
        {"github": "a", "secret": "X", "environment": "prod"},
        {"github": "a/b", "secret": "X", "app": "pages"},
        {"github": "a/b", "secret": "X", "app": "dependabot", "environment": "prod"},
        {"github": "a/b", "secret": "X", "host": "a b"},
    ],
)
def test_tables_that_are_none(table: Mapping[str, object]) -> None:
    with pytest.raises(UsageError):
        from_table(table, WHERE)
