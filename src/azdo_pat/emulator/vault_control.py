"""The control calls for the emulated Azure Key Vault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from azdo_pat.emulator.errors import EmulatorError
from azdo_pat.emulator.vault_errors import VaultError
from azdo_pat.emulator.vault_secrets import Secret, read_draft
from azdo_pat.emulator.vaults import Access, Moment, Right, Terms, Vault, Vaults

if TYPE_CHECKING:
    from collections.abc import Callable

_TERMS: Final = frozenset({"tenant", "resource", "access", "rights", "firewall"})
_DRAFT: Final = frozenset({"value", "contentType", "tags", "attributes"})


class VaultControl:
    """What the control endpoint can do to the vaults."""

    def __init__(self, vaults: Vaults) -> None:
        self._vaults = vaults

    def actions(self) -> dict[tuple[str, str], Callable[[object], object]]:
        """By method and name."""
        return {
            ("GET", "vaults"): lambda _: {"vaults": [_vault(each) for each in self._vaults.all()]},
            ("PUT", "vaults"): self._open,
            ("POST", "vault-secrets"): self._set,
            ("DELETE", "vault-secrets"): self._delete,
        }

    def _open(self, value: object) -> object:
        fields = _fields(value, {"vault", *_TERMS})
        vault = self._vaults.open(str(fields["vault"]))
        former = vault.terms
        vault.terms = Terms(
            tenant_id=str(fields.get("tenant", former.tenant_id)),
            resource=str(fields.get("resource", former.resource)),
            access=Access(fields.get("access", former.access)),
            rights=frozenset(Right(each) for each in fields.get("rights", former.rights)),
            firewall=bool(fields.get("firewall", former.firewall)),
        )
        return _vault(vault)

    def _set(self, value: object) -> object:
        fields = _fields(value, {"vault", "secret", "meanwhile", *_DRAFT})
        draft = read_draft(fields)
        return self._change(fields, lambda vault, name: vault.add(name, draft))

    def _delete(self, value: object) -> object:
        fields = _fields(value, {"vault", "secret", "meanwhile"})
        return self._change(fields, lambda vault, name: vault.delete(name))

    def _change(self, fields: dict[str, Any], change: Callable[[Vault, str], object]) -> object:
        """Make a change now, or around the next request that sets a secret there."""
        vault = self._vaults.find(str(fields["vault"]))
        if vault is None:
            raise EmulatorError(f"no vault {fields['vault']!r}")
        name = str(fields.get("secret"))
        try:
            if "meanwhile" in fields:
                vault.meanwhile(Moment(fields["meanwhile"]), lambda: change(vault, name))
            else:
                change(vault, name)
        except VaultError as error:
            raise EmulatorError(error.message) from error
        return {}


def _vault(vault: Vault) -> dict[str, Any]:
    terms = vault.terms
    return {
        "vault": vault.name,
        "tenant": terms.tenant_id,
        "resource": terms.resource,
        "access": terms.access,
        "rights": sorted(terms.rights),
        "firewall": terms.firewall,
        "secrets": {each.name: _versions(each) for each in vault.secrets() if not each.deleted},
        "deleted": {each.name: _versions(each) for each in vault.secrets() if each.deleted},
    }


def _versions(secret: Secret) -> list[dict[str, Any]]:
    return [
        {
            "version": each.version,
            "value": each.value,
            "contentType": each.content_type,
            "tags": each.tags,
            "attributes": each.attributes(),
        }
        for each in secret.versions
    ]


def _fields(value: object, known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or not value.keys() <= known or "vault" not in value:
        raise EmulatorError(
            f"the body is an object with a vault, and of {', '.join(sorted(known))}"
        )
    return value
