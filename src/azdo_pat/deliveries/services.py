"""What deliveries need of the clients of services, which the composition root brings together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from azdo_pat.delivery_targets import GitHubTarget
    from azdo_pat.models import Secret


class Services(Protocol):
    """The clients of the services that distribute secrets; each is made when it is first used."""

    def key_vault(self, vault: str) -> KeyVault:
        """Return a key vault, by its name or its host name.

        Raises:
            UsageError: it is a host that no key vault has.
        """

    def variable_groups(self, organization: str) -> VariableGroups:
        """Return the variable groups of an organization, by its name."""

    def service_connections(self, organization: str) -> ServiceConnections:
        """Return the service connections of an organization, by its name."""

    def vault(self, address: str, namespace: str) -> Vault:
        """Return a namespace of a server of HashiCorp Vault or OpenBao, by the server's address.

        Raises:
            SignInError: no token for the server is set or saved.
            UsageError: the environment is set for another server.
        """

    def github(self, target: GitHubTarget) -> GitHubSecret:
        """Return a secret of GitHub.

        Raises:
            SignInError: no token for its host is set or saved.
            UsageError: its host is not that of a GitHub.
        """


class VariableGroups(Protocol):
    """The variable groups of an organization; see `api.variable_groups`."""

    def find(self, project: str, name: str) -> int:
        """Return the id of the group of a project with a name, in any case."""

    def get(self, project: str, number: int) -> VariableGroup:
        """Return a group by its id."""

    def put(self, number: int, document: Mapping[str, object]) -> None:
        """Replace a whole group; a secret that is null in it stays what it is."""


class VariableGroup(Protocol):
    """A variable group; see `api.variable_groups`."""

    @property
    def id(self) -> int:
        """Its number."""

    @property
    def document(self) -> Mapping[str, object]:
        """All of it as the service sent it."""

    @property
    def vault(self) -> str | None:
        """The key vault that its variables come from; None for a group that holds them."""


class ServiceConnections(Protocol):
    """The service connections of an organization; see `api.service_connections`."""

    def find(self, project: str, name: str) -> ServiceConnection:
        """Return the connection of a project with a name, in any case."""

    def get(self, project: str, guid: str) -> ServiceConnection:
        """Return a connection by its id."""

    def confidential(self, kind: str, scheme: str) -> tuple[str, ...]:
        """Return the confidential inputs of a type and one of its schemes."""

    def put(self, guid: str, document: Mapping[str, object]) -> None:
        """Replace a whole connection; a single confidential parameter that is null stays."""


class ServiceConnection(Protocol):
    """A service connection; see `api.service_connections`."""

    @property
    def id(self) -> str:
        """Its GUID."""

    @property
    def document(self) -> Mapping[str, object]:
        """All of it as the service sent it."""

    @property
    def kind(self) -> str:
        """Its type."""

    @property
    def scheme(self) -> str:
        """How it signs in."""

    @property
    def is_ready(self) -> bool:
        """Whether it can be used."""

    @property
    def failure(self) -> str:
        """Why it failed; empty if it did not."""


class KeyVault(Protocol):
    """The secrets of a key vault; see `api.key_vault`."""

    @property
    def name(self) -> str:
        """The name of the vault."""

    def get(self, name: str, version: str = ...) -> VaultSecret | None:
        """Return a version of a secret, the newest by default; None if there is none."""

    def is_deleted(self, name: str) -> bool:
        """Return whether a deleted secret has the name."""

    def put(
        self,
        name: str,
        value: Secret,
        *,
        content_type: str = ...,
        tags: Mapping[str, str] = ...,
        not_before: int | None = ...,
        expires: datetime | None,
    ) -> VaultSecret:
        """Add a version, and return it."""


class VaultSecret(Protocol):
    """The newest version of a secret in a key vault; see `api.key_vault`."""

    @property
    def version(self) -> str:
        """Its id."""

    @property
    def previous(self) -> str:
        """The id of the version before it; empty if unknown."""

    @property
    def value(self) -> Secret:
        """The secret itself."""

    @property
    def content_type(self) -> str:
        """Empty if it has none."""

    @property
    def tags(self) -> Mapping[str, str]:
        """All of them."""

    @property
    def not_before(self) -> int | None:
        """When it begins to be valid, in seconds since 1970; None if it does not say."""

    @property
    def managed(self) -> bool:
        """Whether it belongs to a certificate, and cannot be set."""


class Vault(Protocol):
    """A namespace of a server of HashiCorp Vault or OpenBao; see `api.vault`."""

    def locate(self, path: str) -> KvPlace:
        """Find the engine that a path leads to."""


class KvPlace(Protocol):
    """Where a secret is, or could be; see `api.vault.KvPlace`."""

    @property
    def has_versions(self) -> bool:
        """Whether the engine keeps versions, and checks which one is replaced."""

    @property
    def data(self) -> str:
        """The path of the API, which policies name."""

    def read(self) -> KvSecret:
        """Return the newest version."""

    def patch(self, fields: Mapping[str, object], *, cas: int | None) -> KvSecret:
        """Write some fields of an existing secret."""

    def write(self, fields: Mapping[str, object], *, cas: int | None) -> KvSecret:
        """Write a whole secret."""

    def annotate(self, notes: Mapping[str, str]) -> None:
        """Set some of the custom metadata."""

    def rights(self) -> frozenset[str] | None:
        """Return what the token may do here; None if it cannot ask."""


class KvSecret(Protocol):
    """The newest version of a secret; see `api.vault.KvSecret`."""

    @property
    def fields(self) -> Mapping[str, object]:
        """Its names and values, of any type of JSON."""

    @property
    def version(self) -> int:
        """Its number; 0 if there is none."""

    @property
    def is_there(self) -> bool:
        """False if the secret does not exist, or its newest version is deleted."""

    @property
    def notes(self) -> Mapping[str, str]:
        """The custom metadata."""


class GitHubSecret(Protocol):
    """One secret of GitHub; see `api.github`."""

    def require_place(self) -> None:
        """Check that its place exists, and that the token may read about secrets there."""

    def read(self) -> GitHubSecretState | None:
        """Return what can be read of it; None if there is none."""

    def put(self, seal: Callable[[bytes], bytes]) -> GitHubSecretState | None:
        """Set it, encrypted by `seal` for the public key of its place; return its former state."""


class GitHubSecretState(Protocol):
    """What can be read of a secret of GitHub; see `api.github.SecretState`."""

    @property
    def visibility(self) -> str:
        """Which repositories of the organization may use it; empty outside of one."""

    @property
    def repositories(self) -> tuple[int, ...]:
        """The ids of the selected ones."""

    @property
    def updated(self) -> datetime:
        """When it was set last, in whole seconds."""

    @property
    def just_set(self) -> bool:
        """Whether that was so shortly before that the next time can be the same."""


class Recognizes(Protocol):
    """Tells whether a secret that was found at a target may be replaced."""

    def __call__(self, found: Secret) -> bool:
        """Return whether `pat` delivered it there, or has never delivered anything there.

        Otherwise someone else has changed it since the last delivery, and it is not overwritten.
        """
