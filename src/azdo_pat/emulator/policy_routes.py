"""The endpoint of the tenant's policies, which Microsoft does not document.

Path and fields are those that ADOPS (``Get-ADOPSTenantPolicy``) uses; properties are texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azdo_pat.emulator import answers, sign_in
from azdo_pat.emulator.errors import ACCESS_CHECK, NO_CONTROLLER, ServiceError

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from azdo_pat.emulator.call import Call
    from azdo_pat.emulator.directory import Organization
    from azdo_pat.emulator.service import Service


def policy(call: Call, service: Service, organization: Organization, name: str) -> Response:
    """One policy, on or off; ``name`` is in lower case."""
    user, _ = sign_in.entra_user(call.headers, service)
    sign_in.require_member(user, organization)
    policies = service.policies_of(organization)
    if policies.policies_forbidden:
        raise ServiceError(
            ACCESS_CHECK, f"Access Denied: {user.display_name} may not read the policies."
        )
    days = policies.maximum_lifespan_days
    known: dict[str, tuple[bool, dict[str, str]]] = {
        "RestrictGlobalPersonalAccessToken": (policies.global_forbidden, {}),
        "RestrictFullScopePersonalAccessToken": (policies.full_scope_forbidden, {}),
        "RestrictPersonalAccessTokenLifespan": (
            days is not None,
            {} if days is None else {"MaxPatLifespanInDays": str(days)},
        ),
        "EnableLeakedPersonalAccessTokenAutoRevocation": (True, {}),
    }
    for each, (value, properties) in known.items():
        full = f"TenantPolicy.{each}"
        if full.casefold() == name:
            return answers.json_answer({"name": full, "value": value, "properties": properties})
    raise ServiceError(NO_CONTROLLER, f"The policy '{name}' does not exist.")
