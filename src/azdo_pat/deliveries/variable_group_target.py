"""Delivers a secret to a variable of a variable group of Azure Pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azdo_pat.errors import ConflictError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azdo_pat.deliveries.placeholders import DeliveryContext
    from azdo_pat.deliveries.services import VariableGroup, VariableGroups
    from azdo_pat.delivery_targets import VariableGroupTarget
    from azdo_pat.models import Handover


def probe(target: VariableGroupTarget, organization: str, context: DeliveryContext) -> None:
    """Check that the group can be read, and that it holds its variables itself.

    Raises:
        NotFoundError: there is no such group.
        UsageError: its variables are secrets of a key vault.
        PatError: it cannot be read.
    """
    groups = context.services.variable_groups(target.org or organization)
    _read(target, groups, groups.find(target.project, target.group))


def deliver(
    target: VariableGroupTarget, organization: str, handover: Handover, context: DeliveryContext
) -> None:
    """Set the variable as a secret one, and keep everything else of the group.

    The service has no conditional write. So the group is read right before and compared after,
    while no other process of this machine, which may set another variable, is at it.

    Raises:
        ConflictError: someone else has changed the group at the same time.
        PatError: the variable could not be set.
    """
    org = target.org or organization
    groups = context.services.variable_groups(org)
    number = groups.find(target.project, target.group)
    with context.alone(f"variable group {number} of {org.casefold()}"):
        _set(target, groups, _read(target, groups, number), handover, context)


def _set(
    target: VariableGroupTarget,
    groups: VariableGroups,
    group: VariableGroup,
    handover: Handover,
    context: DeliveryContext,
) -> None:
    variables: Mapping[str, Any] = _variables(group.document)
    wanted = target.variable.casefold()
    name = next((each for each in variables if each.casefold() == wanted), target.variable)
    found = variables.get(name)
    before: Mapping[str, Any] = found if isinstance(found, dict) else {}
    secret = {**before, "value": handover.secret.reveal(), "isSecret": True}
    sent = {**group.document, "variables": {**variables, name: secret}}
    groups.put(group.id, sent)
    if before and before.get("isSecret") is not True:
        context.say(f"{target.place}: the variable was plain, and is a secret one now")
    after = groups.get(target.project, group.id).document
    if _comparable(after, wanted) != _comparable(sent, wanted):
        raise ConflictError(
            "someone else has changed the variable group at the same time",
            hint="check its variables in Pipelines > Library; delivering again keeps what is there",
        )


def _read(target: VariableGroupTarget, groups: VariableGroups, number: int) -> VariableGroup:
    group = groups.get(target.project, number)
    if group.vault is not None:
        raise UsageError(
            f"the variable group takes its variables from the key vault {group.vault!r}",
            hint=f"deliver to the vault instead: --deliver keyvault:{group.vault}/NAME",
        )
    return group


def _variables(document: Mapping[str, object]) -> dict[str, Any]:
    variables = document["variables"]
    return variables if isinstance(variables, dict) else {}


def _comparable(document: Mapping[str, object], wanted: str) -> tuple[object, ...]:
    """Return what must be the same after the delivery; secrets are never told, so only names."""
    variables: dict[str, object] = {}
    for name, each in _variables(document).items():
        fields: dict[str, Any] = each if isinstance(each, dict) else {}
        is_secret = fields.get("isSecret") is True
        value = None if is_secret else fields.get("value")
        variables[name.casefold()] = (is_secret, value, fields.get("isReadOnly") is True)
    is_secret_there = variables.pop(wanted, (False,))
    references = document.get("variableGroupProjectReferences")
    projects = [
        (
            str(each.get("projectReference")).casefold(),
            each.get("name"),
            each.get("description") or "",
        )
        for each in (references if isinstance(references, list) else [])
        if isinstance(each, dict)
    ]
    return (
        is_secret_there,
        variables,
        document.get("name"),
        document.get("description") or "",
        sorted(projects, key=str),
    )
