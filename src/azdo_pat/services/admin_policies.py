"""Reads the policies of a tenant that restrict tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azdo_pat.models import PolicyName
from azdo_pat.results.admin import OnOff, PolicyState

if TYPE_CHECKING:
    from azdo_pat.operations.deps import Deps

_MEANINGS: Final = {
    PolicyName.GLOBAL: "users cannot create tokens for all organizations",
    PolicyName.FULL_ACCESS: "users cannot create tokens with full access",
    PolicyName.LIFESPAN: "users cannot create tokens that are valid for longer than a limit",
    PolicyName.LEAKED: "Azure DevOps revokes tokens that it finds in public repositories",
}


def policies(deps: Deps) -> tuple[PolicyState, ...]:
    """Return all policies; one that the service does not tell is unknown.

    Raises:
        PatError: no user is signed in, the organization is not known, or the service does not
            answer.
    """
    found = tuple(_policy(name, meaning, deps) for name, meaning in _MEANINGS.items())
    if all(each.state is OnOff.UNKNOWN for each in found):
        deps.directory.me()  # raises if the service tells nothing at all
    return found


def _policy(name: PolicyName, meaning: str, deps: Deps) -> PolicyState:
    found = deps.tenant_policies.read(deps.organization, name)
    if found is None:
        return PolicyState(name, OnOff.UNKNOWN, meaning, None, None)
    state = OnOff.ON if found.is_on else OnOff.OFF
    return PolicyState(name, state, meaning, found.max_days, found.has_exceptions)
