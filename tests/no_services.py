"""Deliveries without a service: a test gives the ones it needs."""

from azdo_pat.deliveries.services import (
    GitHubSecret,
    KeyVault,
    ServiceConnections,
    VariableGroups,
    Vault,
)
from azdo_pat.delivery_targets import GitHubTarget


class NoServices:
    """Nothing is delivered to a service."""

    def key_vault(self, vault: str) -> KeyVault:
        raise AssertionError(vault)

    def variable_groups(self, organization: str) -> VariableGroups:
        raise AssertionError(organization)

    def service_connections(self, organization: str) -> ServiceConnections:
        raise AssertionError(organization)

    def github(self, target: GitHubTarget) -> GitHubSecret:
        raise AssertionError(target)

    def vault(self, address: str, namespace: str) -> Vault:
        raise AssertionError(address, namespace)
