"""Azure Key Vault as far as its secrets go: versions, attributes, soft delete.

Source: the OpenAPI document of the secrets of Key Vault (api-version 2025-07-01); Azure Key Vault,
"About Azure Key Vault secrets".
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from azdo_pat.emulator.access_tokens import KEY_VAULTS
from azdo_pat.emulator.directory import OTHER_TENANT_ID, TENANT_ID
from azdo_pat.emulator.vault_errors import Refusal, VaultError
from azdo_pat.emulator.vault_secrets import Draft, Secret, Version, check, key_of, missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

PUBLIC_CLOUD: Final = "https://vault.azure.net"


class Right(StrEnum):
    """What someone may do with the secrets of a vault."""

    GET = "get"
    LIST = "list"
    SET = "set"
    DELETE = "delete"
    RECOVER = "recover"
    PURGE = "purge"


class Access(StrEnum):
    """How a vault decides which rights a user has; its refusals differ."""

    ROLES = "rbac"
    POLICIES = "policy"
    ON_BEHALF_OF = "on-behalf-of"


class Moment(StrEnum):
    """When someone else changes a secret: around the next request that sets it."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Whom a vault lets in: accounts of its tenant, for its resource, with these rights."""

    tenant_id: str = TENANT_ID
    resource: str = PUBLIC_CLOUD
    access: Access = Access.ROLES
    rights: frozenset[Right] = frozenset(Right)
    firewall: bool = False

    def __post_init__(self) -> None:
        """Check the resource.

        Raises:
            ValueError: it is that of no cloud.
        """
        if self.resource not in KEY_VAULTS:
            raise ValueError(f"resource is one of {', '.join(sorted(KEY_VAULTS))}")


class Vault:
    """One vault; names of secrets have no case. Safe for many threads.

    Args:
        name: of the vault.
        now: the clock.
    """

    def __init__(self, name: str, now: Callable[[], datetime]) -> None:
        self.name = name
        self.terms = Terms()
        self._now = now
        self._lock = threading.RLock()
        self._secrets: dict[str, Secret] = {}
        self._meanwhile: dict[Moment, list[Callable[[], object]]] = {each: [] for each in Moment}

    def secrets(self) -> list[Secret]:
        """All, the deleted ones among them."""
        with self._lock:
            return [replace(each, versions=list(each.versions)) for each in self._secrets.values()]

    def put(self, name: str, draft: Draft) -> Version:
        """Add a version, as a request does: what others asked for in the meantime happens, too.

        Raises:
            VaultError: the name or the draft is no good, or the name is that of a deleted secret.
        """
        with self._lock:
            self._let(Moment.BEFORE)
            made = self.add(name, draft)
            self._let(Moment.AFTER)
            return made

    def add(self, name: str, draft: Draft) -> Version:
        """Add a version; it inherits nothing.

        Raises:
            VaultError: as of `put`.
        """
        check(draft)
        if draft.value is None:
            raise VaultError(Refusal.BAD_PARAMETER, "The parameter value is missing or not valid.")
        with self._lock:
            former = self._secrets.get(key_of(name))
            if former and former.deleted:
                raise VaultError(
                    Refusal.IS_DELETED,
                    f"Secret {name} is currently in a deleted but recoverable state, and its name"
                    " cannot be reused; in this state, the secret can only be recovered or purged.",
                )
            seconds = int(self._now().timestamp())
            version = Version(
                version=uuid.uuid4().hex,
                value=draft.value,
                content_type=draft.content_type,
                tags=draft.tags,
                enabled=draft.enabled is not False,
                not_before=draft.not_before,
                expires=draft.expires,
                created=seconds,
                updated=seconds,
                previous=former.versions[-1].version if former else None,
            )
            if former:
                former.versions.append(version)
            else:
                self._secrets[key_of(name)] = Secret(name=name, versions=[version])
            return version

    def get(self, name: str, version: str = "") -> Version:
        """The latest version, or the one that is named.

        Raises:
            VaultError: there is none, or it is disabled.
        """
        with self._lock:
            secret = self._present(name)
            found = secret.versions[secret.place(version)]
        if not found.enabled:
            message = "Operation get is not allowed on a disabled secret."
            raise VaultError(Refusal.DISABLED, message)
        return found

    def versions(self, name: str) -> list[Version]:
        """All versions, in the order of their ids, which is that of no time.

        Raises:
            VaultError: there is no such secret.
        """
        with self._lock:
            return sorted(self._present(name).versions, key=lambda each: each.version)

    def update(self, name: str, version: str, draft: Draft) -> Version:
        """Change a version in place; what the draft does not say stays.

        Raises:
            VaultError: there is none, or the draft is no good.
        """
        with self._lock:
            secret = self._present(name)
            place = secret.place(version)
            said = {
                key: value
                for key, value in vars(draft).items()
                if key != "value" and value is not None
            }
            changed = replace(secret.versions[place], **said, updated=int(self._now().timestamp()))
            check(Draft(**{key: getattr(changed, key) for key in vars(draft)}))
            secret.versions[place] = changed
            return changed

    def delete(self, name: str) -> Secret:
        """Delete a secret, so that it can be recovered.

        Raises:
            VaultError: there is none.
        """
        with self._lock:
            secret = self._present(name)
            secret.deleted = self._now()
            return replace(secret)

    def deleted(self, name: str) -> Secret:
        """A deleted secret.

        Raises:
            VaultError: there is none.
        """
        with self._lock:
            return self._gone(name)

    def recover(self, name: str) -> Version:
        """Undo the deletion; gives the latest version.

        Raises:
            VaultError: there is nothing to recover.
        """
        with self._lock:
            secret = self._gone(name)
            secret.deleted = None
            return secret.versions[-1]

    def purge(self, name: str) -> None:
        """Delete for good what was deleted.

        Raises:
            VaultError: there is none.
        """
        with self._lock:
            del self._secrets[key_of(self._gone(name).name)]

    def meanwhile(self, moment: Moment, change: Callable[[], object]) -> None:
        """Let someone else make a change around the next `put`."""
        with self._lock:
            self._meanwhile[moment].append(change)

    def _let(self, moment: Moment) -> None:
        changes, self._meanwhile[moment] = self._meanwhile[moment], []
        for change in changes:
            change()

    def _present(self, name: str) -> Secret:
        secret = self._secrets.get(key_of(name))
        if secret is None or secret.deleted:
            raise missing(name)
        return secret

    def _gone(self, name: str) -> Secret:
        secret = self._secrets.get(key_of(name))
        if secret is None or not secret.deleted:
            raise VaultError(Refusal.NOT_FOUND, f"Deleted Secret not found: {name}")
        return secret


class Vaults:
    """The vaults that there are: at first one of each tenant.

    They are not in the state file, which holds no secret.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._vaults: dict[str, Vault] = {}
        self.open("contoso-ci")
        self.open("tailspin-ci").terms = Terms(tenant_id=OTHER_TENANT_ID)

    def open(self, name: str) -> Vault:
        """The vault of this name, which is made where there is none."""
        with self._lock:
            return self._vaults.setdefault(name.casefold(), Vault(name, self._now))

    def find(self, name: str) -> Vault | None:
        """The vault of this name, in any case."""
        return self._vaults.get(name.casefold())

    def all(self) -> list[Vault]:
        """In the order in which they were made."""
        with self._lock:
            return list(self._vaults.values())
