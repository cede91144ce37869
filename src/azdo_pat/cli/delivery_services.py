"""The clients of the services that distribute secrets, each made on first use.

Imports are inside the functions that need them, so that a command imports only what it uses.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from azdo_pat.api.github import GitHubSecret
    from azdo_pat.api.http import Http
    from azdo_pat.api.key_vault import KeyVault
    from azdo_pat.api.service_connections import ServiceConnections
    from azdo_pat.api.variable_groups import VariableGroups
    from azdo_pat.api.vault import Vault
    from azdo_pat.cli.github_sign_in import GitHubSignIn
    from azdo_pat.cli.key_vault_sign_ins import KeyVaultSignIns
    from azdo_pat.cli.session import Session
    from azdo_pat.cli.vault_sign_in import VaultSignIn
    from azdo_pat.delivery_targets import GitHubTarget


class DeliveryServices:
    """The clients; deliveries see them as `deliveries.services.Services`.

    Args:
        session: the sign-in, the settings and the keyring of this run.
        http_of: returns the connection to an organization of Azure DevOps, by its name; of that of
            the token if the name is empty.
    """

    def __init__(self, session: Session, http_of: Callable[[str], Http]) -> None:
        self._session = session
        self._http_of = http_of
        self._key_vaults: dict[str, KeyVault] = {}

    def key_vault(self, vault: str) -> KeyVault:
        """Return a key vault, by its name or its host name.

        Raises:
            UsageError: it is a host that no key vault has.
        """
        from azdo_pat.api.addresses import key_vault
        from azdo_pat.api.key_vault import KeyVault

        if vault not in self._key_vaults:
            session = self._session
            address = key_vault(vault, session.runtime.environment.get("PAT_KEYVAULT_URL"))
            self._key_vaults[vault] = KeyVault(
                session.http_without_sign_in(), address, self._key_vault_sign_ins
            )
        return self._key_vaults[vault]

    @cached_property
    def _key_vault_sign_ins(self) -> KeyVaultSignIns:
        from azdo_pat.cli.key_vault_sign_ins import KeyVaultSignIns

        return KeyVaultSignIns(self._session)

    def variable_groups(self, organization: str) -> VariableGroups:
        """Return the variable groups of an organization, by its name."""
        from azdo_pat.api.variable_groups import VariableGroups

        return VariableGroups(self._http_of(organization), organization)

    def service_connections(self, organization: str) -> ServiceConnections:
        """Return the service connections of an organization, by its name."""
        from azdo_pat.api.service_connections import ServiceConnections

        return ServiceConnections(self._http_of(organization), organization)

    def vault(self, address: str, namespace: str) -> Vault:
        """Return a namespace of a server of HashiCorp Vault or OpenBao, by the server's address.

        Raises:
            SignInError: no token for the server is set or saved.
            UsageError: the environment is set for another server.
        """
        from azdo_pat.api.vault import Vault

        sign_in = self._vault_sign_in
        token = sign_in.token(address)
        return Vault(
            self._session.http_without_sign_in(sign_in.ca_bundle), address, namespace, token
        )

    @cached_property
    def _vault_sign_in(self) -> VaultSignIn:
        from azdo_pat.cli.vault_sign_in import VaultSignIn

        runtime = self._session.runtime
        return VaultSignIn(runtime.environment, runtime.messages.notice)

    def github(self, target: GitHubTarget) -> GitHubSecret:
        """Return a secret of GitHub.

        Raises:
            SignInError: no token for its host is set or saved.
            UsageError: its host is not that of a GitHub.
        """
        from azdo_pat.api.github import GitHubSecret

        token = self._github_sign_in.token(target.host)
        return GitHubSecret(self._session.http_without_sign_in(), target, token)

    @cached_property
    def _github_sign_in(self) -> GitHubSignIn:
        from azdo_pat.cli.github_sign_in import GitHubSignIn

        runtime = self._session.runtime
        return GitHubSignIn(runtime.environment, runtime.messages.detail)
