"""What Azure Key Vault refuses, in its own words.

Sources: Azure Key Vault, "Common error codes"; answers of the service in public reports, such as
azure-docs issue 75410 (AKV10032), terraform-provider-azurerm issue 4553 (the firewall),
azure-sdk-for-js issue 24756 (a disabled secret).
"""

from __future__ import annotations

from enum import Enum
from typing import Any


class Refusal(Enum):
    """The status, the code and the inner code."""

    UNAUTHORIZED = 401, "Unauthorized", None
    BAD_PARAMETER = 400, "BadParameter", None
    BY_ROLES = 403, "Forbidden", "ForbiddenByRbac"
    BY_ACCESS_POLICY = 403, "Forbidden", "AccessDenied"
    BY_POLICY = 403, "Forbidden", "ForbiddenByPolicy"
    BY_FIREWALL = 403, "Forbidden", "ForbiddenByFirewall"
    DISABLED = 403, "Forbidden", "SecretDisabled"
    NOT_FOUND = 404, "SecretNotFound", None
    IS_DELETED = 409, "Conflict", "ObjectIsDeletedButRecoverable"
    THROTTLED = 429, "Throttled", None
    INTERNAL = 500, "InternalServerError", None

    @property
    def status(self) -> int:
        """The HTTP status."""
        status: int = self.value[0]
        return status

    def document(self, message: str) -> dict[str, Any]:
        """``KeyVaultError`` of the specification."""
        _, code, inner = self.value
        error: dict[str, Any] = {"code": code, "message": message}
        if inner is not None:
            error["innererror"] = {"code": inner}
        return {"error": error}


class VaultError(Exception):
    """A request refused; ``not_before`` says how new an access token must be, if that is why."""

    def __init__(self, refusal: Refusal, message: str, *, not_before: int = 0) -> None:
        super().__init__(message)
        self.refusal = refusal
        self.message = message
        self.not_before = not_before
