"""Whom a vault lets in: the token, its tenant, the firewall, and the rights, in this order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azdo_pat.emulator import access_tokens
from azdo_pat.emulator.access_tokens import BadAccessTokenError, Caller, Verdict
from azdo_pat.emulator.vault_errors import Refusal, VaultError
from azdo_pat.emulator.vaults import Access, Right, Vault

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from azdo_pat.emulator.service import Service

NO_TOKEN: Final = "AKV10000: Request is missing a Bearer or PoP token."  # noqa: S105  # a message
_UNREADABLE: Final = "AKV10046: Unable to resolve the key used for signature validation."
_MESSAGES: Final = {
    Verdict.WRONG_AUDIENCE: "AKV10022: Invalid audience.",
    Verdict.EXPIRED: "[TokenExpired] Error validating token: 'S2S12086'.",
    Verdict.REVOKED: "[TokenExpired] Error validating token: 'S2S12086'.",
}
_ACTIONS: Final = {
    Right.GET: "getSecret/action",
    Right.LIST: "readMetadata/action",
    Right.SET: "setSecret/action",
    Right.DELETE: "delete",
    Right.RECOVER: "recover/action",
    Right.PURGE: "purge/action",
}
"""The data actions of Azure's roles."""


def caller_of(request: Request, vault: Vault, service: Service) -> Caller:
    """Who calls.

    Raises:
        VaultError: 401; the token is missing, no good, or of another tenant.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.casefold() != "bearer" or not token.strip():
        raise VaultError(Refusal.UNAUTHORIZED, NO_TOKEN)
    try:
        caller = access_tokens.verify(
            token.strip(),
            key=service.signing_key,
            now=service.now(),
            not_before=service.not_before,
            audience=vault.terms.resource,
        )
    except BadAccessTokenError as error:
        message = _MESSAGES.get(error.verdict, _UNREADABLE)
        newer = service.not_before if error.verdict is Verdict.REVOKED else 0
        raise VaultError(Refusal.UNAUTHORIZED, message, not_before=newer) from error
    if caller.tenant_id != vault.terms.tenant_id:
        raise VaultError(
            Refusal.UNAUTHORIZED,
            f"AKV10032: Invalid issuer. Expected one of {_issuer(vault.terms.tenant_id)}, found"
            f" {_issuer(caller.tenant_id)}.",
        )
    return caller


def check_right(caller: Caller, right: Right, vault: Vault, request: Request) -> None:
    """Let the caller make this request.

    Raises:
        VaultError: 403.
    """
    terms, place = vault.terms, f"{vault.name};location=westeurope"
    if terms.firewall:
        raise VaultError(
            Refusal.BY_FIREWALL,
            "Client address is not authorized and caller is not a trusted service.\r\n"
            f"Client address: {request.remote_addr}\r\nCaller: {caller.identity}\r\n"
            f"Vault: {place}",
        )
    if right in terms.rights:
        return
    match terms.access:
        case Access.ROLES:
            raise VaultError(
                Refusal.BY_ROLES,
                "Caller is not authorized to perform action on resource.\r\n"
                "If role assignments, deny assignments or role definitions were changed recently,"
                f" please observe propagation time.\r\nCaller: {caller.identity}\r\n"
                f"Action: 'Microsoft.KeyVault/vaults/secrets/{_ACTIONS[right]}'\r\n"
                "Resource: '/subscriptions/5f1e2d3c-0000-4000-8000-000000000001/resourcegroups/ci/"
                f"providers/microsoft.keyvault/vaults/{vault.name}'\r\n"
                "Assignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\n"
                f"Vault: {place}\r\n",
            )
        case Access.POLICIES:
            raise VaultError(
                Refusal.BY_ACCESS_POLICY,
                f"The user, group or application '{caller.identity}' does not have secrets"
                f" {right} permission on key vault '{place}'. For help resolving this issue,"
                " please see https://go.microsoft.com/fwlink/?linkid=2125287",
            )
        case Access.ON_BEHALF_OF:
            raise VaultError(
                Refusal.BY_POLICY,
                f"The policy requires the caller '{caller.identity}' to use on-behalf-of (OBO)"
                " flow. For more information on OBO, please see"
                " https://go.microsoft.com/fwlink/?linkid=2152310",
            )


def _issuer(tenant_id: str) -> str:
    return f"https://sts.windows.net/{tenant_id}/"
